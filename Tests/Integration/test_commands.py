"""Commands as processes of their own: on a terminal, in a pipe, beside a running gateway."""

import json
import os
import pty
import select
import signal
import subprocess
import termios
import time

import pytest

from harness.gateway import TOKEN, binary, configuration, toml
from harness.waiting import until


@pytest.fixture
def folder(tmp_path):
    """A folder with a configuration that has a store; no gateway runs."""
    config = configuration(workers=["127.0.0.1:45888"])
    config["listener"][0]["address"] = "127.0.0.1:7999"
    config["management"]["address"] = "127.0.0.1:1"
    config["store"] = {"path": "gatehouse.db"}
    (tmp_path / "gatehouse.toml").write_text(toml(config) + "\n")
    return tmp_path


def run(folder, *arguments, environment=None, stdout=subprocess.PIPE, **options):
    """The finished command, in `folder`, where it finds gatehouse.toml by itself."""
    own = {name: value for name, value in os.environ.items()
           if name not in ("GATEHOUSE_CONFIG", "SUDO_USER")}
    if "input" not in options:
        options["stdin"] = subprocess.DEVNULL
    return subprocess.run([binary(), *map(str, arguments)], cwd=folder,
                          env={**own, **(environment or {})}, text=True, stdout=stdout,
                          stderr=subprocess.PIPE, timeout=60, **options)


