"""Workers that come, go, crash, hang and are slow; and clients that must not notice."""

import socket
import threading
import time

import pytest

from harness.client import Stream, frame
from harness.http2_worker import SocketWorker
from harness.waiting import stays, until
from harness.workers import echo

# For clients whose answers were lost: how long the gateway waits for them in vain.
SHORT_HALF_CLOSE = {"half_close_timeout": "2s"}


@pytest.mark.parametrize("language", ["python", "go"])
def test_killed_worker(start_gateway, start_example, start_worker, connect, language):
    """kill -9: its sessions move at once, the others notice nothing, and it is taken back later."""
    doomed, other = start_example(language), start_worker()
    gateway = start_gateway(workers=[doomed, other])
    clients = [connect(gateway) for _ in range(6)]
    for client in clients:
        client.echo(b"before")
    assert len(other.uuids()) == 3
    doomed.kill()
    # What a client sends before the loss is seen may be lost with the worker.
    gateway.wait_log("worker-lost", worker=doomed.endpoint)
    for client in clients:
        client.echo(b"after")
    assert len(other.uuids()) == 6
    assert gateway.log("session-closed") == []
    start_example(language, port=doomed.port)
    gateway.wait_state(doomed, "ready")


@pytest.mark.parametrize("language", ["python", "go"])
def test_stopped_worker(start_gateway, start_example, start_worker, connect, language):
    """SIGSTOP: noticed within alive_timeout; what it had not been sent goes to another in order."""
    doomed, other = start_example(language), start_worker()
    gateway = start_gateway(workers=[doomed, other], worker={"alive_timeout": "900ms"})
    clients = [connect(gateway) for _ in range(4)]
    for client in clients:
        client.echo(b"before")
    mine = [c for c in clients if gateway.uuid_of(c) in other.uuids()]
    assert len(mine) == 2
    doomed.pause()
    paused = time.monotonic()
    for client in mine:
        client.echo(b"the others go on")
    gateway.wait_lost(doomed, "alive-timeout")
    noticed = time.monotonic() - paused
    # Not sooner than the worker may be silent, and not much later.
    assert 0.5 < noticed < 0.9 * 3 + 5
    for client in clients:
        client.echo(b"after")
    assert len(other.uuids()) == 4
    doomed.resume()
    gateway.wait_state(doomed, "ready")
    assert gateway.log("session-closed") == []


def test_black_holed_addresses(start_gateway, start_worker, connect):
    """Addresses that swallow everything are given up in time, and delay nobody meanwhile."""
    good = start_worker()
    mute = start_worker(lambda sock: until(lambda: not sock.recv(65536), "close", 60),
                        kind=SocketWorker)
    with FullBacklog() as full:
        gateway = start_gateway(
            workers=[mute, full, good], ready=1,
            worker={"connect_timeout": "500ms", "ready_timeout": "500ms"})
        connect(gateway).echo(b"served meanwhile")
        gateway.wait_lost(full, "connect-timeout")
        gateway.wait_lost(mute, "handshake-timeout")
        connect(gateway).echo(b"and after")
        assert gateway.log("worker-lost", worker=good.endpoint) == []


def test_nobody_listens(start_gateway, start_worker, connect):
    """A dead port is tried again and again, and joins once something listens there."""
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    gateway = start_gateway(workers=[f"127.0.0.1:{port}"], ready=0)
    gateway.wait_log("worker-lost", worker=f"127.0.0.1:{port}", reason="connect-failed")
    late = start_worker(port=port)
    gateway.wait_state(late, "ready")
    connect(gateway).echo(b"hello")


def test_ready_after_a_while(start_gateway, start_worker, connect):
    """A worker that says no gets no session until it says yes; it is asked again by itself."""
    slow, good = start_worker(ready=False), start_worker()
    gateway = start_gateway(workers=[slow, good], ready=1)
    gateway.wait_state(slow, "not-ready")
    for _ in range(4):
        connect(gateway).echo(b"hello")
    assert slow.packets() == [] and len(good.uuids()) == 4
    until(lambda: slow.ready_calls >= 3, "asked again")
    slow.ready = True
    gateway.wait_state(slow, "ready")
    for _ in range(2):
        connect(gateway).echo(b"hello")
    assert len(slow.uuids()) == 1


def test_ready_hangs(start_gateway, start_worker, connect):
    """A `ready` without an answer ends the link after ready_timeout, and delays nobody."""
    release = threading.Event()
    hung = start_worker(ready=lambda: release.wait(60))
    good = start_worker()
    gateway = start_gateway(workers=[hung, good], ready=1, worker={"ready_timeout": "400ms"})
    connect(gateway).echo(b"hello")
    gateway.wait_lost(hung, "ready-timeout")
    connect(gateway).echo(b"hello")
    assert hung.packets() == []
    release.set()


