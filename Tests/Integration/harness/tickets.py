"""Tickets as docs/tickets.md describes them, signed by a library that the gateway does not use."""

import base64
import os
import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Signer:
    """A community's web site with a key of its own."""

    def __init__(self, name="web", audience="play", secret=None):
        self.name = name
        self.audience = audience
        self._key = (Ed25519PrivateKey.from_private_bytes(secret) if secret
                     else Ed25519PrivateKey.generate())

    @property
    def public_key(self):
        return "ghtp_" + self._key.public_key().public_bytes_raw().hex()

    def auth(self, **more):
        """The listener's authentication, with this key; the whole first packet is the ticket."""
        return {"kind": "ticket", "deadline": "60s", "audience": self.audience,
                "keys": [{"id": self.name, "public_key": self.public_key}],
                "packet": [{"field": [{"name": "ticket", "kind": "rest", "offset": 2}]}], **more}

    def ticket(self, account, issued=0, lifetime=300, nonce=None, **fields):
        """`issued` is in seconds from now; `name` and `audience` may differ from the signer's."""
        issued += int(time.time())
        text = ".".join([
            "gh1", fields.get("name", self.name), base64url(account.encode()),
            base64url(fields.get("audience", self.audience).encode()), str(issued),
            str(issued + lifetime), base64url(os.urandom(16) if nonce is None else nonce)])
        return self.sign(text)

    def sign(self, text):
        return f"{text}.{base64url(self._key.sign(text.encode()))}".encode()
