"""The gateway under test: its configuration, process, log and management API."""

import http.client
import itertools
import json
import os
import pathlib
import random
import re
import signal
import socket

from harness import ROOT
from harness.client import Client
from harness.process import Process
from harness.waiting import until

TOKEN = "0123456789abcdef0123"


def binary():
    """GATEHOUSE_BIN, or the release build; relative paths are relative to the project's root."""
    return ROOT / os.environ.get("GATEHOUSE_BIN", ".build/release/gatehouse")


def free_ports(count):
    """Ports that nothing is bound to, at any address, and that are not handed out again soon."""
    return list(itertools.islice(filter(_is_free, _candidates), count))


def _candidate_ports():
    """From where the kernel takes none for outgoing connections, in an order of this run's own."""
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
            first_outgoing = int(file.read().split()[0])
    except OSError:
        first_outgoing = 32_768
    # Where there are hardly any below, a port may be taken before it is used.
    ports = range(10_000, first_outgoing if first_outgoing > 12_000 else 60_000)
    return itertools.cycle(random.sample(ports, len(ports)))


_candidates = _candidate_ports()


def _is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
        return True


def toml(table, prefix=""):
    """Scalars first, then tables and arrays of tables, as TOML wants them."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in table.items()
             if not isinstance(value, dict) and not _is_tables(value)]
    for key, value in table.items():
        if isinstance(value, dict):
            lines += [f"[{prefix}{key}]", toml(value, f"{prefix}{key}.")]
        elif _is_tables(value):
            for element in value:
                lines += [f"[[{prefix}{key}]]", toml(element, f"{prefix}{key}.")]
    return "\n".join(lines)


def _is_tables(value):
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def configuration(workers=(), listener=None, pool=None, worker=None, limits=None, log=None, **top):
    """A configuration as a dictionary, with short timeouts; the arguments override its parts."""
    worker_table = {"connect_timeout": "2s", "ready_timeout": "5s", "alive_timeout": "10s",
                    **(worker or {})}
    tables = [{"address": w if isinstance(w, str) else w.endpoint, **worker_table} for w in workers]
    return {
        "shutdown_grace": "10s",
        **top,
        "listener": [{"name": "game", "address": "127.0.0.1:0", "framer": "frames",
                      "pool": "default", **(listener or {})}],
        "framer": {"frames": {"kind": "length-prefix", "offset": 0, "width": 2, "endian": "big",
                              "counts": "rest", "max": 65537}},
        "pool": [{"name": "default", **(pool or {}), **({"worker": tables} if tables else {})}],
        "management": {"address": "127.0.0.1:0", "token": TOKEN},
        "limits": limits or {},
        "log": {"level": "debug", "format": "json", **(log or {})},
    }


# The host of workers that nobody reaches, and of which no test is told.
NOBODY = "127.0.1."


def beside_the_door(config):
    """The same gateway with two shards.

    Workers are dealt to the shards in turn: one that nobody reaches goes before each, so that all
    sessions move to the second shard.
    """
    nobody = (f"{NOBODY}{number}:9" for number in itertools.count(1))
    pools = [{**pool, "worker": [
        one for worker in pool["worker"] for one in ({**worker, "address": next(nobody)}, worker)]}
        if "worker" in pool else pool for pool in config.get("pool", [])]
    return {"shards": 2, **config, "pool": pools}


class Gateway:
    """A running `gatehouse serve`."""

    def __init__(self, directory, config, ready=True, descriptors_max=None):
        """`config` is a dictionary; every address with port 0 gets a free port.

        `ready` is how many workers to wait for: True for all that are configured, 0 for none.
        """
        self.directory = pathlib.Path(directory)
        self._start_on_free_ports(config, ready, descriptors_max)

    def start_again(self, ready=True):
        """After a stop: a new process in the same folder, so with the same store; other ports."""
        self._start_on_free_ports(self.config, ready, None)

    def _start_on_free_ports(self, config, ready, descriptors_max):
        for _ in range(5):
            self._choose_ports(config)
            self._start(toml(self.config), descriptors_max)
            try:
                if self._came_up(ready):
                    return
            except BaseException:
                self.kill()
                print(self.process.output())
                raise
        raise AssertionError("no free port found in five tries")

    def client(self, listener=0, **options):
        return Client(self.ports[listener], **options)

    # The process.

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        """SIGTERM; returns the exit status."""
        self.process.terminate()
        return self.process.wait()

    def kill(self):
        self.process.kill()

    # The log.

    def log(self, event=None, **fields):
        """Records of the log: of one event, such as `worker-lost`, and with `fields`."""
        records = []
        for line in self.process.output().splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if event in (None, record["event"]) and all(
                    record.get(key) == value for key, value in fields.items()
            ) and not record.get("worker", "").startswith(NOBODY):
                records.append(record)
        return records

    def wait_log(self, event, **fields):
        return until(lambda: self.log(event, **fields), f"log: {event} {fields}")[0]

    def wait_closed(self, reason, count=1):
        """Waits until `count` sessions were closed for `reason`."""
        until(lambda: len(self.log("session-closed", reason=reason)) >= count,
              f"{count} sessions closed as {reason}")

    def wait_lost(self, worker, reason):
        """Waits until the link to `worker` ended for `reason`."""
        return self.wait_log("worker-lost", worker=worker.endpoint, reason=reason)

    # The management API.

    def api(self, method, path, body=None, token=TOKEN):
        """Status, and the body: decoded when it is JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.management_port, timeout=30)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = body if isinstance(body, (str, bytes)) else json.dumps(body)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        if "json" in response.headers.get("Content-Type", ""):
            return response.status, json.loads(text)
        return response.status, text

    def workers(self):
        """All upstreams, in the order in which they were added."""
        return [worker for worker in self._get("/upstream")["workers"]
                if not worker["endpoint"].startswith(NOBODY)]

    def worker(self, worker):
        """One upstream, by its endpoint; None when there is none."""
        return next((w for w in self.workers() if w["endpoint"] == worker.endpoint), None)

    def wait_state(self, worker, state):
        until(lambda: (self.worker(worker) or {}).get("state") == state,
              f"{worker.endpoint} is {state}")

    def wait_ready(self, count):
        """Waits until so many workers are in rotation."""
        until(lambda: [w["state"] for w in self.workers()].count("ready") >= count,
              f"{count} workers are ready")

    def sessions(self):
        """At most the hundred of the first page."""
        return self._get("/sessions")["sessions"]

    def uuid_of(self, client):
        """Waits, because a client is connected before the gateway has accepted it."""
        return until(lambda: [s["uuid"] for s in self.sessions() if s["client"] == client.address],
                     f"session of {client.address}")[0]

    def metrics(self):
        """Samples by their full name, labels included, as they stand in the text."""
        status, text = self.api("GET", "/metrics")
        assert status == 200
        return {name: float(value) for name, value in
                re.findall(r"^([a-z_]+(?:\{.*\})?) (\S+)$", text, re.MULTILINE)}

    def _get(self, path):
        status, body = self.api("GET", path)
        assert status == 200, (status, body)
        return body

    # Starting.

    def _choose_ports(self, config):
        self.config = json.loads(json.dumps(config))
        listeners = self.config.get("listener") or [self.config["server"]]
        management = self.config.get("management") or self.config["management_server"]
        *self.ports, self.management_port = free_ports(len(listeners) + 1)
        for table, port in zip([*listeners, management], [*self.ports, self.management_port]):
            if "address" in table:
                table["address"] = table["address"].rpartition(":")[0] + f":{port}"
            else:
                table["port"] = port

    def _configured_workers(self):
        workers = [worker for pool in self.config.get("pool", []) for worker in
                   pool.get("worker", []) if not worker["address"].startswith(NOBODY)]
        return len(workers or self.config.get("upstream", []))

    def _start(self, text, descriptors_max):
        path = self.directory / "gatehouse.toml"
        path.write_text(text + "\n")
        command = [binary(), "serve", "--config", path]
        self.process = Process(command, self.directory / "gateway.log",
                               cwd=self.directory, descriptors_max=descriptors_max)

    def _came_up(self, ready):
        """False when one of the ports was taken in the meantime."""
        path = "/readyz" if ready else "/livez"
        until(lambda: self.process.exited() or self._answers(path), f"gateway answers {path}")
        if not self.process.exited():
            if ready:
                self.wait_ready(self._configured_workers() if ready is True else ready)
            return True
        output = self.process.output()
        assert re.search("in use|EADDRINUSE", output), f"gateway ended at start:\n{output}"
        return False

    def _answers(self, path):
        try:
            return self.api("GET", path, token=None)[0] == 200
        except OSError:
            return False

    def signal(self, number=signal.SIGTERM):
        self.process.signal(number)
