#!/usr/bin/env python3
"""Notes what comes in a journal and answers by rule; with threads, or with asyncio."""

import asyncio
import itertools
import os
import pathlib
import signal
import sys
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "Tests" / "Soak"), str(ROOT / "examples" / "python")]

import grpc

from contract import pb, service
from soak import journal
from soak.payload import ANSWER, answer_body, answers_to
from worker import MESSAGE_BYTES_MAX, STOP_GRACE_SECONDS, Worker, arguments_of, now, serve

# Every fourth answer goes in two messages where the listener cuts what workers send.
CUT_FRAMERS = ("length", "varint")


class Stay:
    """One session, for as long as it is with this worker."""

    def __init__(self, number, opened):
        self.number = number
        self.next = opened.next_sequence
        self.answers = 0
        self.is_cut = opened.framer in CUT_FRAMERS


class Desk:
    """What both workers do: from a request to the messages that answer it."""

    def __init__(self, arguments):
        self._incarnation = arguments.incarnation
        self._journal = journal.Writer(arguments.journal)
        self._streams = itertools.count(1)
        self._stays = itertools.count(1)

    def begin(self):
        stream = next(self._streams)
        self._journal.write(journal.STREAM_BEGUN, stream)
        return stream, {}

    def end(self, stream, kind):
        self._journal.write(kind, stream)

    def answers(self, stream, stays, request):
        session = uuid.UUID(request.client_uuid).bytes
        event = request.WhichOneof("event")
        if event == "opened" and session not in stays:
            return self._opened(stream, stays, session, request)
        if session not in stays or event not in (None, "closed"):
            self._journal.write(journal.STRANGER, stream, session=session, body=request.payload)
            return []
        if event == "closed":
            stay = stays.pop(session)
            reason = request.closed.reason
            self._journal.write(journal.CLOSED, stream, stay.number, reason, session)
            return []
        return self._packet(stream, stays[session], session, request)

    def _opened(self, stream, stays, session, request):
        opened = request.opened
        stay = stays[session] = Stay(next(self._stays), opened)
        fields = [opened.client_address, opened.account, opened.listener, opened.framer,
                  str(int(opened.resumed)), str(int(opened.unauthenticated))]
        self._journal.write(journal.OPENED, stream, stay.number, opened.next_sequence, session,
                            "\n".join(fields).encode())
        return [self._message(stay, session, request.client_uuid, b"", 0)]

    def _packet(self, stream, stay, session, request):
        payload = request.payload
        self._journal.write(journal.PACKET, stream, stay.number, stay.next, session, payload)
        messages = []
        for size in answers_to(payload):
            message = self._message(stay, session, request.client_uuid, payload, size)
            whole = message.payload
            if stay.is_cut and stay.answers % 4 == 0:
                message.payload = whole[:7]
                messages.append(message)
                message = pb.OutputStreamRequest(
                    client_uuid=request.client_uuid, payload=whole[7:])
            messages.append(message)
        stay.next += 1
        return messages

    def _message(self, stay, session, client_uuid, payload, size):
        head = ANSWER.pack(ANSWER.size + size, self._incarnation, stay.number, stay.answers,
                           stay.next, len(payload), session)
        stay.answers += 1
        body = answer_body(payload, size) if payload else b""
        return pb.OutputStreamRequest(client_uuid=client_uuid, payload=head + body)


class ThreadsWorker(Worker):
    features = [pb.SESSION_EVENTS]

    def __init__(self, desk):
        self._desk = desk

    def bidirectionalStreaming(self, requests, context):
        stream, stays = self._desk.begin()
        try:
            for request in requests:
                yield from self._desk.answers(stream, stays, request)
        except grpc.RpcError:
            self._desk.end(stream, journal.STREAM_BROKEN)
            raise
        # An iterator of requests that was cancelled may end like one that came to its end.
        if not context.is_active():
            self._desk.end(stream, journal.STREAM_BROKEN)
            return
        self._desk.end(stream, journal.REQUESTS_ENDED)
        self._desk.end(stream, journal.CALL_RETURNED)


class AsyncioWorker(service.UpstreamPeerServiceServicer):
    def __init__(self, desk):
        self._desk = desk

    async def ready(self, request, context):
        return pb.ReadyResult(time=now(), ready=True, features=[pb.SESSION_EVENTS])

    async def live(self, requests, context):
        async for _ in requests:
            yield pb.LiveResult(time=now(), live=True)

    async def bidirectionalStreaming(self, requests, context):
        stream, stays = self._desk.begin()
        try:
            while (request := await context.read()) is not grpc.aio.EOF:
                for message in self._desk.answers(stream, stays, request):
                    await context.write(message)
        except BaseException:
            self._desk.end(stream, journal.STREAM_BROKEN)
            raise
        self._desk.end(stream, journal.REQUESTS_ENDED)
        self._desk.end(stream, journal.CALL_RETURNED)


async def serve_asyncio(worker, arguments):
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    server = grpc.aio.server(options=[
        ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
        ("grpc.max_send_message_length", MESSAGE_BYTES_MAX), ("grpc.so_reuseport", 0)])
    service.add_UpstreamPeerServiceServicer_to_server(worker, server)
    port = server.add_insecure_port(f"{arguments.host}:{arguments.port}")
    await server.start()
    print(f"serving on {arguments.host}:{port}", flush=True)
    await stopped.wait()
    await server.stop(STOP_GRACE_SECONDS)
    os._exit(0)


def main():
    parser = arguments_of(0)
    parser.add_argument("--journal", required=True)
    parser.add_argument("--incarnation", type=int, required=True)
    parser.add_argument("--asyncio", action="store_true")
    arguments = parser.parse_args()
    desk = Desk(arguments)
    if arguments.asyncio:
        asyncio.run(serve_asyncio(AsyncioWorker(desk), arguments))
    else:
        serve(ThreadsWorker(desk), 0, arguments)


if __name__ == "__main__":
    main()
