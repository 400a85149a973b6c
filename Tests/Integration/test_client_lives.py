"""Clients that leave, half leave, hang, and read slowly or not at all."""

import threading
import time

import pytest

from harness.client import frame
from harness.contract import answer, broadcast, pb
from harness.waiting import stays, until
from harness.workers import echo, silent

MIB = 1 << 20


def test_client_closes(start_gateway, start_worker, connect):
    """A client that hangs up is closed as client-closed, and its session is gone."""
    gateway = start_gateway(workers=[start_worker()])
    client = connect(gateway)
    client.echo(b"hello")
    assert len(gateway.sessions()) == 1
    client.close()
    gateway.wait_closed("client-closed")
    assert gateway.sessions() == []


def test_client_resets(start_gateway, start_worker, connect):
    """A reset is its own reason."""
    gateway = start_gateway(workers=[start_worker()])
    client = connect(gateway)
    client.echo(b"hello")
    client.reset()
    gateway.wait_closed("client-reset")


def test_half_close(start_gateway, start_worker, connect):
    """A client that has said all it wants to say still gets every answer, then the end."""
    worker = start_worker()
    gateway = start_gateway(workers=[worker])
    client = connect(gateway)
    packets = [frame(b"%d" % number) for number in range(500)]
    client.send(b"".join(packets))
    client.end_sending()
    assert client.receive_until_closed() == b"".join(packets)
    gateway.wait_closed("client-closed")


def test_half_close_and_a_slow_answer(start_gateway, start_worker, connect):
    """The answer may take its time, within half_close_timeout."""
    asked, release = threading.Event(), threading.Event()

    def slow(worker, request):
        asked.set()
        release.wait(30)
        echo(worker, request)

    worker = start_worker(on_packet=slow)
    gateway = start_gateway(workers=[worker], listener={"half_close_timeout": "5s"})
    client = connect(gateway)
    client.send_packet(b"a question")
    client.end_sending()
    asked.wait(30)
    # The delay is the point here: the gateway must still wait after half a second.
    stays(lambda: gateway.log("session-closed") == [], 0.5, "open")
    release.set()
    assert client.receive_packet() == b"a question"
    client.wait_closed()
    gateway.wait_closed("client-closed")


def test_half_close_and_no_answer(start_gateway, start_worker, connect):
    """A client that has ended its direction is not kept for ever."""
    worker = start_worker(on_packet=silent)
    gateway = start_gateway(workers=[worker], listener={"half_close_timeout": "300ms"})
    client = connect(gateway)
    client.send_packet(b"a question")
    client.end_sending()
    client.wait_closed()
    gateway.wait_closed("client-closed")
    assert worker.packets() == [frame(b"a question")]


def test_half_close_and_a_large_answer(start_gateway, start_worker, connect):
    """What waits for a half-closed client is delivered whole, however slowly it reads."""
    payload = bytes(range(256)) * 3500
    worker = start_worker(on_packet=lambda w, r: w.send(answer(r.client_uuid, payload)))
    client = connect(start_gateway(workers=[worker]), receive_buffer_bytes=4096)
    client.send_packet(b"all of it, please")
    client.end_sending()
    assert client.receive_until_closed() == payload


def test_close_with_half_a_packet(start_gateway, start_worker, connect):
    """Bytes that never became a packet are not sent to the worker."""
    worker = start_worker()
    gateway = start_gateway(workers=[worker], listener={"half_close_timeout": "200ms"})
    client = connect(gateway)
    client.echo(b"whole")
    client.send(frame(b"half of it is missing")[:10])
    client.close()
    gateway.wait_closed("client-closed")
    connect(gateway).echo(b"another")
    assert worker.packets() == [frame(b"whole"), frame(b"another")]


def test_idle_timeout(start_gateway, start_worker, connect):
    """Silence in both directions ends a session; a sign of life in either prolongs it."""
    worker = start_worker(features=[pb.SESSION_EVENTS])
    gateway = start_gateway(workers=[worker], listener={"idle_timeout": "1s"})
    idle, talking, hearing = connect(gateway), connect(gateway), connect(gateway)
    opened = {e.opened.client_address: e.client_uuid for e in worker.wait_events("opened", 3)}
    closed = threading.Event()
    threading.Thread(target=lambda: (idle.receive_until_closed(), closed.set()),
                     daemon=True).start()
    started = time.monotonic()
    while not closed.is_set() or time.monotonic() - started < 2:
        talking.echo(b"I am here")
        worker.send(answer(opened[hearing.address], b"tick"))
        assert hearing.receive_exactly(4) == b"tick"
        time.sleep(0.05)
        assert time.monotonic() - started < 30
    gateway.wait_closed("idle-timeout")
    assert len(gateway.sessions()) == 2


