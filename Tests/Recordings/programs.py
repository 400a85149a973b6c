"""Programs for recordings: started with a terminal or pipes, waited for, ended by their pid."""

import atexit
import os
import pathlib
import pty
import re
import signal
import socket
import subprocess
import tempfile
import termios
import threading
import time

DEADLINE_SECONDS = 60
PATH = os.environ["PATH"] + ":/usr/games:/usr/sbin"


def free_port(host="127.0.0.1"):
    with socket.create_server((host, 0)) as s:
        return s.getsockname()[1]


def until(condition, what, deadline=DEADLINE_SECONDS):
    end = time.monotonic() + deadline
    while not (value := condition()):
        assert time.monotonic() < end, f"not within {deadline} s: {what}"
        time.sleep(0.05)
    return value


def wait_listening(port, host="127.0.0.1"):
    def answers():
        try:
            socket.create_connection((host, port)).close()
            return True
        except OSError:
            return False
    until(answers, f"{host}:{port} listens")


def wait_bound(port):
    """Where a connection to see whether it listens would be taken for the one that counts."""
    def listed():
        rows = "".join(pathlib.Path(f"/proc/net/{table}").read_text() for table in ("tcp", "tcp6"))
        return re.search(rf":{port:04X} [0-9A-F]+:0000 0A ", rows)
    until(listed, f"port {port} is bound")


def quiet_for(tap, seconds=1.0, deadline=DEADLINE_SECONDS):
    """Waits until nothing was said on the tap for a while; good enough for making recordings."""
    def total():
        return sum(len(side) for recorded in tap.connections for side in recorded)
    end = time.monotonic() + deadline
    last, since = total(), time.monotonic()
    while time.monotonic() - since < seconds and time.monotonic() < end:
        time.sleep(0.05)
        if total() != last:
            last, since = total(), time.monotonic()


class Program:
    """A child with its output kept as text. `terminal` gives it a pseudo terminal of 60 x 100."""

    def __init__(self, *command, terminal=False, cwd=None, env=None):
        environment = {**os.environ, "PATH": PATH, "TERM": "vt100", "LINES": "60",
                       "COLUMNS": "100", "LC_ALL": "C.UTF-8",
                       "LOGNAME": "player", "USER": "player", **(env or {})}
        self._output = bytearray()
        command = [str(part) for part in command]
        if terminal:
            self._fd, child_fd = pty.openpty()
            termios.tcsetwinsize(child_fd, (60, 100))
            # The terminal has to be the session's own; setsid goes on as the program, same pid.
            self._process = subprocess.Popen(
                ["setsid", "--ctty", *command], stdin=child_fd, stdout=child_fd, stderr=child_fd,
                cwd=cwd, env=environment)
            os.close(child_fd)
            self._read_fd = self._fd
        else:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                cwd=cwd, env=environment, start_new_session=True)
            self._fd = self._process.stdin.fileno()
            self._read_fd = self._process.stdout.fileno()
        self.command = " ".join(command)
        atexit.register(self.end)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            while part := os.read(self._read_fd, 65536):
                self._output += part
        except OSError:
            pass

    def output(self):
        return bytes(self._output).decode(errors="replace")

    def wait_for(self, pattern, deadline=DEADLINE_SECONDS):
        try:
            return until(lambda: re.search(pattern, self.output()), f"{pattern!r}", deadline)
        except AssertionError:
            print(f"--- {self.command}\n{self.output()[-3000:]}")
            raise

    def type(self, text, pause=0.3):
        """Keys, or lines of a pipe; the pause is for programs that answer no single key."""
        os.write(self._fd, text.encode())
        time.sleep(pause)

    def wait(self, deadline=DEADLINE_SECONDS):
        return self._process.wait(deadline)

    def ended(self):
        return self._process.poll() is not None

    def end(self):
        """SIGTERM, and SIGKILL for what does not listen; its own group, and nothing else."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, number)
            except ProcessLookupError:
                pass
            try:
                self._process.wait(3)
                break
            except subprocess.TimeoutExpired:
                continue

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


def folder():
    """A temporary folder, as a context manager; its name as a path by `pathlib.Path`."""
    return tempfile.TemporaryDirectory(prefix="recording-")


def lines_of(path):
    return pathlib.Path(path).read_text(errors="replace").splitlines()
