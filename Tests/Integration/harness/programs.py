"""Programs that were not written for these tests: game servers, and clients at a terminal."""

import os
import pty
import re
import shutil
import signal
import subprocess
import tempfile
import termios
import threading
from pathlib import Path

import pytest

from harness.gateway import free_ports
from harness.waiting import until

# Where Debian puts games.
PATH = os.environ["PATH"] + ":/usr/games:/usr/sbin"

# Before a program that will not run for root.
AS_NOBODY = (["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
             if os.geteuid() == 0 else [])


def need(*programs):
    """Skips the test where one is missing: not every release of every system has them all."""
    for program in programs:
        if not shutil.which(program, path=PATH):
            pytest.skip(f"{program} is not installed")


class Program:
    """A child with pipes, or at a terminal of its own; all it writes is kept."""

    def __init__(self, *command, terminal=False, cwd=None, env=None):
        self.command = [str(part) for part in command]
        environment = {**os.environ, "PATH": PATH, "TERM": "vt100", "LC_ALL": "C.UTF-8",
                       "LOGNAME": "player", "USER": "player", "PYTHONUNBUFFERED": "1",
                       **(env or {})}
        if terminal:
            self._fd, end = pty.openpty()
            termios.tcsetwinsize(end, (60, 100))
            # setsid makes the terminal the session's own and goes on as the program, same pid.
            self._process = subprocess.Popen(
                ["setsid", "--ctty", *self.command], stdin=end, stdout=end, stderr=end, cwd=cwd,
                env=environment)
            os.close(end)
            read = self._fd
        else:
            self._process = subprocess.Popen(
                self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, cwd=cwd, env=environment, start_new_session=True)
            self._fd, read = self._process.stdin.fileno(), self._process.stdout.fileno()
        self._output = bytearray()
        self._reader = threading.Thread(target=self._read, args=(read,), daemon=True)
        self._reader.start()

    def _read(self, fd):
        try:
            while part := os.read(fd, 65536):
                self._output += part
        except OSError:
            pass  # A terminal whose program has ended.

    def output(self):
        return bytes(self._output).decode(errors="replace")

    def wait_for(self, pattern):
        return until(lambda: re.search(pattern, self.output()),
                     f"{self.command[0]} writes {pattern!r}")

    def type(self, text):
        os.write(self._fd, text.encode())

    def ended(self):
        return self._process.poll() is not None

    def failed(self):
        return self._process.poll() not in (None, 0)

    def end(self):
        """The whole group, as some start helpers; each has a group of its own."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait()
        self._reader.join(5)


class Programs:
    """Those of one test; `end` ends them all."""

    def __init__(self):
        self.started = []
        # Those of nobody have to get there, which they do not below pytest's own folder.
        self._folder = tempfile.TemporaryDirectory(prefix="gatehouse-program-")
        os.chmod(self._folder.name, 0o755)

    def folder(self):
        """An empty folder that every program may write to; its HOME, where it wants one."""
        path = Path(tempfile.mkdtemp(dir=self._folder.name))
        path.chmod(0o777)
        return path

    def start(self, *command, **options):
        program = Program(*command, **options)
        self.started.append(program)
        return program

    def serve(self, make_command, **options):
        """A server on a free port: `make_command(port)` -> its command; the port."""
        for _ in range(5):
            (port,) = free_ports(1)
            program = self.start(*make_command(port), **options)
            # One that goes on in the background ends as well, with status 0.
            until(lambda: is_bound(port) or program.failed(), f"{program.command} on its port")
            if not program.failed():
                return program, port
        raise AssertionError(f"{program.command} ended:\n{program.output()}")

    def end(self, show=False):
        for program in self.started:
            program.end()
            if show:
                print(f"--- {program.command}\n{program.output()[-3000:]}")
        self._folder.cleanup()


def is_bound(port):
    """Without connecting: some servers take the first connection for the one that counts."""
    tables = "".join(Path(f"/proc/net/{table}").read_text() for table in ("tcp", "tcp6"))
    return re.search(rf":{port:04X} [0-9A-F]+:0000 0A ", tables)
