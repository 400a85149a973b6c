"""Gateways of several shards: sessions follow their workers from one to the other."""

from harness.client import Stream, frame
from harness.contract import answer, broadcast, pb
from harness.shards import WORKERS, both, entered, shard_of, shards, shards_of, spread
from harness.waiting import until
from harness.workers import silent
from test_worker_lives import assert_only_one_gap, finished, flow_on


@both
def test_echo(spread, connect, shards):
    """Sessions are on all shards, evenly, and every byte of each comes back to it alone."""
    gateway, workers = spread()
    streams = [Stream(connect(gateway), f"c{number}") for number in range(12)]
    until(lambda: all(len(s.received) > 200 for s in streams), "streams flow")
    assert [w["sessions"] for w in gateway.workers()] == [4, 4, 4]
    assert set(shards_of(gateway, shards).values()) == set(range(shards))
    for stream in finished(streams):
        assert stream.numbers == list(range(1, stream.sent + 1))
    assert len({uuid for worker in workers for uuid in worker.uuids()}) == 12
    gateway.wait_closed("client-closed", 12)


# Workers that go and come.

def test_a_worker_is_lost_and_comes_back(start_gateway, start_example, connect, shards):
    """kill -9 of each in turn: its clients go on with the others, and it is taken back."""
    workers = [start_example("go") for _ in range(WORKERS)]
    gateway = start_gateway(workers=workers, shards=shards)
    clients = entered(gateway, connect, 9)
    for number in range(WORKERS):
        doomed = workers[number]
        doomed.kill()
        until(lambda: gateway.worker(doomed)["state"] != "ready", "the loss is seen")
        for client in clients:
            client.echo(b"after %d" % number)
        assert gateway.worker(doomed)["sessions"] == 0
        workers[number] = start_example("go", port=doomed.port)
        gateway.wait_state(doomed, "ready")
    assert gateway.log("session-closed") == []
    assert len(gateway.sessions()) == 9


@both
def test_a_worker_is_lost_under_load(start_gateway, start_example, connect, shards):
    """Only answers that the dead worker owed are missing; the others' streams are whole."""
    workers = [start_example("go") for _ in range(WORKERS)]
    gateway = start_gateway(listener={"half_close_timeout": "1s"}, workers=workers,
                            shards=shards)
    streams = [Stream(connect(gateway), f"c{number}") for number in range(9)]
    until(lambda: all(len(s.received) > 100 for s in streams), "streams flow")
    # The one on the second shard: its sessions go back to the door.
    workers[1].kill()
    flow_on(streams)
    unharmed = assert_only_one_gap(finished(streams))
    assert unharmed >= 6, "clients of the other workers lost something"


@both
def test_all_workers_are_lost(spread, start_worker, connect, shards):
    """Sessions of all shards wait together; what they send reaches the next worker in order."""
    gateway, workers = spread(listener={"worker_wait": "60s"})
    clients = entered(gateway, connect)
    for worker in workers:
        worker.stop()
    until(lambda: all(w["state"] != "ready" for w in gateway.workers()), "all are lost")
    until(lambda: all(s["worker_id"] is None for s in gateway.sessions()), "all wait")
    assert len(gateway.sessions()) == 6
    late = connect(gateway)
    for client in [*clients, late]:
        for number in range(50):
            client.send_packet(b"%d" % number)
    again = start_worker(port=workers[1].port)
    gateway.wait_state(again, "ready")
    for client in [*clients, late]:
        assert [client.receive_packet() for _ in range(50)] == [b"%d" % n for n in range(50)]
    assert len(again.uuids()) == 7
    for uuid in again.uuids():
        assert again.packets(uuid) == [frame(b"%d" % number) for number in range(50)]
    assert gateway.api("GET", "/readyz", token=None)[0] == 200


@both
def test_drains_under_load(start_gateway, start_example, connect, shards):
    """Draining one worker after the other loses no answer, repeats none and keeps the order."""
    workers = [start_example("go") for _ in range(WORKERS)]
    gateway = start_gateway(workers=workers, shards=shards)
    streams = [Stream(connect(gateway), f"c{number}") for number in range(9)]
    until(lambda: all(len(s.received) > 100 for s in streams), "streams flow")
    for worker in workers[1], workers[0]:
        assert gateway.api("POST", f"/upstream/{gateway.worker(worker)['id']}/drain")[0] == 202
        gateway.wait_state(worker, "drained")
        assert gateway.worker(worker)["sessions"] == 0
        flow_on(streams)
    assert gateway.worker(workers[2])["sessions"] == 9
    for stream in finished(streams):
        assert stream.numbers == list(range(1, stream.sent + 1))