def test_not_live(start_gateway, start_worker, connect):
    """`live = false` takes a worker out; its sessions move."""
    leaving, other = start_worker(), start_worker()
    gateway = start_gateway(workers=[leaving, other], worker={"alive_timeout": "300ms"})
    clients = [connect(gateway) for _ in range(4)]
    for client in clients:
        client.echo(b"before")
    leaving.ready = False
    leaving.live = False
    gateway.wait_lost(leaving, "not-live")
    for client in clients:
        client.echo(b"after")
    assert len(other.uuids()) == 4


def test_live_hangs(start_gateway, start_worker, connect):
    """A heartbeat without an answer counts, even though the connection itself is well."""
    release = threading.Event()
    hung, other = start_worker(), start_worker()
    gateway = start_gateway(workers=[hung, other], worker={"alive_timeout": "500ms"})
    clients = [connect(gateway) for _ in range(2)]
    for client in clients:
        client.echo(b"before")
    hung.live = lambda: release.wait(60)
    gateway.wait_lost(hung, "alive-timeout")
    for client in clients:
        client.echo(b"after")
    release.set()


def test_slow_but_alive(start_gateway, start_worker, connect):
    """A worker that takes long for its answers, but answers heartbeats, is kept."""
    release = threading.Event()

    def slow(worker, request):
        release.wait(60)
        echo(worker, request)

    worker = start_worker(on_packet=slow)
    gateway = start_gateway(workers=[worker], worker={"alive_timeout": "300ms"})
    client = connect(gateway)
    client.send_packet(b"hello")
    stays(lambda: not gateway.log("worker-lost"), 1.5, "the link")
    release.set()
    assert client.receive_packet() == b"hello"


def test_stream_ended_by_the_worker(start_gateway, start_worker, connect):
    """A worker that returns from the call is connected to anew."""
    worker = start_worker()
    gateway = start_gateway(workers=[worker])
    client = connect(gateway)
    client.echo(b"before")
    worker.end_stream()
    gateway.wait_lost(worker, "stream-ended")
    client.echo(b"after")


def test_all_workers_lost(start_gateway, start_worker, connect):
    """Clients wait without any worker; what they send meanwhile reaches the next one in order."""
    first = start_worker()
    gateway = start_gateway(workers=[first], listener={"worker_wait": "60s"})
    clients = [connect(gateway) for _ in range(3)]
    for client in clients:
        client.echo(b"before")
    first.stop()
    until(lambda: gateway.worker(first)["state"] != "ready", "the worker is lost")
    late = connect(gateway)
    for client in [*clients, late]:
        for number in range(50):
            client.send_packet(b"%d" % number)
    second = start_worker()
    assert gateway.api("POST", "/upstream/add", {"host": "127.0.0.1", "port": second.port,
                                                 "alive_timeout": 10})[0] == 201
    for client in [*clients, late]:
        assert [client.receive_packet() for _ in range(50)] == [b"%d" % n for n in range(50)]
    for uuid in second.uuids():
        assert second.packets(uuid) == [frame(b"%d" % number) for number in range(50)]
    assert len(second.uuids()) == 4


def test_no_worker_in_time(start_gateway, start_worker, connect):
    """Without any worker a session is closed as no-worker once worker_wait is over."""
    gateway = start_gateway(workers=[], ready=0, listener={"worker_wait": "500ms"})
    started = time.monotonic()
    silent_client, speaker = connect(gateway), connect(gateway)
    speaker.send_packet(b"anybody there?")
    speaker.receive_until_closed()
    silent_client.receive_until_closed()
    assert time.monotonic() - started > 0.4
    gateway.wait_closed("no-worker", 2)


def test_waiting_clients_are_not_read(start_gateway, connect):
    """Without a worker TCP holds the client back: nothing is gathered in memory."""
    gateway = start_gateway(workers=[], ready=0, listener={"worker_wait": "60s"})
    client = connect(gateway)
    before = gateway.process.resident_bytes()
    assert send_until_held(client, 64 << 20) < 64 << 20
    assert gateway.process.resident_bytes() - before < 32 << 20


def test_drain_under_load(start_gateway, start_example, connect):
    """Draining loses no answer, repeats none and keeps the order of every client's."""
    first, second = start_example("go"), start_example("go")
    gateway = start_gateway(workers=[first, second])
    streams = [Stream(connect(gateway), f"c{number}") for number in range(8)]
    until(lambda: all(len(s.received) > 100 for s in streams), "streams flow")
    assert gateway.api("POST", f"/upstream/{gateway.worker(first)['id']}/drain")[0] == 202
    gateway.wait_state(first, "drained")
    assert gateway.worker(first)["sessions"] == 0
    flow_on(streams)
    for stream in finished(streams):
        assert stream.numbers == list(range(1, stream.sent + 1))
    assert gateway.log("worker-lost", worker=second.endpoint) == []


def test_kill_under_load(start_gateway, start_example, connect):
    """kill -9 under load: only answers the dead worker owed are missing; all else is in order."""
    doomed, other = start_example("go"), start_example("go")
    gateway = start_gateway(listener=SHORT_HALF_CLOSE, workers=[doomed, other])
    streams = [Stream(connect(gateway), f"c{number}") for number in range(8)]
    until(lambda: all(len(s.received) > 100 for s in streams), "streams flow")
    mine = {w["endpoint"]: w["sessions"] for w in gateway.workers()}
    assert mine == {doomed.endpoint: 4, other.endpoint: 4}
    doomed.kill()
    flow_on(streams)
    unharmed = assert_only_one_gap(finished(streams))
    assert unharmed >= 4, "clients of the other worker lost something"
    assert gateway.log("session-closed", reason="no-worker") == []


