"""`gatehouse record`: a real command beside a real gateway while somebody plays.

An independent reader (dpkt, tcpdump) says what is in the files.
"""

import http.client
import os
import pty
import resource
import shutil
import signal
import socket
import stat
import subprocess

import dpkt
import pytest

from harness import commands
from harness.client import Client, frame
from harness.gateway import TOKEN, binary, configuration
from harness.logins import PASSWORD, STORE
from harness.waiting import until


def recorded(*workers, **parts):
    """A configuration that lets sessions be recorded."""
    config = configuration(workers=workers, **parts)
    config["management"]["recording"] = True
    return config


@pytest.fixture
def game(start_gateway, start_worker):
    """A gateway that may be recorded, with an echoing worker; its folder has the configuration."""
    return start_gateway(config=recorded(start_worker()))


class Record:
    """A running `gatehouse record`."""

    def __init__(self, gateway, *options, out="game.pcap", listener="game", **popen):
        self.gateway = gateway
        self.path = gateway.directory / out
        before = len(gateway.log("recording-started"))
        self.process = subprocess.Popen(
            [binary(), "record", "--listener", listener, "--out", out, *options],
            cwd=gateway.directory, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, **popen)
        try:
            until(lambda: self.process.poll() is not None
                  or len(gateway.log("recording-started")) > before, "the recording has begun")
        except BaseException:
            self.process.kill()
            raise

    def interrupt(self, number=signal.SIGINT):
        os.kill(self.process.pid, number)
        return self.finish()

    def finish(self):
        """Exit status and standard error."""
        try:
            _, errors = self.process.communicate(timeout=60)
        except BaseException:
            self.process.kill()
            raise
        return self.process.returncode, errors.decode()

    def streams(self):
        return streams(self.path)


def packets(path):
    """Time and IP packet of every record, by dpkt; sums are checked."""
    with open(path, "rb") as file:
        reader = dpkt.pcap.Reader(file)
        assert reader.datalink() == 101
        for time, data in reader:
            packet = (dpkt.ip6.IP6 if data[0] >> 4 == 6 else dpkt.ip.IP)(data)
            tcp = packet.data
            assert isinstance(tcp, dpkt.tcp.TCP)
            if data[0] >> 4 == 4:
                packed = bytes(packet)
                packet.sum = tcp.sum = 0
                # dpkt computes sums that are 0 when it is packed.
                packet.data.sum = 0
                assert bytes(packet) == packed == data
            yield time, packet


def streams(path):
    """(bytes from the client, bytes to it) of each connection, in order; numbers must fit."""
    found = {}
    for _, packet in packets(path):
        tcp = packet.data
        key = tcp.sport if tcp.flags & dpkt.tcp.TH_SYN and not tcp.flags & dpkt.tcp.TH_ACK else None
        if key is not None:
            assert key not in found
            found[key] = {"up": b"", "down": b"", "next": {key: tcp.seq + 1}, "ends": set()}
            continue
        stream = found.get(tcp.sport) or found.get(tcp.dport)
        assert stream is not None, "bytes before a SYN"
        if tcp.flags & dpkt.tcp.TH_SYN:
            stream["next"][tcp.sport] = tcp.seq + 1
            continue
        assert tcp.seq == stream["next"][tcp.sport]
        stream["up" if tcp.sport in found else "down"] += tcp.data
        stream["next"][tcp.sport] += len(tcp.data)
        if tcp.flags & dpkt.tcp.TH_FIN:
            stream["ends"].add(tcp.sport)
            stream["next"][tcp.sport] += 1
    return list(found.values())


def played(gateway, payloads, listener=0):
    """A client's life: each packet is echoed; what it sent."""
    client = gateway.client(listener)
    sent = b""
    for payload in payloads:
        client.echo(payload)
        sent += len(payload).to_bytes(2, "big") + payload
    client.end_sending()
    client.wait_closed()
    client.close()
    return sent


def test_both_directions_are_recorded(game):
    """Several clients while it runs, one that was there before; ctrl-C, then the file is whole."""
    early = game.client()
    early.echo(b"before")
    record = Record(game)
    sent = [played(game, [b"login %d" % number, os.urandom(5000), b"x"]) for number in range(5)]
    early.echo(b"not recorded")
    game.wait_closed("client-closed", 5)
    status, errors = record.interrupt()
    assert status == 0, errors
    assert "passwords" in errors and "recorded 5 sessions" in errors
    found = record.streams()
    assert [stream["up"] for stream in found] == sent
    # An echo: what came back is what was sent.
    assert [stream["down"] for stream in found] == sent
    assert all(len(stream["ends"]) == 2 for stream in found)
    times = [time for time, _ in packets(record.path)]
    assert times == sorted(times)
    started, ended = game.wait_log("recording-started"), game.wait_log("recording-ended")
    assert (started["listener"], started["level"]) == ("game", "warning")
    assert (ended["reason"], ended["sessions"]) == ("stopped", 5)


