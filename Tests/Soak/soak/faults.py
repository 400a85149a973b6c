"""What is done to the gateway and its workers while clients play: the plan's faults, one by one."""

import asyncio
import ipaddress
import random
import time

from harness import commands
from harness.gateway import free_ports

from soak.oracle import Interdict

# The gateway's own bound is a quarter of a second; a slow machine that does other things gets more.
BAN_SECONDS = 1
BAN_SECONDS_MAX = 10
DEADLINE_SECONDS = 60
WORKER_TIMES = {"alive_timeout": 2, "ready_timeout": 5, "connect_timeout": 2}


class Faults:
    def __init__(self, gateway, fleet, oracle, accounts):
        self._gateway = gateway
        self._fleet = fleet
        self._oracle = oracle
        self._accounts = accounts
        self.extra_listeners = {}  # by name: the port, while it is there
        self._extra_count = 0
        self.ban_seconds = []

    async def run(self, fault):
        """Does it, waits, and makes it good again."""
        slots = self._fleet.slots
        slot = slots[fault.pick % len(slots)]
        act = {"kill": self._kill, "stop": self._stop, "terminate": self._terminate,
               "drain": self._drain, "remove": self._remove,
               "remove-drained": self._remove_drained}.get(self._way(fault, len(slots)))
        if act:
            async with self._fleet.faulty(slot, what=fault.kind) as taken:
                if taken:
                    await act(slot, fault.seconds)
        elif fault.kind == "outage":
            async with self._fleet.faulty(*slots, what="outage", waits=True):
                await self._outage(fault.seconds)
        else:
            await {"ban-account": self._ban_account, "ban-address": self._ban_address,
                   "ban-network": self._ban_network, "kick": self._kick,
                   "kick-account": self._kick_account, "listener": self._listener}[fault.kind](
                       fault)

    @staticmethod
    def _way(fault, slots):
        """Of removals some wait for the worker to finish; the seed says which."""
        return f"{fault.kind}-drained" if (fault.kind, fault.pick // slots % 2) == ("remove", 1) \
            else fault.kind

    # Workers.

    async def _kill(self, slot, seconds):
        await asyncio.to_thread(slot.process.kill)
        await asyncio.sleep(seconds)
        await self._fleet.start(slot)

    async def _outage(self, seconds):
        await asyncio.gather(*(asyncio.to_thread(s.process.kill) for s in self._fleet.slots))
        await asyncio.sleep(seconds)
        await self._fleet.start_all()

    async def _stop(self, slot, seconds):
        await asyncio.to_thread(slot.process.pause)
        await asyncio.sleep(seconds)
        slot.process.resume()

    async def _terminate(self, slot, seconds):
        slot.process.terminate()
        await asyncio.to_thread(slot.process.wait)
        await asyncio.sleep(seconds)
        await self._fleet.start(slot)

    async def _drain(self, slot, seconds):
        worker = await self._worker(slot)
        status, _ = await self._api("POST", f"/upstream/{worker['id']}/drain")
        self._expect(status == 202, f"drain of {slot.endpoint}: {status}")
        await self._until(lambda: self._has_state(slot, "drained"), f"{slot.endpoint} is drained")
        await self._note_sent(slot)
        await asyncio.sleep(seconds)
        await self._add(slot)

    async def _note_sent(self, slot):
        """A drained worker's counters are gone when it is added again, or removed."""
        worker = await self._worker(slot)
        self._oracle.sent_before[slot.endpoint] += worker["packets_sent"]

    async def _remove_drained(self, slot, seconds):
        worker = await self._worker(slot)
        await self._api("POST", f"/upstream/{worker['id']}/drain")
        await self._until(lambda: self._has_state(slot, "drained"), f"{slot.endpoint} is drained")
        await self._note_sent(slot)
        await self._forget(slot, worker, seconds)

    async def _remove(self, slot, seconds):
        self._oracle.unknown_sent.append(slot.endpoint)
        await self._forget(slot, await self._worker(slot), seconds)

    async def _forget(self, slot, worker, seconds):
        status, _ = await self._api("DELETE", f"/upstream/{worker['id']}")
        self._expect(status == 202, f"removal of {slot.endpoint}: {status}")
        await self._until(lambda: self._has_state(slot, None), f"{slot.endpoint} is removed")
        await asyncio.sleep(seconds)
        await self._add(slot)

    async def _add(self, slot):
        status, body = await self._api(
            "POST", "/upstream/add", {"host": "127.0.0.1", "port": slot.port, **WORKER_TIMES})
        # 502: it was too slow for its probe, and is tried again.
        self._expect(status in (201, 202, 502), f"adding {slot.endpoint}: {status} {body}")

    async def _worker(self, slot):
        return await asyncio.to_thread(self._gateway.worker, slot)

    async def _has_state(self, slot, state):
        return ((await self._worker(slot)) or {}).get("state") == state

    # Bans and kicks.

    async def _ban_account(self, fault):
        account = self._accounts[fault.pick % len(self._accounts)]
        await self._ban(fault, f"account:{account}", {"account": account},
                        lambda client: client.account == account)

    async def _ban_address(self, fault):
        client = self._someone(fault)
        if client:
            address = client.plan.address
            await self._ban(fault, address, {"address": address},
                            lambda client: client.plan.address == address)

    async def _ban_network(self, fault):
        client = self._someone(fault)
        if client:
            network = ipaddress.ip_network(f"{client.plan.address}/30", strict=False)
            await self._ban(
                fault, str(network), {"address": str(network)},
                lambda client: ipaddress.ip_address(client.plan.address) in network)

    async def _ban(self, fault, subject, query, matches):
        if any(b.name == subject and b.ended == float("inf") for b in self._oracle.bans):
            return
        ban = self._begin(self._oracle.bans, fault, subject, matches)
        if not await self._command("ban", subject, "--reason", "soak"):
            return
        start = time.monotonic()
        await self._until(lambda: self._is_banned(query), f"{subject} is banned")
        await self._until(lambda: self._has_no_session(query), f"{subject} has no session",
                          BAN_SECONDS_MAX)
        self.ban_seconds.append(time.monotonic() - start)
        ban.holds = time.time()
        await asyncio.sleep(fault.seconds)
        self._expect(await self._has_no_session(query), f"{subject} has a session, and is banned")
        ban.ending = time.time()
        await self._command("unban", subject)
        await self._until(lambda: self._is_free(query), f"{subject} is banned no more")
        ban.ended = time.time()

    async def _is_banned(self, query):
        return bool((await self._why(query))["bans"])

    async def _is_free(self, query):
        # Wider bans may hold at the same time.
        (text,) = query.values()
        bans = (await self._why(query))["bans"]
        return not any(text in (ban["account"], ban["address"]) for ban in bans)

    async def _why(self, query):
        status, body = await self._api("GET", "/why?" + _encoded(query))
        self._expect(status == 200, f"why {query}: {status} {body}")
        return body

    async def _has_no_session(self, query):
        status, body = await self._api("GET", "/sessions?" + _encoded(query))
        self._expect(status == 200, f"sessions {query}: {status} {body}")
        return not body["sessions"]

    async def _kick(self, fault):
        client = self._someone(fault)
        if client and client.hearing.session:
            kick = self._begin(self._oracle.kicks, fault, client.plan.address,
                               lambda other: other is client)
            # It may have left meanwhile.
            await self._command("kick", client.hearing.session, statuses=(0, 1, 3))
            kick.ended = time.time()

    async def _kick_account(self, fault):
        account = self._accounts[fault.pick % len(self._accounts)]
        kick = self._begin(self._oracle.kicks, fault, account,
                           lambda client: client.account == account)
        await self._command("kick", f"account:{account}", statuses=(0, 1, 3))
        kick.ended = time.time()

    # Listeners.

    async def _listener(self, fault):
        self._extra_count += 1
        name = f"extra-{self._extra_count}"
        (port,) = free_ports(1)
        removal = self._begin(self._oracle.removals, fault, name,
                              lambda client: client.listener == name)
        if not await self._command("listener", "add", "--address", f"127.0.0.1:{port}",
                                   "--name", name, "--framer", "length"):
            return
        self.extra_listeners[name] = port
        await asyncio.sleep(fault.seconds)
        del self.extra_listeners[name]
        await self._command("listener", "remove", name, "--wait",
                            *(["--close"] if fault.pick % 2 else []))
        removal.ended = time.time()

    # The rest.

    def _begin(self, interdicts, fault, name, matches):
        interdict = Interdict(name, time.time(), matches)
        interdicts.append(interdict)
        self._oracle.events.append((time.time(), f"{fault.kind} {name}, {fault.seconds:.1f} s"))
        self._oracle.counts[f"faults: {fault.kind}"] += 1
        return interdict

    def _someone(self, fault):
        """One of those that are there; None when there is nobody."""
        there = [c for c in self._oracle.clients.values() if c.connected_at and not c.ended_at]
        return random.Random(fault.pick).choice(there) if there else None

    async def _command(self, *arguments, statuses=(0,)):
        done = await asyncio.to_thread(commands.run, self._gateway.directory, *arguments)
        return self._expect(done.returncode in statuses,
                            f"gatehouse {arguments}: {done.returncode} {done.stderr}")

    async def _api(self, *request):
        return await asyncio.to_thread(self._gateway.api, *request)

    async def _until(self, condition, what, seconds=DEADLINE_SECONDS):
        end = time.monotonic() + seconds
        while not await condition():
            if time.monotonic() > end:
                self._expect(False, f"not within {seconds} s: {what}")
                return
            await asyncio.sleep(0.02)

    def _expect(self, is_so, text):
        if not is_so:
            self._oracle.broken(text)
        return is_so


def _encoded(query):
    ((name, value),) = query.items()
    return f"{name}={value.replace('/', '%2F')}"
