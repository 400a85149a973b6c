"""Limits, rules that ban for a while, duplicate logins, and sessions that an operator ends."""

import contextlib
import json
import shlex
import sqlite3
import time
from datetime import datetime

import pytest

from harness.client import Client, Stream, frame
from harness.commands import run
from harness.contract import pb
from harness.logins import PASSWORD, start_game
from harness.waiting import until

SHOWN = {reason: reason + r"\n" for reason in [
    "connection-limit", "rate-limited", "banned", "duplicate-login", "replaced", "login-refused",
    "closed-by-operator"]}


@pytest.fixture
def game(start_gateway, start_worker):
    """game(limits, auth=None, …) -> Game whose refusals are their reasons' names."""
    def start(limits=None, auth=None, address="127.0.0.1:0", **options):
        listener = {"address": address, "refusal": SHOWN,
                    **({"limits": limits} if limits else {})}
        return start_game(start_gateway, start_worker, auth, listener, **options)
    return start


def metric(game, name):
    return game.gateway.metrics()[name]


# Connections.

@pytest.mark.parametrize("key, same, other", [
    ("concurrent_per_address", "127.0.0.9", "127.0.0.8"),
    ("concurrent_per_prefix", "127.0.0.7", "127.0.1.9")])
def test_connections_at_a_time(game, key, same, other):
    """One more is refused, until one has gone; other addresses have room of their own."""
    game = game({key: 3})
    clients = [game.enters(b"hello", "127.0.0.9") for _ in range(3)]
    assert game.answer(b"hello", same) == b"connection-limit\n"
    game.enters(b"hello", other)
    clients[0].close()
    until(lambda: game.is_let_in(b"hello", same), "room for one")
    for client in clients[1:]:
        client.echo(b"still here")


def test_every_end_makes_room(game):
    """However a connection ends, it is not counted any more."""
    game = game({"concurrent_per_address": 4}, auth={**PASSWORD, "deadline": "1s"})
    game.add_account("anna", "correct horse")
    good = b"anna\ncorrect horse"

    def times_out(client):
        client.receive_until_closed()

    def resets(client):
        client.send(frame(good)[:5])
        client.reset()

    def sends(data):
        def act(client):
            try:
                client.send(data)
                client.end_sending()
                client.receive_until_closed()
            except OSError:
                pass
            client.close()
        return act

    ends = [resets, sends(frame(b"anna\nguess")), sends(frame(b"\xff")), sends(b"\0"),
            sends(frame(good)), times_out] * 4
    for end in ends:
        end(game.client("127.0.0.9"))
    name = "limits.concurrent_per_address"

    def count():
        counters = game.why(address="127.0.0.9")["counters"]
        return next(counter["used"] for counter in counters if counter["name"] == name)

    until(lambda: count() == 0, "all have gone")


@pytest.mark.parametrize("key", ["connections_per_address", "connections_per_prefix"])
def test_new_connections(game, key):
    """So many at once; then the rate holds, and lets in again."""
    game = game({key: {"per_second": 1, "burst": 5}})
    answers = [game.answer(b"hello", "127.0.0.9") for _ in range(30)]
    assert answers[:5] == [frame(b"hello")] * 5
    assert b"connection-limit\n" in answers
    assert game.is_let_in(b"hello", "127.0.9.9")
    until(lambda: game.is_let_in(b"hello", "127.0.0.9"), "the allowance has grown")


def test_limits_and_allowances(game):
    """Who is allowed has no limit."""
    game = game({"concurrent_per_address": 1}, access={"allow": ["127.0.0.9"]})
    for _ in range(3):
        game.enters(b"hello", "127.0.0.9")
    game.enters(b"hello", "127.0.0.8")
    assert game.answer(b"hello", "127.0.0.8") == b"connection-limit\n"


# Packets.

