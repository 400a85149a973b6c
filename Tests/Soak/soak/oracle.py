"""Keeps account of each packet and answer, and says what does not fit.

What can be judged by itself is judged when it comes; how the parts of a session fit together,
and whether anything is missing, at the end (`verdict.py`).
"""

import collections
import dataclasses
import uuid

from soak import journal
from soak.payload import RawPlace, answers_to
from soak.plan import connection_of

# Links that end like this ended by somebody's wish.
SOFT_ENDS = ("drained", "removed", "go-away", "shutdown")
NOT_MADE = ("resolve-failed", "connect-failed", "connect-timeout", "handshake-timeout",
            "ready-timeout")
# The workers are good ones: that the gateway finds fault with them is a fault of its own.
WRONG_ENDS = ("not-http2", "protocol-error", "http-status", "not-grpc", "compressed-message",
              "message-too-large", "malformed-message", "queue-full", "not-live")
ERRORS_MAX = 20


@dataclasses.dataclass
class LinkEnd:
    at: float
    endpoint: str
    reason: str
    detail: str
    moved: int

    @property
    def is_loss(self):
        """Packets and answers under way may be lost."""
        return self.reason not in (*SOFT_ENDS, *NOT_MADE)


@dataclasses.dataclass
class Stream:
    """One call of `bidirectionalStreaming`, as its worker saw it."""
    endpoint: str
    begun: float
    ended: float | None = None
    returned: float | None = None


@dataclasses.dataclass
class Stay:
    """A session, for as long as it was with one worker."""
    incarnation: int
    number: int
    stream: Stream
    first: int
    opened_at: float
    place: RawPlace | None
    is_resumed: bool
    count: int = 0
    answers: int = 1
    closed: int | None = None

    @property
    def end(self):
        """The number behind the last packet."""
        return self.first + self.count


@dataclasses.dataclass
class Session:
    uuid: uuid.UUID
    client: object
    stays: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Interdict:
    """Something done to whom `matches` accepts, between two times: a ban, a kick, a kill."""
    name: str
    begun: float
    matches: object = None
    # When it was seen to hold, when its end began, and when that was seen to hold.
    holds: float = float("inf")
    ending: float = float("inf")
    ended: float = float("inf")


