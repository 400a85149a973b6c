"""How the bytes of clients are cut into packets, and how answers are put together."""

import random
import struct

import pytest

from harness.client import frame
from harness.contract import answer
from harness.gateway import configuration
from harness.waiting import until
from harness.workers import silent

PACKET_BYTES_MAX = 65535


def test_byte_by_byte(start_gateway, start_worker, connect):
    """A packet that comes in as many reads as it has bytes is one packet."""
    worker = start_worker()
    client = connect(start_gateway(workers=[worker]))
    packet = frame(b"one byte at a time")
    for index in range(len(packet)):
        client.send(packet[index:index + 1])
    assert client.receive_exactly(len(packet)) == packet
    assert worker.packets() == [packet]


def test_hundred_packets_in_one_write(start_gateway, start_worker, connect):
    """Packets that come together arrive one by one and in order."""
    worker = start_worker()
    client = connect(start_gateway(workers=[worker]))
    packets = [frame(b"packet %d" % number) for number in range(100)]
    client.send(b"".join(packets))
    assert client.receive_exactly(sum(map(len, packets))) == b"".join(packets)
    assert worker.packets() == packets


@pytest.mark.parametrize("size", [0, 1, PACKET_BYTES_MAX - 1, PACKET_BYTES_MAX])
def test_extreme_lengths(start_gateway, start_worker, connect, size):
    """The empty and the longest packet pass like any other."""
    worker = start_worker()
    client = connect(start_gateway(workers=[worker]))
    payload = random.Random(size).randbytes(size)
    client.echo(payload)
    client.echo(b"still in step")
    assert worker.packets() == [frame(payload), frame(b"still in step")]


def test_too_long_packet_closes(start_gateway, start_worker, connect):
    """A length beyond the maximum closes the session, before the packet's body has come."""
    worker = start_worker(on_packet=silent)
    config = {"frames": {"kind": "length-prefix", "width": 4, "endian": "little", "max": 1000}}
    gateway = start_gateway(config=with_framers([worker], config))
    bystander, client = connect(gateway), connect(gateway)
    client.send(struct.pack("<I", 996) + bytes(996) + struct.pack("<I", 997))
    client.wait_closed()
    gateway.wait_closed("framing-violation")
    # What came before the violation was taken, and what was taken arrives.
    assert worker.wait_packets(1) == [struct.pack("<I", 996) + bytes(996)]
    bystander.send(struct.pack("<I", 1) + b"x")
    worker.wait_packets(2)


def test_too_short_packet_closes(start_gateway, start_worker, connect):
    """A length that does not even cover the header closes the session."""
    worker = start_worker()
    config = {"frames": {"kind": "length-prefix", "width": 2, "counts": "packet", "max": 1000}}
    gateway = start_gateway(config=with_framers([worker], config))
    client = connect(gateway)
    client.send(struct.pack(">H", 1))
    client.wait_closed()
    gateway.wait_closed("framing-violation")


@pytest.mark.parametrize("framer, packets", [
    ({"width": 1, "counts": "rest"}, [b"\x03abc", b"\x00", b"\xff" + bytes(255)]),
    ({"width": 3, "endian": "little"}, [b"\x03\x00\x00abc", b"\x00\x01\x00" + bytes(256)]),
    ({"width": 4, "counts": "self-and-rest"}, [b"\x00\x00\x00\x07abc", b"\x00\x00\x00\x04"]),
    ({"width": 8, "endian": "little"}, [struct.pack("<Q", 3) + b"abc"]),
    ({"width": 2, "offset": 2, "counts": "packet"}, [b"\xaa\x55\x00\x07abc", b"\xaa\x55\x00\x04"]),
    ({"width": 2, "offset": 1, "counts": "self-and-rest"}, [b"\x01\x00\x05abc"]),
    ({"width": 2, "adjustment": 2}, [b"\x00\x01abc", b"\x00\x00ab"]),
], ids=["width-1", "width-3", "width-4-self", "width-8", "offset-2-packet", "offset-1-self",
        "adjustment"])
def test_length_prefix_forms(start_gateway, start_worker, connect, framer, packets):
    """Each form of a length field that the configuration can name."""
    worker = start_worker()
    config = {"frames": {"kind": "length-prefix", "max": 65536, **framer}}
    client = connect(start_gateway(config=with_framers([worker], config)))
    client.send(b"".join(packets))
    client.receive_exactly(sum(map(len, packets)))
    assert worker.packets() == packets


def test_raw_listener(start_gateway, start_worker, connect):
    """Without a framer the worker gets the bytes as they come, none lost, added or reordered."""
    worker = start_worker()
    client = connect(start_gateway(workers=[worker], listener={"framer": "raw"}))
    client.send(b"no frame at all")
    assert client.receive_exactly(15) == b"no frame at all"
    data = random.Random(1).randbytes(300_000)
    client.send(data)
    assert client.receive_exactly(len(data)) == data
    assert b"".join(worker.packets()) == b"no frame at all" + data


@pytest.mark.parametrize("seed", range(3))
def test_random_chunks(start_gateway, start_worker, connect, seed):
    """However the stream is cut into writes, the packets are the same."""
    rng = random.Random(seed)
    worker = start_worker()
    client = connect(start_gateway(workers=[worker]))
    packets = [frame(rng.randbytes(rng.choice([0, 1, 2, 17, 300, 5000]))) for _ in range(200)]
    stream, position = b"".join(packets), 0
    while position < len(stream):
        size = rng.choice([1, 2, 3, 40, 1500, 9000])
        client.send(stream[position:position + size])
        position += size
    assert client.receive_exactly(len(stream)) == stream
    assert worker.packets() == packets


def test_answers_are_written_as_they_are(start_gateway, start_worker, connect):
    """Server to client is raw: answers need not be frames, and may be empty."""
    worker = start_worker(on_packet=silent)
    client = connect(start_gateway(workers=[worker]))
    client.send_packet(b"hello")
    worker.wait_packets(1)
    (uuid,) = worker.uuids()
    answers = [b"no frame", b"", b"\xff\xff", bytes(70_000), b"end"]
    for payload in answers:
        worker.send(answer(uuid, payload))
    assert client.receive_exactly(sum(map(len, answers))) == b"".join(answers)


def test_one_answer_is_one_write(start_gateway, start_worker, connect):
    """Bytes that a worker put into one message reach the client in one piece."""
    worker = start_worker(on_packet=silent)
    client = connect(start_gateway(workers=[worker]))
    client.send_packet(b"hello")
    worker.wait_packets(1)
    (uuid,) = worker.uuids()
    coalesced = b"".join(frame(b"%d" % number) for number in range(50))
    for _ in range(20):
        worker.send(answer(uuid, coalesced))
        # One read sees all of it: segments of one write on loopback are not cut at this size.
        assert client.socket.recv(65536) == coalesced


def test_two_listeners(start_gateway, start_worker, connect):
    """Each listener has its own framer; both feed one pool."""
    worker = start_worker()
    config = with_framers([worker], {
        "frames": {"kind": "length-prefix", "width": 2, "max": 65537}})
    config["listener"].append({**config["listener"][0], "name": "plain", "framer": "raw"})
    gateway = start_gateway(config=config)
    framed, raw = connect(gateway, listener=0), connect(gateway, listener=1)
    framed.echo(b"framed")
    raw.send(b"raw")
    assert raw.receive_exactly(3) == b"raw"
    names = until(lambda: sorted(s["listener"] for s in gateway.sessions()), "sessions")
    assert names == ["game", "plain"]


def with_framers(workers, framers):
    return {**configuration(workers=workers), "framer": framers}
