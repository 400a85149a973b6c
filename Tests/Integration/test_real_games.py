"""Clients that nobody wrote for a gateway: login packets of real games, and real client libraries.

The layouts are those of the games' own documentation and sources; the descriptions of the listeners
are written as a community would write them.
"""

import itertools
import json
import re
import struct
import tomllib

import irc.client
import mcstatus
import mctools
import pytest

from harness import ROOT
from harness.contract import answer, pb
from harness.logins import start_game
from harness.tickets import Signer
from harness.waiting import until


@pytest.fixture
def game(start_gateway, start_worker):
    """game(auth, framer, …) -> Game; the framer belongs to the listener."""
    def start(auth, framer, refusal=None, **options):
        listener = {"framer": framer, **({"refusal": refusal} if refusal else {})}
        return start_game(start_gateway, start_worker, auth, listener, **options)
    return start


LINES = {"kind": "delimiter", "delimiter": ["\r\n", "\n"]}
PACKET_LENGTH = {"kind": "length-prefix", "width": 2, "endian": "little", "counts": "packet"}


def documented(port):
    """The listener on this port in docs/authentication.md, as it stands there."""
    blocks = re.findall("```toml\n(.*?)```", (ROOT / "docs/authentication.md").read_text(), re.S)
    listeners = [tomllib.loads(block)["listener"][0] for block in blocks if "[[listener]]" in block]
    return next(listener for listener in listeners
                if listener["address"] == f"0.0.0.0:{port}" and "auth" in listener)


def everybody(request):
    return pb.AuthenticateResult(allowed=True)


# OpenTTD's admin port: password, name and version, each ended by a zero.

OPENTTD_ADMIN = {
    "kind": "password",
    "packet": [{"match": {"value": 0, "offset": 2}, "field": [
        {"name": "password", "kind": "zero-terminated", "offset": 3},
        {"name": "account", "kind": "zero-terminated"},
        {"name": "version", "kind": "zero-terminated"}]}]}


def openttd(kind, *strings):
    body = bytes([kind]) + b"".join(string + b"\0" for string in strings)
    return struct.pack("<H", 2 + len(body)) + body


def test_openttd_admin(game):
    """ADMIN_JOIN; what is refused gets ADMIN_ERROR (type 102, error 5: wrong password)."""
    game = game(OPENTTD_ADMIN, PACKET_LENGTH, refusal={"login-refused": {"hex": "04 00 66 05"}})
    game.add_account("rail bot", "signal box")
    join = openttd(0, b"signal box", b"rail bot", b"13.0")
    client = game.client()
    client.send(join + openttd(2, b"status"))
    assert client.receive_exactly(len(join)) == join
    (opened,) = game.worker.events("opened")
    assert (opened.opened.account, opened.opened.attributes["version"]) == ("rail bot", "13.0")
    stranger = game.client()
    stranger.send(openttd(0, b"guess", b"rail bot", b"13.0"))
    assert stranger.receive_until_closed() == b"\x04\0\x66\x05"


# Crossfire: words of binary and text; version and setup are answered before anybody logs in.

CROSSFIRE = {
    "kind": "password",
    "packet": [{"match": {"bytes": b"accountlogin ".hex(), "offset": 2}, "field": [
        {"name": "account", "kind": "length-prefixed", "width": 1, "offset": 15},
        {"name": "password", "kind": "length-prefixed", "width": 1, "charset": "utf-8"}]}],
    "answer": [
        {"match": {"bytes": b"version ".hex(), "offset": 2}, "then": "continue",
         "reply": "{rest:u16be}version 1030 1030 a gateway"},
        {"match": {"bytes": b"setup ".hex(), "offset": 2}, "then": "continue",
         "reply": "{rest:u16be}setup sound 0 loginmethod 2"}]}


def crossfire(data):
    return struct.pack(">H", len(data)) + data


