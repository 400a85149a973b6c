"""Sessions of clients that want a screen: they get one that nobody sees (Xvfb)."""

import os
import pathlib
import shutil
import subprocess
import time

from debian_games import AS_NOBODY, CHATS, NAMES, finish
from programs import Program, folder, free_port, quiet_for, until, wait_bound, wait_listening
from tap import Tap

DISPLAY = ":77"


def screen():
    program = Program("Xvfb", DISPLAY, "-screen", "0", "1024x768x24", "-nolisten", "tcp")
    until(lambda: os.path.exists(f"/tmp/.X11-unix/X{DISPLAY[1:]}"), "a screen")
    return program


def freeciv(out):
    """One player a game; turns go by whether it moves or not."""
    tap = None
    with folder() as place, screen():
        os.chmod(place, 0o777)
        for number, name in enumerate(NAMES[:3]):
            port = free_port()
            env = {"HOME": place, "DISPLAY": DISPLAY, "GDK_BACKEND": "x11"}
            with Program(*AS_NOBODY, "freeciv-server", "-p", port, "-e", cwd=place,
                         env=env) as server:
                wait_listening(port)
                tap = tap or Tap(("127.0.0.1", port), limit=230_000)
                tap.server = ("127.0.0.1", port)
                for line in ["set aifill 2", "set timeout 3", "set mapsize fulsize",
                             "set size 1", "set unitwaittime 0", "set pingtime 1",
                             f"set gameseed {number + 5}"]:
                    server.type(line + "\n")
                with Program(*AS_NOBODY, "freeciv-gtk3.22", "-a", "-n", name.split()[0], "-s",
                             "127.0.0.1", "-p", tap.port, "-P", "none", cwd=place, env=env):
                    # It is pinged every second, and never quiet.
                    quiet_for(tap, 3, 12)
                    for line in CHATS[number]:
                        server.type(f"/wall {line}\n")
                    server.type("start\n")
                    quiet_for(tap, 2, 6)
                    keys = ["b", "Return", "x", "Shift+Return", "f", "Right", "Shift+Return"]
                    for key in keys * (2 + number):
                        subprocess.run(["xdotool", "mousemove", "500", "300", "key", key],
                                       env={**os.environ, **env}, check=True)
                        time.sleep(0.4)
                    time.sleep(3)
                server.type("quit\n")
    finish(tap, out)


def netpanzer(out):
    """Bots fight on a dedicated server."""
    port = free_port()
    with folder() as place:
        os.chmod(place, 0o777)
        env = {"HOME": place, "SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy"}
        with Program(*AS_NOBODY, "netpanzer", "-d", "-p", port, "--master_server=none", cwd=place,
                     env=env):
            wait_bound(port)
            tap = Tap(("127.0.0.1", port))
            bots = []
            for number in range(3):
                home = pathlib.Path(place, f"bot{number}")
                home.mkdir(mode=0o777)
                home.chmod(0o777)
                bots.append(Program(*AS_NOBODY, "netpanzer", f"--bot=127.0.0.1:{tap.port}",
                                    cwd=home, env={**env, "HOME": str(home)}))
                time.sleep(2)
            time.sleep(20)
            for bot in bots:
                bot.end()
            finish(tap, out)


def crossfire(out):
    """Accounts are made, new characters begun; the numbers are places in the dialogs."""
    def act(*words):
        subprocess.run(["xdotool", *map(str, words)], check=True,
                       env={**os.environ, "DISPLAY": DISPLAY})
        time.sleep(0.7)

    def fill(texts, left, tops):
        for text, top in zip(texts, tops):
            act("mousemove", left, top, "click", 1)
            act("type", text)

    port = free_port()
    with folder() as place, screen():
        os.chmod(place, 0o777)
        shutil.copytree("/var/games/crossfire", f"{place}/var")
        subprocess.run(["chmod", "-R", "a+rwX", f"{place}/var"], check=True)
        with Program(*AS_NOBODY, "crossfire-server", "-p", port, "-local", f"{place}/var",
                     cwd=place):
            wait_bound(port)
            tap = Tap(("127.0.0.1", port), limit=60_000)
            for number, name in enumerate(["anna", "bertram", "cleopatra"]):
                with Program(*AS_NOBODY, "crossfire-client-gtk2", "-s", f"127.0.0.1:{tap.port}",
                             cwd=place, env={"HOME": place, "DISPLAY": DISPLAY}):
                    quiet_for(tap, 3)
                    for attempt in range(number):
                        # To log in without an account.
                        fill([name[attempt:], "?" * (3 + attempt)], 606, [54, 96])
                        act("mousemove", 606, 149, "click", 1)
                    act("mousemove", 606, 265, "click", 1)
                    password = "acorn" * (2 + number)
                    fill([name, password, password], 92, [104, 180, 256])
                    act("mousemove", 552, 343, "click", 1)
                    if number < 2:
                        act("mousemove", 244, 343, "click", 1)
                    quiet_for(tap, 2)
            finish(tap, out)
