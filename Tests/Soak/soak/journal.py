"""What workers write down: one record for each thing that came, before it is answered.

A worker that is killed leaves what it has written, and perhaps half a record.
"""

import os
import struct
import time

# Bytes that follow, kind, nanoseconds since 1970, stream, stay, number, session.
RECORD = struct.Struct(">IBQIIQ16s")

STREAM_BEGUN = ord("S")
REQUESTS_ENDED = ord("E")  # by the gateway, in order
CALL_RETURNED = ord("F")  # after REQUESTS_ENDED, with every answer handed over
STREAM_BROKEN = ord("B")
OPENED = ord("O")  # number: next_sequence; the body is OPENED_FIELDS
PACKET = ord("P")  # number: as the worker counts; the body is the payload
CLOSED = ord("C")  # number: the reason
STRANGER = ord("X")  # something for a session that was not opened on this stream

NO_SESSION = bytes(16)


class Writer:
    def __init__(self, path):
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, kind, stream, stay=0, number=0, session=NO_SESSION, body=b""):
        head = RECORD.pack(len(body), kind, time.time_ns(), stream, stay, number, session)
        os.write(self._file, head + body)


class Reader:
    """Reads on in a journal that grows."""

    def __init__(self, path):
        self.path = path
        self._file = open(path, "rb", buffering=0)
        self._rest = b""

    def records(self, byte_count_max=1 << 20):
        """Those that have come since the last time: (kind, time, stream, stay, number, …)."""
        data = self._rest + (self._file.read(byte_count_max) or b"")
        place, records = 0, []
        while place + RECORD.size <= len(data):
            length, *fields = RECORD.unpack_from(data, place)
            end = place + RECORD.size + length
            if end > len(data):
                break
            records.append((*fields, data[place + RECORD.size:end]))
            place = end
        self._rest = data[place:]
        return records

    def close(self):
        """Its worker is gone: the file goes too."""
        self._file.close()
        os.unlink(self.path)
