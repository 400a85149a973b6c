"""The management API: honest answers, and nothing for those without the token."""

import json
import socket
import threading
import uuid as uuids

import pytest

from harness.gateway import TOKEN, Gateway, configuration
from harness.waiting import until


def upstream(port, host="127.0.0.1", alive_timeout=10):
    return {"host": host, "port": port, "alive_timeout": alive_timeout}


def test_probes_without_token(start_gateway, start_worker):
    """/livez and /readyz answer anybody, and /readyz tells the truth."""
    gateway = start_gateway(workers=[], ready=0)
    assert gateway.api("GET", "/livez", token=None)[0] == 200
    assert gateway.api("GET", "/readyz", token=None)[0] == 503
    worker = start_worker()
    gateway.api("POST", "/upstream/add", upstream(worker.port))
    assert gateway.api("GET", "/readyz", token=None)[0] == 200
    worker.stop()
    until(lambda: gateway.api("GET", "/readyz", token=None)[0] == 503, "not ready any more")


@pytest.mark.parametrize("token", [None, "", "wrong", TOKEN[:-1], TOKEN + "4"])
@pytest.mark.parametrize("method, path", [
    ("GET", "/upstream"), ("POST", "/upstream/add"), ("POST", "/upstream/1/drain"),
    ("DELETE", "/upstream/1"), ("GET", "/sessions"), ("DELETE", f"/sessions/{uuids.uuid4()}"),
    ("GET", "/metrics"), ("DELETE", "/sessions?account=anna"), ("GET", "/why?account=anna")])
def test_wrong_token(shared_gateway, method, path, token):
    """Everything else is 401 without the right token, whatever is asked."""
    body = upstream(1) if method == "POST" else None
    assert shared_gateway.api(method, path, body, token=token)[0] == 401


def test_wrong_tokens_are_logged(start_gateway):
    """One line for many, with the address they came from and without the token."""
    gateway = start_gateway(workers=[], ready=0)
    for _ in range(20):
        assert gateway.api("GET", "/upstream", token="guessed-token")[0] == 401
    line = gateway.wait_log("wrong-token")
    assert line["client"].startswith("127.0.0.1:")
    assert "guessed-token" not in json.dumps(gateway.log())


def test_why(shared_gateway):
    """What applies to somebody who has done nothing: nothing."""
    status, body = shared_gateway.api("GET", "/why?address=2001:db8::/32")
    assert status == 200
    assert (body["address"], body["account"]) == ("2001:db8::/32", None)
    assert (body["allowed"], body["bans"], body["sessions"]) == (False, [], 0)


@pytest.mark.parametrize("method, path, body, statuses", [
    ("PUT", "/", None, {405}),
    ("GET", "/nothing/here", None, {404}),
    ("PUT", "/upstream", "{}", {405}),
    ("DELETE", "/upstream/99999", None, {404}),
    ("DELETE", "/upstream/x", None, {400, 404}),
    ("POST", "/upstream/99999/drain", None, {404}),
    ("DELETE", f"/sessions/{uuids.uuid4()}", None, {404}),
    ("DELETE", "/sessions/x", None, {400, 404}),
    ("DELETE", "/sessions", None, {400}),
    ("DELETE", "/sessions?acount=anna", None, {400}),
    ("DELETE", "/sessions?account=anna&address=192.0.2.7", None, {400}),
    ("GET", "/sessions?adress=192.0.2.7", None, {400}),
    ("GET", "/sessions?address=192.0.2.7/24", None, {400}),
    ("GET", "/why", None, {400}),
    ("GET", "/why?account=a%00b", None, {400}),
    ("POST", "/upstream/add", "", {400}),
    ("POST", "/upstream/add", "not json", {400}),
    ("POST", "/upstream/add", "[]", {400}),
    ("POST", "/upstream/add", '{"port": 1}', {400, 422}),
    ("POST", "/upstream/add", '{"host": "127.0.0.1", "port": 0}', {400, 422}),
    ("POST", "/upstream/add", '{"host": "127.0.0.1", "port": 65536}', {400, 422}),
    ("POST", "/upstream/add", '{"host": "127.0.0.1", "port": "1"}', {400, 422}),
    ("POST", "/upstream/add", '{"host": "127.0.0.1", "port": 1, "prot": 2}', {400, 422}),
    ("POST", "/upstream/add", '{"host": "x' + "y" * 100_000 + '", "port": 1}', {400, 413, 422}),
])
def test_bad_requests(shared_gateway, method, path, body, statuses):
    """A mistake is answered with what it is, never with success."""
    assert shared_gateway.api(method, path, body)[0] in statuses