def test_the_file_is_private(game):
    """Mode 0600 whatever the umask; what is there is never written over, nor followed."""
    record = Record(game, preexec_fn=lambda: os.umask(0))
    played(game, [b"secret"])
    assert record.interrupt()[0] == 0
    assert stat.S_IMODE(os.stat(record.path).st_mode) == 0o600
    before = record.path.read_bytes()
    status, errors = Record(game).finish()
    assert status == 1 and "File exists" in errors
    assert record.path.read_bytes() == before
    (game.directory / "link.pcap").symlink_to(game.directory / "elsewhere")
    assert Record(game, out="link.pcap").finish()[0] == 1
    assert not (game.directory / "elsewhere").exists()


def test_off_by_default(start_gateway, start_worker):
    """Without the key: said how to switch it on; no file is left, nothing is recorded."""
    gateway = start_gateway(workers=[start_worker()])
    status, errors = Record(gateway).finish()
    assert status == 1
    assert "recording = true" in errors and "[management]" in errors
    assert not (gateway.directory / "game.pcap").exists()
    status, body = gateway.api("POST", "/recordings", {"listener": "game"})
    assert (status, body["error"]["code"]) == (403, "recording-disabled")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_end_it_well(game, number):
    """Each of them: the last packets before it are in the file, exit status 0."""
    record = Record(game)
    client = game.client()
    client.echo(b"the last words")
    status, errors = record.interrupt(number)
    assert status == 0, errors
    assert record.streams()[0]["up"].endswith(b"the last words")
    client.echo(b"the session goes on")


def test_bounds(game):
    """Bytes, sessions and time each end it by themselves."""
    record = Record(game, "--bytes", "2KiB")
    played(game, [os.urandom(3000)])
    status, errors = record.finish()
    assert status == 0 and "as many bytes" in errors
    (stream,) = record.streams()
    assert len(stream["up"]) + len(stream["down"]) == 2048

    record = Record(game, "--sessions", "2", out="two.pcap")
    sent = [played(game, [b"%d" % number]) for number in range(2)]
    status, errors = record.finish()
    assert status == 0 and "as many sessions" in errors
    assert [stream["up"] for stream in record.streams()] == sent

    record = Record(game, "--for", "1s", out="short.pcap")
    status, errors = record.finish()
    assert status == 3 and "no session began" in errors
    assert list(packets(record.path)) == []


def test_only_one_clients_sessions(game):
    """--client with a network."""
    record = Record(game, "--client", "127.0.0.8/29")
    for source in ("127.0.0.1", "127.0.0.9"):
        with Client(game.ports[0], source=source).socket as sock:
            sock.sendall(b"\0\1x")
            assert sock.recv(10)
    assert record.interrupt()[0] == 0
    assert {packet.src for _, packet in packets(record.path) if packet.data.data} \
        == {socket.inet_aton("127.0.0.9"), socket.inet_aton("127.0.0.1")}
    assert len(record.streams()) == 1


def test_standard_output(game, tmp_path):
    """`-` into a pipe is the same file; onto a terminal it is refused."""
    record = Record(game, out="-", stdout=subprocess.PIPE)
    sent = played(game, [b"through a pipe"])
    game.wait_closed("client-closed")
    os.kill(record.process.pid, signal.SIGINT)
    output, errors = record.process.communicate(timeout=60)
    assert record.process.returncode == 0, errors
    (tmp_path / "piped").write_bytes(output)
    assert [stream["up"] for stream in streams(tmp_path / "piped")] == [sent]
    primary, secondary = pty.openpty()
    status, errors = Record(game, out="-", stdout=secondary).finish()
    os.close(primary)
    os.close(secondary)
    assert status == 2 and "terminal" in errors


def test_a_full_disk_leaves_whole_packets(game):
    """What can't be written ends it with status 1; the gateway stops recording."""
    def bounded():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    record = Record(game, preexec_fn=bounded)
    client = game.client()
    client.echo(b"first")
    until(lambda: record.path.stat().st_size > 300, "it is written")

    def ends_while_somebody_plays():
        client.echo(os.urandom(5_000))
        return record.process.poll() is not None

    until(ends_while_somebody_plays, "the recording ends")
    status, errors = record.finish()
    assert status == 1 and "cannot write" in errors
    assert game.wait_log("recording-ended")["reason"] == "stopped"
    # dpkt would fail at half a packet.
    assert len(list(packets(record.path))) > 0
    client.echo(b"and plays on")


def test_nobody_takes_it(game):
    """A recorder that is killed: the gateway ends the recording by itself within ten seconds."""
    record = Record(game)
    client = game.client()
    record.process.kill()
    record.finish()
    assert "gatehouse_recordings 1" in game.api("GET", "/metrics")[1]
    assert game.wait_log("recording-ended")["reason"] == "abandoned"
    assert "gatehouse_recordings 0" in game.api("GET", "/metrics")[1]
    client.echo(b"still here")


