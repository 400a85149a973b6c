"""The official runtime's messages for proto/upstream.proto, made anew for each run."""

import importlib
import pathlib
import sys
import tempfile

import grpc_tools
from grpc_tools import protoc

from harness import ROOT


def _load():
    directory = tempfile.TemporaryDirectory(prefix="gatehouse-contract-")
    well_known = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    status = protoc.main(["protoc", f"-I{ROOT / 'proto'}", f"-I{well_known}",
                          f"--python_out={directory.name}", "upstream.proto"])
    assert status == 0, "protoc failed"
    sys.path.insert(0, directory.name)
    try:
        return importlib.import_module("upstream_pb2")
    finally:
        sys.path.remove(directory.name)
        directory.cleanup()


pb = _load()

SERVICE = "upstream.grpc.service.UpstreamPeerService"
STREAM_PATH = f"/{SERVICE}/bidirectionalStreaming"
READY_PATH = f"/{SERVICE}/ready"
LIVE_PATH = f"/{SERVICE}/live"
AUTHENTICATE_PATH = f"/{SERVICE}/authenticate"


def close_reason(name):
    """`idle-timeout` -> its number in the contract."""
    return pb.CloseReason.Value("CLOSE_REASON_" + name.upper().replace("-", "_"))


def answer(client_uuid, payload, **fields):
    return pb.OutputStreamRequest(client_uuid=client_uuid, payload=payload, **fields)


def broadcast(kind, payload):
    """`kind` is ALL, ACTIVE or NOT_ACTIVE."""
    value = pb.OutputStreamRequest.Broadcast.Value(f"BROADCAST_{kind}")
    return pb.OutputStreamRequest(broadcast=value, payload=payload)
