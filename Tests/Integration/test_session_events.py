"""SESSION_EVENTS: workers that ask hear of every session's opening and closing."""

import pytest

from harness.client import frame
from harness.contract import answer, close_reason, pb
from harness.gateway import configuration
from harness.workers import silent


def test_opened_comes_first(start_gateway, start_worker, connect):
    """`opened` says who is there, before the session's first packet."""
    worker = start_worker(features=[pb.SESSION_EVENTS])
    client = connect(start_gateway(workers=[worker]))
    client.echo(b"hello")
    opened, packet = worker.requests
    assert opened.client_uuid == packet.client_uuid
    assert opened.payload == b""
    assert packet.payload == frame(b"hello")
    assert opened.opened.client_address == client.address
    assert opened.opened.listener == "game"
    assert opened.opened.framer == "frames"
    assert opened.opened.account == ""
    assert not opened.opened.resumed
    assert opened.opened.next_sequence == 1


def test_silent_client_is_greeted(start_gateway, start_worker, connect):
    """The server may speak first: the event comes without waiting for the client's first packet."""
    worker = start_worker(features=[pb.SESSION_EVENTS])
    client = connect(start_gateway(workers=[worker]))
    (opened,) = worker.wait_events("opened")
    worker.send(answer(opened.client_uuid, b"welcome"))
    assert client.receive_exactly(7) == b"welcome"


def test_closed_after_the_last_packet(start_gateway, start_worker, connect):
    """`closed` comes once, after everything that the client sent."""
    worker = start_worker(on_packet=silent, features=[pb.SESSION_EVENTS])
    client = connect(start_gateway(workers=[worker], listener={"half_close_timeout": "100ms"}))
    for number in range(20):
        client.send_packet(b"%d" % number)
    client.close()
    worker.wait_events("closed")
    kinds = [r.WhichOneof("event") for r in worker.requests]
    assert kinds == ["opened"] + [None] * 20 + ["closed"]
    assert len({r.client_uuid for r in worker.requests}) == 1


@pytest.mark.parametrize("reason", [
    "client-closed", "client-reset", "idle-timeout", "framing-violation", "closed-by-operator",
    "shutdown"])
def test_closed_reason(start_gateway, start_worker, connect, reason):
    """The worker is told the same reason as the log."""
    worker = start_worker(features=[pb.SESSION_EVENTS])
    idle = "1s" if reason == "idle-timeout" else "600s"
    config = configuration(
        workers=[worker], listener={"idle_timeout": idle, "half_close_timeout": "100ms"})
    config["framer"]["frames"]["max"] = 100
    gateway = start_gateway(config=config)
    client = connect(gateway)
    client.send_packet(b"hello")
    worker.wait_packets(1)
    if reason == "client-closed":
        client.receive_packet()
        client.close()
    elif reason == "client-reset":
        client.reset()
    elif reason == "framing-violation":
        client.send(frame(bytes(99)))
    elif reason == "closed-by-operator":
        uuid = worker.uuids()[0]
        assert gateway.api("DELETE", f"/sessions/{uuid}")[0] == 200
    elif reason == "shutdown":
        gateway.signal()
    (closed,) = worker.wait_events("closed")
    assert closed.closed.reason == close_reason(reason)
    gateway.wait_closed(reason)


def test_worker_that_did_not_ask(start_gateway, start_worker, connect):
    """Without SESSION_EVENTS a worker gets packets and nothing else."""
    worker = start_worker()
    gateway = start_gateway(workers=[worker])
    client = connect(gateway)
    client.echo(b"hello")
    client.close()
    gateway.wait_closed("client-closed")
    connect(gateway).echo(b"another")
    assert [r.WhichOneof("event") for r in worker.requests] == [None, None]


def test_resumed_after_a_move(start_gateway, start_worker, connect):
    """A session that comes from a lost worker is announced to the next one as resumed."""
    first = start_worker(features=[pb.SESSION_EVENTS])
    gateway = start_gateway(workers=[first])
    client = connect(gateway)
    client.echo(b"one")
    client.echo(b"two")
    second = start_worker(features=[pb.SESSION_EVENTS])
    assert gateway.api("POST", "/upstream/add",
                       {"host": "127.0.0.1", "port": second.port, "alive_timeout": 10})[0] == 201
    first.stop()
    gateway.wait_log("worker-lost", worker=first.endpoint)
    client.echo(b"three")
    opened, packet = second.requests
    assert opened.client_uuid == first.uuids()[0] == packet.client_uuid
    assert opened.opened.resumed
    assert opened.opened.next_sequence == 3
    assert opened.opened.client_address == client.address


def test_mixed_pool(start_gateway, start_worker, connect):
    """In one pool, only the worker that asked gets events."""
    asking = start_worker(features=[pb.SESSION_EVENTS, pb.ACKNOWLEDGE, pb.CONTROL])
    plain = start_worker()
    gateway = start_gateway(workers=[asking, plain])
    for _ in range(4):
        connect(gateway).echo(b"hello")
    assert len(asking.events("opened")) == 2
    assert len(asking.packets()) == len(plain.packets()) == 2
    assert plain.events("opened") == plain.events("closed") == []
