"""What is to happen, from the seed alone: who comes when and does what, and which faults."""

import dataclasses
import ipaddress
import random

# Behaviours of clients, and how many of a hundred do so.
BEHAVIOURS = {
    "polite": 62,  # waits until all is answered, ends its direction, reads to the end
    "half-close": 6,  # ends its direction at once after its last packet
    "close": 5,  # closes in the middle
    "reset": 5,  # the same with RST
    "slow": 3,  # asks for much and reads nothing for a while
    "partial": 4,  # ends in the middle of a packet
    "garbage": 5,  # sends what no framer takes, after good packets
    "silent": 4,  # connects and leaves
    "stranger": 6,  # a login that does not hold
}
FAULTS = {
    "kill": 5, "stop": 4, "terminate": 4, "drain": 3, "remove": 2, "outage": 2, "ban-account": 3,
    "ban-address": 3, "ban-network": 2, "kick": 3, "kick-account": 2, "listener": 3,
}
LISTENERS = {
    # name: framer, how clients log in
    "open-length": ("length", None),
    "open-lines": ("lines", None),
    "open-varint": ("varint", None),
    "open-raw": ("raw", None),
    "token": ("varint", "token"),
    "password": ("lines", "password"),
    "ticket": ("length", "ticket"),
}
WORKERS = ("go", "python", "asyncio", "go")
# How long a usual client stays, for the rate of arrivals that keeps so many there.
_STAY_SECONDS = 5
# A client that comes again has a number so much higher.
AGAIN = 1 << 18
AGAIN_MAX = 3


@dataclasses.dataclass
class ClientPlan:
    connection: int
    listener: str
    behaviour: str
    account: int
    packets: int
    # Between two packets; 0 sends them together.
    pause: float
    # Whether packets follow the login without waiting for the worker's greeting.
    is_hasty: bool
    # Whether packets are sent in small pieces.
    is_torn: bool
    # Seconds of a slow client without a read.
    deaf: float
    comes_again: bool

    @property
    def address(self):
        """One of its own, so that nothing of two clients can be mistaken."""
        return address_of(self.connection)

    @property
    def framer(self):
        return LISTENERS[self.listener][0]

    @property
    def login(self):
        return LISTENERS[self.listener][1]


@dataclasses.dataclass
class FaultPlan:
    at: float
    kind: str
    # How long until it is made good again, and what else is needed to choose.
    seconds: float
    pick: int


def address_of(connection):
    return str(ipaddress.IPv4Address("127.1.0.0") + connection)


def connection_of(address):
    """None for an address that is no client's."""
    number = int(ipaddress.IPv4Address(address)) - int(ipaddress.IPv4Address("127.1.0.0"))
    return number if number >= 0 else None


class Plan:
    def __init__(self, seed, seconds, clients):
        self.seed = seed
        self.seconds = seconds
        self.clients = clients
        self.accounts = max(8, min(64, clients // 3))
        self.faults = self._faults(random.Random(f"{seed}/faults"))
        self.arrivals = self._arrivals(random.Random(f"{seed}/arrivals"), clients)

    def client(self, connection):
        """What the client of this number does; the same for the same seed."""
        # Who comes again is the same player.
        player = random.Random(f"{self.seed}/player/{connection % AGAIN}")
        draw = random.Random(f"{self.seed}/client/{connection}")
        listener = player.choice(list(LISTENERS))
        framer, login = LISTENERS[listener]
        behaviours = dict(BEHAVIOURS)
        if login is None:
            del behaviours["stranger"]
        if framer == "raw":
            # To it nothing is garbage or half.
            del behaviours["garbage"], behaviours["partial"]
        behaviour, = draw.choices(list(behaviours), list(behaviours.values()))
        packets = draw.choice([1, 3, 10, 30, 60])
        pause = draw.choice([0, 0.01, 0.05, 0.1])
        if behaviour == "slow":
            packets, pause = 150, 0
        return ClientPlan(
            connection, listener, behaviour, player.randrange(self.accounts), packets, pause,
            is_hasty=draw.random() < 0.5, is_torn=draw.random() < 0.1,
            deaf=draw.uniform(0.5, 5),
            comes_again=draw.random() < 0.3 and connection < AGAIN * AGAIN_MAX)

    def _faults(self, draw):
        """All kinds in turn, in an order of this seed's; the last two seconds are for mending."""
        faults, deck, at = [], [], 0.5
        while at < self.seconds - 2:
            if not deck:
                deck = [kind for kind, count in FAULTS.items() for _ in range(count)]
                draw.shuffle(deck)
                if not faults:
                    # Each kind once first, for short runs.
                    deck += draw.sample(list(FAULTS), len(FAULTS))
            faults.append(FaultPlan(at, deck.pop(), draw.uniform(0.2, 4), draw.getrandbits(32)))
            at += draw.expovariate(1 / 0.7)
        return faults

    def _arrivals(self, draw, clients):
        """Times, in order: the n-th is when the client of number n comes."""
        times, at = [], 0.0
        while at < self.seconds:
            times.append(at)
            at += draw.expovariate(clients / _STAY_SECONDS)
        for fault in self.faults:
            if fault.kind == "outage":
                # Those that wait for the game to come back.
                times += [fault.at + fault.seconds] * (clients // 2)
        return sorted(times)
