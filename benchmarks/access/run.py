#!/usr/bin/env python3
"""Measures what the gate costs: bans, floods and logins, and what they do to those who play.

    benchmarks/access/run.py [--gatehouse PROGRAM] [--rounds N] [--seconds S] [--bans N]
                             [--only bans|rates|watch]...

Prints tables as they stand in benchmarks/README.md. Nothing else should run on the machine.
"""

import argparse
import json
import pathlib
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

from stage import (PASSWORD, ROOT, Gateway, Players, Worker, build_load, end, free_port,
                   wait_until, write_ban_list)
from tables import megabytes, spread, table

# Loopback has a network for each kind of client.
BANNED, FREE, LIMITED, LOGIN = "127.2.0.0/16", "127.3.0.0/16", "127.5.0.0/24", "127.6.0.0/16"
ACCOUNTS = 8
ALONE = "nobody"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gatehouse", default=ROOT / ".build/release/gatehouse")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--bans", type=int, default=1_000_000)
    parser.add_argument("--only", choices=["bans", "rates", "watch"], action="append")
    arguments = parser.parse_args()
    directory = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-bench-"))
    bench = None
    try:
        bench = Bench(arguments, directory)
        parts = arguments.only or ["bans", "rates", "watch"]
        bench.measure_import()
        if "bans" in parts:
            bench.measure_start()
            bench.measure_ban_to_close()
        if "rates" in parts:
            bench.measure_rates()
        if "watch" in parts:
            bench.measure_watch()
    finally:
        if bench:
            bench.end()
        shutil.rmtree(directory)


