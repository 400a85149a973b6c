"""Sessions of independent Python libraries. Each function makes one folder's recordings."""

import itertools
import os
import pathlib
import socketserver
import ssl
import subprocess
import sys
import threading
import time

from debian_games import AS_NOBODY, CHATS, NAMES, finish
from programs import Program, folder, free_port, quiet_for, until, wait_listening
from tap import Tap

HERE = pathlib.Path(__file__).resolve().parent


def minecraft(out):
    """quarry's client and server, with compression; then mcstatus asks for the status."""
    import mcstatus
    with Program(sys.executable, HERE / "quarry_server.py") as server:
        port = int(server.wait_for(r"serving on port (\d+)\n")[1])
        tap = Tap(("127.0.0.1", port), limit=12_000)
        for name, chat in zip(NAMES, CHATS):
            with Program(sys.executable, HERE / "quarry_client.py", tap.port, name.split()[0],
                         *chat, " ".join(chat) * 3) as client:
                client.wait()
        mcstatus.JavaServer("127.0.0.1", tap.port, timeout=20).status(tries=1)
        finish(tap, out)


class RconHandler(socketserver.BaseRequestHandler):
    """Answers as a game server would; the messages are python-valve's."""

    def handle(self):
        from valve.rcon import RCONMessage
        data = b""
        while part := self.request.recv(65536):
            data += part
            while len(data) >= 4 and len(data) >= 4 + int.from_bytes(data[:4], "little"):
                message, data = RCONMessage.decode(data)
                if message.type is RCONMessage.Type.AUTH:
                    right = message.body == b"rails"
                    replies = [(2, message.id if right else -1, b"")]
                else:
                    text = b"Unknown command: " + message.body
                    if b"list" in message.body:
                        text = b", ".join(b"player %d" % n for n in range(40))
                    if not message.body:
                        text = b""
                    replies = [(0, message.id, text)]
                for kind, number, body in replies:
                    self.request.sendall(RCONMessage(
                        number, RCONMessage.Type(kind), body).encode())


def rcon(out):
    """mctools and rcon, two clients, against a server with python-valve's messages."""
    import mctools
    import rcon.source
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), RconHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        tap = Tap(server.server_address)
        for number, chat in enumerate(CHATS):
            commands = [*(f"say {line}" for line in chat), "list", f"kick {NAMES[number]}"] * 2
            if number % 2:
                with mctools.RCONClient("127.0.0.1", tap.port, timeout=20) as client:
                    assert client.login("guess") is False and client.login("rails") is True
                    for command in commands:
                        client.command(command)
            else:
                with rcon.source.Client("127.0.0.1", tap.port, passwd="rails",
                                        timeout=20) as client:
                    for command in commands:
                        client.run(*command.split())
        finish(tap, out)
        server.shutdown()


def podsixnet(out):
    """PodSixNet's server and client: a whiteboard, as its examples have one."""
    from PodSixNet.Channel import Channel
    from PodSixNet.EndPoint import EndPoint
    from PodSixNet.Server import Server

    class Player(Channel):
        def Network(self, data):
            self._server.everybody({**data, "id": id(self) % 1000})

    class Board(Server):
        channelClass = Player

        def everybody(self, data):
            for channel in self.channels:
                channel.Send(data)

    port = free_port()
    board = Board(localaddr=("127.0.0.1", port))
    tap = Tap(("127.0.0.1", port))
    for name, chat in zip(NAMES, CHATS):
        client = EndPoint(address=("127.0.0.1", tap.port))
        client.DoConnect()

        def pump(times=30):
            for _ in range(times):
                client.Pump()
                board.Pump()
                time.sleep(0.01)
        pump()
        client.Send({"action": "nickname", "nickname": name})
        for number, line in enumerate(chat):
            client.Send({"action": "message", "message": line})
            client.Send({"action": "drawpoint", "point": (number * 311, 7 + len(line))})
            pump(5)
        client.Send({"action": "startline", "points": [(n, n * n) for n in range(len(chat) * 9)]})
        pump()
        client.close()
        board.channels.clear()
    finish(tap, out)


def mumble(out):
    """pymumble against mumble-server, inside its TLS: the tap ends and begins it."""
    import pymumble_py3
    port = free_port()
    with folder() as place:
        pathlib.Path(place, "murmur.ini").write_text(
            f"database={place}/m.sqlite\nport={port}\nhost=127.0.0.1\nlogfile=\n"
            "welcometext=Welcome to a small server\nbonjour=false\n")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj",
                        "/CN=tap", "-keyout", f"{place}/key", "-out", f"{place}/cert"],
                       check=True, capture_output=True)
        as_server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        as_server.load_cert_chain(f"{place}/cert", f"{place}/key")
        as_client = ssl.create_default_context()
        as_client.check_hostname, as_client.verify_mode = False, ssl.CERT_NONE
        os.chmod(place, 0o777)
        with Program(*AS_NOBODY, "murmurd", "-fg", "-ini", f"{place}/murmur.ini"):
            wait_listening(port)
            tap = Tap(("127.0.0.1", port), limit=12_000,
                      wrap_client=lambda s: as_server.wrap_socket(s, server_side=True),
                      wrap_server=as_client.wrap_socket)
            for name, chat in zip(NAMES, CHATS):
                client = pymumble_py3.Mumble("127.0.0.1", name.split()[0], port=tap.port)
                client.start()
                client.is_ready()
                for line in chat:
                    client.my_channel().send_text_message(line)
                client.users.myself.comment(f"I am {name}, " + chat[0])
                client.channels.new_channel(0, f"Room of {name}", temporary=True)
                quiet_for(tap, 1, 4)
                client.stop()
            finish(tap, out)


def mqtt(out):
    """paho-mqtt against mosquitto: a game's events on a message broker."""
    import paho.mqtt.client as paho
    port = free_port()
    with Program("mosquitto", "-p", port):
        wait_listening(port)
        tap = Tap(("127.0.0.1", port))
        for number, (name, chat) in enumerate(zip(NAMES, CHATS)):
            client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=name)
            heard = []
            client.on_message = lambda c, u, message: heard.append(message)
            client.connect("127.0.0.1", tap.port)
            client.loop_start()
            client.subscribe("arena/#", qos=1)
            client.subscribe(f"players/{name}", qos=number % 3)
            sent = 0
            for size, line in zip(itertools.cycle([1, 9, 40, 3]), chat * 2):
                client.publish("arena/chat", line * size, qos=sent % 3)
                client.publish(f"players/{name}", bytes(range(6 * size)), qos=(sent + 1) % 3)
                sent += 2
            until(lambda: len(heard) >= sent, "all messages come back")
            client.disconnect()
            client.loop_stop()
        finish(tap, out)


def netstring(out):
    """A lobby of Twisted's NetstringReceiver, with JSON inside."""
    port = free_port()
    with Program(sys.executable, HERE / "netstring_lobby.py", "server", port) as server:
        server.wait_for("serving")
        tap = Tap(("127.0.0.1", port))
        for name, chat in zip(NAMES, CHATS):
            with Program(sys.executable, HERE / "netstring_lobby.py", "client", tap.port, name,
                         *chat, " ".join(chat * 5)) as client:
                client.wait()
        finish(tap, out)