def test_crossfire(game):
    """The dialogue before the login is the gateway's; the game sees the login alone."""
    game = game(CROSSFIRE, {"kind": "length-prefix", "width": 2},
                refusal={"login-refused": "{rest:u16be}failure accountlogin Incorrect login"})
    game.add_account("leaf", "acorn")
    client = game.client()
    client.send(crossfire(b"version 1030 1030 GTK V2 Client"))
    assert client.receive_packet() == b"version 1030 1030 a gateway"
    client.send(crossfire(b"setup sound 1 loginmethod 2"))
    assert client.receive_packet() == b"setup sound 0 loginmethod 2"
    login = crossfire(b"accountlogin \x04leaf\x05acorn")
    client.send(login)
    assert client.receive_exactly(len(login)) == login
    assert game.worker.packets() == [login] and game.accounts() == ["leaf"]
    stranger = game.client()
    stranger.send(crossfire(b"accountlogin \x04leaf\x05beech"))
    assert stranger.receive_packet() == b"failure accountlogin Incorrect login"


def test_crossfire_with_lengths_that_lie(game):
    """A length that points behind the packet's end is the end of the session."""
    game = game(CROSSFIRE, {"kind": "length-prefix", "width": 2})
    for body in [b"\xff" + b"leaf", b"\x04leaf\xffacorn", b"\x04leaf", b"", b"\x04lea"]:
        client = game.client()
        client.send(crossfire(b"accountlogin " + body))
        client.wait_closed()
    game.wait_refused("login-invalid", 5)
    assert game.worker.packets() == []


# Source RCON, by a client library from PyPI.

RCON = {
    "kind": "token",
    "packet": [{"match": {"value": 3, "offset": 8, "width": 4, "endian": "little"}, "field": [
        {"name": "token", "kind": "zero-terminated", "offset": 12}]}]}
RCON_FRAMER = {"kind": "length-prefix", "width": 4, "endian": "little", "max": 4110}


def rcon(number, kind, body):
    return struct.pack("<iii", len(body) + 10, number, kind) + body + b"\0\0"


def rcon_server(worker, request):
    """Says yes to the login that comes to it, and answers commands."""
    _, number, kind = struct.unpack_from("<iii", request.payload)
    if kind == 3:
        worker.send(answer(request.client_uuid, rcon(number, 2, b"")))
    else:
        body = b"done: " + request.payload[12:-2]
        worker.send(answer(request.client_uuid, rcon(number, 0, body)))


def test_rcon_refused(game):
    """mctools logs in with a wrong password and is told so: an id of -1."""
    game = game(RCON, RCON_FRAMER, refusal={
        "login-refused": {"hex": "0a 00 00 00 ff ff ff ff 02 00 00 00 00 00"}})
    with mctools.RCONClient("127.0.0.1", game.gateway.ports[0], timeout=30) as client:
        assert client.login("guess") is False
    game.gateway.wait_log("session-refused", reason="login-refused")
    assert game.worker.packets() == []


def test_rcon(game):
    """mctools logs in and gives a command; the secret is one that an operator chose."""
    game = game(RCON, RCON_FRAMER, on_packet=rcon_server)
    game.command("account", "add", "panel", "--no-password")
    game.command("token", "add", "panel", "--stdin", input="rcon password\n")
    with mctools.RCONClient("127.0.0.1", game.gateway.ports[0], timeout=30) as client:
        assert client.login("rcon password") is True
        assert client.command("say hello", frag_check=False).startswith("done: say hello")
    assert game.accounts() == ["panel"]


# Knight Online: AA 55, a length, F3, account and password behind lengths, 55 AA.

KNIGHT = {
    "kind": "password", "before": "refuse",
    "packet": [{"match": [{"bytes": "aa 55"}, {"bytes": "f3", "offset": 4},
                          {"bytes": "55 aa", "offset": -2}], "field": [
        {"name": "account", "kind": "length-prefixed", "width": 2, "endian": "little",
         "offset": 5},
        {"name": "password", "kind": "length-prefixed", "width": 2, "endian": "little",
         "charset": "cp1252"}]}]}
KNIGHT_FRAMER = {"kind": "length-prefix", "offset": 2, "width": 2, "endian": "little",
                 "adjustment": 2}


def knight(account, password):
    body = b"\xf3" + b"".join(struct.pack("<H", len(s)) + s for s in [account, password])
    return b"\xaa\x55" + struct.pack("<H", len(body)) + body + b"\x55\xaa"


