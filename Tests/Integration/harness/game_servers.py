"""Unmodified game servers on free ports; `programs` are those of a test (harness/programs.py)."""

import re
import subprocess
import sys

from harness.gateway import free_ports
from harness.programs import AS_NOBODY

IRCD = """
[Global]
Name = irc.example.org
Listen = 127.0.0.1
Ports = {port}
AdminInfo1 = A game's chat
MotdPhrase = Be kind to one another
Password = open-sesame
[Options]
PAM = no
Ident = no
DNS = no
"""


def irc_server(programs, program):
    """ngircd, which asks for a password, or the irc library's server; its port."""
    def command(port):
        if program == "irc.server":
            return [sys.executable, "-m", program, "-p", port]
        conf = programs.folder() / "ngircd.conf"
        conf.write_text(IRCD.format(port=port))
        return [program, "-n", "-f", conf]
    return programs.serve(command)[1]


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


OPENTTD = """
[network]
server_name = A small railway
server_game_type = local
server_port = {port}
server_admin_port = {admin}
admin_password = signal box
[game_creation]
map_x = 6
map_y = 6
[gui]
autosave = off
"""


def openttd(programs):
    """A dedicated server; its ports for the game and for administration."""
    folder = programs.folder()
    admin = []

    def command(port):
        admin[:] = free_ports(1)
        (folder / "openttd.cfg").write_text(OPENTTD.format(port=port, admin=admin[0]))
        return ["openttd", "-D", f"127.0.0.1:{port}", "-c", folder / "openttd.cfg", "-G", 5, "-Q"]
    server, port = programs.serve(command, cwd=folder, env={"HOME": str(folder)})
    return server, port, admin[0]
