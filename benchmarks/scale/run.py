#!/usr/bin/env python3
"""Measures what grows with sessions, workers and shards, and what does not.

    benchmarks/scale/run.py [--gatehouse PROGRAM] [--rounds N] [--seconds S] [--cycles N]
                            [--only start|memory|cost|shards|churn]...

Prints tables as they stand in benchmarks/README.md. All sessions have logged in by token; clients
come from all over 127.0.0.0/8. Nothing else should run on the machine.
"""

import argparse
import json
import os
import pathlib
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "access"))
from stage import ROOT, Gateway, Worker, build_load, end, wait_until  # noqa: E402
from tables import megabytes, spread, table  # noqa: E402

PARTS = ("start", "memory", "cost", "shards", "churn")
ACCOUNTS = 8


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gatehouse", default=ROOT / ".build/release/gatehouse")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--cycles", type=int, default=1_000_000)
    parser.add_argument("--sessions", type=int, default=100_000)
    parser.add_argument("--only", choices=PARTS, action="append")
    arguments = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    directory = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-scale-"))
    bench = Bench(arguments, directory, hard)
    try:
        for part in arguments.only or PARTS:
            getattr(bench, f"measure_{part}")()
    finally:
        bench.end()
        shutil.rmtree(directory)


class Many(Gateway):
    """A gateway with any number of workers, whose pool every listener has."""

    def __init__(self, program, directory, workers, shards=1):
        self.workers, self.shards = workers, shards
        super().__init__(program, directory, workers[0])

    def _toml(self, worker, public):
        text = super()._toml(worker, public)
        every = "".join(map(self._worker_table, self.workers))
        head = f"shards = {self.shards}\n" if self.shards > 1 else ""
        return head + text.replace(self._worker_table(worker), every)

    @staticmethod
    def _worker_table(worker):
        return f'[[pool.worker]]\naddress = "127.0.0.1:{worker.port}"\n'


