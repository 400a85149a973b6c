#!/usr/bin/env python3
"""Says who may come in: those whose name and password stand in a file.

The file has a line for each account, `NAME PASSWORD`. It is for trying things out: a real worker
asks the game's own database, where no password stands as it is.
"""

import hmac

from contract import pb
from worker import Worker, arguments_of, serve


class GateWorker(Worker):
    def __init__(self, path):
        with open(path, encoding="utf-8") as lines:
            self._passwords = dict(line.rstrip("\n").split(" ", 1) for line in lines if " " in line)

    def authenticate(self, request, context):
        password = self._passwords.get(request.account)
        # An unknown name takes as long, and is told as little, as a wrong password.
        is_right = hmac.compare_digest(request.secret, (password or "").encode())
        if password is None or not is_right:
            return pb.AuthenticateResult(reason="no such account and password")
        # For the worker that gets the session: SessionOpened.attributes.
        return pb.AuthenticateResult(allowed=True, attributes={"door": request.listener})

    def bidirectionalStreaming(self, requests, context):
        # No listener sends its packets here, but the call is what holds the connection: it stays
        # open until the gateway ends its direction.
        for _ in requests:
            pass
        return iter(())


if __name__ == "__main__":
    parser = arguments_of(default_port=45889)
    parser.add_argument("--accounts", required=True, help="a file with lines: NAME PASSWORD")
    arguments = parser.parse_args()
    serve(GateWorker(arguments.accounts), default_port=45889, arguments=arguments)
