"""Workers inside the test's own process: they record all that comes, and do what a test says."""

import queue
import threading
from concurrent import futures

import grpc

from harness.contract import SERVICE, answer, pb
from harness.waiting import until


def echo(worker, request):
    worker.send(answer(request.client_uuid, request.payload))


def silent(worker, request):
    pass


class Worker:
    """A grpcio worker that sees the very bytes of each request and sends the bytes it is told.

    `on_packet(worker, request)` is called for each packet; `ready` and `live` may be replaced while
    it runs: each is a value, or a function that makes one (and may block). `authenticate(request)`
    makes an AuthenticateResult, or its bytes; a worker without it leaves the call unimplemented.
    `on_event(worker, request)` is called for what is told of sessions instead.
    """

    def __init__(self, on_packet=echo, features=(), ready=True, live=True, port=0,
                 authenticate=None, on_event=silent):
        self.on_packet = on_packet
        self.on_event = on_event
        self.ready = ready
        self.live = live
        self.features = features
        self.authenticate = authenticate
        self.authenticate_requests = []
        self.serialized = []
        self.requests = []
        # Streams that a gateway has open right now, each a queue of serialized messages to send.
        self.streams = []
        self.streams_ended = 0
        self.ready_calls = 0
        self._server = grpc.server(
            futures.ThreadPoolExecutor(max_workers=16),
            options=[("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", -1),
                     ("grpc.max_send_message_length", -1)])
        self._server.add_generic_rpc_handlers([self._handlers()])
        self.port = self._server.add_insecure_port(f"127.0.0.1:{port}")
        self.endpoint = f"127.0.0.1:{self.port}"
        self._server.start()

    # What came.

    def packets(self, client_uuid=None):
        """Payloads, in the order in which they came."""
        return [r.payload for r in list(self.requests) if r.WhichOneof("event") is None
                and client_uuid in (None, r.client_uuid)]

    def uuids(self):
        """Clients that sent a packet, in the order of their first."""
        return list(dict.fromkeys(r.client_uuid for r in list(self.requests)
                                  if r.WhichOneof("event") is None))

    def events(self, kind):
        """Requests with `opened` or `closed`."""
        return [r for r in list(self.requests) if r.WhichOneof("event") == kind]

    def wait_packets(self, count, client_uuid=None):
        until(lambda: len(self.packets(client_uuid)) >= count, f"{count} packets at the worker")
        return self.packets(client_uuid)

    def wait_events(self, kind, count=1):
        until(lambda: len(self.events(kind)) >= count, f"{count} events {kind} at the worker")
        return self.events(kind)

    def wait_connected(self):
        until(lambda: self.streams, "a gateway's stream at the worker")

    # What goes.

    def send(self, message):
        """A message, or the bytes of one, on the newest stream."""
        data = message if isinstance(message, bytes) else message.SerializeToString()
        self.streams[-1].put(data)

    def end_stream(self):
        """Ends the call with status OK although the gateway goes on."""
        self.streams[-1].put(None)

    def stop(self, grace=None):
        for stream in list(self.streams):
            if grace is None:
                stream.put(None)
        self._server.stop(grace).wait()

    # The contract.

    def _handlers(self):
        handlers = {
            "bidirectionalStreaming": grpc.stream_stream_rpc_method_handler(self._stream)}
        if self.ready is not None:
            handlers["ready"] = grpc.unary_unary_rpc_method_handler(self._ready)
        if self.live is not None:
            handlers["live"] = grpc.stream_stream_rpc_method_handler(self._live)
        if self.authenticate is not None:
            handlers["authenticate"] = grpc.unary_unary_rpc_method_handler(self._authenticate)
        return grpc.method_handlers_generic_handler(SERVICE, handlers)

    def _ready(self, _, context):
        self.ready_calls += 1
        ready = self.ready() if callable(self.ready) else self.ready
        if isinstance(ready, bytes):
            return ready
        return pb.ReadyResult(ready=ready, features=self.features).SerializeToString()

    def _live(self, requests, context):
        for _ in requests:
            live = self.live() if callable(self.live) else self.live
            yield pb.LiveResult(live=live).SerializeToString()

    def _authenticate(self, data, context):
        request = pb.AuthenticateRequest.FromString(data)
        self.authenticate_requests.append(request)
        result = self.authenticate(request)
        return result if isinstance(result, bytes) else result.SerializeToString()

    def _stream(self, requests, context):
        outbox = queue.SimpleQueue()
        self.streams.append(outbox)
        # The call's own thread sends; this one reads, so that a worker can send at any time.
        threading.Thread(target=self._read_requests, args=(requests, outbox), daemon=True).start()
        # Wakes the sender when the gateway goes away.
        context.add_callback(lambda: outbox.put(None))
        try:
            yield from iter(outbox.get, None)
        finally:
            self.streams.remove(outbox)
            self.streams_ended += 1

    def _read_requests(self, requests, outbox):
        try:
            for data in requests:
                request = pb.InputStreamRequest.FromString(data)
                self.serialized.append(data)
                self.requests.append(request)
                if request.WhichOneof("event") is None:
                    self.on_packet(self, request)
                else:
                    self.on_event(self, request)
        except (grpc.RpcError, IndexError):
            pass  # The gateway is gone, and perhaps the stream an answer was for.
        finally:
            outbox.put(None)