def succeed(folder, *arguments, **options):
    done = run(folder, *arguments, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Terminal:
    """A command with a terminal of its own, as a person has it."""

    def __init__(self, folder, *arguments):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execv(binary(), [str(binary()), *arguments])
        self.output = b""

    def wait_for(self, text):
        deadline = time.monotonic() + 30
        while text not in self.output:
            assert time.monotonic() < deadline, self.output
            if select.select([self.fd], [], [], 1)[0]:
                self.output += self._read()

    def _read(self):
        try:
            return os.read(self.fd, 4096)
        except OSError:  # How Linux tells that the other side has closed.
            return b""

    def echoes(self):
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def type(self, text):
        os.write(self.fd, text)

    def finish(self):
        """The exit status; negative for a signal."""
        while chunk := self._read():
            self.output += chunk
        status = os.waitpid(self.pid, 0)[1]
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


def test_a_password_is_not_shown(folder):
    """Asked twice without an echo; the terminal is as it was afterwards."""
    terminal = Terminal(folder, "account", "add", "anna")
    terminal.wait_for(b"New password for anna: ")
    assert not terminal.echoes()
    terminal.type(b"correct horse\n")
    terminal.wait_for(b"The same again: ")
    assert not terminal.echoes()
    terminal.type(b"correct horse\n")
    terminal.wait_for(b"added account anna")
    assert terminal.echoes()
    assert terminal.finish() == 0
    assert b"correct" not in terminal.output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_restores_the_terminal(folder, number):
    """Ended by a signal while it asks: the echo is on again, nothing was added."""
    terminal = Terminal(folder, "account", "add", "anna")
    terminal.wait_for(b"New password for anna: ")
    terminal.type(b"half a pass")
    os.kill(terminal.pid, number)
    until(terminal.echoes, "the terminal echoes again")
    assert terminal.finish() == -number
    assert run(folder, "account", "list").returncode == 3


def test_control_c_restores_the_terminal(folder):
    """The same for the key that people press."""
    terminal = Terminal(folder, "account", "add", "anna")
    terminal.wait_for(b"New password for anna: ")
    terminal.type(b"\x03")
    assert terminal.finish() == -signal.SIGINT


def test_without_a_terminal_no_prompt(folder):
    """In a script without --password-stdin: said, not waited for."""
    done = run(folder, "account", "add", "anna", start_new_session=True)
    assert done.returncode == 2
    assert "--password-stdin" in done.stderr


def test_secrets_stay_off_the_screen(folder):
    """A password on the command line is refused and not repeated."""
    for arguments in (["anna", "hunter2"], ["anna", "--password=hunter2"]):
        done = run(folder, "account", "add", *arguments)
        assert done.returncode == 2
        assert "hunter2" not in done.stdout + done.stderr
    succeed(folder, "account", "add", "anna", "--password-stdin", input="hunter2\n")
    assert "hunter2" not in succeed(folder, "store", "export")


@pytest.mark.parametrize("arguments", [["bans"], ["bans", "--json"], ["--help"], ["ban", "export"]])
def test_output_that_cannot_be_written(folder, arguments):
    """A full disk and a closed pipe: exit status 1 and a message, no crash."""
    succeed(folder, "ban", "192.0.2.7")
    with open("/dev/full", "w") as full:
        done = run(folder, *arguments, stdout=full)
    assert done.returncode == 1 and "No space left" in done.stderr
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = run(folder, *arguments, stdout=write_end)
    os.close(write_end)
    assert done.returncode == 1 and "Broken pipe" in done.stderr


def test_the_database_is_private(folder):
    """Made by a command as by the gateway: for its owner alone."""
    succeed(folder, "ban", "192.0.2.7")
    assert (folder / "gatehouse.db").stat().st_mode & 0o777 == 0o600


def test_which_configuration(folder, tmp_path_factory):
    """The option, then the variable, then the file in the current folder."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    assert run(elsewhere, "bans").returncode == 2
    succeed(folder, "ban", "192.0.2.7")
    found = succeed(elsewhere, "bans", "--json", "--config", folder / "gatehouse.toml")
    assert json.loads(found)[0]["subject"] == "192.0.2.7"
    found = succeed(elsewhere, "bans", "--json",
                    environment={"GATEHOUSE_CONFIG": str(folder / "gatehouse.toml")})
    assert json.loads(found)[0]["subject"] == "192.0.2.7"


def test_many_commands_at_once(folder):
    """Processes that write at the same time: each ban is there once."""
    succeed(folder, "ban", "192.0.2.255")
    commands = [subprocess.Popen([binary(), "ban", f"192.0.2.{n}"], cwd=folder,
                                 stdout=subprocess.DEVNULL) for n in range(12)]
    assert [command.wait(60) for command in commands] == [0] * 12
    assert len(json.loads(succeed(folder, "bans", "--json"))) == 13


def test_a_large_list(folder):
    """A hundred thousand networks are imported, listed and exported."""
    text = "".join(f"10.{n >> 8 & 255}.{n & 255}.{n >> 16 << 4}/28\n" for n in range(100_000))
    done = succeed(folder, "ban", "import", "-", input=text)
    assert done == "added 100000, already there 0 (format plain)\n"
    assert sorted(succeed(folder, "ban", "export").split()) == sorted(text.split())


def test_sessions_of_a_running_gateway(start_gateway, start_worker, connect):
    """Listed, by page and by address, and ended by UUID."""
    gateway = start_gateway(workers=[start_worker()])
    clients = [connect(gateway) for _ in range(3)]
    uuids = {gateway.uuid_of(client) for client in clients}
    rows = json.loads(succeed(gateway.directory, "sessions", "--json"))
    assert {row["uuid"] for row in rows} == uuids
    table = succeed(gateway.directory, "sessions", "--listener", "game").splitlines()
    assert len(table) == 4 and table[0].startswith("SESSION")
    assert run(gateway.directory, "sessions", "--listener", "other").returncode == 3
    uuid = gateway.uuid_of(clients[0])
    assert uuid in succeed(gateway.directory, "kick", uuid)
    gateway.wait_closed("closed-by-operator")
    assert run(gateway.directory, "kick", uuid).returncode == 3
    assert TOKEN not in table[0]


def test_no_gateway_runs(folder):
    """Said as what it is."""
    done = run(folder, "sessions")
    assert done.returncode == 1
    assert done.stderr == "gatehouse sessions: no gateway runs at 127.0.0.1:1\n"


def test_sessions_by_address(start_gateway, start_worker, connect):
    """Listed and ended by network; `why` counts them and names the command that ends them."""
    gateway = start_gateway(workers=[start_worker()], store={"path": "gatehouse.db"})
    clients = [connect(gateway) for _ in range(2)]
    uuids = {gateway.uuid_of(client) for client in clients}
    rows = json.loads(succeed(gateway.directory, "sessions", "--address", "127.0.0.0/8", "--json"))
    assert {row["uuid"] for row in rows} == uuids
    assert run(gateway.directory, "sessions", "--address", "192.0.2.0/24").returncode == 3
    succeed(gateway.directory, "ban", "192.0.2.7")
    explained = succeed(gateway.directory, "why", "127.0.0.1")
    assert "  open sessions: 2\n" in explained
    assert "      gatehouse kick 127.0.0.1\n" in explained
    assert run(gateway.directory, "kick", "192.0.2.0/24").returncode == 3
    assert succeed(gateway.directory, "kick", "127.0.0.1").startswith("ended 2 sessions")
    gateway.wait_closed("closed-by-operator", 2)


def test_another_token(start_gateway, start_worker):
    """A gateway that takes another token is told from one that does not run."""
    gateway = start_gateway(workers=[start_worker()])
    file = gateway.directory / "gatehouse.toml"
    file.write_text(file.read_text().replace(TOKEN, "another-token-of-20-chars"))
    done = run(gateway.directory, "sessions")
    assert done.returncode == 1 and "takes another token" in done.stderr
    assert "another-token-of" not in done.stderr