def test_add_good(start_gateway, start_worker, connect):
    """A worker that is ready: 201 once it is in rotation."""
    worker = start_worker()
    gateway = start_gateway(workers=[], ready=0)
    status, body = gateway.api("POST", "/upstream/add", upstream(worker.port))
    assert status == 201, body
    assert gateway.worker(worker)["state"] == "ready"
    connect(gateway).echo(b"hello")


def test_add_not_ready(start_gateway, start_worker):
    """A worker that says it is not ready: 202, and it is asked on."""
    worker = start_worker(ready=False)
    gateway = start_gateway(workers=[], ready=0)
    assert gateway.api("POST", "/upstream/add", upstream(worker.port))[0] == 202
    worker.ready = True
    gateway.wait_state(worker, "ready")


def test_add_dead_port(start_gateway):
    """Nobody listens there: 502, with the reason."""
    gateway = start_gateway(workers=[], ready=0)
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    status, body = gateway.api("POST", "/upstream/add", upstream(port))
    assert status == 502
    assert "connect-failed" in json.dumps(body)


def test_add_unknown_host(start_gateway):
    """A name that does not resolve: 502, with the reason."""
    gateway = start_gateway(workers=[], ready=0)
    status, body = gateway.api(
        "POST", "/upstream/add", upstream(1, host="no-such-host.invalid"))
    assert status == 502
    assert "resolve-failed" in json.dumps(body)


def test_add_name(start_gateway, start_worker, connect):
    """Host names resolve."""
    worker = start_worker()
    gateway = start_gateway(workers=[], ready=0)
    assert gateway.api("POST", "/upstream/add", upstream(worker.port, host="localhost"))[0] == 201
    connect(gateway).echo(b"hello")


def test_add_duplicate(start_gateway, start_worker):
    """The same endpoint twice is a conflict, and changes nothing."""
    worker = start_worker()
    gateway = start_gateway(workers=[worker])
    assert gateway.api("POST", "/upstream/add", upstream(worker.port))[0] == 409
    assert len(gateway.workers()) == 1
    assert len(worker.streams) == 1


def test_adding_delays_nobody(start_gateway, start_worker, connect):
    """While a probe hangs, the API and the players are served."""
    release = threading.Event()
    hung, good = start_worker(ready=lambda: release.wait(60)), start_worker()
    gateway = start_gateway(workers=[good])
    statuses = []
    adding = threading.Thread(target=lambda: statuses.append(
        gateway.api("POST", "/upstream/add", upstream(hung.port))[0]), daemon=True)
    adding.start()
    until(lambda: hung.ready_calls, "the probe hangs")
    assert gateway.api("GET", "/livez", token=None)[0] == 200
    assert len(gateway.workers()) == 2
    connect(gateway).echo(b"hello")
    release.set()
    adding.join(30)
    assert statuses == [201]


def test_list(start_gateway, start_worker, connect):
    """The list says where each worker is, how it is and what it has."""
    workers = [start_worker(), start_worker()]
    gateway = start_gateway(workers=workers)
    for _ in range(4):
        connect(gateway).echo(b"hello")
    listed = gateway.workers()
    assert [w["endpoint"] for w in listed] == [w.endpoint for w in workers]
    assert [w["state"] for w in listed] == ["ready", "ready"]
    assert [w["sessions"] for w in listed] == [2, 2]
    assert [w["pool"] for w in listed] == ["default", "default"]
    assert len({w["id"] for w in listed}) == 2


def test_drain(start_gateway, start_worker, connect):
    """A drained worker has no sessions and gets none, until it is removed."""
    leaving, other = start_worker(), start_worker()
    gateway = start_gateway(workers=[leaving, other])
    clients = [connect(gateway) for _ in range(4)]
    for client in clients:
        client.echo(b"before")
    path = f"/upstream/{gateway.worker(leaving)['id']}"
    assert gateway.api("POST", f"{path}/drain")[0] == 202
    gateway.wait_state(leaving, "drained")
    until(lambda: not leaving.streams, "its call has ended")
    for client in [*clients, connect(gateway), connect(gateway)]:
        client.echo(b"after")
    assert len(leaving.packets()) == 2
    assert gateway.worker(leaving)["sessions"] == 0
    assert gateway.api("DELETE", path)[0] == 202
    until(lambda: gateway.worker(leaving) is None, "removed")


def test_drain_of_a_worker_that_does_not_finish(start_gateway, start_worker, connect):
    """A worker that never ends its call is left after drain_timeout."""
    release = threading.Event()
    stuck = start_worker(on_packet=lambda w, r: release.wait(60))
    gateway = start_gateway(workers=[stuck], pool={"drain_timeout": "300ms"})
    client = connect(gateway)
    client.send_packet(b"never answered")
    stuck.wait_packets(1)
    other = start_worker()
    assert gateway.api("POST", "/upstream/add", upstream(other.port))[0] == 201
    gateway.api("POST", f"/upstream/{gateway.worker(stuck)['id']}/drain")
    gateway.wait_state(stuck, "drained")
    client.echo(b"moved on")
    release.set()


