"""Workers that speak HTTP/2 by hand, to do what no gRPC runtime would let them do."""

import socket
import struct
import threading

import h2.config
import h2.connection
import h2.events
import h2.exceptions

from harness.contract import LIVE_PATH, READY_PATH, STREAM_PATH, pb


def grpc_message(data, compressed=False):
    return struct.pack(">BI", compressed, len(data)) + data


def live_result(live=True):
    return grpc_message(pb.LiveResult(live=live).SerializeToString())


class SocketWorker:
    """Accepts connections and runs `talk(socket)` on a thread of its own for each."""

    def __init__(self, talk):
        self._talk = talk
        self._sockets = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.endpoint = f"127.0.0.1:{self.port}"
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        for sock in [self._listener, *self._sockets]:
            try:
                # close alone would not wake the thread that waits on it.
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._sockets.append(sock)
            threading.Thread(target=self._run, args=(sock,), daemon=True).start()

    def _run(self, sock):
        try:
            with sock:
                self._talk(sock)
        except OSError:
            pass  # The gateway closed first.


class Http2Worker(SocketWorker):
    """A well-behaved worker up to the first packet; then `misbehave(call)` decides.

    With `at="ready"`, `at="headers"` or `at="live"` it misbehaves as soon as that call comes.
    """

    def __init__(self, misbehave, at="packet"):
        self._misbehave = misbehave
        self._at = at
        super().__init__(self._serve)

    def _serve(self, sock):
        connection = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        connection.initiate_connection()
        sock.sendall(connection.data_to_send())
        paths = {}
        while data := sock.recv(65536):
            try:
                for event in connection.receive_data(data):
                    self._handle(event, sock, connection, paths)
            except h2.exceptions.ProtocolError:
                return  # After misbehaving this side knows no better than to close.
            sock.sendall(connection.data_to_send())

    def _handle(self, event, sock, connection, paths):
        if isinstance(event, h2.events.RequestReceived):
            path = paths[event.stream_id] = dict(event.headers)[":path"]
            self._opened(Call(sock, connection, event.stream_id), path)
        elif isinstance(event, h2.events.DataReceived) and event.data:
            connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            call = Call(sock, connection, event.stream_id)
            if paths[event.stream_id] == LIVE_PATH:
                if self._at != "live":
                    call.send(live_result())
            elif paths[event.stream_id] == STREAM_PATH and self._at == "packet":
                # Once: what follows on this stream is not answered.
                paths[event.stream_id] = None
                self._misbehave(call)

    def _opened(self, call, path):
        if path == STREAM_PATH and self._at == "headers":
            self._misbehave(call)
        elif path == READY_PATH and self._at == "ready":
            self._misbehave(call)
        elif path == LIVE_PATH and self._at == "live":
            self._misbehave(call)
        else:
            call.respond()
            if path == READY_PATH:
                call.send(grpc_message(pb.ReadyResult(ready=True).SerializeToString()))
                call.finish()


class Call:
    """One gRPC call on a hand-made connection."""

    def __init__(self, sock, connection, stream_id):
        self.socket = sock
        self.connection = connection
        self.stream_id = stream_id

    def respond(self, status="200", content_type="application/grpc", **more):
        headers = [(":status", status), ("content-type", content_type), *more.items()]
        self.connection.send_headers(self.stream_id, headers)

    def send(self, data):
        self.connection.send_data(self.stream_id, data)

    def finish(self, status="0", message=None):
        trailers = [("grpc-status", status)]
        if message is not None:
            trailers.append(("grpc-message", message))
        self.connection.send_headers(self.stream_id, trailers, end_stream=True)

    def reset(self, error_code):
        self.connection.reset_stream(self.stream_id, error_code)

    def go_away(self, error_code):
        self.connection.close_connection(error_code, last_stream_id=self.stream_id)
