"""A game client: a raw TCP socket, with two-byte big-endian framing where a test wants it."""

import socket
import struct
import threading

from harness.waiting import DEADLINE_SECONDS


def frame(payload):
    return struct.pack(">H", len(payload)) + payload


class Client:
    def __init__(self, port, host="127.0.0.1", receive_buffer_bytes=None, source=None):
        """`source` is an address of its own to come from; all of 127.0.0.0/8 are this machine's."""
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        if receive_buffer_bytes:
            # Before connecting: the window that is offered depends on it.
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        if source:
            self.socket.bind((source, 0))
        self.socket.settimeout(DEADLINE_SECONDS)
        self.socket.connect((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @property
    def address(self):
        """As the contract writes it."""
        return "%s:%d" % self.socket.getsockname()[:2]

    def send(self, data):
        self.socket.sendall(data)

    def send_packet(self, payload):
        self.send(frame(payload))

    def receive_exactly(self, count):
        data = bytearray()
        while len(data) < count:
            part = self.socket.recv(min(1 << 20, count - len(data)))
            assert part, f"closed after {len(data)} of {count} bytes"
            data += part
        return bytes(data)

    def receive_packet(self):
        (length,) = struct.unpack(">H", self.receive_exactly(2))
        return self.receive_exactly(length)

    def receive_line(self):
        line = bytearray()
        while not line.endswith(b"\n"):
            line += self.receive_exactly(1)
        return bytes(line)

    def receive_until_closed(self):
        """All that still comes; a reset counts as the end, too."""
        data = bytearray()
        try:
            while part := self.socket.recv(1 << 20):
                data += part
        except ConnectionResetError:
            pass
        return bytes(data)

    def wait_closed(self):
        """Fails when the gateway sends something first, or does not close."""
        assert self.receive_until_closed() == b""

    def echo(self, payload):
        """One packet there and back, by way of an echoing worker."""
        self.send_packet(payload)
        assert self.receive_packet() == payload

    def end_sending(self):
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self):
        """Closes with RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        self.socket.close()


class Stream:
    """Sends numbered packets to an echoing worker and keeps what comes back, on two threads."""

    def __init__(self, client, name, window=32):
        self.client = client
        self.name = name
        self.sent = 0
        self.received = []
        self.numbers = None
        self.error = None
        # So many may be under way: enough to keep the gateway busy, not enough to fill buffers.
        self._room = threading.Semaphore(window)
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._send, daemon=True),
                         threading.Thread(target=self._receive, daemon=True)]
        for thread in self._threads:
            thread.start()

    def packet(self, number):
        # Of many lengths, so that corruption shows.
        return b"%s/%d/" % (self.name.encode(), number) + bytes([number % 251]) * (number % 200)

    def _send(self):
        try:
            while not self._stopping.is_set():
                # When all answers under way were lost, nothing makes room; then this goes on.
                self._room.acquire(timeout=0.5)
                # Counted before: the answer may come before this thread runs again.
                self.sent += 1
                self.client.send_packet(self.packet(self.sent))
            self.client.end_sending()
        except OSError as error:
            self.error = error

    def _receive(self):
        newest = 0
        try:
            while header := self.client.socket.recv(2):
                if len(header) < 2:
                    header += self.client.receive_exactly(1)
                (length,) = struct.unpack(">H", header)
                packet = self.client.receive_exactly(length)
                self.received.append(packet)
                # Answers that were skipped will not come: their room is free as well.
                number = int(packet.split(b"/", 2)[1])
                self._room.release(max(1, number - newest))
                newest = max(newest, number)
        except (OSError, AssertionError, ValueError, IndexError) as error:
            self.error = error

    def stop(self):
        """Ends sending; what is under way still comes."""
        self._stopping.set()

    def finish(self):
        """Waits until the gateway has closed, and returns the numbers that came."""
        self.stop()
        for thread in self._threads:
            thread.join(DEADLINE_SECONDS)
            assert not thread.is_alive(), f"{self.name}: stream does not end"
        assert self.error is None, f"{self.name}: {self.error!r}"
        numbers = []
        for packet in self.received:
            number = int(packet.split(b"/", 2)[1])
            assert packet == self.packet(number), f"{self.name}: not its own: {packet[:60]!r}"
            numbers.append(number)
        return numbers