def test_knight_online(game):
    """An old client's character set is not the one that the password was made in."""
    game = game(KNIGHT, KNIGHT_FRAMER, refusal={
        "login-refused": {"hex": "aa 55 02 00 f3 02 55 aa"}})
    game.add_account("lion", "café")
    login = knight(b"lion", "café".encode("cp1252"))
    client = game.client()
    client.send(login)
    assert client.receive_exactly(len(login)) == login
    stranger = game.client()
    stranger.send(knight(b"lion", "café".encode()))
    assert stranger.receive_exactly(8) == bytes.fromhex("aa550200f30255aa")
    without_tail = game.client()
    without_tail.send(login[:-2] + b"\0\0")
    without_tail.wait_closed()


# Minecraft: pings are answered, a handshake and a name are a login, the ban is shown.

# Of this example's packets, none is longer than a length of one byte says.
MINECRAFT_FRAMER = {"kind": "length-prefix", "width": 1}


def minecraft_login(name):
    """A handshake that asks for login, and Login Start."""
    host = b"127.0.0.1"
    handshake = b"\0\xff\x05" + bytes([len(host)]) + host + b"\x63\xdd\x02"
    # The end of a UUID that a handshake for a status ends with, too.
    start = b"\0" + bytes([len(name)]) + name + bytes(15) + b"\x01"
    return [bytes([len(packet)]) + packet for packet in [handshake, start]]


def test_minecraft_ping(game):
    """mcstatus asks for the status; the answer is the configuration's, no worker is needed."""
    game = game(documented(25565)["auth"], MINECRAFT_FRAMER, authenticate=everybody)
    server = mcstatus.JavaServer("127.0.0.1", game.gateway.ports[0], timeout=30)
    status = server.status(tries=1)
    assert (status.version.protocol, status.motd.to_plain()) == (767, "A game")
    game.wait_refused("answered")
    assert game.worker.packets() == []


def test_minecraft_ping_of_old_clients(game):
    """mcstatus as clients before 1.7 were; FE begins no packet of today's."""
    game = game(documented(25565)["auth"], MINECRAFT_FRAMER, authenticate=everybody)
    client = game.client()
    client.send(b"\xfe\x01")
    reply = client.receive_until_closed()
    assert reply[:1] == b"\xff" and len(reply) == 3 + 2 * struct.unpack(">H", reply[1:3])[0]
    assert reply[3:].decode("utf-16-be") == "A game§0§9"


def test_minecraft_login(game):
    """Two packets in one segment; a worker decides by the name in the second."""
    game = game(documented(25565)["auth"], MINECRAFT_FRAMER, authenticate=lambda request:
                pb.AuthenticateResult(allowed=request.account != "Griefer"))
    client = game.client()
    packets = minecraft_login(b"Anna")
    client.send(b"".join(packets) + b"\x02\x0b\x01")
    assert client.receive_exactly(len(b"".join(packets)) + 3) == (
        b"".join(packets) + b"\x02\x0b\x01")
    assert game.worker.packets() == [*packets, b"\x02\x0b\x01"]
    assert list(game.worker.authenticate_requests[0].packets) == packets
    assert game.accounts() == ["Anna"]
    griefer = game.client()
    griefer.send(b"".join(minecraft_login(b"Griefer")))
    griefer.wait_closed()


def test_minecraft_shows_a_ban(game):
    """A login's disconnect packet, with lengths that fit; the ban's reason has quotes."""
    game = game(documented(25565)["auth"], MINECRAFT_FRAMER, authenticate=everybody, refusal={
        "banned": r'{rest:varint}\0{rest:varint}{{"text":"Until {until}: {reason:json}"}'})
    game.command("ban", "account:anna", "--for", "1h", "--reason", 'said "no"')
    game.wait_banned(account="anna")
    client = game.client()
    client.send(b"".join(minecraft_login(b"Anna")))
    packet = client.receive_until_closed()
    assert packet[0] == len(packet) - 1 and packet[1] == 0 and packet[2] == len(packet) - 3
    shown = json.loads(packet[3:])["text"]
    assert re.fullmatch(r'Until 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ: said "no"', shown)