class Bench:
    """Two gateways with one worker: `plain` has no bans, `banning` gets the list."""

    def __init__(self, arguments, directory):
        self.rounds, self.seconds = arguments.rounds, arguments.seconds
        self.bans = arguments.bans
        self.directory = directory
        program = pathlib.Path(arguments.gatehouse).resolve()
        self.load = build_load(directory)
        self.worker = Worker()
        self.players = []
        self.plain = self.banning = None
        self.plain = Gateway(program, directory / "plain", self.worker)
        self.banning = Gateway(program, directory / "banning", self.worker)
        for gateway in (self.plain, self.banning):
            gateway.start()
            self._add_accounts(gateway)

    def _add_accounts(self, gateway):
        names = [f"p{number}" for number in range(ACCOUNTS)]
        tokens = []
        for name in names:
            gateway.command("account", "add", name, "--password-stdin", stdin=f"{PASSWORD}\n")
            tokens.append(gateway.command("token", "issue", name).strip())
        self._write_claims(gateway, "password", ((name, PASSWORD) for name in names))
        self._write_claims(gateway, "token", zip(names, tokens))

    def _write_claims(self, gateway, kind, claims):
        text = "".join(f"{name}\t{secret}\n" for name, secret in claims)
        (gateway.directory / kind).write_text(text)

    def _sign_tickets(self, gateway, count):
        with open(gateway.directory / "ticket", "w") as file:
            subprocess.run(
                [self.load, "tickets", "--key", gateway.ticket_key.read_text().strip(), "--id",
                 "web", "--audience", "bench", "--count", str(count)], check=True, stdout=file)

    def end(self):
        for player in self.players:
            end(player.process)
        for gateway in (self.plain, self.banning):
            if gateway:
                gateway.stop()
        end(self.worker.process)

    # Players.

    def _play(self, gateway):
        players = Players(self.load, gateway.address("play"))
        self.players.append(players)
        time.sleep(1)
        return players

    def _window(self, gateway, players, seconds=None):
        """A look at those who play, with the share of a processor that the gateway took."""
        before, begin = sum(gateway.processor_seconds()), time.monotonic()
        players.start()
        time.sleep(seconds or self.seconds)
        window = players.stop()
        taken = sum(gateway.processor_seconds()) - before
        window["processor"] = taken / (time.monotonic() - begin)
        window["processor_us"] = taken * 1e6 / window["echoes"]
        return window

    # Bans.

    def measure_import(self):
        """The list is imported while 1,000 play. Everything else needs it in."""
        path = self.directory / "list"
        banned = [f"127.2.{number >> 8}.{number & 255}" for number in range(65_536)]
        write_ban_list(path, self.bans, banned[:self.bans // 2])
        gateway = self.banning
        players = self._play(gateway)
        alone = self._window(gateway, players)
        memory = gateway.memory()
        begin = time.monotonic()
        players.start()
        gateway.command("ban", "import", path)
        imported = time.monotonic() - begin
        during = players.stop()
        players.start()
        wait_until(lambda: gateway.metric("gatehouse_bans") == self.bans, 60, "the list's effect")
        in_effect = time.monotonic() - begin
        taken_in = players.stop()
        after = self._window(gateway, players)
        end(players.process)
        print(f"\nImport of {self.bans:,} bans while 1,000 play:\n")
        table(["", "p50, ms", "p99, ms", "p99.9, ms", "longest, ms"],
              [[name, *(ms(window[f"echo_{share}_us"]) for share in ("p50", "p99", "p999", "max"))]
               for name, window in (
                  ("before", alone), ("while the command runs", during),
                  ("from its end until in effect", taken_in), ("after", after))])
        print(f"\nThe command took {imported:.1f} s; in effect {in_effect - imported:.2f} s later. "
              f"Memory {megabytes(memory)} before, {megabytes(gateway.memory())} after, "
              f"{megabytes(gateway.memory('VmHWM'))} at most; the table's own count "
              f"{megabytes(gateway.metric('gatehouse_ban_table_bytes'))}.", flush=True)

    def measure_start(self):
        """The same gateway with bans and without."""
        starts = {self.plain: [], self.banning: []}
        for _ in range(self.rounds):
            for gateway, times in starts.items():
                gateway.stop()
                times.append(gateway.start())
        # A gateway computes one Argon2id when it starts, whose memory it gives back.
        time.sleep(2)
        names = {self.plain: "no bans", self.banning: f"{self.bans:,} bans"}
        memories = {gateway: [megabytes(gateway.memory(what)) for what in ("VmRSS", "VmHWM")]
                    for gateway in names}
        windows = {gateway: [] for gateway in names}
        for _ in range(self.rounds):
            for gateway in names:
                players = self._play(gateway)
                windows[gateway].append(self._window(gateway, players))
                end(players.process)
        print("\nThe same gateway without bans and with them; echoes of 1,000 who play:\n")
        table(["", "until ready, s", "memory", "at most", "processor for an echo, µs", "p50, ms",
               "p99, ms"],
              [[name, spread(starts[gateway], 2), *memories[gateway],
                spread([one["processor_us"] for one in windows[gateway]], 1),
                *(spread([one[f"echo_{share}_us"] / 1000 for one in windows[gateway]], 2)
                  for share in ("p50", "p99"))] for gateway, name in names.items()])

    def measure_ban_to_close(self, count=20):
        """From the start of `gatehouse ban ADDRESS` to the end of that address's connection."""
        times = []
        for number in range(count):
            source = f"127.4.0.{number + 1}"
            host, port = self.banning.address("play").split(":")
            with socket.create_connection((host, int(port)), 5, (source, 0)) as connection:
                connection.sendall(b"\0\1x")
                connection.recv(3, socket.MSG_WAITALL)
                begin = time.monotonic()
                command = subprocess.Popen(
                    [self.banning.program, "ban", source, "--config", self.banning.configuration],
                    stdout=subprocess.DEVNULL)
                try:
                    ended = connection.recv(1) == b""
                except ConnectionResetError:
                    ended = True
                times.append(time.monotonic() - begin)
                command.wait()
                if not ended:
                    raise SystemExit("run.py: a banned client was sent something")
        print(f"\nFrom the start of `gatehouse ban` to the end of the session, {self.bans:,} bans "
              f"loaded, {count} times: median {statistics.median(times) * 1000:.0f} ms, longest "
              f"{max(times) * 1000:.0f} ms.", flush=True)

    # Visitors.

    def _visit(self, mode, listener, source, gateway=None, **options):
        gateway = gateway or self.banning
        arguments = [self.load, "visit", "--mode", mode, "--from", source,
                     "--to", gateway.address(listener)]
        for name, value in options.items():
            arguments += [f"--{name}", str(value)]
        return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)

    def _login(self, kind, gateway=None, **options):
        gateway = gateway or self.banning
        once = "yes" if kind == "ticket" else "no"
        return self._visit("login", kind, LOGIN, gateway, claims=gateway.directory / kind,
                           once=once, **options)

    def measure_rates(self):
        """As many as the gateway takes, while nobody plays; processor time for each."""
        seconds = max(2, round(self.seconds))
        plans = {
            "banned, refused": lambda: (self.banning, self._visit(
                "refused", "play", BANNED, seconds=seconds)),
            "beyond `connections_per_prefix`, refused": lambda: (self.banning, self._visit(
                "refused", "limited", LIMITED, seconds=seconds)),
            f"let in, leave at once; {self.bans:,} bans": lambda: (self.banning, self._visit(
                "leave", "play", FREE, seconds=seconds)),
            "let in, leave at once; no bans": lambda: (self.plain, self._visit(
                "leave", "play", FREE, self.plain, seconds=seconds)),
            "say nothing until evicted": lambda: (self.banning, self._visit(
                "silent", "ticket", FREE, concurrency=4000, seconds=seconds)),
            "login: token": lambda: (self.banning, self._login("token", seconds=seconds)),
            "login: ticket": lambda: (self.banning, self._login("ticket", seconds=seconds)),
            "login: password (Argon2id)": lambda: (self.banning, self._login(
                "password", seconds=seconds, concurrency=8)),
        }
        results = {name: [] for name in plans}
        for _ in range(self.rounds):
            self._sign_tickets(self.banning, 10_000 * seconds)
            for name, plan in plans.items():
                results[name].append(self._rate(plan))
        print("\nAs fast as they are taken, nobody playing:\n")
        rows = []
        for name, runs in results.items():
            rows.append([name, *(spread([run[key] for run in runs], digits) for key, digits in (
                ("per_second", 0), ("user_us", 1), ("kernel_us", 1), ("visit_p50_ms", 2)))])
        table(["", "a second", "µs user", "µs kernel", "p50 of one, ms"], rows)

    def _rate(self, plan):
        before = {gateway: gateway.processor_seconds() for gateway in (self.plain, self.banning)}
        gateway, process = plan()
        run = json.loads(process.communicate()[0])
        # What is under way when the time is over still takes the gateway's.
        time.sleep(0.5)
        user, kernel = (b - a for a, b in zip(before[gateway], gateway.processor_seconds()))
        if run["failed"] or run["refused"] or not run["done"]:
            print(f"(not all went well: {run})")
        run["user_us"], run["kernel_us"] = (
            value * 1e6 / max(1, run["done"]) for value in (user, kernel))
        run["visit_p50_ms"] = run["visit_p50_us"] / 1000
        return run

    def measure_watch(self):
        """1,000 play; the visitors come at steady rates, but Argon2id's as fast as they can.

        Before and after each kind of visitors those who play are looked at alone; ratios are to the
        mean of the two. Alone, it is a window's ratio to the windows alone around it: the noise.
        """
        length = int(self.seconds + 1)
        nowhere = f"127.0.0.1:{free_port()}"
        # More at a time than ever are, so that a gateway that is slow is not spared.
        steady = {"rate": 2000, "concurrency": 4000}
        plans = {
            "connections to a closed port, 2,000/s": lambda: subprocess.Popen(
                [self.load, "visit", "--mode", "leave", "--to", nowhere, "--from", FREE, "--rate",
                 "2000", "--concurrency", "4000", "--seconds", str(length)],
                stdout=subprocess.PIPE, text=True),
            "banned, 2,000/s": lambda: self._visit(
                "refused", "play", BANNED, **steady, seconds=length),
            "beyond `connections_per_prefix`, 2,000/s": lambda: self._visit(
                "refused", "limited", LIMITED, **steady, seconds=length),
            "let in, leave at once, 2,000/s": lambda: self._visit(
                "leave", "play", FREE, **steady, seconds=length),
            "say nothing until evicted, 2,000/s": lambda: self._visit(
                "silent", "ticket", FREE, **steady, seconds=length),
            "logins by token, 500/s": lambda: self._login(
                "token", rate=500, concurrency=4000, seconds=length),
            "logins by ticket, 500/s": lambda: self._login(
                "ticket", rate=500, concurrency=4000, seconds=length),
            "logins by password, 8 at a time": lambda: self._login(
                "password", seconds=length, concurrency=8),
        }
        windows = {name: [] for name in (ALONE, *plans)}
        ratios = {name: [] for name in windows}
        self._sign_tickets(self.banning, 500 * length * self.rounds + 1000)
        for _ in range(self.rounds):
            players = self._play(self.banning)
            alone = [self._watched(players, None)]
            for name, plan in plans.items():
                windows[name].append(self._watched(players, plan))
                # Passwords that are being hashed when their clients leave still are for a while.
                time.sleep(0.7)
                alone.append(self._watched(players, None))
                ratios[name].append(ratio(windows[name][-1], alone[-2:]))
            windows[ALONE] += alone
            ratios[ALONE] += [ratio(alone[at], [alone[at - 1], alone[at + 1]])
                              for at in range(1, len(alone) - 1)]
            end(players.process)
        rows = []
        for name, seen in windows.items():
            rows.append([
                name, *(spread([one[f"echo_{share}_us"] / 1000 for one in seen], 2)
                        for share in ("p50", "p99", "p999")),
                spread(ratios[name], 2), spread([one["late_p99_us"] / 1000 for one in seen], 2),
                f"{statistics.median(one['processor'] for one in seen):.0%}"])
        print(f"\n1,000 play, 10 packets a second each; {self.bans:,} bans loaded:\n")
        table(["beside them", "p50, ms", "p99, ms", "p99.9, ms", "p99 / alone",
               "load late, p99, ms", "gateway's processor"], rows)

    def _watched(self, players, plan):
        process = plan() if plan else None
        if process:
            time.sleep(0.4)
        window = self._window(self.banning, players)
        if process:
            visits = json.loads(process.communicate()[0])
            if visits["missed"]:
                print(f"(not all came: {visits})")
        return window


def ratio(window, around):
    return window["echo_p99_us"] / statistics.mean(one["echo_p99_us"] for one in around)


def ms(microseconds):
    return f"{microseconds / 1000:.2f}"


if __name__ == "__main__":
    main()
