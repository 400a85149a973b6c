"""Operators and gateways of several shards; and threads, descriptors and signals."""

import os
import pathlib
import random
import subprocess

from harness import commands
from harness.client import Stream, frame
from harness.gateway import binary, configuration, free_ports, toml
from harness.logins import PASSWORD, STORE
from harness.shards import WORKERS, both, entered, shard_of, shards, shards_of, spread
from harness.waiting import stays, until
from harness.workers import silent
from test_recording import Record, recorded
from test_shutdown import PATIENT, processor_seconds, second_signal

# Operators.

def test_kick(spread, connect, shards):
    """By UUID or all of an address, on whichever shard they are."""
    gateway, _ = spread()
    clients = entered(gateway, connect)
    assert len(set(shards_of(gateway, shards).values())) == shards
    for client in clients[:3]:
        uuid = gateway.uuid_of(client)
        assert gateway.api("DELETE", f"/sessions/{uuid}")[0] == 200
        client.wait_closed()
        until(lambda: uuid not in [s["uuid"] for s in gateway.sessions()], "gone")
        assert gateway.api("DELETE", f"/sessions/{uuid}")[0] == 404
    for client in clients[3:]:
        client.echo(b"still here")
    assert gateway.api("DELETE", "/sessions?address=127.0.0.1") == (200, {"closed": 3})
    for client in clients[3:]:
        client.wait_closed()
    gateway.wait_closed("closed-by-operator", 6)
    until(lambda: gateway.sessions() == [], "all are gone")
    # Nobody's place is kept.
    entered(gateway, connect)


def test_bans(spread, connect):
    """A ban ends sessions on every shard, and no others; who is allowed stays."""
    gateway, _ = spread(store=STORE)
    banned = entered(gateway, connect, source="127.0.0.9")
    others = entered(gateway, connect, 3)
    commands.succeed(gateway.directory, "ban", "127.0.0.9", "--reason", "flooding")
    for client in banned:
        client.receive_until_closed()
    gateway.wait_closed("banned", 6)
    for client in others:
        client.echo(b"still here")
    commands.succeed(gateway.directory, "unban", "127.0.0.9", "--reason", "appeal")
    commands.succeed(gateway.directory, "allow", "127.0.0.9", "--reason", "the hall")
    until(lambda: gateway.api("GET", "/why?address=127.0.0.9")[1]["allowed"], "allowed")
    allowed = entered(gateway, connect, 3, source="127.0.0.9")
    commands.succeed(gateway.directory, "ban", "127.0.0.0/24")
    for client in others:
        client.receive_until_closed()
    for client in allowed:
        client.echo(b"allowed")


def test_accounts(spread, connect):
    """Accounts are known for sessions of every shard: listed, replaced, kicked."""
    gateway, _ = spread(store=STORE, logins={"refusal_delay": "20ms"}, temporary_bans=False,
                        listener={"auth": {**PASSWORD, "duplicate_login": "replace"}})
    for name in "anna", "berta", "cleo":
        commands.add_account(gateway.directory, name, "secret of " + name)

    def enters(name):
        client = connect(gateway)
        client.echo(b"%s\nsecret of %s" % (name.encode(), name.encode()))
        return client
    first = [enters(name) for name in ("anna", "berta", "cleo")]
    for name, client in zip(("anna", "berta", "cleo"), first):
        (session,) = gateway.api("GET", f"/sessions?account={name}")[1]["sessions"]
        assert session["client"] == client.address and session["account"] == name
    second = enters("berta")
    first[1].wait_closed()
    gateway.wait_closed("replaced")
    assert gateway.api("DELETE", "/sessions?account=cleo")[1] == {"closed": 1}
    first[2].wait_closed()
    for client in first[0], second:
        client.echo(b"still here")
    assert gateway.api("GET", "/why?account=berta")[1]["sessions"] == 1


def test_limits_of_an_address(spread, connect):
    """Connections of an address are counted over all shards, and every end makes room."""
    gateway, _ = spread(listener={"limits": {"concurrent_per_address": 6}})
    clients = entered(gateway, connect)
    assert is_refused(gateway)
    for client in clients[:3]:
        client.close()
    gateway.wait_closed("client-closed", 3)
    until(lambda: len(gateway.sessions()) == 3, "there is room")
    entered(gateway, connect, 3)
    assert is_refused(gateway)


def is_refused(gateway):
    try:
        client = gateway.client()
    except ConnectionResetError:
        return True
    with client.socket:
        return client.receive_until_closed() == b""