def test_packets_that_are_slowed_down(game):
    """Nothing is lost: all numbers come, in their order, at the rate that is allowed."""
    game = game({"packets": {"per_second": 100, "burst": 20}})
    client = game.client()
    start = time.monotonic()
    packets = [b"%d" % number for number in range(220)]
    client.send(b"".join(map(frame, packets)))
    assert [client.receive_packet() for _ in packets] == packets
    assert time.monotonic() - start > 1.8
    assert metric(game, "gatehouse_limit_slowdowns_total") > 0
    assert metric(game, "gatehouse_packets_dropped_total") == 0


def test_who_ends_while_slowed_down(game):
    """Its end waits behind its packets, and so do the answers to all of them."""
    game = game({"packets": {"per_second": 50, "burst": 10}})
    client = game.client()
    packets = [b"%d" % number for number in range(85)]
    client.send(b"".join(map(frame, packets)))
    client.end_sending()
    assert client.receive_until_closed() == b"".join(map(frame, packets))


def test_packets_behind_a_login_are_slowed_down(game):
    """What came with the login in one go has no way round the limit."""
    game = game({"packets": {"per_second": 50, "burst": 10}}, auth=PASSWORD)
    game.add_account("anna", "correct horse")
    client = game.client()
    start = time.monotonic()
    packets = [b"anna\ncorrect horse", *(b"%d" % number for number in range(60))]
    client.send(b"".join(map(frame, packets)))
    assert [client.receive_packet() for _ in packets] == packets
    assert time.monotonic() - start > 0.9


def test_bytes_that_are_slowed_down(game):
    """A stream of packets of all sizes, from a client that does not wait."""
    game = game({"bytes": {"per_second": "32KiB", "burst": "4KiB"}})
    stream = Stream(game.client(), "eager")
    until(lambda: metric(game, "gatehouse_limit_slowdowns_total") > 3, "it is slowed down")
    numbers = stream.finish()
    assert numbers == list(range(1, stream.sent + 1))


def test_who_is_slowed_down_is_alone(game):
    """Others do not wait for one that floods."""
    game = game({"packets": {"per_second": 5, "burst": 5}})
    flooding = game.client()
    flooding.send(frame(b"flood") * 500)
    until(lambda: metric(game, "gatehouse_limit_slowdowns_total") > 0, "it is slowed down")
    other = game.client("127.0.0.2")
    start = time.monotonic()
    other.echo(b"hello")
    assert time.monotonic() - start < 10
    assert len(game.worker.packets()) < 250


def test_packets_that_are_dropped(game):
    """What comes is in order and whole; what does not is counted."""
    game = game({"packets": {"per_second": 10, "burst": 20, "action": "drop"}})
    client = game.client()
    packets = [b"%d" % number for number in range(200)]
    client.send(b"".join(map(frame, packets)))
    until(lambda: len(game.worker.packets()) +
          metric(game, "gatehouse_packets_dropped_total") == 200, "all are counted")
    numbers = [int(packet[2:]) for packet in game.worker.packets()]
    assert numbers[:20] == list(range(20))
    assert numbers == sorted(set(numbers)) and len(numbers) < 200


def test_packets_that_close(game):
    game = game({"packets": {"per_second": 1, "burst": 5, "action": "close"}})
    client = game.client()
    client.send(frame(b"flood") * 100)
    assert client.receive_until_closed().endswith(b"rate-limited\n")
    game.gateway.wait_closed("rate-limited")
    assert len(game.worker.packets()) < 100


def test_packets_that_ban(game):
    """Closed, and its address kept out for a while."""
    game = game({"packets": {"per_second": 1, "burst": 5, "action": "ban"}, "ban_for": "1h"})
    client = game.client("127.0.0.9")
    client.send(frame(b"flood") * 100)
    client.receive_until_closed()
    until(lambda: game.answer(b"hello", "127.0.0.9") == b"banned\n", "banned")
    assert game.is_let_in(b"hello", "127.0.0.8")
    (row,) = until(lambda: game.listed("bans"), "the ban is recorded")
    assert row["subject"] == "127.0.0.9" and row["until"]
    game.command("unban", "127.0.0.9")
    until(lambda: game.is_let_in(b"hello", "127.0.0.9"), "let in again")


