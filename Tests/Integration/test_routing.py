"""Which worker gets a packet, and which clients get an answer."""

from collections import Counter

from harness.contract import answer, broadcast
from harness.gateway import configuration
from harness.waiting import until
from harness.workers import silent


def test_round_robin_per_session(start_gateway, start_worker, connect):
    """Sessions are dealt evenly, and each stays with its worker."""
    workers = [start_worker() for _ in range(3)]
    gateway = start_gateway(workers=workers)
    clients = [connect(gateway) for _ in range(9)]
    for _ in range(5):
        for client in clients:
            client.echo(b"hello")
    assert [len(w.uuids()) for w in workers] == [3, 3, 3]
    assert [len(w.packets()) for w in workers] == [15, 15, 15]


def test_round_robin_per_packet(start_gateway, start_worker, connect):
    """balance = "packet": one session's packets go to all workers in turn."""
    workers = [start_worker() for _ in range(3)]
    gateway = start_gateway(workers=workers, pool={"balance": "packet"})
    client = connect(gateway)
    for number in range(30):
        client.echo(b"%d" % number)
    assert [len(w.packets()) for w in workers] == [10, 10, 10]
    assert len({uuid for w in workers for uuid in w.uuids()}) == 1


def test_answers_reach_only_their_client(start_gateway, start_worker, connect):
    """An answer goes to the session it names and to nobody else."""
    gateway = start_gateway(workers=[start_worker(), start_worker()])
    clients = [connect(gateway) for _ in range(20)]
    for round_ in range(5):
        for number, client in enumerate(clients):
            client.send_packet(b"%d/%d" % (number, round_))
    for round_ in range(5):
        for number, client in enumerate(clients):
            assert client.receive_packet() == b"%d/%d" % (number, round_)
    for client in clients:
        client.end_sending()
    for client in clients:
        client.wait_closed()


def test_answer_by_another_worker(start_gateway, start_worker, connect):
    """Any worker of the pool may answer a session, as stateless workers do."""
    workers = [start_worker(on_packet=silent) for _ in range(2)]
    gateway = start_gateway(workers=workers)
    client = connect(gateway)
    client.send_packet(b"hello")
    until(lambda: any(w.packets() for w in workers), "packet")
    owner = next(w for w in workers if w.packets())
    other = next(w for w in workers if w is not owner)
    other.send(answer(owner.uuids()[0], b"from elsewhere"))
    assert client.receive_exactly(14) == b"from elsewhere"


def test_broadcasts(start_gateway, start_worker, connect):
    """ALL reaches everyone, ACTIVE who spoke of late, NOT_ACTIVE the others."""
    worker, second = start_worker(), start_worker()
    gateway = start_gateway(workers=[worker, second], pool={"active_window": "600s"})
    speakers = [connect(gateway) for _ in range(4)]
    listeners = [connect(gateway) for _ in range(4)]
    for client in speakers:
        client.echo(b"I am here")
    until(lambda: len(gateway.sessions()) == 8, "eight sessions")
    for kind in ("NOT_ACTIVE", "ACTIVE", "ALL"):
        worker.send(broadcast(kind, f"{kind};".encode()))
    for client in speakers:
        assert client.receive_exactly(11) == b"ACTIVE;ALL;"
    for client in listeners:
        assert client.receive_exactly(15) == b"NOT_ACTIVE;ALL;"


def test_activity_ends(start_gateway, start_worker, connect):
    """A client that was silent for the active window is no longer active."""
    worker = start_worker()
    gateway = start_gateway(workers=[worker], pool={"active_window": "1s"})
    client = connect(gateway)
    client.echo(b"I am here")
    client.socket.settimeout(0.05)
    received = bytearray()

    def not_active():
        worker.send(broadcast("NOT_ACTIVE", b"wake up;"))
        try:
            received.extend(client.socket.recv(1000))
        except TimeoutError:
            pass
        return received

    until(not_active, "the client is not active")
    assert set(bytes(received).split(b";")) == {b"wake up", b""}


def test_broadcast_stays_in_its_pool(start_gateway, start_worker, connect):
    """A broadcast goes to the sessions of the worker's own pool."""
    ours, theirs = start_worker(), start_worker()
    config = configuration(workers=[ours])
    config["pool"].append({"name": "other", "worker": [{"address": theirs.endpoint}]})
    config["listener"].append({**config["listener"][0], "name": "second", "pool": "other"})
    gateway = start_gateway(config=config)
    first, second = connect(gateway, listener=0), connect(gateway, listener=1)
    first.echo(b"hello")
    second.echo(b"hello")
    ours.send(broadcast("ALL", b"ours"))
    theirs.send(broadcast("ALL", b"theirs"))
    assert first.receive_exactly(4) == b"ours"
    assert second.receive_exactly(6) == b"theirs"


def test_late_worker_takes_part(start_gateway, start_worker, connect):
    """A worker that joins later takes part in the dealing of new sessions."""
    workers = [start_worker()]
    gateway = start_gateway(workers=workers)
    for _ in range(4):
        connect(gateway).echo(b"hello")
    workers.append(start_worker())
    gateway.api("POST", "/upstream/add", {"host": "127.0.0.1", "port": workers[1].port,
                                          "alive_timeout": 10})
    gateway.wait_state(workers[1], "ready")
    for _ in range(8):
        connect(gateway).echo(b"hello")
    assert Counter(len(w.uuids()) for w in workers) == Counter([8, 4])

