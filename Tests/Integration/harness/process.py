"""Child processes: started with their output in a file, stopped by their own pid."""

import os
import re
import signal
import subprocess

from harness.waiting import DEADLINE_SECONDS, until

FAULTS = {signal.SIGILL, signal.SIGTRAP, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE,
          signal.SIGSEGV, signal.SIGSYS}


class Process:
    def __init__(self, command, log, cwd=None, descriptors_max=None):
        self.log = log
        command = [str(part) for part in command]
        if descriptors_max is not None:
            # By a shell, not by code between fork and exec: threads are running here.
            command = ["sh", "-c", f'ulimit -n {descriptors_max}; exec "$@"', "sh", *command]
        with open(log, "wb") as output:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=cwd)
        self.pid = self._process.pid
        self._signalled = False

    def output(self):
        return self.log.read_text(errors="replace")

    def exited(self):
        return self._process.poll() is not None

    def crashed(self):
        """Ended without having been told to, or by a signal that only a fault of its own sends."""
        return self.exited() and (not self._signalled or -self._process.returncode in FAULTS)

    def wait(self, deadline=DEADLINE_SECONDS):
        """The exit status; negative for a signal."""
        return self._process.wait(deadline)

    def signal(self, number):
        self._signalled = True
        self._process.send_signal(number)

    def terminate(self):
        self.signal(signal.SIGTERM)

    def pause(self):
        """Returns once every thread has stopped."""
        self.signal(signal.SIGSTOP)
        until(lambda: self._state() == "T", "process stops")

    def resume(self):
        self.signal(signal.SIGCONT)

    def kill(self):
        if not self.exited():
            self.signal(signal.SIGKILL)
        self._process.wait()

    def resident_bytes(self):
        with open(f"/proc/{self.pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+) kB", status.read())[1]) << 10

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def _state(self):
        with open(f"/proc/{self.pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0]


class ExampleWorker(Process):
    """One of examples/: a real worker program that can be killed and paused."""

    def __init__(self, command, log, port=0):
        super().__init__([*command, "--port", port], log)
        try:
            self.port = int(until(self._serving, f"{command} serves")[1])
        except AssertionError:
            self.kill()
            raise
        self.endpoint = f"127.0.0.1:{self.port}"

    def _serving(self):
        assert not self.exited(), f"ended: {self.output()}"
        return re.search(r"serving on \S+:(\d+)\n", self.output())