# IRC, by a client library from PyPI.

def irc_server(worker, request):
    if request.payload.startswith(b"USER "):
        worker.send(answer(request.client_uuid, b":game 001 anna :Welcome\r\n"))
    if request.payload.startswith(b"PRIVMSG "):
        worker.send(answer(request.client_uuid, b":otto!o@h " + request.payload))


def irc_client(game, password, *events):
    """The library's client, and those of `events` that come, with their arguments."""
    reactor = irc.client.Reactor()
    seen = {}
    for event in events:
        reactor.add_global_handler(event, lambda _, what: seen.update({what.type: what}))
    connection = reactor.server()
    connection.connect("127.0.0.1", game.gateway.ports[0], "Anna", password=password,
                       username="ann", ircname="Anna of the North")

    def wait(event):
        def happened():
            reactor.process_once(0.01)
            return seen.get(event)
        return until(happened, f"IRC: {event}")
    return connection, wait


def test_irc(game):
    """PASS, NICK and USER make one identity; then talk flows both ways."""
    game = game(documented(6667)["auth"], LINES, on_packet=irc_server)
    game.add_account("anna", "open sesame")
    connection, wait = irc_client(game, "open sesame", "welcome", "privmsg")
    wait("welcome")
    connection.privmsg("Anna", "hello there")
    assert wait("privmsg").arguments == ["hello there"]
    (opened,) = game.worker.events("opened")
    assert opened.opened.account == "anna"
    assert dict(opened.opened.attributes) == {"user": "ann", "real-name": "Anna of the North"}
    connection.disconnect()


def test_irc_refused(game):
    game = game(documented(6667)["auth"], LINES, on_packet=irc_server,
                refusal={"login-refused": r"ERROR :Closing link: bad password\r\n"})
    game.add_account("anna", "open sesame")
    _, wait = irc_client(game, "guess", "error", "disconnect")
    assert wait("error").target == "Closing link: bad password"
    wait("disconnect")
    assert game.worker.packets() == []


@pytest.mark.parametrize("order", list(itertools.permutations(
    ["PASS :pass word", "NICK anna", "USER a 0 * :A"])))
def test_irc_in_any_order(game, order):
    """And with CAP in between, LF alone, and words in lower case."""
    game = game(documented(6667)["auth"], LINES)
    game.add_account("anna", "pass word")
    client = game.client()
    lines = [line.replace("NICK", "nick").encode() + b"\n" for line in order]
    client.send(b"CAP LS 302\r\n" + b"".join(lines))
    assert client.receive_line() == b"CAP * LS :\r\n"
    assert [client.receive_line() for _ in lines] == lines
    assert game.worker.packets() == lines


def test_irc_with_a_second_name(game):
    """A name that is sent anew before the login is complete would be checked by nobody."""
    game = game(documented(6667)["auth"], LINES)
    client = game.client()
    client.send(b"NICK anna\r\nNICK admin\r\n")
    client.wait_closed()
    game.gateway.wait_log("session-refused", reason="login-invalid")


# FICS: prompts, and a client that talks telnet in between.

def test_fics(game):
    """The server speaks first; telnet commands before, between and inside the lines."""
    game = game(documented(5000)["auth"], LINES)
    game.add_account("magnus", "pawn")
    client = game.client()
    assert client.receive_exactly(7) == b"login: "
    client.send(b"\xff\xfb\x1f\xff\xfa\x1f\0\x50\0\n\xff\xf0mag\xff\xf1nus\r\n")
    assert client.receive_exactly(10) == b"password: "
    client.send(b"\xff\xfd\x01pawn\r\n")
    client.send(b"who\r\n")
    until(lambda: b"who\r\n" in game.worker.packets(), "the command gets to the game")
    assert game.accounts() == ["magnus"]


def test_fics_wrong_password(game):
    game = game(documented(5000)["auth"], LINES, refusal={
        "default": r"*** Invalid password! ***\r\n"})
    game.add_account("magnus", "pawn")
    client = game.client()
    client.send(b"magnus\nknight\n")
    assert client.receive_until_closed() == b"login: password: *** Invalid password! ***\r\n"


