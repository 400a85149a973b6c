"""At the end: whether each session's parts fit together, and all is there that has to be.

What may be missing is what docs/contract.md says: packets that had left for a worker that was lost,
and the answers that such a worker still owed. `closed` of a session is known from the log.
"""

from soak.oracle import SOFT_ENDS

# One read of clocks and of a log; the gateway's is cut to milliseconds.
CLOCK_SECONDS = 1.0
CLIENTS_REASONS = {
    "polite": (), "half-close": (), "close": ("client-reset",), "reset": ("client-reset",),
    "slow": ("slow-client", "client-reset"), "partial": ("client-reset", "framing-violation"),
    "garbage": ("framing-violation", "client-reset"), "silent": ("client-reset",),
    "stranger": ("login-refused", "login-invalid"),
}
# Until the gateway notices that a worker has stopped: alive_timeout, and a slow machine's time.
NOTICED_SECONDS = 10


class Verdict:
    def __init__(self, oracle, close_reason):
        """`close_reason` is the contract's number of a reason."""
        self._oracle = oracle
        self._close_reason = close_reason

    def pass_judgement(self):
        for client in self._oracle.clients.values():
            if client.connected_at is not None:
                self._client(client)
        for session in self._oracle.sessions.values():
            self._session(session)

        for end in self._oracle.link_ends:
            self._link_end(end)
        counts = self._oracle.counts
        if counts["packets accepted"] != counts["packets"] + counts["packets lost with workers"]:
            self._broken("packets at workers and lost ones are not those that were accepted", None)

    def _link_end(self, end):
        """Workers that nothing was done to are lost by nobody, but when the machine is too slow."""
        if end.reason in (*SOFT_ENDS, "alive-timeout", "ready-timeout", "connect-timeout",
                          "handshake-timeout"):
            return
        if not any(f.name == end.endpoint and f.begun - CLOCK_SECONDS < end.at < f.ended + 10
                   for f in self._oracle.worker_faults):
            self._broken(f"nothing was done to a worker, and its link ended: {end}", None)

    # Clients.

    def _client(self, client):
        connection = client.plan.connection
        entered = self._oracle.entered.get(connection)
        hearing = client.hearing
        self._oracle.counts["bytes compared"] += hearing.bytes
        if hearing.session is not None and hearing.session != entered:
            self._broken(f"it was {entered} and got answers as {hearing.session}", client)
        if entered is None:
            return
        if connection not in self._oracle.closed:
            self._broken("let in, and never closed", client)
            return
        record, at = self._oracle.closed[connection]
        self._reason(client, record["reason"], at)
        self._counts(client, record)
        self._oracle.counts["packets accepted"] += record["packets_in"]
        if entered not in self._oracle.sessions:
            self._missing(client, record["packets_in"], client.connected_at, at,
                          "no worker was told of it")

    def _reason(self, client, reason, at):
        if reason in ("client-closed", *CLIENTS_REASONS[client.plan.behaviour]):
            return
        oracle = self._oracle
        if reason == "duplicate-login" and client.plan.login == "ticket":
            return
        if reason == "replaced" and self._is_replaced(client, at):
            return
        done = {"banned": oracle.bans, "closed-by-operator": oracle.kicks,
                "listener-removed": oracle.removals}.get(reason, ())
        # What was due to a slow client is written before it is closed: that may be seconds later.
        if any(d.begun - CLOCK_SECONDS < at and client.connected_at < d.ended + CLOCK_SECONDS
               and d.matches(client) for d in done):
            return
        if reason == "packet-refused" and self._is_loss_between(client.connected_at, at):
            return
        self._broken(f"closed as {reason}", client)

    def _is_replaced(self, client, at):
        """Whether its account came in anew where that replaces it."""
        return any(other.plan.login == "password" and other.account == client.account
                   and other is not client
                   and client.connected_at - CLOCK_SECONDS
                   < self._oracle.entered_at.get(connection, 0) < at + CLOCK_SECONDS
                   for connection, other in self._oracle.clients.items())

    def _counts(self, client, record):
        if record["packets_in"] > client.packets_sent and client.plan.framer != "raw":
            self._broken(f"packets_in={record['packets_in']} of {client.packets_sent}", client)
        if not client.reads_to_the_end or record["reason"] != "client-closed":
            return
        counted = record["bytes_in"], record["bytes_out"]
        true = client.bytes_sent, client.hearing.bytes
        if counted != true:
            self._broken(f"{counted} bytes were read and written, {true} sent and read", client)
        if client.plan.framer != "raw" and record["packets_in"] != client.packets_sent:
            self._broken(f"packets_in={record['packets_in']} of {client.packets_sent}", client)
        if client.hearing.half_answer:
            self._broken(f"half an answer: {client.hearing.half_answer[:64]!r}", client)

    # Sessions.

    def _session(self, session):
        client = session.client
        stays = sorted(session.stays, key=lambda s: (s.first, s.end, s.is_resumed, s.opened_at))
        if self._oracle.entered.get(client.plan.connection) != session.uuid:
            self._broken("a worker's session that is not in the log", client, session.uuid)
            return
        first = stays[0]
        if not first.is_resumed and first.first != 1:
            self._broken(f"its first worker was told of packet {first.first}", client)
        self._missing(client, first.first - 1, client.connected_at, first.opened_at,
                      f"its first worker got it from packet {first.first} on")
        for before, after in zip(stays, stays[1:]):
            self._step(client, before, after)
            if not after.is_resumed:
                self._broken("not told as resumed, but another worker had it before", client)
        if client.plan.connection in self._oracle.closed:
            self._last(client, stays[-1], *self._oracle.closed[client.plan.connection])
        self._answers(client, stays)

    def _step(self, client, before, after):
        """From one worker to the next."""
        if after.first < before.end:
            self._broken(
                f"packets {after.first} to {before.end - 1} reached two workers: "
                f"{before.stream.endpoint} and {after.stream.endpoint}", client)
        missing = after.first - before.end
        self._missing(
            client, missing, before.opened_at, after.opened_at,
            f"packets {before.end} to {after.first - 1} are missing between "
            f"{before.stream.endpoint} and {after.stream.endpoint}", self._is_lossy(before))
        if before.place is not None and None not in (before.place.begin, after.place.begin):
            if after.place.begin < before.place.offset or (
                    not missing and after.place.begin > before.place.offset):
                self._broken("the parts of its stream overlap or lack something", client)

    def _last(self, client, stay, record, at):
        """How it ended with its last worker."""
        reason = self._close_reason(record["reason"])
        if stay.end - 1 > record["packets_in"]:
            self._broken(f"{stay.end - 1} packets at workers of {record['packets_in']}", client)
        if stay.closed not in (None, reason):
            self._broken(f"the worker was told {stay.closed}, the log {record['reason']}", client)
        is_lossy = self._is_lossy(stay)
        missing = record["packets_in"] - (stay.end - 1)
        self._missing(client, missing, stay.opened_at, at,
                      f"{stay.end - 1} packets at workers of {record['packets_in']}", is_lossy)
        if stay.closed is None and not is_lossy and not (
                self._is_loss_between(stay.opened_at, at) or self._is_draining(stay, at)):
            self._broken(f"{stay.stream.endpoint} was not told that it is over", client)

    def _is_draining(self, stay, at):
        """Whether the worker's requests had ended: then nothing more can be told to it."""
        return any(endpoint == stay.stream.endpoint
                   and stay.stream.begun < drained_at + CLOCK_SECONDS and drained_at < at + 0.001
                   for drained_at, endpoint in self._oracle.drains)

    def _missing(self, client, count, begin, end, text, is_lossy=False):
        """Packets that no worker got: to be explained by a loss."""
        self._oracle.counts["packets lost with workers"] += max(0, count)
        if count > 0 and not is_lossy and not self._is_loss_between(begin, end):
            self._broken(f"{text}, and no worker was lost", client)

    def _answers(self, client, stays):
        """Which of the workers' answers the client got."""
        places = {(s.incarnation, s.number): place for place, s in enumerate(stays)}
        heard = client.hearing.heard
        came = [places.get((h.incarnation, h.stay)) for h in heard]
        if None in came:
            self._broken("answers of a worker that never had the session", client)
            return
        if came != sorted(came):
            self._broken("answers of workers in another order than they had it", client)
        answers = dict.fromkeys(range(len(stays)), 0)
        answers.update((place, h.answers) for place, h in zip(came, heard))
        self._oracle.counts["answers"] += sum(answers.values())
        for place, count in answers.items():
            stay = stays[place]
            if count > stay.answers:
                self._broken(f"{count} answers of {stay.answers}", client)
            # Those of the last may be under way when the session ends.
            if came and place < came[-1] and count < stay.answers:
                self._oracle.counts["answers lost with workers"] += stay.answers - count
                if self._has_answered(stay):
                    self._broken(f"{count} answers of {stay.answers} by {stay.stream.endpoint}, "
                                 "which ended its call in order", client)

    # What may be missing.

    def _is_lossy(self, stay):
        """Whether its worker can have missed what had left for it.

        A worker that saw the end of its requests got all that was before it; but that of a link
        that broke can look the same to some runtimes.
        """
        return stay.stream.ended is None or self._end_of(stay.stream) not in (None, *SOFT_ENDS)

    def _has_answered(self, stay):
        """Whether its call had ended before the gateway let go of it."""
        stream = stay.stream
        if stream.returned is None or self._is_lossy(stay):
            return False
        return not any(end.endpoint == stream.endpoint and
                       stream.begun < end.at + 0.001 < stream.returned
                       for end in self._oracle.link_ends)

    def _end_of(self, stream):
        """The reason for which the gateway ended its link."""
        return next((end.reason for end in self._oracle.link_ends
                     if end.endpoint == stream.endpoint and end.at > stream.begun), None)

    def _is_loss_between(self, begin, end):
        """Whether a worker was lost, which then may have had the session and never heard of it."""
        return any(begin - CLOCK_SECONDS < e.at < end + NOTICED_SECONDS and e.is_loss
                   for e in self._oracle.link_ends)

    def _broken(self, text, client, session=None):
        self._oracle.broken(text, client, session)
