"""Every kind of authentication, over real sockets: who comes in, who does not, and as whom."""

import hashlib
import json
import re
import signal
import subprocess
import sys

import pytest

from harness import EXAMPLES, ROOT
from harness.client import frame
from harness.commands import run
from harness.contract import close_reason
from harness.logins import PASSWORD, TOKEN, start_game
from harness.tickets import Signer
from harness.waiting import stays, until


@pytest.fixture
def game(start_gateway, start_worker):
    """game(auth, …) -> Game."""
    def start(auth=PASSWORD, **options):
        return start_game(start_gateway, start_worker, auth, **options)
    return start


def issue(game, *arguments):
    return game.command("token", "issue", *arguments).strip().encode()


# Tokens.

def test_a_token_lets_its_account_in(game):
    """Again and again, and as the account that it was made for; another secret does not."""
    game = game(TOKEN)
    game.add_account("Anna", "unused")
    token = issue(game, "anna")
    for _ in range(2):
        game.enters(token)
    game.refused(token[:-1] + b"!", "login-refused", "wrong-secret")
    assert game.accounts() == ["Anna", "Anna"]
    assert game.gateway.sessions()[0]["account"] == "Anna"


def test_a_token_for_once(game):
    game = game(TOKEN)
    game.add_account("anna", "unused")
    token = issue(game, "anna", "--once")
    game.enters(token)
    game.refused(token, "login-refused", "already-used")


def test_a_single_use_token_is_not_won_twice(game):
    """Ten clients with one token at the same time: one comes in."""
    game = game(TOKEN)
    game.add_account("anna", "unused")
    token = issue(game, "anna", "--once")
    clients = [game.client() for _ in range(10)]
    for client in clients:
        client.send_packet(token)
        client.end_sending()
    answers = [client.receive_until_closed() for client in clients]
    assert sorted(map(len, answers)) == [0] * 9 + [2 + len(token)]


def test_a_token_expires(game):
    game = game(TOKEN)
    game.add_account("anna", "unused")
    token = issue(game, "anna", "--for", "2s")
    until(lambda: not game.is_let_in(token), "the token has expired")
    game.refused(token, "login-refused", "expired")


def test_a_token_is_revoked(game):
    """By its number, and by its account; who is in stays in."""
    game = game(TOKEN)
    game.add_account("anna", "unused")
    tokens = [issue(game, "anna") for _ in range(3)]
    inside = game.enters(tokens[0])
    # Uses are written a little later than they are made.
    (number,) = until(
        lambda: [row["id"] for row in game.listed("token", "list") if row["uses"]], "a use is listed")
    game.command("token", "revoke", number)
    game.refused(tokens[0], "login-refused", "revoked")
    game.enters(tokens[1])
    game.command("token", "revoke", "--account", "anna")
    for token in tokens:
        game.refused(token, "login-refused", "revoked")
    inside.echo(b"still here")


def test_a_token_of_a_disabled_account(game):
    game = game(TOKEN)
    game.add_account("anna", "unused")
    token = issue(game, "anna")
    game.command("account", "disable", "anna")
    game.refused(token, "account-disabled")
    game.command("account", "enable", "anna")
    game.enters(token)
    game.command("account", "remove", "anna", "--yes")
    game.refused(token, "login-refused")


def test_a_secret_that_the_game_has_already(game):
    game = game(TOKEN)
    game.add_account("anna", "unused")
    game.command("token", "add", "anna", "--stdin", input="the key on the box\n")
    game.enters(b"the key on the box")
    assert game.accounts() == ["anna"]


# Passwords.

def test_a_password(game):
    """Made, changed and switched off while the gateway runs; the account's own spelling counts."""
    game = game()
    game.add_account("Anna", "correct horse")
    game.enters(b"aNNA\ncorrect horse")
    game.refused(b"anna\nwrong", "login-refused", "wrong-secret")
    game.refused(b"otto\ncorrect horse", "login-refused", "unknown-account")
    game.command("account", "passwd", "anna", "--password-stdin", input="battery staple\n")
    game.refused(b"anna\ncorrect horse", "login-refused", "wrong-secret")
    inside = game.enters(b"anna\nbattery staple")
    game.command("account", "disable", "anna", "--reason", "a break")
    game.refused(b"anna\nbattery staple", "account-disabled")
    inside.close()
    game.command("account", "enable", "anna")
    game.enters(b"anna\nbattery staple")
    assert game.accounts() == ["Anna"] * 3