def test_lists_and_counts(spread, connect, shards):
    """Pages have each session once, in one order; counters and gauges add up."""
    gateway, workers = spread()
    clients = entered(gateway, connect, 10)
    for limit in 1, 3, 10, 100:
        listed, cursor = [], 0
        while cursor is not None:
            status, page = gateway.api("GET", f"/sessions?limit={limit}&cursor={cursor}")
            assert status == 200 and len(page["sessions"]) <= limit
            listed += [s["client"] for s in page["sessions"]]
            cursor = page["next_cursor"]
        assert listed == [client.address for client in clients]
    metrics = gateway.metrics()
    assert metrics['gatehouse_sessions_open{listener="game"}'] == 10
    assert metrics['gatehouse_sessions_opened_total{listener="game"}'] == 10
    assert metrics['gatehouse_client_packets_received_total{listener="game"}'] == 10
    assert metrics['gatehouse_client_messages_sent_total{listener="game"}'] == 10
    assert metrics['gatehouse_client_bytes_sent_total{listener="game"}'] == 70
    for worker in gateway.workers():
        labels = f'{{pool="default",worker="{worker["endpoint"]}",id="{worker["id"]}"}}'
        assert metrics[f"gatehouse_worker_sessions{labels}"] == worker["sessions"] > 0
    (listener,) = gateway.api("GET", "/listeners")[1]["listeners"]
    assert listener["sessions"] == 10
    for client in clients:
        client.close()
    gateway.wait_closed("client-closed", 10)
    until(lambda: gateway.metrics()['gatehouse_sessions_open{listener="game"}'] == 0, "all left")
    metrics = gateway.metrics()
    closed = 'gatehouse_sessions_closed_total{listener="game",reason="client-closed"}'
    assert metrics[closed] == 10
    assert metrics['gatehouse_client_packets_received_total{listener="game"}'] == 10
    assert sum(w["sessions"] for w in gateway.workers()) == 0


def test_a_listener_that_is_added(spread, connect, shards):
    """It serves on all shards, keeps its sessions when it is removed, or ends them."""
    gateway, _ = spread()
    for ends in False, True:
        (port,) = free_ports(1)
        body = {"name": "arena", "address": f"127.0.0.1:{port}", "framer": "frames"}
        status, added = gateway.api("POST", "/listeners", body)
        assert status == 201, added
        clients = [connect(port) for _ in range(6)]
        for client in clients:
            client.echo(b"hello")
        assert len(set(shards_of(gateway, shards).values())) == shards
        assert gateway.metrics()['gatehouse_sessions_open{listener="arena"}'] == 6
        closing = "?close=true" if ends else ""
        status, removed = gateway.api("DELETE", "/listeners/arena" + closing)
        # Those at the door may be over by the time of the answer.
        assert status == 202 and removed["listener"]["sessions"] in (range(1, 7) if ends else [6])
        for client in clients:
            if ends:
                client.wait_closed()
            else:
                client.echo(b"still here")
                client.close()
        gateway.wait_log("listener-gone")
        until(lambda: len(gateway.api("GET", "/listeners")[1]["listeners"]) == 1, "gone")
    assert len(gateway.log("listener-gone")) == 2


def test_a_pool_that_must_be_together(spread, connect):
    """A pool with packet balance is served by one shard, whose turns go through all its workers."""
    gateway, workers = spread(pool={"balance": "packet"})
    client = connect(gateway)
    for number in range(30):
        client.echo(b"%d" % number)
    assert [len(w.packets()) for w in workers] == [10, 10, 10]


def test_sessions_are_recorded(start_gateway, start_worker, shards):
    """What sessions of every shard send and are sent is recorded, byte for byte."""
    workers = [start_worker() for _ in range(WORKERS)]
    gateway = start_gateway(config=recorded(*workers, shards=shards))
    record = Record(gateway)
    sent = []
    for number in range(WORKERS):
        client = gateway.client()
        packets = [b"login %d" % number, os.urandom(5000), b"x" * number]
        for packet in packets:
            client.echo(packet)
        client.end_sending()
        client.wait_closed()
        sent.append(b"".join(map(frame, packets)))
    gateway.wait_closed("client-closed", WORKERS)
    # The end of a session comes to the door a moment after it is logged.
    until(lambda: gateway.sessions() == [], "all are over")
    status, errors = record.interrupt()
    assert status == 0 and f"recorded {WORKERS} sessions" in errors, errors
    assert [stream["up"] for stream in record.streams()] == sent
    assert [stream["down"] for stream in record.streams()] == sent


# The system.

