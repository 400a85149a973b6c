"""The bytes between gateway and workers, against the official Protobuf runtime."""

import random
import re
import struct
import uuid as uuids
from datetime import datetime, timedelta, timezone

import pytest

from harness.client import frame
from harness.contract import answer, pb
from harness.gateway import configuration
from harness.waiting import stays, until
from harness.workers import silent

MIB = 1 << 20
# The longest packet that a framer may allow with messages of up to 4 MiB: the rest is for the time,
# the UUID, and what may be said beside them.
LARGEST_PACKET_BYTES = 4 * MIB - 256


def test_request_fields(start_gateway, start_worker, connect):
    """A packet comes with a version-4 UUID, the time it was read, and every one of its bytes."""
    worker = start_worker()
    client = connect(start_gateway(workers=[worker]))
    before = datetime.now(timezone.utc) - timedelta(seconds=1)
    client.echo(b"hello")
    (request,) = worker.requests
    assert request.payload == frame(b"hello")
    assert uuids.UUID(request.client_uuid).version == 4
    assert uuids.UUID(request.client_uuid).variant == uuids.RFC_4122
    assert str(uuids.UUID(request.client_uuid)) == request.client_uuid
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", request.time)
    assert before < datetime.fromisoformat(request.time) < before + timedelta(seconds=30)


def test_uuids_differ(start_gateway, start_worker, connect):
    """No two sessions share a UUID."""
    worker = start_worker()
    gateway = start_gateway(workers=[worker])
    for _ in range(100):
        connect(gateway).echo(b"x")
    assert len(worker.uuids()) == 100


@pytest.mark.parametrize("seed", range(3))
def test_requests_are_the_official_bytes(start_gateway, start_worker, connect, seed):
    """What the gateway writes is what the official runtime writes for the same fields."""
    rng = random.Random(seed)
    # Around every length at which a varint or a frame grows.
    sizes = [0, 1, 63, 64, 127, 128, 129, 16_000, 16_319, 16_384, 16_385, 65_535]
    worker = start_worker(on_packet=silent, features=[pb.SESSION_EVENTS])
    client = connect(start_gateway(workers=[worker], listener={"half_close_timeout": "100ms"}))
    payloads = [rng.randbytes(rng.choice(sizes) if rng.random() < 0.5 else rng.randrange(300))
                for _ in range(100)]
    for payload in payloads:
        client.send_packet(payload)
    worker.wait_packets(100)
    client.close()
    worker.wait_events("closed")
    for serialized, request in zip(worker.serialized, worker.requests, strict=True):
        assert request.SerializeToString(deterministic=True) == serialized
    assert worker.packets() == [frame(payload) for payload in payloads]


def test_largest_messages(start_gateway, start_worker, connect):
    """A message of 4 MiB passes, in both directions."""
    worker = start_worker(on_packet=silent)
    client = connect(start_gateway(config=large_packets(worker)))
    packet = struct.pack(">I", LARGEST_PACKET_BYTES - 4) + random.Random(1).randbytes(
        LARGEST_PACKET_BYTES - 4)
    client.send(packet)
    worker.wait_packets(1)
    assert worker.packets() == [packet]
    assert LARGEST_PACKET_BYTES < len(worker.serialized[0]) <= 4 * MIB

    (uuid,) = worker.uuids()
    payload = random.Random(2).randbytes(
        4 * MIB - len(answer(uuid, b"").SerializeToString()) - 5)
    message = answer(uuid, payload).SerializeToString()
    assert len(message) == 4 * MIB
    worker.send(message)
    assert client.receive_exactly(len(payload)) == payload


def test_too_large_message_ends_the_link(start_gateway, start_worker, connect):
    """One byte more than the limit ends that worker's link, and no other."""
    bad, good = start_worker(on_packet=silent), start_worker()
    gateway = start_gateway(workers=[bad, good], limits={"message_size": "128KiB"})
    first, second = connect(gateway), connect(gateway)
    for client in (first, second):
        client.send_packet(b"hello")
    until(lambda: bad.packets() and good.packets(), "each worker has a client")
    too_large = field(4, bytes((128 << 10) - 3))
    assert len(too_large) == (128 << 10) + 1
    bad.send(too_large)
    gateway.wait_lost(bad, "message-too-large")
    assert gateway.log("worker-lost", worker=good.endpoint) == []
    assert gateway.log("session-closed") == []


