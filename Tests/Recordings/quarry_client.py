"""A Minecraft 1.12.2 player by quarry: quarry_client.py PORT NAME LINE…; says its lines and leaves."""

import sys

from quarry.net.auth import OfflineProfile
from quarry.net.client import ClientFactory, SpawningClientProtocol
from twisted.internet import reactor

PORT, NAME, *LINES = sys.argv[1:]


class Player(SpawningClientProtocol):
    said = 0

    def player_joined(self):
        SpawningClientProtocol.player_joined(self)
        self.ticker.add_loop(6, self.say)

    def say(self):
        if self.said == len(LINES):
            reactor.stop()
            return
        self.send_packet("chat_message", self.buff_type.pack_string(LINES[self.said]))
        self.said += 1

    def packet_chat_message(self, buff):
        print(buff.unpack_chat(), flush=True)
        buff.discard()


class Factory(ClientFactory):
    protocol = Player
    force_protocol_version = 340


Factory(OfflineProfile(NAME)).connect("127.0.0.1", int(PORT))
reactor.run()
