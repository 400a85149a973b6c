"""One soak from beginning to end."""

import asyncio
import concurrent.futures
import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

from harness.contract import close_reason
from harness.gateway import Gateway, configuration
from harness.logins import STORE

from soak.client import Client
from soak.door import Door
from soak.faults import BAN_SECONDS, WORKER_TIMES, Faults
from soak.fleet import Fleet
from soak.gateway_log import GatewayLog
from soak.oracle import Oracle
from soak.payload import FRAMERS
from soak.plan import AGAIN, LISTENERS, WORKERS, Plan
from soak.sums import Sums
from soak.verdict import Verdict

PROGRESS_SECONDS = 5
# After the last fault; a client's own deadline is shorter.
CALM_SECONDS = 180
# What a run may leave behind: tables that stay as large as they had to be once.
MEMORY_BYTES_MAX = 96 << 20


class Soak:
    def __init__(self, seed, seconds, clients, say=print):
        self.plan = Plan(seed, seconds, clients)
        self.oracle = Oracle()
        self._say = say
        self._door = Door(self.plan)
        self._tasks = set()
        self._memory_peak = 0
        self._lag = 0

    def run(self):
        """Whether all was well. The folder stays when it was not."""
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-soak-"))
        self.fleet = Fleet(self.folder, self.oracle, WORKERS)
        self.gateway = None
        try:
            asyncio.run(self._run())
        finally:
            self.fleet.kill()
            if self.gateway is not None:
                self.gateway.kill()
        if not self.oracle.errors:
            shutil.rmtree(self.folder)
        return not self.oracle.errors

    async def _run(self):
        # Commands that wait must not keep others waiting, however few processors there are.
        asyncio.get_running_loop().set_default_executor(
            concurrent.futures.ThreadPoolExecutor(64))
        await self.fleet.start_all()
        config = self._configuration()
        self.gateway = await asyncio.to_thread(Gateway, self.folder, config)
        await asyncio.to_thread(self._door.prepare, self.folder)
        self._faults = Faults(self.gateway, self.fleet, self.oracle, self._door.accounts)
        self._ports = dict(zip(LISTENERS, self.gateway.ports))
        self._log = GatewayLog(self.gateway.process.log, self.oracle.take_log)
        self._before = self._resources()
        self._watching = watching = asyncio.create_task(self._watch())
        try:
            await self._play()
            if not self.oracle.errors:
                await self._count()
                await self._end()
        finally:
            watching.cancel()
            await asyncio.gather(watching, *self._tasks, return_exceptions=True)
        self._read()
        if not self.oracle.errors:
            Verdict(self.oracle, close_reason).pass_judgement()

    def _configuration(self):
        config = configuration(
            workers=self.fleet.slots, store=STORE, temporary_bans=False,
            logins={"refusal_delay": "20ms", "pending": 4096}, log={"level": "info"},
            worker={name: f"{seconds}s" for name, seconds in WORKER_TIMES.items()})
        # Where grpcio keeps a call for so long, a drain must not end before it.
        config["pool"][0]["drain_timeout"] = "20s"
        config["framer"] = FRAMERS
        config["listener"] = []
        for name, (framer, login) in LISTENERS.items():
            auth = self._door.auth(login)
            config["listener"].append(
                {"name": name, "address": "127.0.0.1:0", "framer": framer, "pool": "default",
                 "worker_wait": "60s", "write_timeout": "60s", **({"auth": auth} if auth else {})})
        return config

    # While it runs.

    async def _play(self):
        faults = [asyncio.create_task(self._act(f))
                  for f in self.plan.faults]
        self._start = time.monotonic()
        arrivals = asyncio.create_task(self._arrive())
        self._tasks |= {arrivals, *faults}
        end = self._start + self.plan.seconds + CALM_SECONDS
        while self._tasks and not self.oracle.errors:
            done, _ = await asyncio.wait(
                self._tasks, timeout=1, return_when=asyncio.FIRST_COMPLETED)
            self._tasks -= done
            for task in done:
                # Whatever this program itself does wrong.
                task.result()
            if self._watching.done():
                self._watching.result()
            if time.monotonic() > end:
                self.oracle.broken(f"{len(self._tasks)} clients and faults do not come to an end")
        for task in self._tasks:
            task.cancel()

    async def _act(self, fault):
        await asyncio.sleep(fault.at)
        try:
            await self._faults.run(fault)
        except (AssertionError, subprocess.SubprocessError) as error:
            self.oracle.broken(f"{fault.kind} could not be done: {error}")

    async def _arrive(self):
        for connection, at in enumerate(self.plan.arrivals):
            delay = self._start + at - time.monotonic()
            self._lag = max(self._lag, -delay)
            if delay > 0:
                await asyncio.sleep(delay)
            self._tasks.add(asyncio.create_task(self._one(connection)))

    async def _one(self, connection):
        """A client, and the same player again where the plan says so."""
        plan = self.plan.client(connection)
        account, login = self._door.login(plan)
        client = Client(plan, self.plan.seed, login, account)
        self.oracle.clients[connection] = client
        port = self._ports[plan.listener]
        extra = list(self._faults.extra_listeners.items())
        if plan.listener == "open-length" and extra and connection % 2:
            client.listener, port = extra[-1]
        await client.run(port, self.oracle.broken)
        if client.hearing.session:
            self._door.let_in(client)
        elif client.connected_at is None and client.listener == plan.listener:
            # Nothing listens on an added one that is being removed.
            if not self._is_banned(client):
                self.oracle.broken("could not connect", client)
        if plan.comes_again and time.monotonic() < self._start + self.plan.seconds:
            self._tasks.add(asyncio.create_task(self._one(connection + AGAIN)))

    def _is_banned(self, client):
        return any(ban.matches(client) for ban in self.oracle.bans)

    async def _watch(self):
        """Reads journals and log as they grow, and tells how it goes."""
        told = time.monotonic()
        while True:
            found = self._read_some()
            if self.gateway.process.crashed():
                self.oracle.broken(f"the gateway ended: {self.gateway.process.output()[-2000:]}")
                return
            for slot in self.fleet.unexpected_ends():
                self.oracle.broken(f"a worker ended by itself: {slot.process.output()[-2000:]}")
                return
            if time.monotonic() - told > PROGRESS_SECONDS:
                told = time.monotonic()
                self._tell()
            await asyncio.sleep(0 if found else 0.1)

    def _read_some(self):
        # The log first: it says who was let in before a worker says so.
        found = self._log.read()
        return self.fleet.read_journals() or found

    def _read(self):
        while self._read_some():
            pass

    def _tell(self):
        memory = self.gateway.process.resident_bytes()
        self._memory_peak = max(self._memory_peak, memory)
        counts = self.oracle.counts
        there = sum(1 for c in self.oracle.clients.values() if c.connected_at and not c.ended_at)
        faults = sum(n for name, n in counts.items() if name.startswith("faults: "))
        self._say(f"{time.monotonic() - self._start:5.0f} s: {there} clients, "
                  f"{counts['sessions']} sessions, {counts['packets']} packets, {faults} faults, "
                  f"{memory >> 20} MiB, {self.gateway.process.descriptors()} descriptors")

    # At the end.

    def _resources(self):
        process = self.gateway.process
        with open(f"/proc/{process.pid}/status") as status:
            threads = int(re.search(r"Threads:\s+(\d+)", status.read())[1])
        # To the links' sockets of workers that come and go.
        return process.descriptors(), process.resident_bytes(), threads

    async def _count(self):
        """Counters add up, and nothing is left of clients that are gone."""
        await self._until(self._is_quiet, "the last session is closed")
        await self._until(lambda: self._resources()[0] <= self._before[0],
                          lambda: f"descriptors: {self._resources()[0]}, {self._before[0]} before")
        # Each request of ours has a thread there for a moment.
        await self._until(lambda: self._resources()[2] <= self._before[2],
                          lambda: f"threads: {self._resources()[2]}, {self._before[2]} before")
        self._after = self._resources()
        metrics = await asyncio.to_thread(self.gateway.metrics)
        self._read()
        endpoints = [slot.endpoint for slot in self.fleet.slots]
        Sums(self.oracle, metrics, endpoints).check()

    def _is_quiet(self):
        metrics = self.gateway.metrics()
        states = [w["state"] for w in self.gateway.workers()]
        return (sum(value for name, value in metrics.items()
                    if name.startswith("gatehouse_sessions_open{")) == 0
                and metrics["gatehouse_store_logins_waiting"] == 0
                and states == ["ready"] * len(WORKERS))

    async def _until(self, condition, what):
        end = time.monotonic() + 60
        while not await asyncio.to_thread(condition):
            if time.monotonic() > end:
                self.oracle.broken(f"not within 60 s: {what() if callable(what) else what}")
                return
            await asyncio.sleep(0.1)

    async def _end(self):
        status = await asyncio.to_thread(self.gateway.stop)
        if status != 0:
            self.oracle.broken(f"the gateway ended with status {status}")
        with contextlib.ExitStack() as stack:
            for slot in self.fleet.slots:
                # From here on workers may end.
                await slot.lock.acquire()
                stack.callback(slot.lock.release)
            await self.fleet.stop()

    def summary(self):
        counts = self.oracle.counts
        lines = [f"{name}: {count}" for name, count in sorted(counts.items())]
        if self._faults.ban_seconds:
            late = sum(seconds > BAN_SECONDS for seconds in self._faults.ban_seconds)
            lines.append(f"from `gatehouse ban` to the last session's end: "
                         f"{max(self._faults.ban_seconds):.2f} s at most, {late} of "
                         f"{len(self._faults.ban_seconds)} beyond {BAN_SECONDS} s")
        if hasattr(self, "_after"):
            names = ("descriptors", "memory", "threads")
            lines += [f"{name}: {before} at the start, {after} at the end"
                      for name, before, after in zip(names, self._before, self._after)]
            lines.append(f"memory: {self._memory_peak} at most, may grow by {MEMORY_BYTES_MAX}")
        lines.append("workers: " + ", ".join(slot.kind for slot in self.fleet.slots))
        lines.append(f"clients came {self._lag:.1f} s late at most; "
                     f"load of the machine: {os.getloadavg()[0]:.1f}")
        return lines

    @property
    def memory_grew(self):
        """By how much more than it may, in bytes; at most 0 when all is well."""
        return self._after[1] - self._before[1] - MEMORY_BYTES_MAX
