"""The example workers: by themselves, and behind the gateway with real clients."""

import queue
import signal

import grpc
import pytest

from harness.contract import AUTHENTICATE_PATH, LIVE_PATH, READY_PATH, STREAM_PATH, pb
from harness.waiting import until

LANGUAGES = ["python", "go"]
SESSIONS = [f"{n:08x}-0000-4000-8000-000000000000" for n in range(3)]


@pytest.fixture(params=LANGUAGES)
def language(request):
    return request.param


@pytest.fixture
def channel():
    """channel(worker) -> a grpcio channel; closed at the end."""
    channels = []

    def open_channel(worker):
        channels.append(grpc.insecure_channel(worker.endpoint))
        return channels[-1]

    yield open_channel
    for channel in channels:
        channel.close()


def calls(channel):
    empty = lambda _: b""
    return (channel.unary_unary(READY_PATH, empty, pb.ReadyResult.FromString),
            channel.stream_stream(LIVE_PATH, empty, pb.LiveResult.FromString),
            channel.stream_stream(STREAM_PATH, pb.InputStreamRequest.SerializeToString,
                                  pb.OutputStreamRequest.FromString))


def packet(session, payload):
    return pb.InputStreamRequest(client_uuid=session, payload=payload)


def opened(session, resumed=False):
    return pb.InputStreamRequest(client_uuid=session, opened=pb.SessionOpened(resumed=resumed))


def closed(session):
    return pb.InputStreamRequest(client_uuid=session, closed=pb.SessionClosed(reason=1))


def test_ready_and_live(start_example, channel, language):
    """They answer both probes as the contract says, and ask for what they need."""
    ready, live, _ = calls(channel(start_example(language, "echo")))
    answer = ready(None, timeout=30)
    assert answer.ready and answer.time.endswith("Z") and list(answer.features) == []
    beats = list(live(iter([None] * 3), timeout=30))
    assert [b.live for b in beats] == [True] * 3
    ready, _, _ = calls(channel(start_example(language, "chat")))
    assert list(ready(None, timeout=30).features) == [pb.SESSION_EVENTS]


def test_echo(start_example, channel, language):
    """Everything comes back in order; when the requests end, so does the call."""
    _, _, stream = calls(channel(start_example(language, "echo")))
    sent = [packet(SESSIONS[n % 3], b"%d" % n) for n in range(1000)]
    answers = list(stream(iter(sent), timeout=30))
    assert [(a.client_uuid, a.payload) for a in answers] == [
        (r.client_uuid, r.payload) for r in sent]


def test_chat(start_example, channel, language):
    """Greeting, announcements, lines for the others; a resumed session is not greeted again."""
    _, _, stream = calls(channel(start_example(language, "chat")))
    first, second, third = SESSIONS
    answers = stream(iter([
        opened(first), opened(second), packet(first, b"hello\n"), opened(third, resumed=True),
        packet(third, b"me too\n"), closed(second), packet(first, b"still there?\n")]), timeout=30)
    said = {session: b"" for session in SESSIONS}
    for a in answers:
        said[a.client_uuid] += a.payload
    assert said[first] == (b"* welcome; 0 here besides you\n* 0000 came\n0000: me too\n"
                           b"* 0000 left\n")
    assert said[second] == b"* welcome; 1 here besides you\n0000: hello\n0000: me too\n"
    assert said[third] == b"* 0000 left\n0000: still there?\n"


def test_two_gateways_share_a_room(start_example, channel, language):
    """Lines cross from one gateway's stream to another's."""
    worker = start_example(language, "chat")
    streams = []
    for session in SESSIONS[:2]:
        _, _, stream = calls(channel(worker))
        requests = Requests()
        answers = stream(requests, timeout=60)
        requests.put(opened(session))
        assert next(answers).payload.startswith(b"* welcome")
        streams.append((requests, answers))
    (_, first), (requests, _) = streams
    assert next(first).payload == b"* 0000 came\n"
    requests.put(packet(SESSIONS[1], b"hello from over here\n"))
    assert next(first).payload == b"0000: hello from over here\n"
    for requests, _ in streams:
        requests.put(None)


