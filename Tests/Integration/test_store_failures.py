"""The store fails while the gateway runs: who is in stays in, new logins wait for better times."""

import contextlib
import os
import resource
import shutil
import signal
import sqlite3
import stat

import pytest

from harness.client import frame
from harness.commands import run
from harness.gateway import binary, configuration, toml
from harness.logins import PASSWORD, STORE, start_game
from harness.tickets import Signer
from harness.waiting import until

SHOWN = {reason: reason + r"\n" for reason in ["store-unavailable", "banned", "login-refused"]}
GOOD = b"anna\ncorrect horse"


class Failing:
    """A game with a player inside, and a store that is about to fail.

    Logins are by tickets, as each has to be written down, or by passwords, which are read alone.
    """

    def __init__(self, start_gateway, start_worker, kind, **top):
        self.signer = Signer()
        auth = PASSWORD if kind == "password" else self.signer.auth()
        self.game = start_game(start_gateway, start_worker, auth, {"refusal": SHOWN}, **top)
        self.kind = kind
        self.path = self.game.folder / "gatehouse.db"
        if kind == "password":
            self.game.add_account("anna", "correct horse")
        self.game.command("ban", "127.0.0.9")
        self.game.wait_banned(address="127.0.0.9")
        self.inside = self.game.enters(self.claim())
        self.backup = self.game.folder / "backup.db"
        self.game.command("store", "backup", self.backup)

    def claim(self):
        return GOOD if self.kind == "password" else self.signer.ticket("anna")

    def sqlite(self, **options):
        return contextlib.closing(sqlite3.connect(self.path, isolation_level=None, **options))

    def wait_broken(self):
        """Until logins are refused; who is in stays in, who is banned stays out."""
        until(lambda: self.game.answer(self.claim()) == b"store-unavailable\n", "refused")
        self.inside.echo(b"still here")
        self.game.gateway.wait_log("store-unavailable", path=str(self.path))
        assert self.game.answer(self.claim(), "127.0.0.9") == b"banned\n"
        assert self.game.gateway.api("GET", "/livez", token=None)[0] == 200

    def wait_mended(self):
        """Until logins are good again, by themselves; bans are followed again, too."""
        until(lambda: self.game.is_let_in(self.claim()), "let in again")
        self.inside.echo(b"still here")
        if self.game.gateway.log("store-unavailable"):
            self.game.gateway.wait_log("store-recovered", path=str(self.path))
        self.game.command("ban", "127.0.0.7")
        self.game.wait_banned(address="127.0.0.7")
        self.game.command("store", "check")

    def remove(self):
        for suffix in ["", "-wal", "-shm"]:
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)

    def restore(self):
        """As docs/store.md tells, but for the gateway, which runs."""
        self.remove()
        copy = self.path.with_name("copy.db")
        shutil.copy2(self.backup, copy)
        copy.rename(self.path)


@pytest.fixture
def failing(start_gateway, start_worker):
    """failing(kind) -> Failing; `kind` is "ticket" or "password"."""
    return lambda kind, **top: Failing(start_gateway, start_worker, kind, **top)


def test_locked(failing):
    """Another program writes for minutes."""
    failing = failing("ticket")
    with failing.sqlite() as other:
        other.execute("BEGIN EXCLUSIVE")
        failing.wait_broken()
        done = run(failing.game.folder, "ban", "127.0.0.6")
        assert done.returncode == 1 and "locked" in done.stderr
        other.execute("ROLLBACK")
    failing.wait_mended()


def test_a_ticket_is_not_lost_to_a_lock(failing):
    """One that could not be checked is good later."""
    failing = failing("ticket")
    ticket = failing.signer.ticket("anna", lifetime=600)
    with failing.sqlite() as other:
        other.execute("BEGIN EXCLUSIVE")
        assert failing.game.answer(ticket) == b"store-unavailable\n"
        other.execute("ROLLBACK")
    until(lambda: failing.game.is_let_in(ticket), "let in")
    assert failing.game.answer(ticket) == b"login-refused\n"


def test_a_rule_bans_while_it_is_locked(failing):
    """At once; the ban is written down when it can be, and holds after a crash."""
    failing = failing("password", temporary_bans=True, temporary_ban=[
        {"name": "rule", "on": "failed-logins", "count": 2, "within": "10m", "duration": "1h"}])
    game = failing.game
    with failing.sqlite() as other:
        other.execute("BEGIN EXCLUSIVE")
        for _ in range(2):
            game.answer(b"anna\nguess", "127.0.0.5")
        until(lambda: game.answer(GOOD, "127.0.0.5") == b"banned\n", "banned")
        assert [row["subject"] for row in game.listed("bans")] == ["127.0.0.9"]
        other.execute("ROLLBACK")
    until(lambda: len(game.listed("bans")) == 2, "the ban is written down")
    assert game.answer(GOOD, "127.0.0.5") == b"banned\n"
    game.gateway.signal(signal.SIGKILL)
    game.gateway.process.wait()
    game.gateway.start_again()
    assert game.answer(GOOD, "127.0.0.5") == b"banned\n"