# Flash: the policy request on a connection of its own, then a ticket.

def test_xmlsocket(game):
    """The documented policy listener; then a ticket's login, ended by a zero."""
    signer = Signer("site", "game")
    listener = documented(9339)["auth"]
    auth = {**listener, **signer.auth(), "packet": listener["packet"]}
    game = game(auth, {"kind": "delimiter", "delimiter": "\\0"})
    policy = game.client()
    policy.send(b"<policy-file-request/>\0")
    assert policy.receive_until_closed() == (
        b'<cross-domain-policy><allow-access-from domain="*" to-ports="*"/>'
        b"</cross-domain-policy>\0")
    game.wait_refused("answered")
    client = game.client()
    login = b"ticket=" + signer.ticket("anna") + b"\0"
    client.send(login)
    assert client.receive_exactly(len(login)) == login
    assert game.accounts() == ["anna"]


# Habbo's Flash client: an SSO ticket behind version packets.

HABBO = {"packet": [{"match": {"value": 2419, "offset": 4, "width": 2}, "field": [
    {"name": "ticket", "kind": "length-prefixed", "width": 2, "offset": 6}]}]}


def habbo(header, *strings):
    body = struct.pack(">H", header) + b"".join(struct.pack(">H", len(s)) + s for s in strings)
    return struct.pack(">i", len(body)) + body


def test_habbo(game):
    """What comes before the ticket is held, and arrives in its order."""
    signer = Signer("hotel", "lobby")
    game = game({**signer.auth(), **HABBO}, {"kind": "length-prefix", "width": 4})
    client = game.client()
    sent = habbo(4000, b"RELEASE63") + habbo(2419, signer.ticket("Zoë")) + habbo(357)
    client.send(sent)
    assert client.receive_exactly(len(sent)) == sent
    assert game.accounts() == ["Zoë"]


# Ultima Online, OpenTTD's game port and Ragnarok Online, as they are documented.

def test_ultima_online(game):
    game = game(documented(2593)["auth"], "raw",
                refusal={"login-refused": {"hex": "82 03"}})
    game.add_account("avatar", "virtue")
    login = b"\x80" + b"avatar".ljust(30, b"\0") + b"virtue".ljust(30, b"\0") + b"\xff"
    client = game.client()
    client.send(login)
    assert client.receive_exactly(62) == login
    stranger = game.client()
    stranger.send(login.replace(b"virtue", b"vices!"))
    assert stranger.receive_until_closed() == b"\x82\x03"


def test_openttd_game(game):
    """The name stands behind a text of any length and four bytes; a worker says who may play."""
    game = game(documented(3979)["auth"], PACKET_LENGTH, authenticate=everybody)
    client = game.client()
    join = struct.pack("<HB", 30, 2) + b"13.0\0" + bytes(4) + b"driver\0" + b"\xff\0"
    join = struct.pack("<H", len(join)) + join[2:]
    client.send(join)
    assert client.receive_exactly(len(join)) == join
    (opened,) = game.worker.events("opened")
    assert (opened.opened.account, dict(opened.opened.attributes)) == (
        "driver", {"revision": "13.0"})


@pytest.mark.parametrize("version", [0x64, 0x825])
def test_ragnarok(game, version):
    """Two ages of the same game on one port; the refusal has the ban's end as text."""
    listener = documented(6900)
    game = game(listener["auth"], "raw", refusal=listener["refusal"])
    game.add_account("poring", "jelly")

    def login(password):
        if version == 0x64:
            return struct.pack("<HI24s24sB", version, 1, b"poring", password, 0)
        return struct.pack("<HHIB24s", version, 0, 1, 1, b"poring").ljust(0x5c, b"\0") + password

    client = game.client()
    client.send(login(b"jelly"))
    assert client.receive_exactly(len(login(b"jelly"))) == login(b"jelly")
    stranger = game.client()
    stranger.send(login(b"slime"))
    assert stranger.receive_until_closed() == b"\x6a\0\x03" + b"never".ljust(20, b"\0")