def test_the_gateway_ends(game):
    """A gateway that goes away: what was recorded stays, exit status 1."""
    record = Record(game)
    sent = played(game, [b"before the end"])
    until(lambda: record.path.stat().st_size > 300, "it is written")
    game.stop()
    status, errors = record.finish()
    assert status == 1 and "no gateway runs" in errors
    assert record.streams()[0]["up"] == sent


def test_one_recorder_a_listener(game):
    """The second is told; after the first there is room again."""
    record = Record(game)
    second = Record(game, out="second.pcap")
    status, errors = second.finish()
    assert status == 1 and "already" in errors and not second.path.exists()
    record.interrupt()
    assert Record(game, out="third.pcap").interrupt()[0] == 3


@pytest.mark.parametrize("arguments, word", [
    (["--out", "x"], "--listener"), (["--listener", "game"], "--out"),
    (["--listener", "game", "--out", "x", "--for", "2h"], "1h"),
    (["--listener", "game", "--out", "x", "--bytes", "2GiB"], "1GiB"),
    (["--listener", "game", "--out", "x", "--sessions", "0"], "1 to 1024"),
    (["--listener", "game", "--out", "x", "--client", "me"], "me")])
def test_wrong_command_lines(game, arguments, word):
    """Each is said, with status 2, and nothing is made."""
    done = commands.run(game.directory, "record", *arguments)
    assert done.returncode == 2 and word in done.stderr
    assert not (game.directory / "x").exists()


def test_unknown_listener(game):
    """Said by its name."""
    status, errors = Record(game, listener="gmae").finish()
    assert status == 3 and "gmae" in errors
    assert not (game.directory / "game.pcap").exists()


def test_greetings_and_refusals_are_recorded(start_gateway, start_worker):
    """What the gateway itself says is part of what the client was sent."""
    gateway = start_gateway(config=recorded(
        start_worker(), listener={"idle_timeout": "1s", "refusal": {"idle-timeout": "bye"}}))
    record = Record(gateway)
    client = gateway.client()
    assert client.receive_until_closed() == b"bye"
    gateway.wait_closed("idle-timeout")
    assert record.interrupt()[0] == 0
    assert [stream["down"] for stream in record.streams()] == [b"bye"]


def test_logins_are_recorded(start_gateway, start_worker):
    """Who is let in and who is not: the claim is in the file, and what the gateway answered."""
    config = recorded(start_worker(), store=STORE, listener={
        "auth": PASSWORD, "refusal": {"login-refused": "no"}})
    gateway = start_gateway(config=config)
    commands.add_account(gateway.directory, "anna", "correct horse")
    record = Record(gateway)
    sent = []
    for secret in (b"correct horse", b"wrong"):
        client = gateway.client()
        client.send_packet(b"anna\n" + secret)
        client.end_sending()
        sent.append((frame(b"anna\n" + secret), client.receive_until_closed()))
    gateway.wait_closed("client-closed")
    assert record.interrupt()[0] == 0
    assert [(stream["up"], stream["down"]) for stream in record.streams()] == sent
    assert sent[0][1] == sent[0][0] and sent[1][1] == b"no"


def test_tcpdump_reads_it(game):
    """Another independent reader, with checks of all sums."""
    if not shutil.which("tcpdump"):
        pytest.skip("tcpdump is not installed")
    record = Record(game)
    played(game, [b"for tcpdump"])
    game.wait_closed("client-closed")
    assert record.interrupt()[0] == 0
    done = subprocess.run(["tcpdump", "-nvv", "-r", str(record.path)], capture_output=True,
                          text=True, timeout=30, check=True)
    assert "incorrect" not in done.stdout and "bad" not in done.stdout
    assert f".{game.ports[0]}: Flags [S]" in done.stdout


def test_recording_through_the_api(game):
    """By hand: begun, taken piece by piece, ended; the pieces are one file."""
    status, body = game.api("POST", "/recordings", {"listener": "game", "seconds": 60})
    assert status == 201
    number = body["recording"]["id"]
    pieces = [take(game, number)[1]]
    assert len(pieces[0]) == 24
    sent = played(game, [b"hello"])
    game.wait_closed("client-closed")
    pieces.append(take(game, number)[1])
    path = game.directory / "pieces.pcap"
    path.write_bytes(b"".join(pieces))
    assert [stream["up"] for stream in streams(path)] == [sent]
    assert take(game, number) == (200, b"")
    status, body = game.api("DELETE", f"/recordings/{number}")
    assert (status, body["recording"]["end"], body["recording"]["sessions"]) == (200, "stopped", 1)
    assert take(game, number)[0] == 404


def take(gateway, number):
    connection = http.client.HTTPConnection("127.0.0.1", gateway.management_port, timeout=30)
    try:
        connection.request("GET", f"/recordings/{number}",
                           headers={"Authorization": f"Bearer {TOKEN}"})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
