"""The soak of Tests/Soak in short, and that its judges see what they are there for."""

import random
import sys
import uuid
from types import SimpleNamespace

import pytest

from harness import ROOT
from harness.contract import close_reason

sys.path.insert(0, str(ROOT / "Tests" / "Soak"))

from soak import journal
from soak.client import Client
from soak.oracle import LinkEnd, Oracle
from soak.payload import ANSWER, answer_body, answers_to
from soak.plan import Plan
from soak.report import failure
from soak.run import Soak
from soak.verdict import Verdict

SESSION = uuid.UUID(int=1)
ENDPOINT = "127.0.0.1:1"


@pytest.mark.timeout(600)
def test_short_soak():
    """A fresh plan each time; the seed is shown when it fails."""
    seed = random.SystemRandom().getrandbits(32)
    print(f"SEED={seed} SECONDS=10 CLIENTS=20 make soak")
    soak = Soak(seed, 10, 20)
    is_well = soak.run()
    print("\n".join(soak.summary()))
    assert is_well, failure(soak)


def test_plan_follows_from_the_seed():
    """Two plans of one seed are the same, of two seeds they are not."""
    one, same, other = Plan(7, 30, 50), Plan(7, 30, 50), Plan(8, 30, 50)
    assert one.faults == same.faults != other.faults
    assert one.arrivals == same.arrivals != other.arrivals
    clients = [[plan.client(number) for number in range(50)] for plan in (one, same, other)]
    assert clients[0] == clients[1] != clients[2]


class Story:
    """One session with one worker after the other, told to an oracle as journals and log do."""

    def __init__(self, listener="open-length"):
        plan = next(plan for plan in map(Plan(7, 10, 10).client, range(1000))
                    if plan.listener == listener and plan.behaviour == "polite")
        self.client = Client(plan, 7)
        self.client.connected_at, self.client.ended_at = 1, 50
        self.client.packets_sent = 1000
        self.client.ending = "reset"
        self.oracle = Oracle()
        self.oracle.clients[plan.connection] = self.client
        self.log("session-opened", 1)

    def log(self, event, at, **fields):
        address = f"{self.client.plan.address}:1"
        self.oracle.take_log(
            {"event": event, "client": address, "session": str(SESSION), **fields}, at)

    def stay(self, incarnation, at, numbers, first, ended=True, payload=None):
        """A worker that got these packets."""
        plan = self.client.plan
        fields = [f"{plan.address}:1", "", plan.listener, plan.framer, str(int(first > 1)), "0"]
        self.oracle.started(incarnation, ENDPOINT)
        self._note(journal.STREAM_BEGUN, incarnation, at)
        self._note(journal.OPENED, incarnation, at, first, "\n".join(fields).encode())
        for count, number in enumerate(numbers):
            body = payload or self.client.stream.packet(number)
            self._note(journal.PACKET, incarnation, at, first + count, body)
        if ended:
            self._note(journal.REQUESTS_ENDED, incarnation, at + 1)
            self._note(journal.CALL_RETURNED, incarnation, at + 1)

    def closed(self, incarnation, packets):
        self._note(journal.CLOSED, incarnation, 50, close_reason("client-closed"))
        self.log("session-closed", 50, reason="client-closed", packets_in=packets, bytes_in=0,
                 bytes_out=0)

    def lost(self, at):
        self.oracle.link_ends.append(LinkEnd(at, ENDPOINT, "alive-timeout", "", 1))

    def errors(self):
        Verdict(self.oracle, close_reason).pass_judgement()
        return [error for error, _, _ in self.oracle.errors]

    def _note(self, kind, incarnation, at, number=0, body=b""):
        self.oracle.take_record(
            incarnation, (kind, at * 10**9, 1, 1, number, SESSION.bytes, body))


def test_packets_in_order_are_well():
    """Two workers, one after the other, without a loss."""
    story = Story()
    story.stay(1, 10, [1, 2, 3], first=1)
    story.stay(2, 20, [4, 5], first=4)
    story.closed(2, 5)
    assert story.errors() == []


