"""Signs a ticket: what a community's web site does for a player who has logged in there.

Usage: python3 sign_ticket.py SECRET_KEY_FILE KEY_NAME ACCOUNT AUDIENCE [LIFETIME_SECONDS]
"""
import base64, os, sys, time
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

def sign_ticket(secret: str, key: str, account: str, audience: str, lifetime: int = 300) -> str:
    private_key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret.removeprefix("ghts_")))
    now = int(time.time())
    text = ".".join(["gh1", key, base64url(account.encode()), base64url(audience.encode()),
                     str(now), str(now + lifetime), base64url(os.urandom(16))])
    return text + "." + base64url(private_key.sign(text.encode()))

if __name__ == "__main__":
    file, key, account, audience, *lifetime = sys.argv[1:]
    with open(file, encoding="ascii") as secret:
        print(sign_ticket(secret.read().strip(), key, account, audience, *map(int, lifetime)))
