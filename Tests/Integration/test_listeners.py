"""Listeners that come and go while the gateway runs: by command, by API, and over a restart."""

import json
import os
import resource
import socket
import stat
import subprocess
import threading

import pytest

from harness.client import Client
from harness.commands import listed, run, succeed
from harness.contract import close_reason, pb
from harness.gateway import binary, configuration, free_ports, toml
from harness.logins import STORE, TOKEN
from harness.waiting import stays, until


@pytest.fixture
def running(start_gateway, start_worker):
    """running(…) -> a gateway with an echoing worker that is told of sessions, and the worker.

    `management` is for its table, the rest for the configuration.
    """
    def start(management=(), **parts):
        worker = start_worker(features=[pb.SESSION_EVENTS])
        config = configuration(workers=[worker], **parts)
        config["management"].update(management)
        return start_gateway(config=config), worker
    return start


def add(gateway, *arguments, port=None):
    """Adds a listener on a free port, which it returns."""
    port = port or free_ports(1)[0]
    succeed(gateway.directory, "listener", "add", "--address", f"127.0.0.1:{port}", *arguments)
    return port


def names(gateway):
    return [listener["name"] for listener in listed(gateway.directory, "listener", "list")]


def is_open(port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True


def saved(gateway):
    path = gateway.directory / "gatehouse.toml.listeners.json"
    return json.loads(path.read_text())["listeners"] if path.exists() else []


# Adding.

def test_add_and_play(running, connect):
    """A listener that is added serves like the configured one, and everybody knows it by name."""
    gateway, worker = running()
    port = add(gateway, "--name", "arena", "--framer", "frames")
    client = connect(port)
    client.echo(b"hello")
    (opened,) = worker.wait_events("opened")
    assert (opened.opened.listener, opened.opened.framer) == ("arena", "frames")
    (session,) = gateway.sessions()
    assert session["listener"] == "arena"
    assert len(listed(gateway.directory, "sessions", "--listener", "arena")) == 1
    (log,) = gateway.log("listener-added")
    assert (log["listener"], log["framer"], log["pool"]) == ("arena", "frames", "default")
    assert listed(gateway.directory, "listener", "list")[1] == {
        "name": "arena", "address": f"127.0.0.1:{port}", "framer": "frames", "auth": "none",
        "pool": "default", "sessions": 1, "state": "listening", "origin": "runtime"}
    assert gateway.metrics()['gatehouse_sessions_open{listener="arena"}'] == 1


def test_all_keys_by_file(running, connect, tmp_path):
    """A whole table with a framer of its own; a login is asked for as it says."""
    gateway, _ = running(store=STORE)
    (port,) = free_ports(1)
    config = {"listener": [{
        "name": "arena", "address": f"127.0.0.1:{port}", "framer": "own",
        "auth": {**TOKEN, "deadline": "1s"}, "refusal": {"login-timeout": "too late"}}],
        "framer": {"own": {"kind": "length-prefix", "max": 1000}}}
    file = tmp_path / "arena.toml"
    file.write_text(toml(config))
    succeed(gateway.directory, "listener", "add", "--file", file)
    assert connect(port).receive_until_closed() == b"too late"
    assert names(gateway) == ["game", "arena"]


def test_ready_made_framers_bring_their_login(running):
    """A framer's name and a kind of authentication are all that it takes."""
    gateway, _ = running(store=STORE)
    add(gateway, "--name", "uo", "--framer", "ultima-online", "--auth", "password")
    (_, listener) = listed(gateway.directory, "listener", "list")
    assert (listener["framer"], listener["auth"]) == ("ultima-online", "password")


def test_bans_hold(running):
    """A ban may name a listener that was added, and holds for no other."""
    gateway, _ = running(store=STORE)
    port = add(gateway, "--name", "arena")
    succeed(gateway.directory, "ban", "127.0.0.9", "--listener", "arena")

    def is_banned(at):
        try:
            # Who is banned may be reset as early as in connect.
            client = Client(at, source="127.0.0.9")
            client.socket.settimeout(0.2)
            return client.socket.recv(1) == b""
        except TimeoutError:
            return False
        except ConnectionResetError:
            return True

    until(lambda: is_banned(port), "the ban holds")
    assert not is_banned(gateway.ports[0])
    succeed(gateway.directory, "listener", "remove", "arena", "--wait")
    # It comes back with the name, not with the place.
    other = add(gateway, "--name", "hall")
    assert not is_banned(other)
    again = add(gateway, "--name", "arena")
    assert is_banned(again)


# Removing.

def test_remove_while_playing(running, connect):
    """Nobody comes in any more, who is in plays on, and then the listener is gone."""
    gateway, _ = running()
    port = add(gateway, "--name", "arena", "--framer", "frames")
    client, leaver = connect(port), connect(port)
    client.echo(b"before")
    leaver.echo(b"before")
    done = run(gateway.directory, "listener", "remove", "arena")
    assert done.returncode == 0 and "2 sessions may stay" in done.stdout
    assert not is_open(port)
    client.echo(b"after")
    assert not done.stderr
    taken = run(gateway.directory, "listener", "add", "--port", port, "--name", "arena")
    assert taken.returncode == 1 and "2 sessions" in taken.stderr
    # The port is free for another at once.
    add(gateway, "--name", "hall", port=port)
    leaver.close()
    waiting = threading.Thread(
        target=lambda: succeed(gateway.directory, "listener", "remove", "arena", "--wait"))
    waiting.start()
    until(lambda: [listener["sessions"] for listener in
                   gateway.api("GET", "/listeners")[1]["listeners"]
                   if listener["name"] == "arena"] == [1], "one session is left")
    stays(waiting.is_alive, 0.5, "the command waits")
    client.echo(b"the last")
    client.close()
    waiting.join(30)
    assert not waiting.is_alive()
    assert names(gateway) == ["game", "hall"]
    gateway.wait_log("listener-gone", listener="arena")
    assert not any("arena" in name for name in gateway.metrics())


def test_remove_and_close(running, connect):
    """--close ends its sessions, and tells client, worker and log why; others stay."""
    gateway, worker = running()
    (port,) = free_ports(1)
    status, _ = gateway.api("POST", "/listeners", {
        "name": "arena", "address": f"127.0.0.1:{port}", "framer": "frames",
        "refusal": {"listener-removed": "moved"}})
    assert status == 201
    here, there = connect(gateway), connect(port)
    here.echo(b"a")
    there.echo(b"b")
    succeed(gateway.directory, "listener", "remove", "arena", "--close", "--wait")
    assert there.receive_until_closed() == b"moved"
    gateway.wait_closed("listener-removed")
    (closed,) = worker.wait_events("closed")
    assert closed.closed.reason == close_reason("listener-removed")
    here.echo(b"c")
    assert names(gateway) == ["game"]
    gone = run(gateway.directory, "listener", "remove", "arena")
    assert gone.returncode == 3 and "no listener arena" in gone.stderr


def test_configured_listeners_come_back(running):
    """A listener of the configuration may go, and the command says what a restart does."""
    gateway, _ = running()
    done = run(gateway.directory, "listener", "remove", "game")
    assert done.returncode == 0 and "comes back" in done.stderr
    assert run(gateway.directory, "listener", "list").returncode == 3
    gateway.stop()
    gateway.start_again()
    assert names(gateway) == ["game"]


def test_shutdown_with_draining_listeners(running, connect):
    gateway, _ = running()
    port = add(gateway, "--name", "arena", "--framer", "frames")
    client = connect(port)
    client.echo(b"a")
    succeed(gateway.directory, "listener", "remove", "arena")
    assert gateway.stop() == 0
    client.wait_closed()


# Kept over a restart.

@pytest.mark.parametrize("end", ["stop", "kill"])
def test_saved(running, connect, end):
    """What was saved is there after an orderly end and after SIGKILL; the rest is not."""
    gateway, _ = running()
    port = add(gateway, "--name", "arena", "--framer", "frames", "--save")
    add(gateway, "--name", "passing")
    file = gateway.directory / "gatehouse.toml.listeners.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert os.listdir(gateway.directory).count(file.name + ".new") == 0
    check = succeed(gateway.directory, "check")
    assert f"listener arena: 127.0.0.1:{port}, pool default, saved" in check
    getattr(gateway, end)()
    gateway.start_again()
    assert names(gateway) == ["game", "arena"]
    assert listed(gateway.directory, "listener", "list")[1]["origin"] == "saved"
    connect(port).echo(b"again")
    succeed(gateway.directory, "listener", "remove", "arena")
    assert saved(gateway) == []
    getattr(gateway, end)()
    gateway.start_again()
    assert names(gateway) == ["game"]


def test_saved_with_its_framers(running, connect):
    gateway, _ = running()
    (port,) = free_ports(1)
    body = {"name": "arena", "address": f"127.0.0.1:{port}", "framer": "own", "save": True,
            "framers": {"own": {"kind": "length-prefix", "max": 1000}}}
    assert gateway.api("POST", "/listeners", body)[0] == 201
    gateway.kill()
    gateway.start_again()
    connect(port).echo(b"x" * 900)
    del body["save"]
    assert saved(gateway) == [body]


@pytest.mark.parametrize("text, said", [
    ("", "not JSON"), ('{"listeners": [', "not JSON"), ("[]", '"listeners"'),
    ('{"listeners": [{"name": "game", "address": "0.0.0.0:1", "pool": "default"}]}',
     'listeners[1].name: "game" is taken by the configuration file'),
    ('{"listeners": [{"name": "a", "address": "0.0.0.0:1", "framer": "none"}]}',
     "listeners[1].framer: no framer is named"),
    ('{"listeners": []}' + " " * (1 << 20), "Larger than"),
])
def test_broken_files_stop_the_start(running, text, said):
    """Nothing is guessed: `check` and the start name the file, the place and the way out."""
    gateway, _ = running()
    gateway.stop()
    file = gateway.directory / "gatehouse.toml.listeners.json"
    file.write_text(text)
    for command in ["check", "serve"]:
        done = run(gateway.directory, command)
        assert done.returncode == 1, command
        assert said in done.stderr and str(file.name) in done.stderr and "mend it" in done.stderr
    # Other commands do not need it.
    assert run(gateway.directory, "bans").returncode in (0, 3)
    file.unlink()
    gateway.start_again()


def test_saved_listener_whose_port_is_taken_stops_the_start(running):
    gateway, _ = running()
    port = add(gateway, "--save")
    gateway.stop()
    with socket.create_server(("127.0.0.1", port)):
        done = run(gateway.directory, "serve")
    assert done.returncode == 1 and f"127.0.0.1:{port}" in done.stdout + done.stderr


def test_a_name_of_the_configuration_is_not_saved(running):
    """It would stop the next start."""
    gateway, _ = running()
    succeed(gateway.directory, "listener", "remove", "game")
    (port,) = free_ports(1)
    arguments = ["listener", "add", "--port", port, "--name", "game"]
    done = run(gateway.directory, *arguments, "--save")
    assert done.returncode == 1 and "configuration file's listener" in done.stderr
    succeed(gateway.directory, *arguments)
    assert names(gateway) == ["game"]


# What goes wrong leaves nothing behind.

def refused(gateway, *arguments):
    """What a command that must fail says; the listeners are as before, and so is the file."""
    before = names(gateway), saved(gateway)
    done = run(gateway.directory, "listener", "add", *arguments)
    assert done.returncode == 1, done
    assert (names(gateway), saved(gateway)) == before
    return done.stderr


def test_port_in_use(running):
    gateway, _ = running()
    ours = gateway.ports[0]
    assert f'taken by listener "game", which is at 127.0.0.1:{ours}' in refused(
        gateway, "--port", ours, "--save")
    # A name that can't be seen through before it is resolved.
    if socket.getaddrinfo("localhost", ours)[0][4][0] == "127.0.0.1":
        assert f'in use, by listener "game" (127.0.0.1:{ours})' in refused(
            gateway, "--address", f"localhost:{ours}", "--save")
    assert "the management API" in refused(gateway, "--port", gateway.management_port)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert "in use, by another process" in refused(gateway, "--port", port, "--save")
    add(gateway, port=port)


def test_places_that_do_not_exist(running):
    gateway, _ = running()
    assert "no address of this machine" in refused(gateway, "--address", "192.0.2.1:4000")
    assert "cannot listen on nowhere.invalid" in refused(
        gateway, "--address", "nowhere.invalid:4000", "--save")


def test_privileged_port(start_gateway, start_worker, tmp_path, monkeypatch):
    """Without the right to it; the test takes it away when it is root."""
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start") as file:
        if int(file.read()) <= 1000:
            pytest.skip("all ports are open to everybody here")
    drop = ("setpriv --bounding-set=-net_bind_service --inh-caps=-net_bind_service --"
            if os.geteuid() == 0 else "")
    script = tmp_path / "gatehouse"
    script.write_text(f"#!/bin/sh\nexec {drop} '{binary()}' \"$@\"\n")
    script.chmod(0o755)
    monkeypatch.setenv("GATEHOUSE_BIN", str(script))
    gateway = start_gateway(workers=[start_worker()])
    said = refused(gateway, "--port", "1000", "--save")
    assert "1024" in said and "CAP_NET_BIND_SERVICE" in said


def test_everything_wrong_at_once(running):
    gateway, _ = running()
    status, body = gateway.api("POST", "/listeners", {
        "address": "0.0.0.0", "framer": "nine", "colour": 1, "pool": "x", "auth": {"kind": "dna"}})
    assert status == 422 and body["error"]["code"] == "invalid-listener"
    assert [problem["key"] for problem in body["error"]["problems"]] == [
        "address", "auth.kind", "colour", "framer", "pool"]
    said = refused(gateway, "--port", "4000", "--framer", "nine", "--pool", "x", "--auth", "dna")
    assert [line.split(":")[0] for line in said.splitlines()] == [
        "auth.kind", "framer", "pool", "gatehouse listener add"]


@pytest.mark.parametrize("body", [
    "", "{", "null", "[]", '"x"', '{"address": 1}', '{"address": null}', '{"save": "yes"}',
    '{"address": "0.0.0.0:1", "address": "0.0.0.0:2"}', "[" * 5000, b"\xff\xfe",
    '{"framers": {"a": []}, "address": "0.0.0.0:4000"}', '{"name": "\\u0000"}',
])
def test_garbage(running, body):
    gateway, _ = running()
    status, answer = gateway.api("POST", "/listeners", body)
    assert status in (400, 422) and answer["error"]["message"]
    assert names(gateway) == ["game"]


def test_two_at_once(running):
    """Of two that want one port, one gets it; of two that want one name, too."""
    gateway, _ = running()
    port, first, second = free_ports(3)
    results = []

    def ask(name, at):
        results.append(gateway.api(
            "POST", "/listeners", {"name": name, "address": f"127.0.0.1:{at}", "save": True})[0])

    for requests in [[("a", port), ("b", port)], [("c", first), ("c", second)]]:
        results.clear()
        threads = [threading.Thread(target=ask, args=request) for request in requests]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(results)[0] == 201 and sorted(results)[1] in (409, 422)
    assert len(names(gateway)) == 3
    assert sorted(names(gateway)[1:]) == sorted(listener["name"] for listener in saved(gateway))
    assert [is_open(at) for at in (first, second)].count(True) == 1


def test_as_many_as_there_may_be(running):
    gateway, _ = running()
    ports = free_ports(256)
    for port in ports[:255]:
        assert gateway.api("POST", "/listeners", {"address": f"127.0.0.1:{port}"})[0] == 201
    status, body = gateway.api("POST", "/listeners", {"address": f"127.0.0.1:{ports[255]}"})
    assert status == 409 and body["error"]["code"] == "too-many-listeners"
    assert not is_open(ports[255])
    assert gateway.api("DELETE", f"/listeners/listener-{ports[0]}")[0] == 200
    assert gateway.api("POST", "/listeners", {"address": f"127.0.0.1:{ports[255]}"})[0] == 201


def test_without_a_gateway(tmp_path):
    config = configuration(workers=["127.0.0.1:1"])
    ports = free_ports(2)
    for table, port in zip([config["listener"][0], config["management"]], ports):
        table["address"] = f"127.0.0.1:{port}"
    (tmp_path / "gatehouse.toml").write_text(toml(config))
    done = run(tmp_path, "listener", "add", "--port", "4000")
    assert done.returncode == 1 and "no gateway runs" in done.stderr


# Room.

def test_full_disk(running, tmp_path):
    """A small file system stands for it: nothing is added, nothing is lost, and it heals."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", folder],
                             capture_output=True)
    if mounted.returncode:
        pytest.skip("file systems can't be mounted here")
    try:
        gateway, _ = running(management={"saved_listeners": str(folder / "saved.json")})
        add(gateway, "--name", "first", "--save")
        filler = folder / "filler"
        with pytest.raises(OSError), open(filler, "wb", buffering=0) as file:
            while True:
                file.write(bytes(512))
        before = (folder / "saved.json").read_text()
        (port,) = free_ports(1)
        done = run(gateway.directory, "listener", "add", "--port", port, "--save")
        assert done.returncode == 1 and "No space left on device" in done.stderr
        assert "saved.json" in done.stderr
        # Neither can it be forgotten that one was saved.
        kept = run(gateway.directory, "listener", "remove", "first")
        assert kept.returncode == 1 and "No space left on device" in kept.stderr
        assert names(gateway) == ["game", "first"]
        assert (folder / "saved.json").read_text() == before
        assert sorted(os.listdir(folder)) == ["filler", "saved.json"]
        assert not is_open(port)
        filler.unlink()
        add(gateway, "--name", "second", "--save", port=port)
        gateway.kill()
        gateway.start_again()
        assert names(gateway) == ["game", "first", "second"]
        gateway.stop()
    finally:
        subprocess.run(["umount", folder], check=True)


def test_no_longer_files(running):
    """A limit on the size of files does the same."""
    gateway, _ = running()
    before = resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE)
    (port,) = free_ports(1)
    body = {"name": "arena", "address": f"127.0.0.1:{port}", "save": True}
    resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE, (16, before[1]))
    status, answer = gateway.api("POST", "/listeners", body)
    resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE, before)
    assert status == 500 and answer["error"]["code"] == "cannot-save"
    assert names(gateway) == ["game"] and saved(gateway) == [] and not is_open(port)
    assert gateway.api("POST", "/listeners", body)[0] == 201


def test_read_only_folder(start_gateway, start_worker, tmp_path, monkeypatch):
    drop = "setpriv --bounding-set=-dac_override,-dac_read_search --" if os.geteuid() == 0 else ""
    script = tmp_path / "gatehouse"
    script.write_text(f"#!/bin/sh\nexec {drop} '{binary()}' \"$@\"\n")
    script.chmod(0o755)
    monkeypatch.setenv("GATEHOUSE_BIN", str(script))
    gateway = start_gateway(workers=[start_worker()])
    rights = stat.S_IMODE(gateway.directory.stat().st_mode)
    gateway.directory.chmod(0o555)
    try:
        said = refused(gateway, "--port", free_ports(1)[0], "--save")
    finally:
        gateway.directory.chmod(rights)
    assert "Permission denied" in said and ".listeners.json" in said
