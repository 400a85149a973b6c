"""A game behind a gateway that asks who comes: its configuration, and clients that log in."""

import urllib.parse

from harness import commands
from harness.client import Client
from harness.contract import pb
from harness.waiting import until
from harness.workers import echo

# The first packet is the whole claim: a line with the name, then the secret.
PACKET = {"field": [{"name": "account", "kind": "line", "offset": 2},
                    {"name": "password", "kind": "rest"}]}
PASSWORD = {"kind": "password", "deadline": "60s", "packet": [PACKET]}
TOKEN = {"kind": "token", "deadline": "60s",
         "packet": [{"field": [{"name": "token", "kind": "rest", "offset": 2}]}]}

# As cheap as Argon2id gets, so that no test waits for it.
STORE = {"path": "gatehouse.db", "password_memory": "64KiB", "password_passes": 1}


class Game:
    """A gateway and the echoing worker behind it, which is told of sessions."""

    def __init__(self, gateway, worker):
        self.gateway = gateway
        self.worker = worker
        self.folder = gateway.directory
        # Kept, as a client that nobody holds is closed.
        self._clients = []

    def command(self, *arguments, **options):
        """A command that must succeed; what it printed."""
        return commands.succeed(self.folder, *arguments, **options)

    def run(self, *arguments, **options):
        """A command that may fail."""
        return commands.run(self.folder, *arguments, **options)

    def listed(self, *arguments):
        return commands.listed(self.folder, *arguments)

    def add_account(self, name, password):
        commands.add_account(self.folder, name, password)

    def client(self, source="127.0.0.1", listener=0):
        self._clients.append(Client(self.gateway.ports[listener], source=source))
        return self._clients[-1]

    def enters(self, claim, source="127.0.0.1"):
        """The client of a login that must succeed; its first packet has come back."""
        client = self.client(source)
        client.echo(claim)
        return client

    def answer(self, claim, source="127.0.0.1", listener=0):
        """All that the gateway and the game say to a login, once the client has ended its side."""
        try:
            # Who is banned may be reset as early as in connect.
            client = Client(self.gateway.ports[listener], source=source)
        except ConnectionResetError:
            return b""
        with client.socket:
            try:
                client.send_packet(claim)
                client.end_sending()
            except OSError:
                pass
            return client.receive_until_closed()

    def is_let_in(self, claim, source="127.0.0.1"):
        return self.answer(claim, source).endswith(claim)

    def refused(self, claim, reason, detail=None, source="127.0.0.1"):
        """A login that must fail, for this reason."""
        with self.client(source).socket as socket:
            client = "%s:%d" % socket.getsockname()
            socket.sendall(len(claim).to_bytes(2, "big") + claim)
            _drain(socket)
        fields = {"client": client, "reason": reason, **({"detail": detail} if detail else {})}
        self.gateway.wait_log("session-refused", **fields)

    def wait_refused(self, reason, count=1):
        until(lambda: len(self.gateway.log("session-refused", reason=reason)) >= count,
              f"{count} refused as {reason}")

    def why(self, **subject):
        """What the running gateway says of an `account` or an `address`."""
        status, body = self.gateway.api("GET", "/why?" + urllib.parse.urlencode(subject))
        assert status == 200, body
        return body

    def wait_banned(self, **subject):
        """Until the running gateway knows of a ban on it."""
        until(lambda: self.why(**subject)["bans"], f"{subject} is banned")

    def wait_not_banned(self, **subject):
        until(lambda: not self.why(**subject)["bans"], f"{subject} is banned no more")

    def accounts(self):
        """Accounts of all sessions that the worker was told of, in order."""
        return [request.opened.account for request in self.worker.events("opened")]


def start_game(start_gateway, start_worker, auth=PASSWORD, listener=None, on_packet=echo,
               authenticate=None, **top):
    """A Game of one listener. No rule bans anybody unless the test says so."""
    worker = start_worker(on_packet, [pb.SESSION_EVENTS], authenticate=authenticate)
    auth = {"auth": auth} if auth else {}
    gateway = start_gateway(workers=[worker], listener={**auth, **(listener or {})}, **{
        "store": STORE, "logins": {"refusal_delay": "20ms"}, "temporary_bans": False, **top})
    return Game(gateway, worker)


def _drain(socket):
    try:
        while socket.recv(65536):
            pass
    except ConnectionResetError:
        pass