def test_configured_message_limit(start_gateway, start_worker, connect):
    """A smaller limit is the limit: what lies just below it passes."""
    worker = start_worker(on_packet=silent)
    client = connect(start_gateway(workers=[worker], limits={"message_size": "128KiB"}))
    client.send_packet(b"hello")
    worker.wait_packets(1)
    (uuid,) = worker.uuids()
    payload = bytes((128 << 10) - len(answer(uuid, b"").SerializeToString()) - 4)
    assert len(answer(uuid, payload).SerializeToString()) == 128 << 10
    worker.send(answer(uuid, payload))
    assert client.receive_exactly(len(payload)) == payload


def varint(value, width=1):
    """A varint of at least `width` bytes: padded with continuation bytes it means the same."""
    data = bytearray()
    while value > 0x7F or width > 1:
        data.append(value & 0x7F | 0x80)
        value >>= 7
        width -= 1
    return bytes(data) + bytes([value])


def field(number, value, width=1):
    """A length-delimited field, or a varint for an integer."""
    if isinstance(value, int):
        return varint(number << 3, width) + varint(value, width)
    return varint(number << 3 | 2, width) + varint(len(value), width) + value


UNKNOWN = {
    "varint": varint(100 << 3) + varint(2**64 - 1),
    "fixed64": varint(101 << 3 | 1) + bytes(8),
    "bytes": field(102, b"\xff" * 300),
    "group": varint(103 << 3 | 3) + field(1, 7) + varint(104 << 3 | 3) + varint(104 << 3 | 4)
             + varint(103 << 3 | 4),
    "fixed32": varint(105 << 3 | 5) + bytes(4),
    "largest-number": varint((2**29 - 1) << 3) + b"\x01",
}


@pytest.mark.parametrize("form", [
    "plain", "odd order", "unknown fields", "duplicates", "wide varints", "other wire types",
    "nothing but payload"])
def test_unusual_answers_are_read(start_gateway, start_worker, connect, form):
    """Every serialization that the specification allows says the same."""
    worker = start_worker(on_packet=silent)
    gateway = start_gateway(workers=[worker])
    client, other = connect(gateway), connect(gateway)
    client.send_packet(b"hello")
    worker.wait_packets(1)
    other.send_packet(b"hello")
    worker.wait_packets(2)
    mine, others = (u.encode() for u in worker.uuids())
    payload, time = b"payload " * 40, b"2026-01-31T23:59:59.123Z"
    message = {
        "plain": field(1, time) + field(2, mine) + field(4, payload),
        "odd order": field(4, payload) + field(2, mine) + field(1, time),
        "unknown fields": UNKNOWN["group"] + field(4, payload) + UNKNOWN["varint"]
        + UNKNOWN["fixed64"] + field(2, mine) + UNKNOWN["fixed32"] + UNKNOWN["bytes"]
        + UNKNOWN["largest-number"],
        # The last one counts, of a oneof's members as well.
        "duplicates": field(2, others) + field(4, b"no") + field(3, 0) + field(2, mine)
        + field(4, payload),
        "wide varints": field(1, time, 3) + field(2, mine, 4) + field(4, payload, 5),
        # A known number with another wire type is an unknown field.
        "other wire types": field(1, 5) + field(2, 6) + field(4, payload) + field(2, mine)
        + field(3, b"x") + varint(4 << 3 | 5) + bytes(4),
        "nothing but payload": field(4, b"to nobody"),
    }[form]
    parsed = pb.OutputStreamRequest.FromString(message)
    worker.send(message)
    # Comes after it on the same stream, so it shows that the first was handled, and how.
    worker.send(answer(mine.decode(), b"!end"))
    if form == "nothing but payload":
        assert parsed.WhichOneof("target") is None
        assert client.receive_exactly(4) == b"!end"
    else:
        assert parsed.client_uuid.encode() == mine and parsed.payload == payload
        assert client.receive_exactly(len(payload) + 4) == payload + b"!end"
    assert gateway.log("worker-lost") == []


