"""Recordings of real programs, cut by the gateway and by a second idea of the same framers.

Tests/Recordings/README.md says what they are. What a client once sent is sent again, in pieces that
end anywhere, and what its server said comes from the worker the same way.
"""

import random
import select
import tomllib

import pytest

from harness import ROOT
from harness.contract import answer, pb
from harness.framer_model import cut
from harness.gateway import configuration

RECORDINGS = {path.parent.name: tomllib.loads(path.read_text())
              for path in sorted((ROOT / "Tests/Recordings").glob("*/recording.toml"))}
# Ready-made framers of another name.
READY = {"openttd-game": "openttd", "rcon": "source-rcon"}


def streams(name, side):
    """What one side of each connection said, in the order of the connections."""
    paths = (ROOT / "Tests/Recordings" / name).glob(f"{side}-*.bin")
    return [path.read_bytes() for path in sorted(paths, key=lambda p: int(p.stem.split("-")[1]))]


def pieces(rng, data):
    """Of one byte, of a few, of many, and of all that is left."""
    while data:
        size = rng.choice([1, rng.randint(1, 20), rng.randint(1, 3000), rng.randint(1, 60_000)])
        yield data[:size]
        data = data[size:]


@pytest.mark.parametrize("name", RECORDINGS)
def test_reference(name):
    """Each recording is whole packets of the framer that its description names."""
    for side, direction in [("client", "client_to_server"), ("server", "server_to_client")]:
        recorded = streams(name, side)
        assert len(recorded) >= 3
        for data in recorded:
            packets, rest, violation = cut(RECORDINGS[name][direction], data)
            assert (rest, violation) == (b"", None) and b"".join(packets) == data


@pytest.fixture(params=["reference", "ready-made"])
def replay(request, start_gateway, start_worker):
    """The gateway with a listener for each recording, their names, and the worker."""
    worker = start_worker(lambda worker, request: None, [pb.SESSION_EVENTS])
    config = configuration(workers=[worker], framer_directory=str(ROOT / "framers"),
                           temporary_bans=False,
                           # Mumble's packets may have 8 MiB.
                           limits={"message_size": "9MiB"})
    if request.param == "reference":
        framers = {name: name for name in RECORDINGS}
        config["framer"] = {
            name: {key: recording[key] for key in ("client_to_server", "server_to_client")}
            for name, recording in RECORDINGS.items()}
    else:
        framers = {name: READY.get(name, name) for name in RECORDINGS}
        framers = {name: framer for name, framer in framers.items()
                   if (ROOT / "framers" / f"{framer}.toml").exists()}
        del config["framer"]
    config["listener"] = [{"name": name, "address": "127.0.0.1:0", "framer": framer,
                           "pool": "default"} for name, framer in framers.items()]
    return start_gateway(config=config), list(framers), worker


def is_silent(client):
    """Nothing more has arrived; it does not wait for it."""
    return not select.select([client.socket], [], [], 0)[0]


def test_gateway_cuts_as_the_reference(replay, connect):
    gateway, names, worker = replay
    rng = random.Random(20)
    assert len(names) >= 14
    sessions = 0
    for listener, name in enumerate(names):
        recording = RECORDINGS[name]
        for sent, said in zip(streams(name, "client"), streams(name, "server")):
            client = connect(gateway, listener)
            sessions += 1
            uuid = worker.wait_events("opened", sessions)[-1].client_uuid
            for piece in pieces(rng, sent):
                client.send(piece)
            packets = cut(recording["client_to_server"], sent)[0]
            assert worker.wait_packets(len(packets), uuid) == packets, name
            replies = cut(recording["server_to_client"], said)[0]
            for piece in pieces(rng, said[:-1]):
                worker.send(answer(uuid, piece))
            if recording["server_to_client"]["kind"] != "raw":
                whole = len(said) - len(replies[-1])
                assert client.receive_exactly(whole) == said[:whole], name
                assert is_silent(client), f"{name}: half a packet was given to a client"
                said = said[whole:]
                worker.send(answer(uuid, replies[-1][-1:]))
            else:
                worker.send(answer(uuid, said[-1:]))
            assert client.receive_exactly(len(said)) == said, name
            client.close()
    assert gateway.log("framing-violation") == []