@pytest.mark.parametrize("action", ["close", "drop"])
def test_the_longest_packet(game, action):
    """One byte more than allowed; the header counts."""
    game = game({"packet_size": {"max": 100, "action": action}})
    client = game.client()
    client.echo(b"x" * 98)
    client.send_packet(b"x" * 99)
    if action == "close":
        assert client.receive_until_closed() == b"rate-limited\n"
    else:
        client.echo(b"after it")
        assert metric(game, "gatehouse_packets_dropped_total") == 1
    assert frame(b"x" * 99) not in game.worker.packets()


# Logins.

def test_known_accounts_have_room_of_their_own(game):
    """While strangers wait by the dozen, who was here before gets in."""
    game = game(auth=PASSWORD, logins={
        "per_second": 1, "burst": 4, "reserved_percent": 50, "refusal_delay": "0s"})
    game.add_account("regular", "correct horse")
    game.enters(b"regular\ncorrect horse").close()
    game.gateway.stop()
    game.gateway.start_again()
    strangers = [game.client("127.0.0.9") for _ in range(40)]
    for number, client in enumerate(strangers):
        client.send_packet(b"stranger%d\nguess" % number)
    until(lambda: metric(game, "gatehouse_logins_waiting") >= 20, "strangers wait")
    game.enters(b"regular\ncorrect horse")
    assert metric(game, "gatehouse_logins_waiting") > 0


# Rules.

RULE = {"name": "guessing", "on": "failed-logins", "count": 3, "within": "10m",
        "duration": "1h", "reason": "too much guessing"}


def test_failed_logins(game):
    """The third makes a ban: listed, explained, and lifted by the command that `why` names.

    Who goes on guessing after that is banned again.
    """
    game = game(auth=PASSWORD, temporary_bans=True, temporary_ban=[RULE])
    game.add_account("anna", "correct horse")
    good = b"anna\ncorrect horse"
    game.enters(good, "127.0.0.9")
    for _ in range(2):
        answers = [game.answer(b"anna\nguess", "127.0.0.9") for _ in range(3)]
        # The third may be told of the ban that it made.
        assert answers[:2] == [b"login-refused\n"] * 2
        until(lambda: game.answer(good, "127.0.0.9") == b"banned\n", "banned", 10)
        assert game.is_let_in(good, "127.0.0.8")
        (row,) = until(lambda: game.listed("bans"), "the ban is recorded")
        assert (row["subject"], row["reason"]) == ("127.0.0.9", "too much guessing")
        assert "guessing" in row["author"]
        lift = json.loads(game.command("why", "127.0.0.9", "--json"))["bans"][0]["lift"]
        game.command(*shlex.split(lift)[1:])
        until(lambda: game.is_let_in(good, "127.0.0.9"), "let in again")
    assert metric(game, "gatehouse_temporary_bans_total") == 2


def test_a_rules_ban_that_is_lifted_at_once(game):
    """As soon as it is recorded, before the gateway has read that it is."""
    game = game(auth=PASSWORD, temporary_bans=True, temporary_ban=[RULE])
    game.add_account("anna", "correct horse")
    with contextlib.closing(sqlite3.connect(game.folder / "gatehouse.db")) as store:
        for number in range(5):
            source = f"127.0.0.{number + 9}"
            for _ in range(3):
                game.answer(b"anna\nguess", source)
            until(lambda: store.execute("SELECT 1 FROM ban WHERE subject = ?",
                                        [source]).fetchone(), "the ban is recorded")
            game.command("unban", source)
            until(lambda: game.is_let_in(b"anna\ncorrect horse", source), "let in", 10)