@pytest.mark.parametrize("seed", range(3))
def test_random_answers_are_read(start_gateway, start_worker, connect, seed):
    """Shuffled and repeated fields among unknown ones mean what the official runtime says."""
    rng = random.Random(seed)
    worker = start_worker(on_packet=silent)
    gateway = start_gateway(workers=[worker])
    clients = {}
    for count in (1, 2, 3):
        client = connect(gateway)
        client.send_packet(b"hello")
        worker.wait_packets(count)
        clients[worker.uuids()[-1]] = client
    expected = {uuid: b"" for uuid in clients}
    for _ in range(200):
        parts = [field(2, rng.choice(list(clients)).encode(), rng.randint(1, 5))
                 for _ in range(rng.randint(1, 3))]
        parts += [field(4, rng.randbytes(rng.randrange(400)), rng.randint(1, 5))
                  for _ in range(rng.randint(0, 2))]
        parts += [field(1, b"whenever")] * rng.randint(0, 2)
        parts += rng.sample(list(UNKNOWN.values()), rng.randint(0, 4))
        rng.shuffle(parts)
        message = b"".join(parts)
        parsed = pb.OutputStreamRequest.FromString(message)
        expected[parsed.client_uuid] += parsed.payload
        worker.send(message)
    for uuid, client in clients.items():
        worker.send(answer(uuid, b"!end"))
        assert client.receive_exactly(len(expected[uuid]) + 4) == expected[uuid] + b"!end"


@pytest.mark.parametrize("features, asked", [
    (field(16, 1), True),                                     # not packed
    (field(16, b"\x01"), True),                               # packed
    (field(16, varint(3) + varint(1, 3) + varint(99)), True),  # packed, among others
    (field(16, b"") + field(16, 2) + field(16, b"\x01"), True),  # both forms together
    (field(16, b""), False),
    (field(16, varint(2) + varint(3) + varint(2**64 - 1)), False),
], ids=["unpacked", "packed", "padded", "mixed", "empty", "others"])
def test_features_are_read(start_gateway, start_worker, connect, features, asked):
    """A worker's wishes are understood in both forms of a repeated field."""
    ready = UNKNOWN["bytes"] + features + field(2, 0) + field(2, 1, 2) + field(1, b"now")
    assert (1 in pb.ReadyResult.FromString(ready).features) == asked
    worker = start_worker(ready=ready)
    client = connect(start_gateway(workers=[worker]))
    client.echo(b"hello")
    kinds = [r.WhichOneof("event") for r in worker.requests]
    assert kinds == (["opened", None] if asked else [None])


def test_unknown_targets_are_counted(start_gateway, start_worker, connect):
    """Answers to nobody, to a stranger and to an unheard-of broadcast harm nothing."""
    worker = start_worker(on_packet=silent)
    gateway = start_gateway(workers=[worker])
    client = connect(gateway)
    client.send_packet(b"hello")
    worker.wait_packets(1)
    (uuid,) = worker.uuids()
    worker.send(answer(str(uuids.uuid4()), b"stranger"))
    worker.send(answer("not a uuid", b"malformed"))
    worker.send(field(3, 77) + field(4, b"unheard of"))
    worker.send(field(4, b"no target"))
    worker.send(answer(uuid, b"!end"))
    assert client.receive_exactly(4) == b"!end"
    assert gateway.log("worker-lost") == []


@pytest.mark.parametrize("missing", ["ready", "live"])
def test_unimplemented_calls(start_gateway, start_worker, connect, missing):
    """A worker without `ready` or `live` is judged by its stream, and stays."""
    worker = start_worker(**{missing: None})
    # Short, so that many heartbeats pass; and so that a runtime which limits how often it is
    # pinged while nothing is said has every reason to complain.
    gateway = start_gateway(workers=[worker], worker={"alive_timeout": "500ms"})
    client = connect(gateway)
    client.echo(b"hello")
    stays(lambda: not gateway.log("worker-lost"), 3, "the link")
    client.echo(b"still here")


def large_packets(worker):
    config = configuration(workers=[worker])
    config["framer"]["frames"] = {"kind": "length-prefix", "width": 4, "max": LARGEST_PACKET_BYTES}
    return config
