"""What a measurement runs on: gateways, their worker, and the load program."""

import http.client
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TOKEN = "a-token-for-the-benchmark"
LISTENERS = ("play", "limited", "token", "password", "ticket")
PASSWORD = "not a secret: every account here has it"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def wait_until(is_so, seconds, what):
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            raise SystemExit(f"run.py: {what}: not within {seconds} s")
        time.sleep(0.005)


def build_load(directory):
    program = directory / "load"
    sources = sorted((HERE / "load").glob("*.cpp"))
    subprocess.run(["c++", "-std=c++17", "-O2", "-Wall", "-Wextra", "-o", program, *sources,
                    "-lsodium"], check=True)
    return program


def end(process):
    """Ends a process that was started here, and waits for it."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Worker:
    """The echo worker of examples/go."""

    def __init__(self):
        program = ROOT / "examples/go/build/echo_worker"
        if not program.exists():
            subprocess.run([ROOT / "examples/go/build.sh"], check=True)
        self.port = free_port()
        self.process = subprocess.Popen([program, "--port", str(self.port)],
                                        stdout=subprocess.DEVNULL)


class Gateway:
    """A gateway with a database of its own, which outlives its process."""

    def __init__(self, program, directory, worker):
        self.program, self.directory = program, directory
        directory.mkdir()
        self.ports = {name: free_port() for name in LISTENERS}
        self.management = free_port()
        self.ticket_key = directory / "ticket.key"
        shown = subprocess.run([program, "ticket", "keygen", self.ticket_key], check=True,
                               capture_output=True, text=True).stdout
        public = next(word for word in shown.replace('"', " ").split() if word.startswith("ghtp_"))
        self.configuration = directory / "gatehouse.toml"
        self.configuration.write_text(self._toml(worker, public))
        self.process = None

    def _toml(self, worker, public):
        text = (HERE / "gatehouse.toml.in").read_text()
        for name, port in self.ports.items():
            text = text.replace(f"${{{name}}}", f"127.0.0.1:{port}")
        return (text.replace("${worker}", f"127.0.0.1:{worker.port}")
                .replace("${management}", f"127.0.0.1:{self.management}")
                .replace("${token_of_management}", TOKEN).replace("${public_key}", public))

    def start(self):
        """Returns how long it took until the worker was in rotation, in seconds."""
        begin = time.monotonic()
        self.log = open(self.directory / "log", "a")
        self.process = subprocess.Popen(
            [self.program, "serve", "--config", self.configuration], stderr=self.log)
        wait_until(self.is_ready, 60, "the gateway's start")
        return time.monotonic() - begin

    def stop(self):
        if self.process:
            end(self.process)
            self.log.close()
            self.process = None

    def address(self, listener):
        return f"127.0.0.1:{self.ports[listener]}"

    def command(self, *arguments, stdin=None):
        return subprocess.run(
            [self.program, *arguments, "--config", self.configuration], input=stdin, check=True,
            capture_output=True, text=True).stdout

    # What it says of itself, and what the system says of it.

    def _get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.management, timeout=5)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {TOKEN}"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def is_ready(self):
        try:
            return self._get("/readyz")[0] == 200
        except OSError:
            if self.process.poll() is not None:
                raise SystemExit(f"run.py: the gateway ended; see {self.directory}/log")
            return False

    def metric(self, name):
        """The sum of a metric over its labels."""
        return sum(float(line.rsplit(" ", 1)[1]) for line in self._get("/metrics")[1].splitlines()
                   if line.split("{")[0].split(" ")[0] == name)

    def processor_seconds(self):
        """(user, kernel), of all its threads that live; exact to 10 ms."""
        line = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        fields = line.rsplit(")", 1)[1].split()
        tick = os.sysconf("SC_CLK_TCK")
        return int(fields[11]) / tick, int(fields[12]) / tick

    def memory(self, what="VmRSS"):
        """In bytes; `VmHWM` is the most there was."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(f"{what}:"):
                return int(line.split()[1]) * 1024
        raise SystemExit(f"run.py: no {what}")


class Players:
    """1,000 clients that play all the time; windows of it are looked at."""

    def __init__(self, load, address):
        self.process = subprocess.Popen(
            [load, "playing", "--to", address], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True)
        self.process.stdout.readline()

    def _say(self, order):
        self.process.stdin.write(order + "\n")
        self.process.stdin.flush()

    def start(self):
        self._say("start")

    def stop(self):
        self._say("stop")
        window = json.loads(self.process.stdout.readline())
        if window["lost"] or window["closed"]:
            raise SystemExit(f"run.py: echoes are missing: {window}")
        return window


def write_ban_list(path, count, banned):
    """A list as there may be one: single addresses, networks, IPv6; and all of `banned`."""
    chance = random.Random(3)
    subjects = dict.fromkeys(banned)
    while len(subjects) < count:
        first = chance.choice([*range(1, 10), *range(11, 127), *range(128, 224)])
        rest = chance.getrandbits(24)
        kind = chance.random()
        if kind < 0.6:
            subject = f"{first}.{rest >> 16}.{rest >> 8 & 255}.{rest & 255}"
        elif kind < 0.8:
            subject = f"{first}.{rest >> 16}.{rest >> 8 & 255}.0/24"
        else:
            subject = f"2001:{chance.getrandbits(16):x}:{rest >> 8:x}:{rest & 255:x}::/64"
        subjects[subject] = None
    path.write_text("\n".join(subjects) + "\n")