def test_each_ban_is_longer(game):
    """The first is over by itself; the next is as many times as long as the rule says."""
    game = game(auth=PASSWORD, temporary_bans=True, temporary_ban=[
        {**RULE, "duration": "1s", "growth": 100, "max_duration": "1h"}])
    game.add_account("anna", "correct horse")
    good = b"anna\ncorrect horse"
    lengths = []
    while len(lengths) < 2:
        until(lambda: game.is_let_in(good, "127.0.0.9"), "let in")
        until(lambda: game.answer(b"anna\nguess", "127.0.0.9") == b"banned\n", "banned")
        until(lambda: len(game.listed("bans", "--all")) > len(lengths), "the ban is recorded")
        row = game.listed("bans", "--all")[0]
        created, end = (datetime.fromisoformat(row[key]) for key in ["created", "until"])
        lengths.append((end - created).total_seconds())
    # The second in which it was written may be another than the one in which it began.
    assert lengths[0] <= 1 and 90 <= lengths[1] <= 100
    assert game.answer(good, "127.0.0.9") == b"banned\n"


def test_failed_logins_over_ipv6(game):
    """Counted and banned by prefix, as one client has as many addresses as it likes."""
    game = game(auth=PASSWORD, temporary_bans=True, temporary_ban=[RULE], address="[::1]:0")
    game.add_account("anna", "correct horse")

    def answer(claim):
        client = Client(game.gateway.ports[0], "::1")
        client.send_packet(claim)
        client.end_sending()
        return client.receive_until_closed()

    for _ in range(3):
        answer(b"anna\nguess")
    until(lambda: answer(b"anna\ncorrect horse") == b"banned\n", "banned")
    (row,) = until(lambda: game.listed("bans"), "the ban is recorded")
    assert row["subject"] == "::/64"


def test_a_session_inside_is_ended_by_the_rule(game):
    """A ban by a rule is a ban: who plays from there is out."""
    game = game(auth=PASSWORD, temporary_bans=True, temporary_ban=[RULE])
    game.add_account("anna", "correct horse")
    inside = game.enters(b"anna\ncorrect horse", "127.0.0.9")
    for _ in range(3):
        game.answer(b"anna\nguess", "127.0.0.9")
    assert inside.receive_until_closed() == b"banned\n"


def test_failed_logins_of_an_account(game):
    """From many addresses: the account is locked, the addresses are not."""
    game = game(auth=PASSWORD, temporary_bans=True, temporary_ban=[{**RULE, "of": "account"}])
    game.add_account("anna", "correct horse")
    game.add_account("otto", "correct horse")
    for number in range(3):
        game.answer(b"anna\nguess", f"127.0.0.{number + 1}")
    until(lambda: game.answer(b"anna\ncorrect horse", "127.0.0.9") == b"banned\n", "locked")
    assert game.is_let_in(b"otto\ncorrect horse", "127.0.0.1")
    (row,) = until(lambda: game.listed("bans"), "the ban is recorded")
    assert row["subject"] in ("anna", "account:anna")


def test_violations(game):
    """Packets that are none, again and again."""
    game = game({"packet_size": {"max": 100}}, temporary_bans=True,
                temporary_ban=[{**RULE, "on": "violations"}])
    for _ in range(3):
        assert game.answer(b"x" * 200, "127.0.0.9") == b"rate-limited\n"
    until(lambda: game.answer(b"hello", "127.0.0.9") == b"banned\n", "banned")
    assert game.is_let_in(b"hello", "127.0.0.8")


def test_refused_connections(game):
    """Who goes on and on where there is no room."""
    game = game({"concurrent_per_address": 1}, temporary_bans=True,
                temporary_ban=[{**RULE, "on": "refused-connections"}])
    inside = game.enters(b"hello", "127.0.0.9")
    for _ in range(3):
        game.answer(b"hello", "127.0.0.9")
    assert inside.receive_until_closed() == b"banned\n"
    until(lambda: game.answer(b"hello", "127.0.0.9") == b"banned\n", "banned")
    assert game.is_let_in(b"hello", "127.0.0.8")


def test_rules_and_allowances(game):
    game = game(auth=PASSWORD, temporary_bans=True, temporary_ban=[RULE],
                access={"allow": ["127.0.0.9"]})
    game.add_account("anna", "correct horse")
    for _ in range(6):
        assert game.answer(b"anna\nguess", "127.0.0.9") == b"login-refused\n"
    game.enters(b"anna\ncorrect horse", "127.0.0.9")


