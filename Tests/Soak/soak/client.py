"""One client of the plan: a raw socket that sends what is its own and takes what comes."""

import asyncio
import collections
import random
import socket
import struct
import time

from soak.hearing import Hearing
from soak.payload import Stream

# For progress, not for speed: a client that hears nothing for so long is stuck.
STUCK_SECONDS = 90
SYNC_SECONDS = 0.5
RAW_PACKET_BYTES = 200
GARBAGE = {
    "length": b"\xff\xff" + bytes(100), "lines": b"x" * 40000, "varint": b"\xff" * 8}


class Client:
    def __init__(self, plan, seed, login=None, account=""):
        """`login` is the packet that says who it is, `account` whose it is."""
        self.plan = plan
        self.login = login
        self.account = account
        self.listener = plan.listener
        self.stream = Stream(
            seed, plan.connection, plan.framer, first=login,
            heavy=plan.behaviour == "slow" and plan.framer != "raw")
        self.hearing = Hearing(self)
        # Packets whose first byte was sent, the login too, and all bytes.
        self.packets_sent = 0
        self.bytes_sent = 0
        self.connected_at = None
        self.ended_at = None
        # "end" and "reset": what the gateway did; "left": this client went itself.
        self.ending = None
        self.is_answered = False
        self.is_turned_away = False
        self.events = collections.deque(maxlen=16)
        self._draw = random.Random(f"{seed}/torn/{plan.connection}")
        self._heard = asyncio.Event()

    @property
    def may_enter(self):
        return self.plan.behaviour != "stranger"

    @property
    def reads_to_the_end(self):
        return self.plan.behaviour in ("polite", "half-close") and self.ending == "end"

    def note(self, text):
        self.events.append((time.time(), text))

    async def run(self, port, broken):
        """Everything; `broken(text, client)` is told of what must not be."""
        self._broken = broken
        with socket.socket() as self._socket:
            self._socket.setblocking(False)
            if self.plan.behaviour == "slow":
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            self._socket.bind((self.plan.address, 0))
            try:
                await self._loop.sock_connect(self._socket, ("127.0.0.1", port))
            except OSError as error:
                self.note(f"connect: {error!r}")
                # Who is banned may be turned away so soon that connecting fails.
                self.is_turned_away = isinstance(error, ConnectionResetError)
                return
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connected_at = time.time()
            self.note(f"connected to {self.listener} as {self.plan.behaviour}")
            reader = asyncio.create_task(self._read())
            try:
                await self._behave(reader)
            except OSError as error:
                self.note(f"send: {error!r}")
                # What came before the end counts.
                await self._wait(reader, "the end of a broken connection")
            finally:
                reader.cancel()
                await asyncio.gather(reader, return_exceptions=True)
                self.ending = self.ending or "left"
                self.ended_at = time.time()
                self.note(f"over: {self.ending}")

    @property
    def _loop(self):
        return asyncio.get_running_loop()

    # What each kind does.

    async def _behave(self, reader):
        plan = self.plan
        if plan.behaviour == "silent":
            await asyncio.sleep(plan.deaf / 5)
            return
        if self.login is not None:
            self.packets_sent = 1
            await self._send(self.login)
            if plan.behaviour == "stranger":
                await self._be_refused(reader)
                return
            if not plan.is_hasty and not await self._hears(reader, lambda: self.is_answered):
                return
        await self._send_packets(reader)
        await {"polite": self._part, "half-close": self._end, "slow": self._part,
               "close": self._leave, "reset": self._reset, "partial": self._leave_half,
               "garbage": self._send_garbage}[plan.behaviour](reader)

    async def _send_packets(self, reader):
        count = self.plan.packets
        if self.plan.behaviour in ("close", "reset"):
            count = self.plan.connection % (count + 1)
        for _ in range(count):
            if reader.done():
                return
            await self._send_packet()
            await asyncio.sleep(self.plan.pause)

    async def _part(self, reader):
        """Goes once something that was sent last of all is answered.

        What came before it and did not go with a lost worker is answered by then.
        """
        first = self.packets_sent + 1
        start = time.monotonic()
        while not reader.done() and not self._is_answered_since(first):
            if time.monotonic() - start > STUCK_SECONDS:
                self._broken(f"no answer for {STUCK_SECONDS} s", self)
                return
            await self._send_packet()
            await self._hears(
                reader, lambda: self._is_answered_since(first), SYNC_SECONDS)
        self.note("all is answered" if not reader.done() else "cut off")
        await self._end(reader)

    def _is_answered_since(self, first):
        # Of a raw stream nobody knows its packets' numbers: it may be answered a little more.
        if self.plan.framer == "raw":
            return self.hearing.bytes_answered > (first - 1) * RAW_PACKET_BYTES
        return self.hearing.newest_number >= first

    async def _end(self, reader):
        if not reader.done():
            self._socket.shutdown(socket.SHUT_WR)
            self.note("ended its direction")
        await self._wait(reader, "the end, after its own")

    async def _leave(self, reader):
        pass

    async def _leave_half(self, reader):
        packet = self.stream.packet(self.packets_sent + 1)
        await self._send(packet[:len(packet) // 2])

    async def _reset(self, reader):
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    async def _send_garbage(self, reader):
        await self._send(GARBAGE[self.plan.framer])
        await self._wait(reader, "the end, after garbage")

    async def _be_refused(self, reader):
        if self.plan.is_hasty:
            for _ in range(self.plan.packets):
                await self._send_packet()
        await self._wait(reader, "the refusal of a wrong login")

    # The socket.

    async def _send_packet(self):
        if self.plan.framer == "raw":
            data = self.stream.raw(self.bytes_sent, RAW_PACKET_BYTES)
        else:
            data = self.stream.packet(self.packets_sent + 1)
        # Counted before: it may be there before this goes on.
        self.packets_sent += 1
        if self.plan.is_torn:
            while data:
                count = self._draw.randint(1, 1 + len(data) // 3)
                await self._send(data[:count])
                data = data[count:]
                await asyncio.sleep(0)
        else:
            await self._send(data)

    async def _send(self, data):
        self.bytes_sent += len(data)
        try:
            await asyncio.wait_for(self._loop.sock_sendall(self._socket, data), STUCK_SECONDS)
        except asyncio.TimeoutError:
            self._broken(f"nothing is read from it for {STUCK_SECONDS} s", self)
            raise ConnectionAbortedError("not read") from None

    async def _read(self):
        if self.plan.behaviour == "slow":
            await asyncio.sleep(self.plan.deaf)
        try:
            while data := await self._loop.sock_recv(self._socket, 1 << 18):
                self.is_answered = True
                error = self.hearing.take(data)
                if error is not None:
                    self._broken(error, self)
                    self.ending = "left"
                    return
                self._heard.set()
            self.ending = "end"
        except OSError as error:
            self.note(f"receive: {error!r}")
            self.ending = "reset"
        finally:
            self._heard.set()

    async def _hears(self, reader, condition, seconds=STUCK_SECONDS):
        """Whether `condition` came true; returns early when the connection is over."""
        end = time.monotonic() + seconds
        while not condition() and not reader.done():
            self._heard.clear()
            try:
                await asyncio.wait_for(self._heard.wait(), max(0, end - time.monotonic()))
            except asyncio.TimeoutError:
                if seconds == STUCK_SECONDS:
                    self._broken(f"nothing heard for {seconds} s", self)
                return False
        return condition() and not reader.done()

    async def _wait(self, reader, what):
        done, _ = await asyncio.wait([reader], timeout=STUCK_SECONDS)
        if not done:
            self._broken(f"{what} does not come within {STUCK_SECONDS} s", self)
