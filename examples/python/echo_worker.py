#!/usr/bin/env python3
"""Sends every packet back to the client it came from: the smallest worker there is."""

from contract import pb
from worker import Worker, serve


class EchoWorker(Worker):
    def bidirectionalStreaming(self, requests, context):
        # One call carries the packets of all sessions, each session's in order. When the requests
        # end, everything is answered already; returning ends the call, and with it a drain.
        for request in requests:
            yield pb.OutputStreamRequest(client_uuid=request.client_uuid, payload=request.payload)


if __name__ == "__main__":
    serve(EchoWorker(), default_port=45888)
