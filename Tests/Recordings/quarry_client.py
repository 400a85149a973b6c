"""A Minecraft 1.12.2 player by quarry, who says some lines, and leaves when all have come back.

    quarry_client.py PORT NAME LINE…

It prints what it hears.
"""

import sys

from quarry.net.auth import OfflineProfile
from quarry.net.client import ClientFactory, SpawningClientProtocol
from twisted.internet import reactor

PORT, NAME, *LINES = sys.argv[1:]


class Player(SpawningClientProtocol):
    said = 0
    heard = 0

    def player_joined(self):
        SpawningClientProtocol.player_joined(self)
        self.ticker.add_loop(6, self.say)

    def say(self):
        if self.said < len(LINES):
            self.send_packet("chat_message", self.buff_type.pack_string(LINES[self.said]))
            self.said += 1

    def packet_chat_message(self, buff):
        text = buff.unpack_chat().to_string()
        buff.discard()
        print(text, flush=True)
        self.heard += text.startswith(f"<{NAME}>")
        if self.heard == len(LINES):
            reactor.stop()


class Factory(ClientFactory):
    protocol = Player
    force_protocol_version = 340


Factory(OfflineProfile(NAME)).connect("127.0.0.1", int(PORT))
reactor.run()
