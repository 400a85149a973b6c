"""A worker that has no game of its own: it passes each session on to an unmodified game server."""

import socket
import threading

from harness.contract import answer, pb
from harness.waiting import DEADLINE_SECONDS
from harness.workers import Worker


class Relay(Worker):
    """One TCP connection to `server` for each session, from when it is opened until it is closed.

    What the server sends is passed on as it arrives, wherever that cuts its packets.
    """

    def __init__(self, server, **options):
        super().__init__(self._pass_on, [pb.SESSION_EVENTS], on_event=self._session, **options)
        self.server = server
        self._connections = {}

    def stop(self, grace=None):
        super().stop(grace)
        for connection in list(self._connections.values()):
            connection.close()

    def _session(self, worker, request):
        uuid = request.client_uuid
        if request.WhichOneof("event") == "opened":
            connection = socket.create_connection(self.server, timeout=DEADLINE_SECONDS)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connections[uuid] = connection
            threading.Thread(target=self._pass_back, args=(uuid, connection), daemon=True).start()
        elif request.WhichOneof("event") == "closed":
            self._connections.pop(uuid).close()

    def _pass_on(self, worker, request):
        try:
            self._connections[request.client_uuid].sendall(request.payload)
        except OSError:
            pass  # The server has ended the connection; the client will see that it is silent.

    def _pass_back(self, uuid, connection):
        try:
            while part := connection.recv(65536):
                self.send(answer(uuid, part))
        except (OSError, IndexError):
            pass  # The session was closed, or the gateway is gone.
