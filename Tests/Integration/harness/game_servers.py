"""Unmodified game servers on free ports; `programs` are those of a test (harness/programs.py)."""

import re
import subprocess
import sys

from harness.programs import AS_NOBODY

def irc_server(programs):
    """The irc library's server; its port."""
    return programs.serve(lambda port: [sys.executable, "-m", "irc.server", "-p", port])[1]


def tinymux(programs):
    """A fresh world; its port."""
    folder = programs.folder()
    subprocess.run(["/usr/games/tinymux-install"], cwd=folder, check=True, capture_output=True,
                   stdin=subprocess.DEVNULL)
    place = folder / "tinymux/game"
    conf = (place / "netmux.conf").read_text()

    def command(port):
        (place / "netmux.conf").write_text(re.sub(r"(?m)^port\b.*", f"port {port}", conf))
        if AS_NOBODY:
            subprocess.run(["chown", "-R", "65534:65534", place], check=True)
        return [*AS_NOBODY, "bin/netmux", "-c", "netmux.conf", "-p", "netmux.pid"]
    return programs.serve(command, cwd=place, env={"LD_LIBRARY_PATH": "./bin"})[1]