def digest(name, *parts):
    return hashlib.new(name, "".join(parts).encode()).hexdigest()


LISTS = {
    "md5": (digest("md5", "horse"), None),
    "sha1": (digest("sha1", "horse"), None),
    "sha256": (digest("sha256", "horse"), None),
    "sha512": (digest("sha512", "horse"), None),
    "vbulletin": (digest("md5", digest("md5", "horse"), "x9,") + ":x9,", "vbulletin"),
    "mybb": (digest("md5", digest("md5", "salt"), digest("md5", "horse")) + ":salt", "mybb"),
    "smf": (digest("sha1", "anna", "horse"), "smf"),
    "mangos": (digest("sha1", "ANNA:HORSE"), "mangos"),
    "salt in front": (digest("sha1", "salt", "horse") + ":salt", "sha1:salt+password"),
    # Made once by crypt(3), from the same password.
    "bcrypt": ("$2b$06$abcdefghijklmnopqrstuujgIMHyCl4lPiEWVRXamnRDudsG9nCcC", None),
    "crypt with SHA-512": (
        "$6$rounds=2000$saltsalt$abLJUVxtp3b8LoAF95Z4pJPqYR3f2JSmNrHUGupdAwSRQEE.Q87P8icMMLdXmTOC"
        "XdB/86fZpDPGp3gs15FXr1", None),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_hashes(game, name):
    """The old password lets in; from then on there is nothing of the old hash any more."""
    game = game()
    line, form = LISTS[name]
    game.command("account", "import", "-", *(["--format", form] if form else []),
                 input=f"Anna:{line}\n")
    before = password_scheme(game)
    game.refused(b"anna\nhorses", "login-refused", "wrong-secret")
    assert password_scheme(game) == before
    assert line.partition(":")[0] not in game.command("store", "export")
    game.enters(b"anna\nhorse")
    until(lambda: password_scheme(game) != before, "the hash is made anew")
    assert password_scheme(game) == scheme_of_a_new_account(game)
    game.enters(b"anna\nhorse")
    game.refused(b"anna\nhorses", "login-refused", "wrong-secret")
    assert game.accounts() == ["Anna", "Anna"]


def password_scheme(game, name="Anna"):
    """As an export has it."""
    lines = map(json.loads, game.command("store", "export").splitlines())
    (account,) = [line for line in lines if line.get("name") == name]
    return account["password_scheme"]


def scheme_of_a_new_account(game):
    game.add_account("new", "pass")
    return password_scheme(game, "new")


def test_stronger_parameters(game):
    """When the configuration asks for more, the next login's hash has it."""
    game = game()
    game.add_account("anna", "horse")
    game.gateway.stop()
    game.gateway.config["store"]["password_passes"] = 2
    game.gateway.start_again()
    before = game.command("store", "export")
    game.enters(b"anna\nhorse")
    until(lambda: game.command("store", "export") != before, "the hash is made anew")
    game.enters(b"anna\nhorse")


# Tickets.

def test_a_ticket(game):
    """Nobody but the web site knows the account; the ticket is good for once."""
    signer = Signer()
    game = game(signer.auth())
    ticket = signer.ticket("Zoë")
    game.enters(ticket)
    game.refused(ticket, "login-refused", "already-used")
    game.enters(signer.ticket("Zoë"))
    assert game.accounts() == ["Zoë", "Zoë"]


def test_a_ticket_that_may_be_used_again(game):
    signer = Signer()
    game = game(signer.auth(single_use=False))
    ticket = signer.ticket("anna")
    game.enters(ticket)
    game.enters(ticket)


def test_the_documented_ticket():
    """What docs/tickets.md gives for checking a program that signs."""
    signer = Signer("k1", secret=bytes.fromhex(
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
    documented = (ROOT / "docs" / "tickets.md").read_text().split()[-1]
    assert signer.sign(documented.rpartition(".")[0]).decode() == documented


def bad_tickets(signer):
    good = signer.ticket("anna").decode()
    other = Signer(signer.name, signer.audience)
    return {
        "expired": signer.ticket("anna", issued=-400, lifetime=300),
        "not-yet-valid": signer.ticket("anna", issued=300),
        "wrong-audience": signer.ticket("anna", audience="elsewhere"),
        "bad-signature": other.ticket("anna"),
        "bad-signature of an unknown key": signer.ticket("anna", name="nobody"),
        "bad-signature over another text":
            good.replace("gh1.web.YW5uYQ", "gh1.web.b3R0bw").encode(),
        "malformed without a signature": good.rpartition(".")[0].encode(),
        "malformed with padding": signer.sign(good.rpartition(".")[0] + "=="),
        "malformed with a short nonce": signer.ticket("anna", nonce=b"123"),
        "malformed for years": signer.ticket("anna", lifetime=10 ** 8),
        "malformed in another version": signer.sign("gh2" + good.rpartition(".")[0][3:]),
        "malformed and long": good.encode() * 10,
        "malformed and empty": b"gh1.......",
    }


@pytest.mark.parametrize("name", bad_tickets(Signer()))
def test_a_bad_ticket(game, name):
    """Each is refused for its own reason, which the client is not told."""
    signer = Signer()
    game = game(signer.auth())
    game.refused(bad_tickets(signer)[name], "login-refused", name.split()[0])
    game.enters(signer.ticket("anna"))
    assert game.accounts() == ["anna"]


def test_a_ticket_of_a_disabled_account(game):
    """There need not be an account, but if there is one that is disabled, its ticket is no good."""
    signer = Signer()
    game = game(signer.auth())
    game.command("account", "add", "Anna", "--no-password")
    game.enters(signer.ticket("anna"))
    game.command("account", "disable", "anna")
    game.refused(signer.ticket("anna"), "account-disabled")
    game.enters(signer.ticket("otto"))


def test_a_ticket_for_another_account_than_is_named(game):
    """A packet that has a field for the account as well has to name the ticket's."""
    signer = Signer()
    game = game({**signer.auth(), "packet": [{"field": [
        {"name": "account", "kind": "line", "offset": 2}, {"name": "ticket", "kind": "rest"}]}]})
    game.refused(b"otto\n" + signer.ticket("anna"), "login-refused", "wrong-secret")
    game.enters(b"ANNA\n" + signer.ticket("anna"))


def test_keys_change_without_a_break(game):
    """Two keys at a time; one that was taken out is worth nothing."""
    old, new = Signer("2025"), Signer("2026")
    keys = [{"id": signer.name, "public_key": signer.public_key} for signer in [old, new]]
    game = game(old.auth(keys=keys))
    game.enters(old.ticket("anna"))
    game.enters(new.ticket("anna"))
    ticket = old.ticket("anna")
    game.gateway.stop()
    game.gateway.config["listener"][0]["auth"]["keys"] = keys[1:]
    game.gateway.start_again()
    game.refused(ticket, "login-refused", "bad-signature")
    game.enters(new.ticket("anna"))


def test_a_ticket_is_revoked(game):
    """All that the account has had so far, and nobody else's."""
    signer = Signer()
    game = game(signer.auth())
    tickets = {name: [signer.ticket(name, issued=-5) for _ in range(2)]
               for name in ["anna", "otto"]}
    game.enters(tickets["anna"][0])
    game.command("ticket", "revoke", "anna")
    game.refused(tickets["anna"][1], "login-refused", "revoked")
    game.enters(tickets["otto"][1])


def test_a_ticket_is_used_once_for_all_restarts(game):
    signer = Signer()
    game = game(signer.auth())
    ticket = signer.ticket("anna")
    game.enters(ticket).close()
    game.gateway.stop()
    game.gateway.start_again()
    game.refused(ticket, "login-refused", "already-used")


def test_a_ticket_is_used_once_for_all_crashes(game):
    signer = Signer()
    game = game(signer.auth())
    ticket = signer.ticket("anna")
    game.enters(ticket)
    game.gateway.signal(signal.SIGKILL)
    game.gateway.process.wait()
    game.gateway.start_again()
    game.refused(ticket, "login-refused", "already-used")


def test_a_ticket_of_the_command_and_of_the_example(game, tmp_path):
    """`ticket keygen` and `sign`, and the Python program of examples/tickets."""
    key = tmp_path / "secret.key"
    public = run(tmp_path, "ticket", "keygen", key)
    assert public.returncode == 0, public.stderr
    public_key = re.search("ghtp_[0-9a-f]{64}", public.stdout)[0]
    auth = Signer().auth(keys=[{"id": "web", "public_key": public_key}])
    game = game(auth)
    signed = game.command("ticket", "sign", "anna", "--key", key, "--id", "web",
                          "--audience", "play")
    game.enters(signed.strip().encode())
    program = [sys.executable, EXAMPLES / "tickets" / "sign_ticket.py", key, "web", "otto", "play"]
    game.enters(subprocess.run(program, capture_output=True, check=True).stdout.strip())
    assert game.accounts() == ["anna", "otto"]


# What a worker decides is in test_worker_auth.py.

# What becomes of the packets.

@pytest.mark.parametrize("forward", [True, False])
def test_what_arrives_behind_the_login(game, forward):
    """Sent in one go with the login: all of it gets to the worker once, in order."""
    game = game({**TOKEN, "forward_first_packet": forward})
    game.add_account("anna", "unused")
    token = issue(game, "anna")
    client = game.client()
    packets = [token, *(b"move %d" % number for number in range(200))]
    client.send(b"".join(map(frame, packets)))
    expected = packets if forward else packets[1:]
    assert [client.receive_packet() for _ in expected] == expected
    assert game.worker.packets() == [frame(packet) for packet in expected]
    (opened,) = game.worker.events("opened")
    assert (opened.opened.account, opened.opened.next_sequence) == ("anna", 1)


# A token somewhere behind other packets.
LATER = {**TOKEN, "packet": [{"match": {"bytes": b"token=".hex(), "offset": 2},
                              "field": [{"name": "token", "kind": "rest", "offset": 8}]}]}


def test_packets_before_the_login(game):
    """Held until it has come, then in their order."""
    game = game(LATER)
    game.add_account("anna", "unused")
    token = issue(game, "anna")
    client = game.client()
    client.send_packet(b"hello")
    stays(lambda: game.worker.packets() == [], 0.2, "the packet is held")
    client.send_packet(b"token=" + token)
    assert client.receive_packet() == b"hello"
    assert client.receive_packet() == b"token=" + token


def test_packets_before_the_login_are_forwarded(game):
    """To a worker that is told that nobody was let in yet, and then who was."""
    game = game({**LATER, "before": "forward"})
    game.add_account("anna", "unused")
    token = issue(game, "anna")
    client = game.client()
    client.echo(b"hello")
    (opened,) = game.worker.events("opened")
    assert (opened.opened.account, opened.opened.unauthenticated) == ("", True)
    client.echo(b"token=" + token)
    (authenticated,) = game.worker.wait_events("authenticated")
    assert authenticated.authenticated.account == "anna"


def test_forwarded_and_then_refused(game):
    """The worker that has seen the client is told that it has gone."""
    game = game({**LATER, "before": "forward"})
    client = game.client()
    client.echo(b"hello")
    client.send_packet(b"token=guess")
    assert client.receive_until_closed() == b""
    (closed,) = game.worker.wait_events("closed")
    assert closed.closed.reason == close_reason("login-refused")
    assert game.worker.packets() == [frame(b"hello")]


def test_packets_before_the_login_are_refused(game):
    game = game({**LATER, "before": "refuse"})
    game.refused(b"hello", "login-invalid")
    assert game.worker.packets() == []


def test_the_history(game):
    """Who came in and who did not, and why; by account and by address."""
    game = game()
    game.add_account("anna", "correct horse")
    game.enters(b"anna\ncorrect horse", "127.0.0.9")
    game.refused(b"anna\nguess", "login-refused")
    game.refused(b"otto\nguess", "login-refused")
    rows = until(lambda: len(found := game.listed("logins")) == 3 and found, "all are recorded")
    assert [(row["account"], row["outcome"], row["detail"]) for row in rows] == [
        ("otto", "login-refused", "unknown-account"), ("anna", "login-refused", "wrong-secret"),
        ("anna", "accepted", "")]
    assert len(game.listed("logins", "anna")) == 2
    assert len(game.listed("logins", "127.0.0.9")) == 1
