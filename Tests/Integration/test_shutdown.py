"""Stopping the gateway, and running out of descriptors."""

import signal
import time

import pytest

from harness.contract import answer
from harness.waiting import stays, until
from harness.workers import silent

# For gateways that wait long for clients that take nothing.
PATIENT = {"limits": {"client_queue": "32MiB"}, "shutdown_grace": "60s",
           "listener": {"write_timeout": "60s"}}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_signal_ends_cleanly(start_gateway, start_worker, connect, number):
    """Sessions are closed as shutdown, nobody new gets in, and the exit status is 0."""
    worker = start_worker()
    gateway = start_gateway(workers=[worker])
    clients = [connect(gateway) for _ in range(3)]
    for client in clients:
        client.echo(b"hello")
    gateway.signal(number)
    for client in clients:
        client.receive_until_closed()
    assert gateway.process.wait() == 0
    gateway.wait_closed("shutdown", 3)
    with pytest.raises(ConnectionRefusedError):
        connect(gateway)
    until(lambda: not worker.streams, "the worker's call has ended")


def test_shutdown_without_anyone(start_gateway):
    """With neither clients nor workers it ends at once."""
    gateway = start_gateway(workers=[], ready=0)
    started = time.monotonic()
    assert gateway.stop() == 0
    assert time.monotonic() - started < 8


def test_shutdown_flushes(start_gateway, start_worker, connect):
    """What waits for a client that reads slowly is delivered before its session is closed."""
    worker = start_worker(on_packet=silent)
    gateway = start_gateway(workers=[worker], limits={"client_queue": "32MiB"})
    client = connect(gateway, receive_buffer_bytes=4096)
    client.send_packet(b"hello")
    worker.wait_packets(1)
    block = bytes(range(256)) * 4096
    for _ in range(12):
        worker.send(answer(worker.uuids()[0], block))
    until(lambda: sum(w["messages_received"] for w in gateway.workers()) == 12, "all is in")
    gateway.signal()
    assert client.receive_until_closed() == block * 12
    assert gateway.process.wait() == 0


def test_shutdown_grace_ends(start_gateway, start_worker, connect):
    """A client that does not take what waits for it is cut when the grace is over."""
    worker = start_worker(on_packet=silent)
    gateway = start_gateway(workers=[worker], limits={"client_queue": "32MiB"},
                            shutdown_grace="500ms")
    client = connect(gateway, receive_buffer_bytes=4096)
    client.send_packet(b"hello")
    worker.wait_packets(1)
    for _ in range(12):
        worker.send(answer(worker.uuids()[0], bytes(1 << 20)))
    until(lambda: sum(w["messages_received"] for w in gateway.workers()) == 12, "all is in")
    assert gateway.stop() == 0


def test_second_signal(start_gateway, start_worker, connect):
    """Who signals twice does not want to wait."""
    worker = start_worker(on_packet=silent)
    second_signal(start_gateway(workers=[worker], **PATIENT), [worker], connect)


def second_signal(gateway, workers, connect):
    """Has a client of each worker take nothing of what waits for it, and signals twice."""
    clients = [connect(gateway, receive_buffer_bytes=4096) for _ in workers]
    for client in clients:
        client.send_packet(b"hello")
    for worker in workers:
        worker.wait_packets(1)
        for _ in range(12):
            worker.send(answer(worker.uuids()[0], bytes(1 << 20)))
    until(lambda: sum(w["messages_received"] for w in gateway.workers()) == 12 * len(workers),
          "all is in")
    gateway.signal()
    gateway.wait_log("shutdown-started")
    # Two standard signals sent together would become one.
    stays(lambda: not gateway.process.exited(), 0.2, "waits for its clients")
    gateway.signal()
    started = time.monotonic()
    assert gateway.process.wait() == 130
    assert time.monotonic() - started < 10


def test_not_ready_while_stopping(start_gateway, start_worker, connect):
    """A load balancer is told not to send anyone while queues are flushed."""
    worker = start_worker(on_packet=silent)
    gateway = start_gateway(workers=[worker], limits={"client_queue": "32MiB"})
    client = connect(gateway, receive_buffer_bytes=4096)
    client.send_packet(b"hello")
    worker.wait_packets(1)
    for _ in range(12):
        worker.send(answer(worker.uuids()[0], bytes(1 << 20)))
    until(lambda: sum(w["messages_received"] for w in gateway.workers()) == 12, "all is in")
    gateway.signal()
    gateway.wait_log("shutdown-started")
    try:
        assert gateway.api("GET", "/readyz", token=None)[0] == 503
    except OSError:
        pass  # Not answering says the same.
    client.receive_until_closed()
    assert gateway.process.wait() == 0


def test_out_of_descriptors(start_gateway, start_worker, connect):
    """Without descriptors accepting pauses, who is in goes on, and it recovers by itself."""
    worker = start_worker()
    gateway = start_gateway(workers=[worker], descriptors_max=64)
    served = []
    for _ in range(100):
        client = connect(gateway)
        # The kernel completes connections that nobody has accepted yet.
        client.send_packet(b"anybody there?")
        served.append(client)
    gateway.wait_log("accept-paused")
    first = served[0]
    assert first.receive_packet() == b"anybody there?"
    for _ in range(20):
        first.echo(b"I am in")
    # While nothing can be accepted, waiting costs no processor time.
    before = processor_seconds(gateway.pid)
    stays(lambda: not gateway.process.exited(), 1, "running")
    assert processor_seconds(gateway.pid) - before < 0.5
    # Those that are in leave; those that wait get in.
    waiting = served[80:]
    for client in served[1:80]:
        client.close()
    for client in waiting:
        assert client.receive_packet() == b"anybody there?"
        client.echo(b"in at last")
    gateway.wait_log("accept-resumed")
    first.echo(b"all the time")


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