class Oracle:
    def __init__(self):
        self.clients = {}  # by connection
        self.sessions = {}  # by UUID
        self.closed = {}  # by connection: the log's last word
        self.entered = {}  # by connection: the session as the log has it
        self.entered_at = {}
        self.link_ends = []
        self.drains = []  # from when on which endpoint is sent nothing more
        self.bans, self.kicks, self.removals = [], [], []
        self.worker_faults = []  # what was done to endpoints
        self.errors = []
        # By endpoint: packets that came, packets that were sent by links whose counters are gone,
        # and links of which not even that is known.
        self.packets_at = collections.Counter()
        self.sent_before = collections.Counter()
        self.unknown_sent = []
        self.counts = collections.Counter()
        self.events = collections.deque(maxlen=24)
        self._streams, self._stays = {}, {}
        self._endpoints = {}  # by incarnation

    def broken(self, text, client=None, session=None):
        self.counts["errors"] += 1
        if client is not None and session is None:
            session = client.hearing.session or self.entered.get(client.plan.connection)
        if len(self.errors) < ERRORS_MAX:
            self.errors.append((text, client, session))

    # Workers' journals.

    def started(self, incarnation, endpoint):
        self._endpoints[incarnation] = endpoint

    def take_record(self, incarnation, record):
        kind, time_ns, stream, stay, number, session, body = record
        at = time_ns / 1e9
        if kind == journal.STREAM_BEGUN:
            self._streams[incarnation, stream] = Stream(self._endpoints[incarnation], at)
        elif kind == journal.REQUESTS_ENDED:
            self._streams[incarnation, stream].ended = at
        elif kind == journal.CALL_RETURNED:
            self._streams[incarnation, stream].returned = at
        elif kind == journal.OPENED:
            stream = self._streams[incarnation, stream]
            self._opened(incarnation, stay, stream, number, uuid.UUID(bytes=session), body, at)
        elif kind == journal.PACKET:
            self._packet(incarnation, stay, number, uuid.UUID(bytes=session), body)
        elif kind == journal.CLOSED:
            self._stays[incarnation, stay][1].closed = number
        elif kind == journal.STRANGER:
            self.broken(f"worker {incarnation} got something for a session that it was not told "
                        f"of: {body[:64]!r}", session=uuid.UUID(bytes=session))

    def _opened(self, incarnation, number, stream, first, session_id, body, at):
        address, account, listener, framer, resumed, unauthenticated = body.decode().split("\n")
        client = self.clients.get(connection_of(address.rpartition(":")[0]))
        if client is None:
            self.broken(f"a session of {address}, which is no client's", session=session_id)
            return
        session = self.sessions.setdefault(session_id, Session(session_id, client))
        told = (account, listener, framer, unauthenticated)
        true = (client.account, client.listener, client.plan.framer, "0")
        if session.client is not client:
            self.broken("one session of two clients", client, session_id)
        if not client.may_enter:
            self.broken("the session of a client that was not let in", client, session_id)
        if told != true:
            self.broken(f"told of as {told}, is {true}", client, session_id)
        place = None
        if client.plan.framer == "raw":
            place = RawPlace(client.stream)
            if first > 1:
                place.gap()
        stay = Stay(incarnation, number, stream, first, at, place, is_resumed=resumed == "1")
        session.stays.append(stay)
        self._stays[incarnation, number] = session, stay

    def _packet(self, incarnation, number, packet, session_id, payload):
        if (incarnation, number) not in self._stays:
            return
        session, stay = self._stays[incarnation, number]
        self.counts["packets"] += 1
        self.counts["bytes compared"] += len(payload)
        self.packets_at[stay.stream.endpoint] += 1
        if session_id != session.uuid or packet != stay.end:
            self.broken(f"a worker's own count is wrong: {packet}", session.client, session_id)
        if stay.place is not None:
            fits = stay.place.take(payload)
        else:
            fits = payload == session.client.stream.packet(packet)
        if not fits:
            self.broken(f"packet {packet} at {stay.stream.endpoint} is not the client's: "
                        f"{payload[:64]!r}", session.client, session_id)
        stay.count += 1
        stay.answers += len(answers_to(payload))

    # The gateway's log.

    def take_log(self, record, at):
        event = record["event"]
        if event in ("session-opened", "session-closed", "session-refused"):
            connection = connection_of(record["client"].rpartition(":")[0])
            client = self.clients.get(connection)
            if client is None:
                return
            client.events.append((at, " ".join(f"{k}={v}" for k, v in record.items()
                                               if k not in ("time", "level", "client"))))
            if event == "session-opened":
                self._entered(client, uuid.UUID(record["session"]), at)
            else:
                self._closed(client, record, at)
        elif event == "worker-draining":
            self.drains.append((at, record["worker"]))
        elif event == "worker-lost":
            self._link_ended(record, at)
        elif event == "log-lines-dropped":
            self.broken("the gateway's log has dropped lines: nothing can be told from it")
        elif event in ("not-a-log-line", "store-unavailable", "accept-paused"):
            self.broken(f"the gateway says: {record}")

    def _entered(self, client, session, at):
        self.counts["sessions"] += 1
        self.entered[client.plan.connection] = session
        self.entered_at[client.plan.connection] = at
        if not client.may_enter:
            self.broken("let in with a login that does not hold", client, session)
        for ban in self.bans:
            if ban.holds + 0.1 < at < ban.ending and ban.matches(client):
                self.broken(f"let in although {ban.name} is banned", client, session)

    def _closed(self, client, record, at):
        self.counts["closed as " + record["reason"]] += 1
        if client.plan.connection in self.closed:
            self.broken("closed twice", client)
        self.closed[client.plan.connection] = record, at

    def _link_ended(self, record, at):
        end = LinkEnd(at, record["worker"], record["reason"], record["detail"],
                      record["sessions_moved"])
        self.link_ends.append(end)
        self.counts[f"links ended: {end.reason}"] += 1
        self.events.append((at, f"link to {end.endpoint} ended: {end.reason} {end.detail}, "
                            f"{end.moved} sessions moved"))
        if end.reason in WRONG_ENDS:
            self.broken(f"a good worker's link ended: {end}")
