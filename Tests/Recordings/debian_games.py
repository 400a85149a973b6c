"""Sessions of programs that Debian has packages of. Each function makes one folder's recordings."""

import os
import pathlib
import random
import re
import signal
import subprocess
import time

from gtp_referee import referee
from programs import Program, folder, free_port, quiet_for, until, wait_bound, wait_listening
from tap import Tap

NAMES = ["Anna", "Bertram the Old", "Cleo", "dmitri_77"]
CHATS = [
    ["hello", "anybody from the north here?", "no? pity."],
    ["Good evening to all of you, it has been a long while since I was here last.", "bye"],
    ["gg", "one more round", "what about the map with the two rivers and the long wall",
     "I said: two rivers!", "fine"],
    ["?", "ok"],
]

# Programs that will not run for root.
AS_NOBODY = (["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
             if os.geteuid() == 0 else [])


def finish(tap, out):
    quiet_for(tap)
    tap.close()
    tap.save(out)


def bzflag(out):
    """A world without tanks; visitors who talk and ask."""
    port = free_port()
    with Program("bzfs", "-p", port, "-i", "127.0.0.1", "-density", 2, "-worldsize", 120,
                 "-ms", 1, "-noMasterBanlist", "-passwd", "letmein"):
        wait_listening(port)
        tap = Tap(("127.0.0.1", port))
        asks = [["/lagstats", "/uptime"], ["/password letmein", "/playerlist", "/set"],
                ["/flaghistory", "/help"], ["/countdown"]]
        for name, chat, ask in zip(NAMES, CHATS, asks):
            with Program("bzadmin", "-ui", "stdboth", f"{name}@127.0.0.1:{tap.port}") as client:
                quiet_for(tap)
                for line in [*chat, *ask]:
                    client.type(line + "\n")
                quiet_for(tap)
                client.type("/quit\n")
                client.wait()
        finish(tap, out)


def dopewars(out):
    """The game's computer players, two at a time."""
    port = free_port()
    with folder() as place, Program(
            "dopewars", "-S", "-p", port, "-f", f"{place}/scores", "-l", f"{place}/log", cwd=place,
            env={"HOME": place}):
        wait_listening(port)
        tap = Tap(("127.0.0.1", port))
        for pair in [NAMES[:2], NAMES[2:]]:
            before = len(tap.connections)
            players = [Program("dopewars", "-c", "-o", "127.0.0.1", "-p", tap.port, "-P", name,
                               cwd=place, env={"HOME": place}) for name in pair]
            until(lambda: len(tap.connections) == before + 2 and all(
                len(kept[1]) > 4000 for kept in tap.connections[before:]), "a game", 90)
            for player in players:
                player.end()
        finish(tap, out)


def gtp(out):
    """The Go Text Protocol over TCP: gnugo answers what a referee asks."""
    tap = None
    for seed, size, moves in [(3, 5, 12), (14, 9, 20), (15, 7, 30)]:
        port = free_port()
        with Program("gnugo", "--mode", "gtp", "--gtp-listen", f"127.0.0.1:{port}",
                     "--seed", seed, "--level", 1) as server:
            wait_bound(port)
            tap = tap or Tap(("127.0.0.1", port))
            tap.server = ("127.0.0.1", port)
            referee(tap.port, size, moves)
            server.wait(10)
    finish(tap, out)


def mud(out):
    """tintin++ in a fresh TinyMUX, with all that it negotiates by telnet."""
    port = free_port()
    with folder() as place:
        os.chmod(place, 0o777)
        subprocess.run(["/usr/games/tinymux-install"], cwd=place, check=True,
                       stdin=subprocess.DEVNULL, capture_output=True)
        game = pathlib.Path(place, "tinymux/game")
        conf = game / "netmux.conf"
        conf.write_text(re.sub(r"(?m)^port\b.*", f"port {port}", conf.read_text()))
        if AS_NOBODY:
            subprocess.run(["chown", "-R", "65534:65534", game], check=True)
        with Program(*AS_NOBODY, "bin/netmux", "-c", "netmux.conf", "-p", "netmux.pid", cwd=game,
                     env={"LD_LIBRARY_PATH": "./bin", "HOME": place}):
            wait_listening(port)
            tap = Tap(("127.0.0.1", port), limit=12_000)
            asks = [["look", "@desc here=A hall of stone.", "look"], ["help", "WHO"],
                    ["inventory", "news", "examine me"], ["say hi", ":waves.", "score"]]
            for name, chat, ask in zip(NAMES, CHATS, asks):
                with Program("tt++", terminal=True, env={"HOME": place}) as client:
                    client.type(f"#session game 127.0.0.1 {tap.port}\r")
                    quiet_for(tap)
                    word = name.split()[0]
                    client.type(f"create {word} pass-{word}\r", 1)
                    for line in [*(f"say {line}" for line in chat), *ask]:
                        client.type(line + "\r")
                    quiet_for(tap)
                    client.type("QUIT\r", 1)
            finish(tap, out)


def netris(out):
    """Two players who press keys at random; who waits is the server."""
    tap = None
    for seed in (11, 22, 33):
        port = free_port()
        rng = random.Random(seed)
        options = ["-s", seed, "-i", "0.2", "-S"]
        with Program("netris", "-w", "-p", port, *options, terminal=True) as server:
            wait_bound(port)
            tap = tap or Tap(("127.0.0.1", port))
            tap.server = ("127.0.0.1", port)
            before = len(tap.connections)
            with Program("netris", "-c", "127.0.0.1", "-p", tap.port, *options,
                         terminal=True) as client:
                until(lambda: len(tap.connections) > before, "the second player")
                end = time.monotonic() + 15
                while time.monotonic() < end and not server.ended():
                    rng.choice([server, client]).type(rng.choice("jjkll "), 0.03)
    finish(tap, out)


def irc(out):
    """Python's irc library talks to ngircd."""
    import irc.client as irc_client
    port = free_port()
    with folder() as place:
        conf = pathlib.Path(place, "ngircd.conf")
        conf.write_text(
            f"[Global]\nName = irc.example.org\nListen = 127.0.0.1\nPorts = {port}\n"
            "AdminInfo1 = A game's chat\nMotdPhrase = Be kind to one another\n"
            "[Options]\nPAM = no\nIdent = no\nDNS = no\n")
        with Program("ngircd", "-n", "-f", conf):
            wait_listening(port)
            tap = Tap(("127.0.0.1", port))
            for number, chat in enumerate(CHATS):
                seen = set()
                reactor = irc_client.Reactor()
                for event in ("endofmotd", "nomotd", "endofnames", "disconnect"):
                    reactor.add_global_handler(event, lambda c, e: seen.add(e.type))

                def wait(*events):
                    def happened():
                        reactor.process_once(0.05)
                        return seen & set(events)
                    until(happened, events)
                nick = NAMES[number].split()[0]
                client = reactor.server().connect(
                    "127.0.0.1", tap.port, nick, username=nick.lower(), ircname=NAMES[number])
                wait("endofmotd", "nomotd")
                client.join("#arena")
                wait("endofnames")
                for line in chat:
                    client.privmsg("#arena", line)
                    client.privmsg(nick, line.upper())
                client.topic("#arena", f"the topic of {NAMES[number]}")
                client.whois([nick])
                client.list()
                for _ in range(20):
                    reactor.process_once(0.05)
                client.quit("that was all")
                wait("disconnect")
            finish(tap, out)


def openttd_server(place, **settings):
    port, admin = free_port(), free_port()
    conf = pathlib.Path(place, "openttd.cfg")
    values = "\n".join(f"{key} = {value}" for key, value in settings.items())
    conf.write_text(
        "[network]\nserver_name = A small railway\nserver_game_type = local\n"
        f"server_port = {port}\nserver_admin_port = {admin}\nmax_companies = 4\n{values}\n"
        "admin_password = signal box\n"
        "[game_creation]\nmap_x = 6\nmap_y = 6\nstarting_year = 1950\n"
        "[gui]\nautosave = off\n")
    program = Program("openttd", "-D", f"127.0.0.1:{port}", "-c", conf, "-G", 5, "-Q",
                      cwd=place, env={"HOME": place})
    return program, port, admin


def openttd_game(out):
    """Clients without a screen join, fetch the map and watch the trains that do not come."""
    with folder() as place:
        server, port, _ = openttd_server(place)
        with server:
            wait_listening(port)
            tap = Tap(("127.0.0.1", port), limit=40_000)
            for number, name in enumerate(NAMES):
                home = pathlib.Path(place, f"client{number}")
                home.mkdir()
                (home / "openttd.cfg").write_text(f"[network]\nclient_name = {name}\n")
                with Program("openttd", "-n", f"127.0.0.1:{tap.port}", "-v",
                             "null:ticks=100000000", "-s", "null", "-m", "null", "-b", "null",
                             "-c", home / "openttd.cfg", "-Q", cwd=home, env={"HOME": str(home)}):
                    server.wait_for(f"joined as {name}")
                    for line in CHATS[number]:
                        server.type(f'say "{line}, {name}"\n', 1)
                    # What clients send while they watch is little.
                    time.sleep(10)
            finish(tap, out)


def openttd_admin(out):
    """pyOpenTTDAdmin 1.1.0 on the admin port, with its password."""
    import pyopenttdadmin as admin_port
    from pyopenttdadmin import enums
    with folder() as place:
        server, port, admin = openttd_server(place)
        with server:
            wait_listening(admin)
            tap = Tap(("127.0.0.1", admin))
            for number, name in enumerate(NAMES):
                with admin_port.Admin("127.0.0.1", tap.port) as client:
                    client.login(name, "signal box", version="1.0")
                    client.subscribe(enums.AdminUpdateType.CHAT)
                    client.subscribe(enums.AdminUpdateType.CONSOLE)
                    client.subscribe(enums.AdminUpdateType.DATE,
                                     enums.AdminUpdateFrequency.DAILY)
                    for line in CHATS[number]:
                        client.send_global(line)
                        client.send_rcon(f"echo {line[:20]}")
                    client.send_rcon(["list_settings", "companies", "help", "clients"][number])
                    quiet_for(tap, 1.0, 4)
                    client.recv()
            finish(tap, out)


def pioneers(out):
    """Computer players make whole games among themselves."""
    tap = None
    for game, names in enumerate([NAMES[:2], NAMES[2:]]):
        port = free_port()
        with Program("pioneers-server-console", "-p", port, "-P", 2, "-v", 4 + game) as server:
            wait_listening(port)
            tap = tap or Tap(("127.0.0.1", port))
            tap.server = ("127.0.0.1", port)
            before = len(tap.connections)
            players = [Program("pioneersai", "-s", "127.0.0.1", "-p", tap.port, "-n",
                               name.replace(" ", "_"), "-t", 1) for name in names]
            until(lambda: len(tap.connections) == before + 2 and all(
                len(kept[1]) > 3000 for kept in tap.connections[before:]), "a game", 40)
            quiet_for(tap, 2)
            for player in players:
                player.end()
            server.end()
    finish(tap, out)


def teg(out):
    """tegserver and its robots, who conquer the world between them."""
    port = free_port()
    with folder() as place:
        os.chmod(place, 0o777)
        with Program(*AS_NOBODY, "tegserver", "-p", port, env={"HOME": place}, cwd=place,
                     terminal=True) as server:
            wait_listening(port)
            tap = Tap(("127.0.0.1", port), limit=12_000)
            robots = [Program(*AS_NOBODY, "tegrobot", "-s", "127.0.0.1", "-p", tap.port,
                              "-n", name.split()[0], env={"HOME": place}, cwd=place)
                      for name in NAMES[:3]]
            until(lambda: len(tap.connections) == 3, "all robots")
            quiet_for(tap)
            server.type("start\n")
            until(lambda: len(tap.connections) == 3 and all(
                len(kept[1]) > 4000 for kept in tap.connections), "a war", 60)
            for robot in robots:
                robot.end()
            finish(tap, out)


def tetrinet(out):
    """Two players at a time, who press keys at random."""
    # Server and clients know one port only, so the server gets a network of its own: README.md.
    with Program("ip", "netns", "exec", "recording", "tetrinetx"):
        wait_listening(31457, "10.99.77.2")
        tap = Tap(("10.99.77.2", 31457), ("127.0.0.2", 31457))
        for pair in [NAMES[:2], NAMES[2:]]:
            rng = random.Random(pair[0])
            players = [Program("tetrinet-client", name.split()[0], "127.0.0.2", terminal=True)
                       for name in pair]
            quiet_for(tap)
            for player, chat in zip(players, CHATS):
                # The second function key shows the talk.
                player.type("\x1bOQ")
                for line in chat:
                    player.type(line + "\r")
            players[0].type("/start\r", 1)
            for player in players:
                # The first function key shows the field.
                player.type("\x1bOP")
            for _ in range(150):
                rng.choice(players).type(rng.choice([" ", "\x1b[D", "\x1b[C", "\x1b[A"]), 0.05)
            for player in players:
                player.end()
        finish(tap, out)
        # It has left the process that was started.
        os.kill(int(pathlib.Path("/var/run/tetrinetx/game.pid").read_text()), signal.SIGTERM)