@both
def test_workers_are_added(start_gateway, start_worker, connect, shards):
    """Each goes where there are fewest; the same one is refused wherever it is, and removed."""
    first = start_worker()
    gateway = start_gateway(workers=[first], shards=shards)
    others = [start_worker() for _ in range(shards)]
    for worker in others:
        body = {"host": "127.0.0.1", "port": worker.port}
        assert gateway.api("POST", "/upstream/add", body)[0] == 201
        status, body = gateway.api("POST", "/upstream/add", body)
        assert (status, body["error"]["code"]) == (409, "duplicate-worker")
    ids = [w["id"] for w in gateway.workers()]
    assert len(ids) == len(set(ids)) == shards + 1
    assert {shard_of(id, shards) for id in ids} == set(range(shards))
    entered(gateway, connect, 2 * (shards + 1))
    assert [w["sessions"] for w in gateway.workers()] == [2] * (shards + 1)
    for worker in others:
        id = gateway.worker(worker)["id"]
        assert gateway.api("DELETE", f"/upstream/{id}")[0] == 202
        until(lambda: gateway.worker(worker) is None, "removed")
    assert gateway.worker(first)["sessions"] == 2 * (shards + 1)
    assert gateway.api("DELETE", "/upstream/77")[0] == 404


# Workers that speak to clients of others.

def test_broadcasts(spread, connect):
    """Each worker reaches everybody, on whatever shard, once and in order."""
    gateway, workers = spread()
    speakers = entered(gateway, connect)
    listeners = [connect(gateway) for _ in range(3)]
    until(lambda: len(gateway.sessions()) == 9, "all are in")
    for worker in workers:
        for number in range(3):
            worker.send(broadcast("ALL", b"all %d;" % number))
            worker.send(broadcast("NOT_ACTIVE", b"silent %d;" % number))
    for clients, words in (speakers, [b"all %d;"]), (listeners, [b"all %d;", b"silent %d;"]):
        for client in clients:
            length = len(words) * 3 * WORKERS
            heard = []
            while len(heard) < length:
                heard += [bytearray()]
                while not heard[-1].endswith(b";"):
                    heard[-1] += client.receive_exactly(1)
            for word in words:
                for number in range(3):
                    assert heard.count(word % number) == WORKERS
    metrics = gateway.metrics()
    assert metrics["gatehouse_broadcasts_total"] == 6 * WORKERS


def test_an_answer_by_any_worker(spread, connect):
    """Whichever worker names a session, it is reached; in the order of one worker's words."""
    gateway, workers = spread(on_packet=silent)
    clients = [connect(gateway) for _ in range(WORKERS)]
    for client in clients:
        client.send_packet(b"hello")
    uuids = [gateway.uuid_of(client) for client in clients]
    until(lambda: sum(len(w.packets()) for w in workers) == WORKERS, "all have spoken")
    for number in range(100):
        for worker in workers:
            for uuid in uuids:
                worker.send(answer(uuid, b"%d:%03d;" % (workers.index(worker), number)))
    for client in clients:
        words = client.receive_exactly(6 * 100 * WORKERS).split(b";")[:-1]
        for name in range(WORKERS):
            mine = [word for word in words if word.startswith(b"%d:" % name)]
            assert mine == [b"%d:%03d" % (name, number) for number in range(100)]
    workers[0].send(answer("0f9a2b3c-1d2e-4f50-8a6b-7c8d9e0f1a2b", b"nobody"))
    until(lambda: gateway.metrics()["gatehouse_messages_to_unknown_session_total"] == 1,
          "an answer for nobody is counted once")


def test_session_events(spread, connect):
    """A session that moves is opened with its next worker as one that goes on."""
    gateway, workers = spread(features=[pb.SESSION_EVENTS])
    clients = entered(gateway, connect, 3)
    for worker in workers:
        (opened,) = worker.wait_events("opened")
        assert not opened.opened.resumed
    before = {uuid: worker for worker in workers for uuid in worker.uuids()}
    gateway.api("POST", f"/upstream/{gateway.worker(workers[1])['id']}/drain")
    gateway.wait_state(workers[1], "drained")
    moved = workers[1].uuids()[0]
    for client in clients:
        client.echo(b"after")
    (opened,) = [r for w in workers for r in w.events("opened") if r.opened.resumed]
    assert opened.client_uuid == moved and len(before) == 3
    for client in clients:
        client.close()
    until(lambda: sum(len(w.events("closed")) for w in workers) == 3, "all are told of the end")
