"""`gatehouse` commands as an operator runs them: processes of their own, in a gateway's folder."""

import json
import os
import subprocess

from harness.gateway import binary


def run(folder, *arguments, **options):
    """The finished command, in `folder`, where it finds gatehouse.toml by itself."""
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("GATEHOUSE_CONFIG", "SUDO_USER")}
    if "input" not in options:
        options["stdin"] = subprocess.DEVNULL
    return subprocess.run([binary(), *map(str, arguments)], cwd=folder, env=environment, text=True,
                          capture_output=True, timeout=100, **options)


def succeed(folder, *arguments, **options):
    """What it printed."""
    done = run(folder, *arguments, **options)
    assert done.returncode == 0, (arguments, done.returncode, done.stderr)
    return done.stdout


def listed(folder, *arguments):
    """The rows of a command with --json; none when it says that nothing matched."""
    done = run(folder, *arguments, "--json")
    assert done.returncode in (0, 3), (arguments, done.returncode, done.stderr)
    return json.loads(done.stdout or "[]")


def add_account(folder, name, password):
    succeed(folder, "account", "add", name, "--password-stdin", input=password + "\n")