@pytest.mark.parametrize("kind", ["echo", "chat"])
def test_clean_end(start_example, channel, language, kind):
    """SIGTERM with a call open: the call may end, and the exit status is 0."""
    worker = start_example(language, kind)
    _, _, stream = calls(channel(worker))
    requests = Requests()
    answers = stream(requests, timeout=60)
    requests.put(opened(SESSIONS[0]))
    requests.put(packet(SESSIONS[0], b"hello\n"))
    next(answers)
    worker.signal(signal.SIGTERM)
    requests.put(None)
    list(answers)
    assert worker.wait() == 0


def test_echo_behind_the_gateway(start_gateway, start_example, connect, language):
    """The echo example with real clients."""
    gateway = start_gateway(workers=[start_example(language, "echo")])
    clients = [connect(gateway) for _ in range(10)]
    for number in range(20):
        for client in clients:
            client.echo(b"%d" % number)


def test_chat_behind_the_gateway(start_gateway, start_example, connect, language):
    """The chat example with real clients and plain lines, as `nc` would send them."""
    gateway = start_gateway(
        workers=[start_example(language, "chat")], listener={"framer": "raw"})
    ann = connect(gateway)
    assert ann.receive_line() == b"* welcome; 0 here besides you\n"
    bob = connect(gateway)
    assert bob.receive_line() == b"* welcome; 1 here besides you\n"
    bobs_name = ann.receive_line().split()[1]
    anns_name = next(s["uuid"] for s in gateway.sessions() if s["client"] == ann.address)[:4]
    ann.send(b"hello\n")
    assert bob.receive_line() == anns_name.encode() + b": hello\n"
    bob.send(b"hello yourself\n")
    assert ann.receive_line() == bobs_name + b": hello yourself\n"
    bob.close()
    assert ann.receive_line() == b"* " + bobs_name + b" left\n"


def test_chat_survives_its_worker(start_gateway, start_example, connect, language):
    """The chat's worker is restarted: nobody is disconnected, and the talk goes on."""
    worker = start_example(language, "chat")
    gateway = start_gateway(workers=[worker], listener={"framer": "raw"})
    ann, bob = connect(gateway), connect(gateway)
    for client in (ann, bob):
        assert client.receive_line().startswith(b"* welcome")
    second = start_example(language, "chat")
    gateway.api("POST", "/upstream/add",
                {"host": "127.0.0.1", "port": second.port, "alive_timeout": 10})
    worker.terminate()
    assert worker.wait() == 0
    until(lambda: gateway.worker(second)["sessions"] == 2, "both have moved")
    ann.receive_line()
    ann.send(b"still here\n")
    assert bob.receive_line().endswith(b": still here\n")


def test_gate(start_example, channel, tmp_path):
    """The example that lets clients in: by name and password, and nobody else."""
    accounts = tmp_path / "accounts.txt"
    accounts.write_text("anna correct horse\nåsa x\n", encoding="utf-8")
    gate = channel(start_example(kind="gate", arguments=["--accounts", accounts]))
    authenticate = gate.unary_unary(
        AUTHENTICATE_PATH, pb.AuthenticateRequest.SerializeToString,
        pb.AuthenticateResult.FromString)

    def ask(account, secret):
        request = pb.AuthenticateRequest(account=account, secret=secret, listener="game")
        return authenticate(request, timeout=30)

    assert ask("anna", b"correct horse") == pb.AuthenticateResult(
        allowed=True, attributes={"door": "game"})
    assert ask("åsa", b"x").allowed
    refusals = [ask("anna", b"wrong"), ask("anna", b""), ask("nobody", b""), ask("", b"\xff")]
    assert all(r == refusals[0] and not r.allowed and r.reason for r in refusals)
    # As a worker it is one without packets: the call ends when the gateway ends it.
    _, _, stream = calls(gate)
    assert list(stream(iter([packet(SESSIONS[0], b"hello")]), timeout=30)) == []


class Requests:
    """Requests of a call that a test makes one by one; None ends them."""

    def __init__(self):
        self._queue = queue.SimpleQueue()
        self.put = self._queue.put

    def __iter__(self):
        return self

    def __next__(self):
        request = self._queue.get()
        if request is None:
            raise StopIteration
        return request