def test_remove(start_gateway, start_worker, connect):
    """Removing drains first: sessions go on elsewhere; the same endpoint may come back."""
    leaving, other = start_worker(), start_worker()
    gateway = start_gateway(workers=[leaving, other])
    clients = [connect(gateway) for _ in range(4)]
    for client in clients:
        client.echo(b"before")
    assert gateway.api("DELETE", f"/upstream/{gateway.worker(leaving)['id']}")[0] == 202
    until(lambda: gateway.worker(leaving) is None, "removed")
    for client in clients:
        client.echo(b"after")
    assert len(other.uuids()) == 4
    assert gateway.api("POST", "/upstream/add", upstream(leaving.port))[0] == 201


def test_sessions(start_gateway, start_worker, connect):
    """The list names each session's client, listener and worker; one can be closed."""
    worker = start_worker()
    gateway = start_gateway(workers=[worker])
    clients = [connect(gateway) for _ in range(3)]
    for client in clients:
        client.echo(b"hello")
    listed = {s["client"]: s for s in gateway.sessions()}
    assert set(listed) == {c.address for c in clients}
    assert {s["uuid"] for s in listed.values()} == set(worker.uuids())
    assert {s["listener"] for s in listed.values()} == {"game"}
    assert {s["packets_in"] for s in listed.values()} == {1}
    victim = listed[clients[1].address]["uuid"]
    assert gateway.api("DELETE", f"/sessions/{victim}")[0] == 200
    clients[1].wait_closed()
    gateway.wait_log("session-closed", session=victim, reason="closed-by-operator")
    clients[0].echo(b"still here")
    assert {s["client"] for s in gateway.sessions()} == {clients[0].address, clients[2].address}
    assert gateway.api("DELETE", f"/sessions/{victim}")[0] == 404


def test_metrics_add_up(start_gateway, start_worker, connect):
    """Opened sessions are those that are open and those that were closed, by reason."""
    worker = start_worker()
    gateway = start_gateway(workers=[worker])
    clients = [connect(gateway) for _ in range(6)]
    for client in clients:
        client.echo(b"hello")
    assert gateway.api("DELETE", f"/sessions/{gateway.uuid_of(clients[2])}")[0] == 200
    clients[0].close()
    clients[1].reset()
    for reason in ("client-closed", "client-reset", "closed-by-operator"):
        gateway.wait_closed(reason)
    metrics = gateway.metrics()
    opened = total(metrics, "sessions_opened_total")
    assert opened == 6
    assert opened == total(metrics, "sessions_open") + total(metrics, "sessions_closed_total")
    for reason in ("client-closed", "client-reset", "closed-by-operator"):
        assert total(metrics, "sessions_closed_total", f'reason="{reason}"') == 1


def test_metrics_are_well_formed(start_gateway, start_worker, connect):
    """Every sample follows the text format, and every counter's name ends in _total."""
    gateway = start_gateway(workers=[start_worker()])
    connect(gateway).echo(b"hello")
    _, text = gateway.api("GET", "/metrics")
    types = dict(line.split()[2:4] for line in text.splitlines() if line.startswith("# TYPE "))
    helps = {line.split()[2] for line in text.splitlines() if line.startswith("# HELP ")}
    assert set(types) == helps
    names = [line.partition("{")[0].split()[0] for line in text.splitlines()
             if line and not line.startswith("#")]
    assert names and set(names) <= set(types)
    # Prometheus has names of its own for what every process has.
    assert all(name.startswith(("gatehouse_", "process_")) for name in names)
    assert all(name.endswith("_total") == (kind == "counter") for name, kind in types.items())
    assert text.endswith("\n")


def test_log_has_no_payload(start_gateway, start_worker, connect):
    """Connection-level events only: neither payload nor the token stands in the log."""
    gateway = start_gateway(workers=[start_worker()])
    client = connect(gateway)
    client.echo(b"a secret password")
    gateway.sessions()
    client.close()
    gateway.wait_closed("client-closed")
    output = gateway.process.output()
    assert "secret" not in output and TOKEN not in output
    for line in output.splitlines():
        assert isinstance(json.loads(line), dict), line


def total(metrics, name, label=""):
    """The sum over all labels of one metric."""
    return sum(value for key, value in metrics.items()
               if key.partition("{")[0] == f"gatehouse_{name}" and label in key)


@pytest.fixture(scope="module")
def shared_gateway(tmp_path_factory):
    """One gateway for the many requests that change nothing."""
    gateway = Gateway(tmp_path_factory.mktemp("shared"), configuration(), ready=0)
    yield gateway
    gateway.kill()
