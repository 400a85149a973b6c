"""How clients log in: the gateway's configuration for it, accounts, and the packets they send."""

import base64
import hashlib

from harness import commands
from harness.tickets import Signer

from soak.payload import frame

AUTH = {
    "token": {"kind": "token", "duplicate_login": "allow",
              "packet": [{"field": [{"name": "token", "kind": "rest", "offset": 1}]}]},
    "password": {"kind": "password", "duplicate_login": "replace", "packet": [{"field": [
        {"name": "account", "kind": "word", "number": 1},
        {"name": "password", "kind": "word", "number": 2}]}]},
}
STRANGERS = ("wrong", "unknown", "malformed", "again")


class Door:
    def __init__(self, plan):
        self._seed = plan.seed
        self._signer = Signer(secret=self._secret("signer", 32))
        self.accounts = [f"player-{number}" for number in range(plan.accounts)]
        self._used_tickets = []

    def auth(self, login):
        """The table of a listener; None when all are let in."""
        if login is None:
            return None
        auth = AUTH.get(login) or self._signer.auth(duplicate_login="reject")
        return {"deadline": "60s", **auth}

    def prepare(self, folder):
        for account in self.accounts:
            commands.add_account(folder, account, self._password(account))
            commands.succeed(folder, "token", "add", account, "--stdin",
                             input=self._token(account) + "\n")

    def login(self, plan):
        """The account, and the first packet of a client; both empty where none is needed."""
        if plan.login is None:
            return "", None
        account = self.accounts[plan.account]
        how = "right"
        if plan.behaviour == "stranger":
            how = STRANGERS[plan.connection % len(STRANGERS)]
        if how == "malformed":
            return account, frame(plan.framer, b"x")
        text = {"token": self._token_login, "password": self._password_login,
                "ticket": self._ticket_login}[plan.login](account, how, plan)
        return account, frame(plan.framer, text)

    def let_in(self, client):
        """Its ticket is used up from here on."""
        if client.plan.login == "ticket":
            self._used_tickets.append(client.login)

    def _token_login(self, account, how, plan):
        return self._token(account if how == "right" else f"nobody {plan.connection}").encode()

    def _password_login(self, account, how, plan):
        name = account if how != "unknown" else "nobody"
        secret = self._password(account if how == "right" else "somebody else")
        return f"{name} {secret}".encode()

    def _ticket_login(self, account, how, plan):
        if how == "again" and self._used_tickets:
            return self._used_tickets[plan.connection % len(self._used_tickets)][2:]
        fields = {}
        if how != "right":
            fields = {"audience": "another game"} if how == "wrong" else {"issued": -100000}
        nonce = self._secret(f"nonce {plan.connection}", 16)
        return self._signer.ticket(account, nonce=nonce, **fields)

    def _token(self, account):
        return "t" + base64.b32encode(self._secret(f"token {account}", 20)).decode()

    def _password(self, account):
        return "p" + self._secret(f"password {account}", 8).hex()

    def _secret(self, name, byte_count):
        return hashlib.shake_128(f"{self._seed}/{name}".encode()).digest(byte_count)
