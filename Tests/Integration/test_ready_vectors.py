"""The test vectors of framers/, through the gateway: in both directions, whole and in pieces."""

import random
import tomllib

import pytest

from harness import ROOT
from harness.contract import answer, pb
from harness.framer_model import cut, packet_bytes
from harness.gateway import configuration
from harness.waiting import until

DEFINITIONS = {path.stem: tomllib.loads(path.read_text())
               for path in sorted((ROOT / "framers").glob("*.toml"))}


def without_login(framer):
    """Steps until the client is let in are over from the start."""
    if isinstance(framer, list):
        return [without_login(each) for each in framer
                if not (isinstance(each, dict) and each.get("until") == "authenticated")]
    if isinstance(framer, dict):
        return {key: without_login(value) for key, value in framer.items()}
    return framer


class Case:
    """One vector of one definition, and what comes of it where nobody is asked to log in."""

    def __init__(self, name, vector):
        self.name = f"{name}: {vector['name']}"
        self.direction = vector.get("direction", "client_to_server")
        self.stream = b"".join(map(packet_bytes, vector["packets"])) + packet_bytes(
            vector.get("rest", ""))
        self.packets, self.rest, self.violation = cut(
            without_login(DEFINITIONS[name].get(self.direction, "raw")), self.stream)

    def is_cut_as(self, payloads):
        """Raw bytes are one packet here, and as many as were read at the worker."""
        if not self.packets:
            return payloads == []
        last = len(self.packets) - 1
        return (payloads[:last] == self.packets[:last]
                and b"".join(payloads[last:]) == self.packets[last])


def pieces(data, rng):
    """Of a few bytes; of more where a vector is long, so that it takes no second."""
    longest = max(7, len(data) // 100)
    while data:
        size = rng.randint(1, longest)
        yield data[:size]
        data = data[size:]


@pytest.fixture
def arena(start_gateway, start_worker):
    """A gateway with a listener for each definition, and its worker."""
    worker = start_worker(lambda worker, request: None, [pb.SESSION_EVENTS])
    config = configuration(workers=[worker], framer_directory=str(ROOT / "framers"),
                           temporary_bans=False, limits={"message_size": "64MiB"})
    del config["framer"]
    config["listener"] = [{"name": name, "address": "127.0.0.1:0", "framer": name,
                           "pool": "default"} for name in DEFINITIONS]
    return start_gateway(config=config), worker


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "in pieces"])
def test_vectors(arena, connect, whole):
    gateway, worker = arena
    rng = random.Random(7)
    cases = {}
    for listener, (name, definition) in enumerate(DEFINITIONS.items()):
        for vector in definition["vector"]:
            case = Case(name, vector)
            client = connect(gateway, listener)
            uuid = worker.wait_events("opened", len(cases) + 1)[-1].client_uuid
            cases[uuid] = case
            parts = [case.stream] if whole else list(pieces(case.stream, rng))
            if case.direction == "client_to_server":
                from_client(case, client, worker, uuid, parts)
            else:
                from_worker(case, client, worker, uuid, parts)
            # Without it the session would be given time for the worker's answers.
            client.reset()
    for request in worker.wait_events("closed", len(cases)):
        case = cases[request.client_uuid]
        reason = pb.CloseReason.Name(request.closed.reason)
        assert ("VIOLATION" in reason) == bool(case.violation), f"{case.name}: {reason}"
        if case.direction == "client_to_server":
            assert case.is_cut_as(worker.packets(request.client_uuid)), case.name


def from_client(case, client, worker, uuid, parts):
    try:
        for part in parts:
            client.send(part)
    except (BrokenPipeError, ConnectionResetError):
        assert case.violation, case.name
    if case.violation:
        assert client.receive_until_closed() == b"", case.name
    else:
        until(lambda: case.is_cut_as(worker.packets(uuid)), case.name)


def from_worker(case, client, worker, uuid, parts):
    for part in parts:
        worker.send(answer(uuid, part))
    if case.violation:
        said = client.receive_until_closed()
        assert said == b"".join(case.packets)[:len(said)], case.name
    else:
        whole = b"".join(case.packets)
        assert client.receive_exactly(len(whole)) == whole, case.name
