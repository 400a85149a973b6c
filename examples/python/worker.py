"""What every worker does the same way: `ready`, `live`, and starting and stopping the server."""

import argparse
import os
import signal
from concurrent import futures
from datetime import datetime, timezone

import grpc

from contract import pb, service

# A gateway holds two threads for as long as it is connected, one for each of its long calls, and
# for a moment a third one for `ready`. So this is enough for fifteen gateways.
THREADS = 32
# How long answers that are under way may take once the worker was told to stop.
STOP_GRACE_SECONDS = 5
# The gateway's own default. grpcio takes 4 MiB for the bytes of one message, too; both say it, so
# that a change on one side is noticed on the other.
MESSAGE_BYTES_MAX = 4 << 20


def now():
    """The contract's time: RFC 3339, UTC, milliseconds."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Worker(service.UpstreamPeerServiceServicer):
    """Add `bidirectionalStreaming` to get a worker."""

    # What to be sent beyond packets, for example [pb.SESSION_EVENTS].
    features = []

    def ready(self, request, context):
        return pb.ReadyResult(time=now(), ready=True, features=self.features)

    def live(self, requests, context):
        # One answer to each beat. The requests end when the gateway lets go of this worker.
        for _ in requests:
            yield pb.LiveResult(time=now(), live=True)


def arguments_of(default_port):
    """What every worker takes on its command line; some add more."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=default_port)
    return parser


def serve(worker, default_port, arguments=None):
    """Runs `worker` until SIGTERM or Ctrl-C."""
    arguments = arguments or arguments_of(default_port).parse_args()

    # Before any thread is started, so that all inherit it: the signals wait for sigwait below.
    stop_signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop_signals)
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=THREADS),
        options=[
            ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
            ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
            # Two workers on one port would each get some of the connections; better to fail.
            ("grpc.so_reuseport", 0),
        ])
    service.add_UpstreamPeerServiceServicer_to_server(worker, server)
    port = server.add_insecure_port(f"{arguments.host}:{arguments.port}")

    server.start()
    print(f"serving on {arguments.host}:{port}", flush=True)
    signal.sigwait(stop_signals)
    # Tells the gateways (GOAWAY), lets calls that are under way end, and cuts what is left then.
    # Sessions go on with another worker.
    server.stop(STOP_GRACE_SECONDS).wait(STOP_GRACE_SECONDS + 1)
    # A call that does not heed its end must not keep the process alive.
    os._exit(0)