@pytest.mark.parametrize("is_lost", [False, True])
def test_missing_packets(is_lost):
    """They may be missing between two workers when one was lost, and only then."""
    story = Story()
    story.stay(1, 10, [1, 2], first=1, ended=not is_lost)
    story.stay(2, 20, [5], first=5)
    if is_lost:
        story.lost(19)
    story.closed(2, 5)
    assert bool(story.errors()) != is_lost


@pytest.mark.parametrize("is_lost", [False, True])
def test_missing_first_packets(is_lost):
    """A worker that was lost may have had them, and have written nothing."""
    story = Story()
    story.stay(1, 10, [3], first=3)
    if is_lost:
        story.lost(9)
    story.closed(1, 3)
    assert bool(story.errors()) != is_lost


@pytest.mark.parametrize("numbers", [[1, 3], [1, 1], [2, 1], [1]])
def test_wrong_packets_at_a_worker(numbers):
    """Left out, twice, out of turn, or not there at the end."""
    story = Story()
    story.stay(1, 10, numbers, first=1)
    story.closed(1, 2)
    assert story.errors()


def test_a_packet_at_two_workers():
    """Even when the first was lost."""
    story = Story()
    story.stay(1, 10, [1, 2], first=1, ended=False)
    story.lost(19)
    story.stay(2, 20, [2, 3], first=2)
    story.closed(2, 3)
    assert any("reached two workers" in error for error in story.errors())


def test_closed_is_told():
    """But not to a worker whose requests had ended before."""
    story = Story()
    story.stay(1, 10, [1], first=1)
    story.log("session-closed", 50, reason="client-closed", packets_in=1, bytes_in=0, bytes_out=0)
    assert any("not told" in error for error in story.errors())
    story.oracle.errors.clear()
    story.oracle.drains.append((49, ENDPOINT))
    assert not any("not told" in error for error in story.errors())


def test_anothers_packet():
    """Well-formed, at the right place, of another client."""
    story = Story()
    other = Story("open-lines").client
    story.stay(1, 10, [1], first=1, payload=other.stream.packet(1))
    story.closed(1, 1)
    assert story.errors()


def test_a_client_that_was_not_let_in():
    """Neither a worker nor the client itself may hear of it."""
    story = Story()
    story.client.plan.behaviour = "stranger"
    story.stay(1, 10, [], first=1)
    assert any("not let in" in error for error in story.errors())
    assert "not let in" in story.client.hearing.take(b"x")


def test_a_banned_client():
    """It was let in while the ban held."""
    story = Story()
    ban = SimpleNamespace(name="it", holds=1, ending=9, matches=lambda client: True)
    story.oracle.bans.append(ban)
    story.log("session-opened", 5)
    assert any("is banned" in error for error in story.errors())


def answers(client, stay=1, numbers=range(1, 30), session=SESSION):
    """What a worker that has all these packets answers, one message each."""
    count, messages = 0, []
    for number in [0, *numbers]:
        packet = client.stream.packet(number) if number else b""
        for size in answers_to(packet) if packet else [0]:
            head = ANSWER.pack(ANSWER.size + size, 1, stay, count, number or numbers[0],
                               len(packet), session.bytes)
            messages.append(head + (answer_body(packet, size) if packet else b""))
            count += 1
    return messages


def heard(client, messages):
    return client.hearing.take(b"".join(messages))


def test_answers_in_order_are_well():
    client = Story().client
    for byte in b"".join(answers(client)):
        assert client.hearing.take(bytes([byte])) is None
    assert heard(client, answers(client, stay=2, numbers=range(40, 50))) is None


@pytest.mark.parametrize("change", [
    lambda m: m[:5] + m[6:], lambda m: m[:5] + [m[4]] + m[5:], lambda m: [*m[:4], m[5], m[4]],
    lambda m: [*m[:4], m[4][:-1] + bytes([m[4][-1] ^ 1])], lambda m: m[1:], lambda m: m + [m[0]],
    lambda m: [*m[:4], m[4][:-1], *m[5:]]])
def test_wrong_answers(change):
    """Left out, twice, out of turn, a bit, without the greeting, a byte short."""
    client = Story().client
    assert heard(client, change(answers(client))) is not None


def test_anothers_answers():
    client = Story().client
    assert heard(client, answers(client)) is None
    other = answers(client, stay=2, session=uuid.UUID(int=2))
    assert "another session" in heard(client, other)
