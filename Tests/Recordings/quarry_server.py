"""A Minecraft 1.12.2 chat room by quarry: everybody is told what one says.

    quarry_server.py

It takes a free port of 127.0.0.1 and prints it.
"""

from quarry.net.server import ServerFactory, ServerProtocol
from twisted.internet import reactor


class Room(ServerProtocol):
    def player_joined(self):
        ServerProtocol.player_joined(self)
        self.send_packet("join_game", self.buff_type.pack("iBiBB", 0, 3, 0, 0, 0),
                         self.buff_type.pack_string("flat"), self.buff_type.pack("?", False))
        self.send_packet("player_position_and_look",
                         self.buff_type.pack("dddff?", 0, 255, 0, 0, 0, 0b00000),
                         self.buff_type.pack_varint(0))
        self.ticker.add_loop(10, self.keep_alive)
        self.factory.say(f"{self.display_name} has joined")

    def keep_alive(self):
        self.send_packet("keep_alive", self.buff_type.pack("Q", 7))

    def packet_chat_message(self, buff):
        self.factory.say(f"<{self.display_name}> {buff.unpack_string()}")

    def player_left(self):
        ServerProtocol.player_left(self)
        self.factory.say(f"{self.display_name} has left")


class Factory(ServerFactory):
    protocol = Room
    motd = "A room for talk"
    online_mode = False
    force_protocol_version = 340

    def say(self, text):
        for player in self.players:
            if player.protocol_mode == "play":
                player.send_packet("chat_message", player.buff_type.pack_chat(text),
                                   player.buff_type.pack("B", 0))


port = reactor.listenTCP(0, Factory(), interface="127.0.0.1")
print(f"serving on port {port.getHost().port}", flush=True)
reactor.run()
