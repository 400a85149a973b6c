#!/usr/bin/env python3
"""A line chat: greets who comes, shows to the others what one types, says who left."""

import queue
import threading

import grpc

from contract import pb
from worker import Worker, serve

# What may wait for one gateway. Beyond it lines get lost: better than a worker without memory.
OUTBOX_MESSAGES_MAX = 10_000


class Outbox:
    """What goes out on one gateway's stream.

    Any thread may put a message in; the thread of the call takes them out.
    """

    def __init__(self):
        self._messages = queue.SimpleQueue()

    def put(self, client_uuid, text):
        if self._messages.qsize() < OUTBOX_MESSAGES_MAX:
            self._messages.put(pb.OutputStreamRequest(client_uuid=client_uuid, payload=text))

    def close(self):
        self._messages.put(None)

    def __iter__(self):
        return iter(self._messages.get, None)


class Room:
    """Who is here, and by which gateway's stream they are reached."""

    def __init__(self):
        self._lock = threading.Lock()
        self._outboxes = {}  # by client_uuid

    def enter(self, client_uuid, outbox, resumed):
        with self._lock:
            others = len(self._outboxes.keys() - {client_uuid})
            self._outboxes[client_uuid] = outbox
            # A resumed session was greeted by the worker that had it before.
            if not resumed:
                outbox.put(client_uuid, b"* welcome; %d here besides you\n" % others)
                self._say(client_uuid, b"* %s came\n" % name(client_uuid))

    def line(self, client_uuid, text):
        with self._lock:
            self._say(client_uuid, b"%s: %s" % (name(client_uuid), text))

    def leave(self, client_uuid):
        with self._lock:
            if self._outboxes.pop(client_uuid, None) is not None:
                self._say(client_uuid, b"* %s left\n" % name(client_uuid))

    def forget(self, outbox):
        """A stream has ended: its sessions live on, but elsewhere."""
        with self._lock:
            self._outboxes = {k: v for k, v in self._outboxes.items() if v is not outbox}

    def _say(self, speaker, text):
        for client_uuid, outbox in self._outboxes.items():
            if client_uuid != speaker:
                outbox.put(client_uuid, text)


class ChatWorker(Worker):
    # To greet, the worker has to hear of a session before its client says something.
    features = [pb.SESSION_EVENTS]

    def __init__(self):
        self._room = Room()

    def bidirectionalStreaming(self, requests, context):
        # Lines come from other gateways' sessions too, so this call must be able to send while no
        # request arrives: a thread reads, the thread of the call sends.
        outbox = Outbox()
        threading.Thread(target=self._read, args=(requests, outbox), daemon=True).start()
        yield from outbox

    def _read(self, requests, outbox):
        try:
            for request in requests:
                self._handle(request, outbox)
        except grpc.RpcError:
            pass  # The gateway is gone, and its clients with it.
        finally:
            self._room.forget(outbox)
            # What was put in before still goes out; then the call returns.
            outbox.close()

    def _handle(self, request, outbox):
        event = request.WhichOneof("event")
        if event == "opened":
            self._room.enter(request.client_uuid, outbox, request.opened.resumed)
        elif event == "closed":
            self._room.leave(request.client_uuid)
        elif event is None:
            self._room.line(request.client_uuid, request.payload)


def name(client_uuid):
    """Short, and good enough for an example."""
    return client_uuid[:4].encode()


if __name__ == "__main__":
    serve(ChatWorker(), default_port=45888)