def test_client_that_never_reads(start_gateway, start_worker, connect):
    """Its queue fills, and it alone is closed as slow-client; memory stays bounded."""
    worker = start_worker(features=[pb.SESSION_EVENTS])
    gateway = start_gateway(workers=[worker], limits={"client_queue": "256KiB"},
                            listener={"write_timeout": "1s"})
    stuck, other = connect(gateway, receive_buffer_bytes=4096), connect(gateway)
    opened = {e.opened.client_address: e.client_uuid for e in worker.wait_events("opened", 2)}
    before = gateway.process.resident_bytes()
    # More than the sockets' own buffers take.
    for _ in range(300):
        worker.send(answer(opened[stuck.address], bytes(64 << 10)))
    for number in range(50):
        other.echo(b"%d" % number)
    gateway.wait_closed("slow-client")
    other.echo(b"and after")
    assert gateway.process.resident_bytes() - before < 64 * MIB
    assert len(gateway.sessions()) == 1


def test_client_that_stops_reading(start_gateway, start_worker, connect):
    """Even a queue that does not overflow is not kept longer than write_timeout."""
    worker = start_worker(on_packet=silent)
    gateway = start_gateway(workers=[worker], limits={"client_queue": "64MiB"},
                            listener={"write_timeout": "500ms"})
    client = connect(gateway, receive_buffer_bytes=4096)
    client.send_packet(b"hello")
    worker.wait_packets(1)
    for _ in range(12):
        worker.send(answer(worker.uuids()[0], bytes(MIB)))
    gateway.wait_closed("slow-client")


def test_many_that_never_read(start_gateway, start_worker, connect):
    """A broadcast to clients that do not read is bounded by the total, and then they are closed."""
    worker = start_worker()
    gateway = start_gateway(
        workers=[worker], limits={"client_queue": "1MiB", "client_queue_total": "8MiB"},
        listener={"write_timeout": "1s"})
    reader = connect(gateway)
    reader.echo(b"hello")
    for _ in range(20):
        connect(gateway, receive_buffer_bytes=4096)
    until(lambda: len(gateway.sessions()) == 21, "all are in")
    before = gateway.process.resident_bytes()
    total = 30 * MIB

    def flood():
        for _ in range(total >> 16):
            worker.send(broadcast("ALL", bytes(64 << 10)))

    threading.Thread(target=flood, daemon=True).start()
    assert reader.receive_exactly(total) == bytes(total)
    gateway.wait_closed("slow-client", 20)
    assert gateway.process.resident_bytes() - before < 96 * MIB
    reader.echo(b"and after")


def test_flood_to_a_reader(start_gateway, start_worker, connect):
    """A client that reads as fast as it can gets every byte of a flood."""
    block = bytes(range(256)) * 256
    count = 50 * MIB // len(block)

    def flood(worker, request):
        for _ in range(count):
            worker.send(answer(request.client_uuid, block))

    worker = start_worker(on_packet=flood)
    gateway = start_gateway(workers=[worker])
    client = connect(gateway)
    before = gateway.process.resident_bytes()
    client.send_packet(b"go")
    for _ in range(count):
        assert client.receive_exactly(len(block)) == block
    assert gateway.process.resident_bytes() - before < 64 * MIB
    assert gateway.log("session-closed") == []


def test_flood_from_a_client(start_gateway, start_worker, connect):
    """A client that sends without end is held back at the pace of its worker, in bounded memory."""
    worker = start_worker(on_packet=lambda w, r: None)
    gateway = start_gateway(workers=[worker])
    client, other = connect(gateway), connect(gateway)
    before = gateway.process.resident_bytes()
    packet = frame(bytes(60_000))
    threading.Thread(target=lambda: [client.send(packet) for _ in range(500)], daemon=True).start()
    other.send_packet(b"hello")
    worker.wait_packets(501)
    assert gateway.process.resident_bytes() - before < 64 * MIB
    sizes = sorted(map(len, worker.packets()))
    assert sizes == [7] + [len(packet)] * 500


@pytest.mark.parametrize("how", ["close", "reset", "half"])
def test_many_short_sessions(start_gateway, start_worker, connect, how):
    """Coming and going leaves nothing behind: no session, no descriptor."""
    gateway = start_gateway(workers=[start_worker()], listener={"half_close_timeout": "200ms"})
    connect(gateway).echo(b"stays")
    until(lambda: len(gateway.sessions()) == 1, "one session")
    before = gateway.process.descriptors()
    # Each half-closed one waits for answers that might still come.
    for number in range(60 if how == "half" else 300):
        client = connect(gateway)
        if number % 3:
            client.send_packet(b"hello")
        if how == "reset":
            client.reset()
        elif how == "half":
            client.end_sending()
            client.receive_until_closed()
        client.close()
    until(lambda: len(gateway.sessions()) == 1, "all others are gone")
    until(lambda: gateway.process.descriptors() <= before + 2, "descriptors are given back")


def test_session_limit(start_gateway, start_worker, connect):
    """Beyond limits.sessions clients are closed as over-capacity; who is in stays in."""
    gateway = start_gateway(workers=[start_worker()], limits={"sessions": 3})
    clients = [connect(gateway) for _ in range(3)]
    for client in clients:
        client.echo(b"hello")
    connect(gateway).receive_until_closed()
    until(lambda: sum(value for name, value in gateway.metrics().items()
                      if 'reason="over-capacity"' in name) == 1, "counted")
    clients.pop().close()
    gateway.wait_closed("client-closed")
    connect(gateway).echo(b"there is room again")
    for client in clients:
        client.echo(b"still here")
