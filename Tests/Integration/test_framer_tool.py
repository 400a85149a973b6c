"""`gatehouse framer test` on captures that others wrote, and on recordings of our own."""

import json
import random
import socket
import struct
import subprocess

import dpkt
import pytest

from harness import commands
from harness.gateway import binary, configuration
from harness.waiting import until

FRAMES = """
[client_to_server]
kind = "length-prefix"
width = 2
[server_to_client]
kind = "length-prefix"
width = 2
[opcode]
offset = 2
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "game.toml").write_text(FRAMES)
    return tmp_path


def cut(folder, *arguments):
    """Exit status, the objects of --json, and standard error."""
    done = commands.run(folder, "framer", "test", "./game.toml", *arguments, "--json")
    return done.returncode, json.loads(done.stdout or "[]"), done.stderr


def packets(found, direction, stream=1):
    return [bytes.fromhex(one["hex"]) for one in found
            if one["type"] == "packet" and one["direction"] == direction
            and one["stream"] == stream]


def framed(count, seed):
    generator = random.Random(seed)
    return [struct.pack(">H", size) + generator.randbytes(size)
            for size in (generator.randrange(1, 3000) for _ in range(count))]


class Talk:
    """One connection's segments, made by dpkt, over IPv4 or IPv6."""

    def __init__(self, family=socket.AF_INET, client_port=50000, first=(0xffffff00, 7)):
        self.is_ipv6 = family == socket.AF_INET6
        names = ("2001:db8::7", "2001:db8::1") if self.is_ipv6 else ("192.0.2.7", "198.51.100.1")
        self.addresses = [socket.inet_pton(family, name) for name in names]
        self.ports = (client_port, 7171)
        self.next = list(first)
        self.segments = []
        self.add(0, b"", dpkt.tcp.TH_SYN)
        self.add(1, b"", dpkt.tcp.TH_SYN | dpkt.tcp.TH_ACK)

    def add(self, side, data, flags=dpkt.tcp.TH_ACK):
        other = 1 - side
        tcp = dpkt.tcp.TCP(
            sport=self.ports[side], dport=self.ports[other], seq=self.next[side],
            ack=self.next[other], flags=flags, data=data)
        if self.is_ipv6:
            packet = dpkt.ip6.IP6(src=self.addresses[side], dst=self.addresses[other], data=tcp,
                                  nxt=dpkt.ip.IP_PROTO_TCP, plen=len(tcp), hlim=64)
        else:
            packet = dpkt.ip.IP(src=self.addresses[side], dst=self.addresses[other], data=tcp,
                                p=dpkt.ip.IP_PROTO_TCP)
            packet.len = len(packet)
        ends = bool(flags & (dpkt.tcp.TH_SYN | dpkt.tcp.TH_FIN))
        self.next[side] = (self.next[side] + len(data) + ends) & 0xffffffff
        self.segments.append(bytes(packet))

    def say(self, side, stream, generator):
        """In pieces of any size."""
        while stream:
            size = generator.randrange(1, 1400)
            self.add(side, stream[:size])
            stream = stream[size:]

    def frames(self, link):
        kind = 0x86dd if self.is_ipv6 else 0x0800
        heads = {
            "ethernet": b"\2" * 12 + struct.pack(">H", kind),
            "vlan": b"\2" * 12 + struct.pack(">HHH", 0x8100, 5, kind),
            "raw": b"",
            "cooked": b"\0" * 14 + struct.pack(">H", kind),
            "loopback": struct.pack("<I", 10 if self.is_ipv6 else 2),
        }
        return [heads[link] + segment for segment in self.segments]


LINKS = {"ethernet": 1, "vlan": 1, "raw": 101, "cooked": 113, "loopback": 0}


def write(path, frames, link, form="pcap"):
    with open(path, "wb") as file:
        writer = (dpkt.pcapng if form == "pcapng" else dpkt.pcap).Writer(
            file, linktype=LINKS[link])
        for index, frame in enumerate(frames):
            writer.writepkt(frame, ts=1_700_000_000 + index / 1000)


@pytest.mark.parametrize("form", ["pcap", "pcapng"])
@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_captures_by_others(folder, link, form, family):
    """Every link and both forms: segments out of order, twice, and beyond 32 bits of numbers."""
    generator = random.Random(link + form + str(family))
    up, down = framed(20, 1), framed(20, 2)
    talk = Talk(family)
    talk.say(0, b"".join(up), generator)
    talk.say(1, b"".join(down), generator)
    frames = talk.frames(link)
    head, rest = frames[:2], frames[2:]
    rest += generator.sample(rest, 5)
    for index in range(len(rest) - 1):
        other = index + generator.randrange(min(6, len(rest) - index))
        rest[index], rest[other] = rest[other], rest[index]
    write(folder / "capture", head + rest, link, form)
    status, found, errors = cut(folder, "--pcap", "capture")
    assert status == 0, errors
    assert packets(found, "client_to_server") == up
    assert packets(found, "server_to_client") == down
    assert found[-1]["left_over"] == 0


