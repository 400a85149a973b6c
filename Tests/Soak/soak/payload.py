"""What clients send and workers answer, to the byte: a function of the seed and nothing else."""

import base64
import hashlib
import struct
import zlib

FRAMERS = {
    "length": {
        "client_to_server": {"kind": "length-prefix", "width": 2, "max": 40000},
        "server_to_client": {"kind": "length-prefix", "width": 4, "counts": "packet",
                             "max": 1 << 20}},
    "lines": {"client_to_server": {"kind": "delimiter", "delimiter": "\\n", "max": 32768}},
    "varint": {
        "client_to_server": {"kind": "length-prefix", "encoding": "leb128", "width": 3},
        "server_to_client": {"kind": "length-prefix", "width": 4, "counts": "packet",
                             "max": 1 << 20}},
}

# An answer's length, the worker's incarnation, its count of the session's stay with it, the
# answer's number in that stay, the packet's number in the session, its bytes, the session.
ANSWER = struct.Struct(">IIIIII16s")
ANSWER_BYTES_MAX = 1 << 20
BIG_ANSWER_BYTES = 32768
_BLOCK_BYTES = 64


def answers_to(payload):
    """The lengths of the answers that a worker gives to a packet: by its checksum."""
    digits = zlib.crc32(payload)
    count = (0, 2, 3, 2)[digits % 16] if digits % 16 < 4 else 1
    return [BIG_ANSWER_BYTES if digits >> 4 & 31 == 0 else len(payload)] * count


def answer_body(payload, byte_count):
    """The packet, over and over."""
    return (payload * (byte_count // len(payload) + 1))[:byte_count]


def frame(framer, body):
    if framer == "length":
        return struct.pack(">H", len(body)) + body
    if framer == "varint":
        rest, header = len(body), bytearray()
        while rest > 127:
            header.append(rest & 127 | 128)
            rest >>= 7
        return bytes([*header, rest]) + body
    return body + b"\n"


class Stream:
    """All that one client could send: numbered packets, or, with the framer raw, one stream.

    `first` is a login, which counts as the first packet. With `heavy`, each packet is one that is
    answered at length.
    """

    def __init__(self, seed, connection, framer, first=None, heavy=False):
        self.framer = framer
        self._name = f"{seed}/{connection}/"
        self._connection = connection
        self._first = first
        self._heavy = heavy

    def packet(self, number):
        if number == 1 and self._first is not None:
            return self._first
        for attempt in range(1000):
            packet = self._attempt(number, attempt)
            answers = answers_to(packet) if self._heavy else [BIG_ANSWER_BYTES]
            if answers and answers[0] == BIG_ANSWER_BYTES:
                return packet
        raise AssertionError("no packet of a thousand has a long answer")

    def _attempt(self, number, attempt):
        digest = hashlib.shake_128(f"{self._name}{number}/{attempt}".encode())
        first, second = digest.digest(2)
        size = 1 + first * (24 if second < 6 else 1)
        body = struct.pack(">II", self._connection, number) + digest.digest(size + 2)[2:]
        return frame(self.framer, base64.b64encode(body) if self.framer == "lines" else body)

    def raw(self, offset, byte_count):
        """A part of the stream that has no packets."""
        first = offset // _BLOCK_BYTES
        last = (offset + byte_count) // _BLOCK_BYTES
        text = b"".join(map(self._block, range(first, last + 1)))
        return text[offset - first * _BLOCK_BYTES:][:byte_count]

    def find(self, part, offset_min):
        """Where `part` stands in the raw stream; None when it does not, -1 when it is too short."""
        if len(part) < 2 * _BLOCK_BYTES:
            return -1
        for start in range(_BLOCK_BYTES):
            connection, block = struct.unpack_from(">II", part, start)
            offset = block * _BLOCK_BYTES - start
            if connection == self._connection and offset >= offset_min:
                return offset if self.raw(offset, len(part)) == part else None
        return None

    def _block(self, number):
        text = f"{self._name}{number}".encode()
        filler = hashlib.shake_128(text).digest(_BLOCK_BYTES - 8)
        return struct.pack(">II", self._connection, number) + filler


class RawPlace:
    """How far a raw stream has come, when parts in its middle may be missing."""

    def __init__(self, stream):
        self._stream = stream
        # From where to where; `begin` is None until that is known.
        self.begin = 0
        self.offset = 0
        # Parts behind a gap, until they are long enough to say where they stand.
        self._unplaced = None

    def gap(self):
        """What comes next may stand anywhere behind what came."""
        if self._unplaced is None and self.offset == 0:
            self.begin = None
        # What a gap on either side kept too short to be placed is passed over.
        self._unplaced = b""

    def take(self, part):
        """False when these bytes are not the stream's."""
        if self._unplaced is None:
            fits = self._stream.raw(self.offset, len(part)) == part
            self.offset += len(part)
            return fits
        self._unplaced += part
        offset = self._stream.find(self._unplaced, self.offset)
        if offset is None:
            return False
        if offset >= 0:
            if self.begin is None:
                self.begin = offset
            self.offset = offset + len(self._unplaced)
            self._unplaced = None
        return True
