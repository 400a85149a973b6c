"""JSON in Twisted's netstrings: netstring_lobby.py server PORT | client PORT NAME LINE…"""

import json
import sys

from twisted.internet import protocol, reactor
from twisted.protocols.basic import NetstringReceiver


class Lobby(NetstringReceiver):
    everybody = []

    def connectionMade(self):
        self.everybody.append(self)
        self.say(kind="welcome", players=len(self.everybody), motd="Take a seat at any table")

    def connectionLost(self, reason):
        self.everybody.remove(self)

    def stringReceived(self, string):
        message = json.loads(string)
        for other in self.everybody:
            other.say(**{**message, "kind": message["kind"] + "ed"})

    def say(self, **fields):
        self.sendString(json.dumps(fields).encode())


class Player(NetstringReceiver):
    answers = 0

    def connectionMade(self):
        self.sendString(json.dumps({"kind": "join", "name": NAME}).encode())
        for table, line in enumerate(LINES):
            self.sendString(json.dumps({"kind": "chat", "text": line, "table": table}).encode())
            self.sendString(json.dumps({"kind": "move", "cards": list(range(table))}).encode())

    def stringReceived(self, string):
        self.answers += 1
        if self.answers == 2 + 2 * len(LINES):
            self.transport.loseConnection()

    def connectionLost(self, reason):
        reactor.stop()


ROLE, PORT, *REST = sys.argv[1:]
if ROLE == "server":
    factory = protocol.ServerFactory()
    factory.protocol = Lobby
    reactor.listenTCP(int(PORT), factory, interface="127.0.0.1")
    print("serving", flush=True)
else:
    NAME, *LINES = REST
    factory = protocol.ClientFactory()
    factory.protocol = Player
    reactor.connectTCP("127.0.0.1", int(PORT), factory)
reactor.run()
