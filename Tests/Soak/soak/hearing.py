"""What one client hears, compared byte by byte with what may come."""

import dataclasses
import uuid

from soak.payload import ANSWER, ANSWER_BYTES_MAX, RawPlace, answer_body, answers_to


@dataclasses.dataclass
class Heard:
    """A worker's answers during one stay of the session with it."""
    incarnation: int
    stay: int
    answers: int


class Hearing:
    def __init__(self, client):
        self._client = client
        self._data = bytearray()
        self._due = None
        self._place = None
        self._last_raw = (0, b"")
        self.session = None
        self.heard = []
        self.bytes = 0
        # The newest packet that was answered, and how far the raw stream was.
        self.newest_number = 0

    @property
    def bytes_answered(self):
        return self._place.offset if self._place else 0

    @property
    def half_answer(self):
        return bytes(self._data)

    def take(self, data):
        """None, or what is wrong with it."""
        self.bytes += len(data)
        if not self._client.may_enter:
            return f"bytes for a client that was not let in: {data[:64]!r}"
        self._data += data
        while len(self._data) >= ANSWER.size:
            head = ANSWER.unpack_from(self._data)
            if not ANSWER.size <= head[0] <= ANSWER_BYTES_MAX:
                return f"not an answer's beginning: {bytes(self._data[:64])!r}"
            if len(self._data) < head[0]:
                break
            body = bytes(self._data[ANSWER.size:head[0]])
            del self._data[:head[0]]
            error = self._answer(*head[1:], body)
            if error is not None:
                return f"{error}; the answer: {head}, {body[:64]!r}"
        return None

    def _answer(self, incarnation, stay, answer, number, payload_length, session, body):
        session = uuid.UUID(bytes=session)
        if self.session is None:
            self.session = session
        if session != self.session:
            return f"an answer for another session than {self.session}"
        newest = self.heard[-1] if self.heard else None
        if newest is None or (incarnation, stay) != (newest.incarnation, newest.stay):
            if any((incarnation, stay) == (h.incarnation, h.stay) for h in self.heard):
                return "an answer of a worker that the session had left"
            newest = Heard(incarnation, stay, 0)
            self.heard.append(newest)
            if answer != 0 or body:
                return "the first answer of a stay is not its greeting"
            self._begin(number)
        elif answer != newest.answers:
            return f"answer {newest.answers} of this stay was due"
        elif self._client.plan.framer == "raw":
            error = self._raw_body(number, payload_length, body)
            if error is not None:
                return error
        elif (number, body) != self._next_due():
            return "not the answer that was due"
        newest.answers += 1
        if answer > 0:
            self.newest_number = max(self.newest_number, number)
        return None

    def _begin(self, number):
        self._due = self._answers_from(number)
        self._last_raw = (number - 1, b"")
        offset = self.bytes_answered
        self._place = RawPlace(self._client.stream)
        self._place.offset = offset
        if number > 1:
            self._place.gap()

    def _answers_from(self, number):
        while True:
            packet = self._client.stream.packet(number)
            for size in answers_to(packet):
                yield number, answer_body(packet, size)
            number += 1

    def _next_due(self):
        return next(self._due)

    def _raw_body(self, number, payload_length, body):
        last, last_payload = self._last_raw
        payload = body[:payload_length]
        if body != answer_body(payload, len(body)) or number < last:
            return "not the answer to a part of the stream"
        if number == last:
            return None if payload == last_payload else "two answers to one part differ"
        if number > last + 1 or len(payload) < payload_length:
            self._place.gap()
        self._last_raw = (number, payload)
        return None if self._place.take(payload) else "not of this client's stream"