def test_threads(start_gateway, shards):
    """One thread more for each shard, and the log and the metrics say how many there are."""
    single = start_gateway(workers=[], ready=0)
    several = start_gateway(workers=[], ready=0, shards=shards)
    names = [f"shard-{number}" for number in range(2, shards + 1)]
    until(lambda: sorted(threads(several)) == sorted(threads(single) + names), "its threads")
    assert several.log("gateway-started")[0]["shards"] == str(shards)
    assert several.metrics()["gatehouse_shards"] == shards
    assert single.metrics()["gatehouse_shards"] == 1
    # Nobody is there: nobody works.
    until(lambda: is_idle(several), "no shard turns round for nothing")


def is_idle(gateway):
    before = processor_seconds(gateway.pid)
    stays(lambda: not gateway.process.exited(), 0.3, "running")
    return processor_seconds(gateway.pid) - before < 0.03


def threads(gateway):
    """Their names."""
    return [path.read_text().strip()
            for path in pathlib.Path(f"/proc/{gateway.pid}/task").glob("*/comm")]


def test_check_says_what_it_does(tmp_path):
    """`check` names the shards, and the pools that stay together."""
    config = configuration(workers=["127.0.0.1:45888"], shards=4)
    config["listener"][0]["address"] = "127.0.0.1:7999"
    config["management"]["address"] = "127.0.0.1:8000"
    config["pool"].append({"name": "turns", "balance": "packet",
                           "worker": [{"address": "127.0.0.1:45889"}]})
    config["listener"].append({**config["listener"][0], "name": "second", "pool": "turns",
                               "address": "127.0.0.1:7998"})
    path = tmp_path / "gatehouse.toml"
    path.write_text(toml(config))
    done = subprocess.run([binary(), "check", "--config", path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "\nshards: 4; pool turns is with the first of them as a whole\n" in done.stdout


@both
def test_out_of_descriptors(spread, connect, shards):
    """Descriptors are counted over all shards; one that any of them gives back is used."""
    gateway, _ = spread(descriptors_max=160)
    clients = [connect(gateway) for _ in range(150)]
    for client in clients:
        client.send_packet(b"anybody there?")
    gateway.wait_log("accept-paused")
    inside = gateway.api("GET", "/sessions?limit=1000")[1]["sessions"]
    assert 100 < len(inside) < 130
    assert len({shard_of(s["worker_id"], shards) for s in inside if s["worker_id"]}) == shards
    addresses = {s["client"] for s in inside}
    served = [client for client in clients if client.address in addresses]
    for client in served:
        assert client.receive_packet() == b"anybody there?"
    waiting = [client for client in clients if client.address not in addresses]
    for client in served:
        client.close()
    for client in waiting[:len(served)]:
        assert client.receive_packet() == b"anybody there?"
        client.echo(b"in at last")
    assert gateway.log("worker-lost") == []


def test_shutdown_finishes_what_was_taken(spread, connect, shards):
    """SIGTERM under load: what the gateway took reaches its worker, and its answer the client."""
    gateway, workers = spread()
    streams = [Stream(connect(gateway), f"c{number}") for number in range(9)]
    until(lambda: all(len(s.received) > 50 for s in streams), "streams flow")
    assert len(set(shards_of(gateway, shards).values())) == shards
    names = {gateway.uuid_of(stream.client): stream for stream in streams}
    assert gateway.stop() == 0
    for stream in streams:
        stream.stop()
    for uuid, stream in names.items():
        until(lambda: not any(t.is_alive() for t in stream._threads), "the stream has ended")
        (worker,) = [w for w in workers if uuid in w.uuids()]
        assert [frame(packet) for packet in stream.received] == worker.packets(uuid)
    gateway.wait_closed("shutdown", 9)
    until(lambda: all(not w.streams for w in workers), "the workers' calls have ended")


def test_second_signal(spread, connect):
    """Who signals twice does not want to wait for any shard."""
    gateway, workers = spread(on_packet=silent, **PATIENT)
    second_signal(gateway, workers, connect)


def test_short_sessions(spread, connect, shards):
    """Clients that come, speak and leave in all ways leave nothing behind."""
    gateway, _ = spread(listener={"half_close_timeout": "1s"})
    choose = random.Random(7)
    before = gateway.process.descriptors()
    halves = []
    for _ in range(150):
        client = connect(gateway)
        if choose.random() < 0.8:
            client.echo(os.urandom(choose.randrange(200)))
        how = choose.choice(["close", "reset", "half"])
        if how == "half":
            client.end_sending()
            halves.append(client)
        else:
            (client.reset if how == "reset" else client.close)()
    for client in halves:
        client.wait_closed()
        client.close()
    until(lambda: gateway.sessions() == [], "all are gone")
    until(lambda: gateway.process.descriptors() <= before, "all descriptors are back")
    assert sum(w["sessions"] for w in gateway.workers()) == 0
    assert gateway.metrics()['gatehouse_sessions_open{listener="game"}'] == 0