class Load:
    """A load program that runs until it is ended."""

    def __init__(self, program, *arguments, cpus=None):
        pin = (lambda: os.sched_setaffinity(0, cpus)) if cpus else None
        self.process = subprocess.Popen(
            [program, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, preexec_fn=pin)
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("run.py: the load program ended")
        self.began = json.loads(line)

    def window(self, gateway, seconds):
        """Echoes of the next seconds, and the processor time that each took the gateway."""
        before = sum(gateway.processor_seconds())
        self.process.stdin.write("start\n")
        self.process.stdin.flush()
        time.sleep(seconds)
        self.process.stdin.write("stop\n")
        self.process.stdin.flush()
        window = json.loads(self.process.stdout.readline())
        if window["lost"] or window["closed"]:
            raise SystemExit(f"run.py: echoes are missing: {window}")
        taken = sum(gateway.processor_seconds()) - before
        window["us"] = taken * 1e6 / window["echoes"]
        return window

    def end(self):
        self.process.stdin.close()
        end(self.process)


class Bench:
    def __init__(self, arguments, directory, descriptors):
        self.program = pathlib.Path(arguments.gatehouse).resolve()
        self.rounds, self.seconds = arguments.rounds, arguments.seconds
        self.cycles, self.sessions = arguments.cycles, arguments.sessions
        self.directory, self.descriptors = directory, descriptors
        # Some are kept for workers, and for the load program's own.
        self.most = min(arguments.sessions, descriptors - 500)
        self.load = build_load(directory)
        self.workers = [Worker()]
        self.gateways, self.loads = [], []

    def end(self):
        for load in self.loads:
            load.end()
        for gateway in self.gateways:
            gateway.stop()
        for worker in self.workers:
            end(worker.process)

    def _gateway(self, name, workers=1, shards=1):
        while len(self.workers) < workers:
            self.workers.append(Worker())
        gateway = Many(self.program, self.directory / name, self.workers[:workers], shards)
        self.gateways.append(gateway)
        gateway.start()
        claims = ""
        for number in range(ACCOUNTS):
            gateway.command("account", "add", f"p{number}", "--no-password")
            token = gateway.command("token", "issue", f"p{number}").strip()
            claims += f"p{number}\t{token}\n"
        (gateway.directory / "claims").write_text(claims)
        # A gateway computes one Argon2id when it starts, whose memory it gives back.
        time.sleep(2)
        return gateway

    def _drop(self, gateway):
        gateway.stop()
        self.gateways.remove(gateway)

    def _hold(self, gateway, count, *options):
        load = Load(self.load, "hold", "--to", gateway.address("token"), "--claims",
                    gateway.directory / "claims", "--connections", count, *options)
        self.loads.append(load)
        return load

    def _release(self, load):
        load.end()
        self.loads.remove(load)

    def _play(self, gateway, *options, cpus=None):
        load = Load(self.load, "playing", "--to", gateway.address("play"), *options, cpus=cpus)
        self.loads.append(load)
        time.sleep(0.5)
        return load

    def _wait_until_gone(self, gateway):
        wait_until(lambda: gateway.metric("gatehouse_sessions_open") == 0, 30, "the sessions' end")
        time.sleep(1)

    # Parts.

    def measure_start(self):
        """From the program's start to the first echo of a client, with an empty database."""
        gateway = self._gateway("start")
        times = []
        for _ in range(10):
            gateway.stop()
            begin = time.monotonic()
            gateway.process = subprocess.Popen(
                [self.program, "serve", "--config", gateway.configuration],
                stderr=subprocess.DEVNULL)
            gateway.log = open(os.devnull)
            host, port = gateway.address("play").split(":")
            accepted = None
            while accepted is None:
                try:
                    with socket.create_connection((host, int(port)), 1) as client:
                        accepted = time.monotonic() - begin
                        client.sendall(b"\0\1x")
                        client.recv(3, socket.MSG_WAITALL)
                        times.append((accepted, time.monotonic() - begin))
                except OSError:
                    time.sleep(0.0005)
        libraries = subprocess.run(["ldd", self.program], check=True, capture_output=True,
                                   text=True).stdout
        files = {self.program.resolve()} | {
            pathlib.Path(word).resolve() for word in libraries.split() if word.startswith("/")}
        print("\nStart, in ms (median of 10, and the longest):\n")
        table(["until", "median", "longest"], [
            [name, *(f"{1000 * of([one[at] for one in times]):.0f}"
                     for of in (statistics.median, max))]
            for at, name in enumerate(("a client is accepted", "it has an echo"))])
        print(f"\nThe program has {megabytes(self.program.stat().st_size)}, with all libraries "
              f"{megabytes(sum(file.stat().st_size for file in files))}.", flush=True)
        self._drop(gateway)

    def measure_memory(self):
        """Sessions that have logged in, and then say nothing."""
        rows = []
        for count in sorted({1000, 10_000, self.most}):
            if count > self.most:
                continue
            gateway = self._gateway(f"memory{count}")
            before = gateway.memory()
            load = self._hold(gateway, count)
            time.sleep(3)
            processor = sum(gateway.processor_seconds())
            time.sleep(10)
            processor = sum(gateway.processor_seconds()) - processor
            during = gateway.memory()
            self._release(load)
            self._wait_until_gone(gateway)
            time.sleep(2)
            after = gateway.memory()
            rows.append([f"{count:,}", megabytes(before), f"{(during - before) / count:.0f}",
                         megabytes(after), f"{after / before - 1:+.0%}", f"{processor / 10:.2%}"])
            self._drop(gateway)
        print("\nSessions that have logged in by token and say nothing:\n")
        table(["sessions", "before", "bytes for each", "when they have gone", "more than before",
               "processor while idle"], rows)
        self._many()

    def _many(self):
        """As many as asked for, in as many gateways as descriptors make necessary."""
        each = min(self.most, self.sessions)
        count = -(-self.sessions // each)
        gateways = [self._gateway(f"many{number}") for number in range(count)]
        before = sum(gateway.memory() for gateway in gateways)
        loads = []
        for number, gateway in enumerate(gateways):
            share = self.sessions // count + (number < self.sessions % count)
            loads.append(self._hold(gateway, share, "--from", f"127.{20 + number}.0.0/16"))
        time.sleep(3)
        held = sum(gateway.metric("gatehouse_sessions_open") for gateway in gateways)
        during = sum(gateway.memory() for gateway in gateways)
        for load in loads:
            self._release(load)
        for gateway in gateways:
            self._wait_until_gone(gateway)
        time.sleep(2)
        after = sum(gateway.memory() for gateway in gateways)
        print(f"\n{held:,.0f} sessions at one time, in {count} gateways, because a process may have "
              f"{self.descriptors:,} descriptors here: {(during - before) / held:.0f} bytes each; "
              f"{megabytes(before)} before, {megabytes(during)} with them, {megabytes(after)} "
              f"when they had gone.", flush=True)
        for gateway in gateways:
            self._drop(gateway)

    def measure_cost(self):
        """What an echo costs beside sessions that idle, and with more workers."""
        plans = [(f"{idle + 1000:,} sessions", 1, idle) for idle in (0, 9000, self.most - 1000)]
        plans += [(f"{workers} workers", workers, 0) for workers in (10, 150)]
        stages = []
        for number, (name, workers, idle) in enumerate(plans):
            gateway = self._gateway(f"cost{number}", workers)
            if idle:
                self._hold(gateway, idle)
            stages.append((name, gateway, []))
        for _ in range(self.rounds):
            for _, gateway, windows in stages:
                players = self._play(gateway, "--rate", 20)
                windows.append(players.window(gateway, self.seconds))
                self._release(players)
        print("\n1,000 who play, 20 packets a second each; the others say nothing:\n")
        table(["", "processor for an echo, µs", "p50, ms", "p99, ms"], [
            [name, spread([window["us"] for window in windows], 1),
             *(spread([window[f"echo_{share}_us"] / 1000 for window in windows], 2)
               for share in ("p50", "p99"))] for name, _, windows in stages])
        sys.stdout.flush()
        for load in list(self.loads):
            self._release(load)
        for _, gateway, _ in stages:
            self._drop(gateway)

    def measure_shards(self):
        """The same load on one shard and on two; workers and load take their part of the machine."""
        stages = [(shards, self._gateway(f"shards{shards}", 4, shards), []) for shards in (1, 2)]
        for _ in range(self.rounds):
            for _, gateway, windows in stages:
                players = self._play(gateway, "--rate", 30)
                windows.append(players.window(gateway, self.seconds))
                self._release(players)
        print(f"\n1,000 who play, 30 packets a second each, 4 workers, {os.cpu_count()} cores for "
              "all:\n")
        table(["shards", "echoes a second", "processor for an echo, µs", "p50, ms", "p99, ms"], [
            [str(shards), spread([window["echoes"] / self.seconds for window in windows], 0),
             spread([window["us"] for window in windows], 1),
             *(spread([window[f"echo_{share}_us"] / 1000 for window in windows], 2)
               for share in ("p50", "p99"))] for shards, _, windows in stages])
        sys.stdout.flush()
        for _, gateway, _ in stages:
            self._drop(gateway)

    def measure_churn(self):
        """Connect, log in by token, one echo, leave, a million times: what is left behind?"""
        gateway = self._gateway("churn")
        warm = self._hold(gateway, 20_000, "--together", 0)
        self._release(warm)
        self._wait_until_gone(gateway)
        before, processor = gateway.memory(), sum(gateway.processor_seconds())
        load = self._hold(gateway, self.cycles, "--together", 0)
        seconds = load.began["seconds"]
        self._release(load)
        self._wait_until_gone(gateway)
        time.sleep(3)
        processor = sum(gateway.processor_seconds()) - processor
        print(f"\n{self.cycles:,} times connect, log in by token, one echo, leave: "
              f"{self.cycles / seconds:,.0f} a second, {processor * 1e6 / self.cycles:.1f} µs of "
              f"processor each; memory {megabytes(before)} before, {megabytes(gateway.memory())} "
              f"after.", flush=True)
        self._drop(gateway)


if __name__ == "__main__":
    main()
