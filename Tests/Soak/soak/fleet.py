"""The workers: processes that can be killed, stopped and restarted, and their journals."""

import asyncio
import contextlib
import itertools
import shutil
import subprocess
import sys
import time

from harness.gateway import free_ports
from harness.process import ExampleWorker

from soak import HERE, journal
from soak.oracle import Interdict

_PYTHON = [sys.executable, HERE / "workers" / "python_worker.py"]
_GO = HERE.parents[1] / "examples" / "go" / "build" / "soak_worker"


class Slot:
    """A port that one worker after the other serves."""

    def __init__(self, kind, port):
        self.kind = kind
        self.port = port
        self.endpoint = f"127.0.0.1:{port}"
        self.process = None
        # One fault at a time.
        self.lock = asyncio.Lock()


class Fleet:
    def __init__(self, folder, oracle, kinds):
        self._folder = folder
        self._oracle = oracle
        self._incarnations = itertools.count(1)
        self._journals = {}  # by incarnation: the process, its journal
        has_go = all(shutil.which(program) for program in ("go", "protoc", "protoc-gen-go"))
        if has_go:
            subprocess.run([HERE / "workers" / "go" / "build.sh"], check=True)
        self.slots = [Slot(kind if has_go or kind != "go" else "python", port)
                      for kind, port in zip(kinds, free_ports(len(kinds)))]

    async def start_all(self):
        await asyncio.gather(*map(self.start, self.slots))

    async def start(self, slot):
        incarnation = next(self._incarnations)
        path = self._folder / f"journal-{incarnation}"
        path.touch()
        command = {"go": [_GO], "python": _PYTHON, "asyncio": [*_PYTHON, "--asyncio"]}[slot.kind]
        command = [*command, "--journal", path, "--incarnation", incarnation]
        self._oracle.started(incarnation, slot.endpoint)
        slot.process = await asyncio.to_thread(
            ExampleWorker, command, self._folder / f"worker-{incarnation}.log", slot.port)
        self._journals[incarnation] = slot.process, journal.Reader(path)

    def read_journals(self):
        """Whether there was something."""
        found = False
        for incarnation, (process, reader) in list(self._journals.items()):
            over = process.exited()
            records = reader.records()
            for record in records:
                self._oracle.take_record(incarnation, record)
            found = found or bool(records)
            if over and not records:
                reader.close()
                del self._journals[incarnation]
        return found

    @contextlib.asynccontextmanager
    async def faulty(self, *slots, what, waits=False):
        """The slots for one fault; yields None when one of them has another already.

        With `waits` it takes those one by one, and nothing new is done to the others meanwhile.
        """
        if not waits and any(slot.lock.locked() for slot in slots):
            yield None
            return
        async with contextlib.AsyncExitStack() as stack:
            for slot in slots:
                await stack.enter_async_context(slot.lock)
            faults = [Interdict(slot.endpoint, time.time()) for slot in slots]
            self._oracle.worker_faults += faults
            names = ", ".join(f"{slot.endpoint} ({slot.kind})" for slot in slots)
            self._oracle.events.append((time.time(), f"{what}: {names}"))
            self._oracle.counts[f"faults: {what}"] += 1
            try:
                yield slots
            finally:
                for fault in faults:
                    fault.ended = time.time()
                self._oracle.events.append((time.time(), f"{what} is over: {names}"))

    def unexpected_ends(self):
        return [slot for slot in self.slots
                if not slot.lock.locked() and slot.process.exited()]

    async def stop(self):
        """Politely: each worker writes its journal to the end."""
        for slot in self.slots:
            slot.process.terminate()
        for slot in self.slots:
            await asyncio.to_thread(slot.process.wait)

    def kill(self):
        for slot in self.slots:
            if slot.process is not None:
                slot.process.kill()