@pytest.mark.parametrize("kind", ["ticket", "password"])
def test_replaced_by_garbage(failing, kind):
    """By a file that is no database at all, then by a backup."""
    failing = failing(kind)
    failing.remove()
    garbage = failing.path.with_name("garbage")
    garbage.write_bytes(bytes(range(256)) * 100)
    garbage.rename(failing.path)
    failing.wait_broken()
    done = run(failing.game.folder, "bans")
    assert done.returncode == 1 and "is not an SQLite database" in done.stderr
    assert failing.path.read_bytes() == bytes(range(256)) * 100
    failing.restore()
    failing.wait_mended()


@pytest.mark.parametrize("kind", ["ticket", "password"])
def test_overwritten_with_garbage(failing, kind):
    """The very file that the gateway has open, of which SQLite may remember what it needs."""
    failing = failing(kind)
    with open(failing.path, "r+b") as file:
        file.write(b"\xaa" * os.fstat(file.fileno()).st_size)
    for _ in range(5):
        claim = failing.claim()
        assert failing.game.answer(claim) in (b"store-unavailable\n", frame(claim))
    failing.inside.echo(b"still here")
    failing.restore()
    failing.wait_mended()


@pytest.mark.parametrize("kind", ["ticket", "password"])
def test_removed(failing, kind):
    """It is not made anew, which would forget all bans; a backup in its place is taken."""
    failing = failing(kind)
    failing.remove()
    failing.wait_broken()
    assert not failing.path.exists()
    failing.restore()
    failing.wait_mended()


def test_a_newer_schema_while_running(failing):
    """A newer program migrates the store under the gateway's feet."""
    failing = failing("password")
    failing.restore()
    with failing.sqlite() as other:
        other.execute("PRAGMA user_version = 999")
    failing.wait_broken()
    failing.restore()
    failing.wait_mended()


# Rights and room. A script stands for the gateway and takes rights from it before it begins.

@pytest.fixture
def less_rights(tmp_path, monkeypatch):
    """The gateway may not write where its user may not, though it is root, and gets no SIGXFSZ."""
    drop = "setpriv --bounding-set=-dac_override,-dac_read_search --" if os.geteuid() == 0 else ""
    script = tmp_path / "gatehouse"
    script.write_text(f"#!/bin/sh\ntrap '' XFSZ\nexec {drop} '{binary()}' \"$@\"\n")
    script.chmod(0o755)
    monkeypatch.setenv("GATEHOUSE_BIN", str(script))


def test_read_only(failing, less_rights):
    """Neither the file nor its folder can be written."""
    failing = failing("ticket")
    folder = failing.path.parent
    failing.restore()
    failing.path.chmod(0o400)
    rights = stat.S_IMODE(folder.stat().st_mode)
    folder.chmod(0o555)
    try:
        failing.wait_broken()
        done = run(folder, "ban", "127.0.0.6")
        assert done.returncode == 1 and "can't be written" in done.stderr
    finally:
        folder.chmod(rights)
        failing.path.chmod(0o600)
    failing.wait_mended()


def test_no_room(failing, less_rights):
    """The write-ahead log can't grow: a limit on the size of files stands for a full disk."""
    failing = failing("ticket")
    gateway = failing.game.gateway
    log = failing.path.with_name(failing.path.name + "-wal")
    before = resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE)
    with failing.sqlite() as filler, failing.sqlite() as reader:
        filler.execute("PRAGMA wal_autocheckpoint = 0")
        filler.execute("CREATE TABLE filler (data)")
        # Larger than the gateway's own log becomes, which has the same limit.
        filler.execute("INSERT INTO filler VALUES (zeroblob(?))", [1 << 20])
        # A reader keeps the write-ahead log from beginning anew.
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM account").fetchone()
        resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE, (log.stat().st_size, before[1]))
        failing.wait_broken()
        resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE, before)
        reader.execute("ROLLBACK")
        filler.execute("DROP TABLE filler")
    failing.wait_mended()


# At the start.

def started(folder):
    """The `serve` that had to end by itself."""
    config = configuration(workers=["127.0.0.1:1"], store=STORE)
    config["listener"][0]["address"] = "127.0.0.1:2"
    config["management"]["address"] = "127.0.0.1:3"
    (folder / "gatehouse.toml").write_text(toml(config) + "\n")
    return run(folder, "serve", "--config", "gatehouse.toml")


def refuses_to_start(folder, message):
    before = (folder / "gatehouse.db").read_bytes()
    done = started(folder)
    assert done.returncode == 1
    assert message in done.stderr and "gatehouse.db" in done.stderr
    assert (folder / "gatehouse.db").read_bytes() == before


def test_a_newer_schema_at_the_start(tmp_path):
    """It may hold bans that this program can't see, so it does not run."""
    made = run(tmp_path, "ban", "192.0.2.7", "--store", "gatehouse.db")
    assert made.returncode == 0
    with contextlib.closing(sqlite3.connect(tmp_path / "gatehouse.db")) as store:
        store.execute("PRAGMA user_version = 999")
    refuses_to_start(tmp_path, "has schema version 999, this program knows versions up to")


def test_no_database_at_the_start(tmp_path):
    (tmp_path / "gatehouse.db").write_bytes(b"a letter to my aunt\n" * 100)
    refuses_to_start(tmp_path, "is not an SQLite database")


def test_a_database_of_another_program_at_the_start(tmp_path):
    with contextlib.closing(sqlite3.connect(tmp_path / "gatehouse.db")) as store:
        store.execute("CREATE TABLE letters (text)")
    refuses_to_start(tmp_path, "is a database of another program")