def test_stop_under_load(start_gateway, start_example, connect):
    """SIGSTOP under load: the other worker's clients never stop, and nobody is disconnected."""
    doomed, other = start_example("go"), start_example("go")
    gateway = start_gateway(workers=[doomed, other], worker={"alive_timeout": "900ms"},
                            listener=SHORT_HALF_CLOSE)
    streams = [Stream(connect(gateway), f"c{number}") for number in range(6)]
    until(lambda: all(len(s.received) > 100 for s in streams), "streams flow")
    doomed.pause()
    gateway.wait_lost(doomed, "alive-timeout")
    flow_on(streams)
    doomed.kill()
    whole = 0
    for stream in finished(streams):
        numbers = stream.numbers
        assert numbers == sorted(set(numbers)), "repeated or out of order"
        whole += numbers == list(range(1, stream.sent + 1))
    assert whole >= 3
    assert gateway.log("session-closed", reason="slow-client") == []


def test_worker_is_told_to_stop(start_gateway, start_example, connect):
    """SIGTERM to a worker under load (GOAWAY, then an end): its clients go on elsewhere."""
    leaving, other = start_example("go"), start_example("go")
    gateway = start_gateway(listener=SHORT_HALF_CLOSE, workers=[leaving, other])
    streams = [Stream(connect(gateway), f"c{number}") for number in range(6)]
    until(lambda: all(len(s.received) > 100 for s in streams), "streams flow")
    leaving.terminate()
    assert leaving.wait() == 0
    flow_on(streams)
    for stream in finished(streams):
        numbers = stream.numbers
        assert numbers == sorted(set(numbers)), "repeated or out of order"
    gateway.wait_log("worker-lost", worker=leaving.endpoint)


def test_stalled_worker_holds_back_its_own_clients_only(start_gateway, start_worker, connect):
    """A worker that takes nothing more stops its own clients by TCP, and no one else's."""
    release = threading.Event()
    stalled = start_worker(on_packet=lambda worker, request: release.wait(60))
    good = start_worker()
    gateway = start_gateway(workers=[stalled, good], limits={"worker_queue": "1MiB"},
                            worker={"alive_timeout": "60s"})
    clients = [connect(gateway), connect(gateway)]
    for client in clients:
        client.send_packet(b"hello")
    until(lambda: stalled.packets() and good.packets(), "each worker has a client")
    held, free = sorted(clients, key=lambda c: gateway.uuid_of(c) in good.uuids())
    before = gateway.process.resident_bytes()
    assert send_until_held(held, 64 << 20) < 64 << 20
    assert free.receive_packet() == b"hello"
    for number in range(50):
        free.echo(b"%d" % number)
    assert gateway.process.resident_bytes() - before < 32 << 20
    assert gateway.log("session-closed") == []
    release.set()


def finished(streams):
    """All streams, once they have ended; together, because each may wait for lost answers."""
    for stream in streams:
        stream.stop()
    for stream in streams:
        stream.numbers = stream.finish()
    return streams


def assert_only_one_gap(streams):
    """Nothing is repeated or out of order; returns how many streams miss nothing at all."""
    unharmed = 0
    for stream in streams:
        numbers = stream.numbers
        assert numbers == sorted(set(numbers)), "repeated or out of order"
        missing = sorted(set(range(1, stream.sent + 1)) - set(numbers))
        # At most what was under way, all of it from the one moment of the loss.
        assert len(missing) <= 64
        assert not missing or missing == list(range(missing[0], missing[-1] + 1))
        unharmed += not missing
    return unharmed


def flow_on(streams, count=100):
    """Waits until every stream got so many more answers."""
    marks = [len(s.received) + count for s in streams]
    until(lambda: all(len(s.received) > mark for s, mark in zip(streams, marks)),
          "streams flow on")


def send_until_held(client, bytes_max):
    """Sends until the gateway takes nothing for a second; returns how many bytes went."""
    client.socket.settimeout(1)
    sent = 0
    try:
        while sent < bytes_max:
            sent += client.socket.send(frame(bytes(60_000)))
    except TimeoutError:
        pass
    return sent


class FullBacklog:
    """An address whose connections are neither accepted nor refused: the queue for them is full."""

    def __enter__(self):
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(0)
        self.endpoint = "127.0.0.1:%d" % self._listener.getsockname()[1]
        self._fillers = []
        while True:
            filler = socket.socket()
            self._fillers.append(filler)
            filler.settimeout(0.2)
            try:
                filler.connect(self._listener.getsockname())
            except TimeoutError:
                return self

    def __exit__(self, *_):
        for sock in [*self._fillers, self._listener]:
            sock.close()
