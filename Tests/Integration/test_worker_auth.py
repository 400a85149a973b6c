"""Listeners whose clients a worker lets in: real clients, real gRPC, a worker that says who."""

import threading

from harness.contract import pb
from harness.gateway import configuration
from harness.waiting import until

# The first packet is the whole claim: a line with the name, then the password.
AUTH = {
    "kind": "worker", "pool": "gate", "timeout": "1s", "deadline": "20s",
    "packet": [{"field": [{"name": "account", "kind": "line", "offset": 2},
                          {"name": "password", "kind": "rest"}]}]}


def start(start_gateway, start_worker, authenticate):
    """A gateway in front of a worker that echoes and one that decides."""
    game = start_worker(features=[pb.SESSION_EVENTS])
    gate = start_worker(authenticate=authenticate)
    config = configuration(listener={"auth": AUTH}, store={"enabled": False})
    config["pool"] = [{"name": name, "worker": [{"address": worker.endpoint}]}
                      for name, worker in [("default", game), ("gate", gate)]]
    return start_gateway(config=config, ready=2), game, gate


def test_let_in(start_gateway, start_worker, connect):
    """The worker is told who asks; the session has the account and the attributes it gave."""
    gateway, game, gate = start(
        start_gateway, start_worker,
        lambda request: pb.AuthenticateResult(
            allowed=True, account="Anna", attributes={"level": "7"}))
    client = connect(gateway)
    client.echo(b"anna\nsecret")
    client.echo(b"hello")
    (request,) = gate.authenticate_requests
    assert (request.account, request.secret) == ("anna", b"secret")
    assert (request.client_address, request.listener) == (client.address, "game")
    assert list(request.packets) == [b"\x00\x0banna\nsecret"]
    (opened,) = game.wait_events("opened")
    assert opened.client_uuid == request.client_uuid
    assert opened.opened.account == "Anna" and not opened.opened.unauthenticated
    assert dict(opened.opened.attributes) == {"level": "7"}
    (session,) = gateway.sessions()
    assert (session["account"], session["pending"]) == ("Anna", False)


def test_refused(start_gateway, start_worker, connect):
    """Who is refused is closed, and no byte of it reaches the game."""
    gateway, game, _ = start(
        start_gateway, start_worker, lambda request: pb.AuthenticateResult(reason="no"))
    client = connect(gateway)
    client.send_packet(b"anna\nwrong")
    client.receive_until_closed()
    gateway.wait_log("session-refused", reason="login-refused", detail="refused-by-worker: no")
    assert game.packets() == [] and game.events("opened") == []


def test_no_answer(start_gateway, start_worker, connect):
    """A worker that hangs or answers nonsense lets nobody in, and keeps its connection."""
    release = threading.Event()
    answers = [lambda: release.wait(60) and pb.AuthenticateResult(), lambda: b"\xff"]
    gateway, game, gate = start(
        start_gateway, start_worker, lambda request: answers[request.account == "bob"]())
    for name in [b"anna", b"bob"]:
        client = connect(gateway)
        client.send_packet(name + b"\nsecret")
        client.receive_until_closed()
    release.set()
    until(lambda: len(gateway.log("session-refused", reason="auth-unavailable")) == 2,
          "both are refused")
    assert game.packets() == []
    assert len(gate.streams) == 1 and gateway.log("worker-lost") == []


def test_listed_and_closed_by_account(start_gateway, start_worker, connect):
    """Sessions are found, and closed, by account and by address."""
    gateway, *_ = start(
        start_gateway, start_worker, lambda request: pb.AuthenticateResult(allowed=True))
    clients = {name: connect(gateway) for name in ["anna", "bob"]}
    for name, client in clients.items():
        client.echo(name.encode() + b"\nsecret")

    def found(query):
        status, body = gateway.api("GET", f"/sessions?{query}")
        assert status == 200
        return [session["account"] for session in body["sessions"]]

    assert found("account=ANNA") == ["anna"]
    assert found("account=nobody") == []
    assert sorted(found("address=127.0.0.0/8")) == ["anna", "bob"]
    assert found("address=127.0.0.2") == []
    assert gateway.api("GET", "/why?account=anna")[1]["sessions"] == 1
    assert gateway.api("DELETE", "/sessions?account=anna") == (200, {"closed": 1})
    clients["anna"].receive_until_closed()
    until(lambda: found("address=127.0.0.1") == ["bob"], "anna has gone")
