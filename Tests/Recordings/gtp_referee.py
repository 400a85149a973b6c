"""A referee of the Go Text Protocol: lets a program at a TCP port play against itself."""

import socket


class Connection:
    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.settimeout(30)
        self._unread = b""

    def ask(self, command):
        """The answer's text; it ends with an empty line."""
        self._socket.sendall(command.encode() + b"\n")
        while b"\n\n" not in self._unread:
            part = self._socket.recv(65536)
            assert part, f"closed instead of an answer to {command}"
            self._unread += part
        answer, _, self._unread = self._unread.partition(b"\n\n")
        assert answer.startswith(b"="), (command, answer)
        return answer[1:].decode().strip()


def referee(port, size, moves):
    """A game of so many moves, with the board shown now and then."""
    go = Connection(port)
    for command in ["protocol_version", "name", "version", "list_commands", f"boardsize {size}",
                    "clear_board", "komi 5.5"]:
        go.ask(command)
    for number in range(moves):
        go.ask(f"genmove {'black' if number % 2 == 0 else 'white'}")
        if number % 7 == 6:
            go.ask("showboard")
    go.ask("captures black")
    go.ask("estimate_score")
    go.ask("quit")