def test_several_streams(folder):
    """Each by itself; --port leaves others out; a lost segment is said and ends its direction."""
    generator = random.Random(5)
    talks = [Talk(client_port=50000 + number) for number in range(3)]
    sent = [framed(10, number) for number in range(3)]
    for talk, stream in zip(talks, sent):
        talk.say(0, b"".join(stream), generator)
    lossy = talks[2].segments
    del lossy[len(lossy) // 2]
    other = Talk(client_port=50009)
    other.ports = (50009, 80)
    other.segments = []
    other.add(0, b"", dpkt.tcp.TH_SYN)
    other.add(0, b"GET / HTTP/1.0\r\n\r\n")
    mixed = [talk.frames("raw") for talk in [*talks, other]]
    frames = []
    while any(mixed):
        queue = generator.choice([queue for queue in mixed if queue])
        frames.append(queue.pop(0))
    write(folder / "capture", frames, "raw")
    status, found, errors = cut(folder, "--pcap", "capture", "--port", "7171")
    assert status == 0, errors
    assert found[-1]["streams"] == 3
    cuts = [packets(found, "client_to_server", number) for number in (1, 2, 3)]
    assert sorted(map(len, cuts))[1:] == [10, 10]
    assert all(any(stream[:len(part)] == part for stream in sent) for part in cuts)
    assert [one["message"] for one in found if one["type"] == "remark"
            and "segments are missing" in one["message"]]
    status, found, _ = cut(folder, "--pcap", "capture")
    assert found[-1]["streams"] == 4


def test_streams_without_a_start(folder):
    """Left out, and said: nobody knows where a packet begins in the middle of a stream."""
    generator = random.Random(6)
    early, late = Talk(), Talk(client_port=50001)
    sent = framed(4, 6)
    for talk in (early, late):
        talk.say(0, b"".join(sent), generator)
    write(folder / "capture", early.frames("raw")[3:] + late.frames("raw"), "raw")
    status, found, errors = cut(folder, "--pcap", "capture")
    assert status == 0, errors
    assert packets(found, "client_to_server", 1) == []
    assert packets(found, "client_to_server", 2) == sent
    assert "began before the capture" in found[0]["message"]
    assert found[-1]["streams"] == 1


def test_broken_captures(folder):
    """Half a record, another link, no capture: exit status 1 and a reason, not a crash."""
    talk = Talk()
    talk.say(0, b"".join(framed(3, 1)), random.Random(1))
    write(folder / "capture", talk.frames("raw"), "raw")
    whole = (folder / "capture").read_bytes()
    for count in random.Random(1).sample(range(len(whole)), 12):
        (folder / "part").write_bytes(whole[:count])
        done = commands.run(folder, "framer", "test", "./game.toml", "--pcap", "part")
        assert done.returncode in (0, 1)
    assert done.stderr or done.returncode == 0
    (folder / "usb").write_bytes(whole[:20] + struct.pack("<I", 189) + whole[24:])
    status, _, errors = cut(folder, "--pcap", "usb")
    assert status == 1 and "link type" in errors
    assert cut(folder, "--pcap", "game.toml")[0] == 1


def test_a_recording_is_cut(start_gateway, start_worker, folder):
    """Recorded by the gateway, read by the tool: the packets that a client sent and got."""
    config = configuration(workers=[start_worker()])
    config["management"]["recording"] = True
    gateway = start_gateway(config=config)
    record = subprocess.Popen(
        [binary(), "record", "--listener", "game", "--out", str(folder / "capture"),
         "--sessions", "1"], cwd=gateway.directory, stderr=subprocess.PIPE)
    try:
        gateway.wait_log("recording-started")
        client = gateway.client()
        sent = framed(30, 9)
        for packet in sent:
            client.echo(packet[2:])
        client.end_sending()
        client.wait_closed()
        assert record.wait(timeout=30) == 0
    finally:
        record.kill()
        record.communicate()
    status, found, errors = cut(folder, "--pcap", "capture")
    assert status == 0, errors
    assert packets(found, "client_to_server") == packets(found, "server_to_client") == sent
    assert [one["opcode"] for one in found if one["type"] == "packet"][0] == sent[0][2]


def test_a_stream_of_any_length(folder):
    """A gigabyte would do, but forty megabytes show it: memory stays small."""
    stream = b"".join(framed(20_000, 3))
    done = subprocess.Popen(
        [binary(), "framer", "test", "./game.toml", "-", "--limit", "1"], cwd=folder,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        done.stdin.write(stream)
        done.stdin.flush()
        peak = until(lambda: _peak(done.pid), "the process says what it uses")
        done.stdin.close()
        output = done.stdout.read().decode()
        assert done.wait(timeout=60) == 0
    finally:
        done.kill()
        done.wait()
        done.stdout.close()
    assert f"20000 packets, {len(stream)} bytes, no violation" in output
    assert peak < 100 << 20


def _peak(pid):
    """The most memory it had so far, in bytes."""
    with open(f"/proc/{pid}/status") as status:
        lines = dict(line.split(":", 1) for line in status)
    return int(lines["VmHWM"].split()[0]) << 10


def test_output_comes_as_the_stream_does(folder):
    """Whoever pipes a stream into it sees a packet before the stream ends."""
    done = subprocess.Popen([binary(), "framer", "test", "./game.toml", "-"], cwd=folder,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        done.stdin.write(b"\0\1x")
        done.stdin.flush()
        assert b"offset 0" in done.stdout.readline()
        done.stdin.close()
        assert done.wait(timeout=30) == 0
    finally:
        done.kill()
        done.wait()
        done.stdout.close()