# Who is in twice.

def test_twice_is_allowed(game):
    game = game(auth=PASSWORD)
    game.add_account("anna", "correct horse")
    clients = [game.enters(b"anna\ncorrect horse") for _ in range(2)]
    for client in clients:
        client.echo(b"hello")


def test_twice_is_refused(game):
    """Until the first has gone."""
    game = game(auth={**PASSWORD, "duplicate_login": "reject"})
    game.add_account("anna", "correct horse")
    client = game.enters(b"anna\ncorrect horse")
    assert game.answer(b"ANNA\ncorrect horse") == b"duplicate-login\n"
    client.echo(b"still here")
    client.close()
    until(lambda: game.is_let_in(b"anna\ncorrect horse"), "let in")


def test_the_older_is_replaced(game):
    """By the right password alone."""
    game = game(auth={**PASSWORD, "duplicate_login": "replace"})
    game.add_account("anna", "correct horse")
    first = game.enters(b"anna\ncorrect horse")
    assert game.answer(b"anna\nguess") == b"login-refused\n"
    first.echo(b"still here")
    second = game.enters(b"anna\ncorrect horse")
    assert first.receive_until_closed() == b"replaced\n"
    second.echo(b"hello")
    until(lambda: len(game.worker.events("closed")) == 1, "the worker knows")


def test_twice_by_the_name_that_a_worker_gives(game):
    """Who it is counts, not what the packet says."""
    game = game(auth={**PASSWORD, "kind": "worker", "duplicate_login": "reject"},
                authenticate=lambda request: pb.AuthenticateResult(allowed=True, account="Anna"))
    game.enters(b"first\npass")
    assert game.answer(b"second\npass") == b"duplicate-login\n"
    assert len(game.gateway.sessions()) == 1


@pytest.mark.parametrize("policy, reason", [
    ("reject", b"duplicate-login\n"), ("replace", b"replaced\n")])
def test_many_at_once(game, policy, reason):
    """Ten logins of one account that are verified at the same time: one of them is in."""
    game = game(auth={**PASSWORD, "duplicate_login": policy})
    game.add_account("anna", "correct horse")
    clients = [game.client() for _ in range(10)]
    for client in clients:
        client.send_packet(b"anna\ncorrect horse")
    name = f'gatehouse_sessions_closed_total{{listener="game",reason="{reason[:-1].decode()}"}}'
    until(lambda: metric(game, name) == 9, "one is left")
    (session,) = game.gateway.sessions()
    (inside,) = [client for client in clients if client.address == session["client"]]
    assert inside.receive_packet() == b"anna\ncorrect horse"
    inside.echo(b"hello")
    clients.remove(inside)
    assert all(client.receive_until_closed().endswith(reason) for client in clients)


# What an operator ends.

def test_kick(game):
    """By account, address and session; who is kicked may come again."""
    game = game(auth=PASSWORD)
    for name in ["anna", "otto"]:
        game.add_account(name, "correct horse")
    good = b"anna\ncorrect horse"
    other = game.enters(b"otto\ncorrect horse", "127.0.0.8")
    for subject in ["account:anna", "anna", "127.0.0.9", "127.0.0.9/32", None]:
        client = game.enters(good, "127.0.0.9")
        game.command("kick", subject or game.gateway.uuid_of(client))
        assert client.receive_until_closed() == b"closed-by-operator\n"
    other.echo(b"still here")
    assert run(game.folder, "kick", "anna").returncode == 3


def test_sessions_of_an_account(game):
    game = game(auth=PASSWORD)
    for name in ["anna", "otto"]:
        game.add_account(name, "correct horse")
        game.enters(name.encode() + b"\ncorrect horse", "127.0.0.9")
    (row,) = game.listed("sessions", "--account", "anna")
    assert row["account"] == "anna" and row["client"].startswith("127.0.0.9:")
    assert len(game.listed("sessions", "--address", "127.0.0.0/24")) == 2
    assert game.listed("sessions", "--account", "nobody") == []
