"""Workers that break a protocol: each ends its own link, with a named reason, and no other's."""

import os
import socket
import struct

import h2.errors
import pytest

from harness.contract import answer
from harness.http2_worker import Http2Worker, SocketWorker, grpc_message
from harness.waiting import until

SETTINGS = b"\0\0\0\x04\0\0\0\0\0"


def http1(sock):
    while sock.recv(65536):
        sock.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def garbage(sock):
    sock.recv(65536)
    sock.sendall(b"\x16\x03\x01" + os.urandom(4096))
    wait_close(sock)


def closes_at_once(sock):
    sock.recv(65536)


def resets_at_once(sock):
    sock.recv(65536)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def mute(sock):
    wait_close(sock)


def broken_frames(sock):
    """HTTP/2 up to the settings; then DATA on a stream that nobody opened."""
    sock.recv(65536)
    sock.sendall(SETTINGS + b"\0\0\x05\0\0\0\0\0\x63hello")
    wait_close(sock)


def oversized_frame(sock):
    sock.recv(65536)
    sock.sendall(SETTINGS + b"\xff\xff\xff\0\0\0\0\0\x01" + bytes(70_000))
    wait_close(sock)


def wait_close(sock):
    while sock.recv(65536):
        pass


@pytest.mark.parametrize("talk, reasons", [
    (http1, {"not-http2"}),
    (garbage, {"not-http2", "protocol-error"}),
    (closes_at_once, {"connection-closed", "connection-reset"}),
    (resets_at_once, {"connection-reset", "connection-closed"}),
    (mute, {"handshake-timeout"}),
    (broken_frames, {"protocol-error"}),
    (oversized_frame, {"protocol-error"}),
], ids=lambda value: getattr(value, "__name__", ""))
def test_not_http2(start_gateway, start_worker, connect, talk, reasons):
    """A peer that does not speak HTTP/2, or stops speaking it."""
    hostile, good = start_worker(talk, kind=SocketWorker), start_worker()
    gateway = start_gateway(workers=[hostile, good], ready=1,
                            worker={"connect_timeout": "500ms"})
    assert lost(gateway, hostile) in reasons
    others_go_on(gateway, connect, good)


def garbage_message(call):
    call.send(grpc_message(b"\xff" * 40))


def truncated_protobuf(call):
    whole = answer("0" * 36, b"payload").SerializeToString()
    call.send(grpc_message(whole[:-3]))


def group_without_end(call):
    call.send(grpc_message(b"\x9b\x06\x08\x07"))


def field_number_zero(call):
    call.send(grpc_message(b"\x02\x01x"))


def compressed(call):
    call.send(grpc_message(answer("0" * 36, b"").SerializeToString(), compressed=True))


def announces_too_much(call):
    call.send(struct.pack(">BI", 0, 0xFFFFFFFF) + b"only this")


def grpc_unavailable(call):
    call.finish("14", "going down")


def grpc_ok(call):
    call.finish("0")


def half_a_message_then_ok(call):
    call.send(struct.pack(">BI", 0, 100) + b"only this")
    call.finish("0")


def rst_stream(call):
    call.reset(h2.errors.ErrorCodes.INTERNAL_ERROR)


def go_away(call):
    call.go_away(h2.errors.ErrorCodes.ENHANCE_YOUR_CALM)


@pytest.mark.parametrize("misbehave, reasons", [
    (garbage_message, {"malformed-message"}),
    (truncated_protobuf, {"malformed-message"}),
    (group_without_end, {"malformed-message"}),
    (field_number_zero, {"malformed-message"}),
    (compressed, {"compressed-message"}),
    (announces_too_much, {"message-too-large"}),
    (grpc_unavailable, {"grpc-status"}),
    (grpc_ok, {"stream-ended"}),
    (half_a_message_then_ok, {"stream-ended", "malformed-message"}),
    (rst_stream, {"stream-reset"}),
    (go_away, {"go-away"}),
], ids=lambda value: getattr(value, "__name__", ""))
def test_in_mid_stream(start_gateway, start_worker, connect, misbehave, reasons):
    """A worker in good standing misbehaves at its first packet: its client moves on."""
    hostile, good = start_worker(misbehave, kind=Http2Worker), start_worker()
    gateway = start_gateway(workers=[hostile, good])
    clients = [connect(gateway) for _ in range(4)]
    for client in clients:
        client.send_packet(b"whose am I?")
    assert lost(gateway, hostile) in reasons
    served = [c for c in clients if gateway.uuid_of(c) in good.uuids()]
    assert len(served) >= 2
    for client in served:
        assert client.receive_packet() == b"whose am I?"
        client.echo(b"the others go on")
    others_go_on(gateway, connect, good)
    assert gateway.log("session-closed") == []


def http_503(call):
    call.respond("503", "text/plain")
    call.send(b"try later")
    call.connection.end_stream(call.stream_id)


def http_503_that_claims_grpc(call):
    call.respond("503")
    call.connection.end_stream(call.stream_id)


def html(call):
    call.respond("200", "text/html")
    call.send(b"<html>")


def no_content_type(call):
    call.connection.send_headers(call.stream_id, [(":status", "200")])
    call.send(grpc_message(b""))


def trailers_only(call):
    call.connection.send_headers(
        call.stream_id, [(":status", "200"), ("content-type", "application/grpc"),
                         ("grpc-status", "7"), ("grpc-message", "not%20you")], end_stream=True)


def ends_without_trailers(call):
    call.respond()
    call.connection.end_stream(call.stream_id)


@pytest.mark.parametrize("misbehave, reasons", [
    (http_503, {"http-status"}),
    (http_503_that_claims_grpc, {"http-status"}),
    (html, {"not-grpc"}),
    (no_content_type, {"not-grpc"}),
    (trailers_only, {"grpc-status"}),
    (ends_without_trailers, {"stream-ended", "not-grpc", "grpc-status"}),
    (rst_stream, {"stream-reset"}),
    (go_away, {"go-away"}),
], ids=lambda value: getattr(value, "__name__", ""))
@pytest.mark.parametrize("at", ["ready", "headers"])
def test_at_the_call(start_gateway, start_worker, connect, at, misbehave, reasons):
    """What answers a call is no gRPC worker, or does not want to be one."""
    hostile, good = start_worker(misbehave, at, kind=Http2Worker), start_worker()
    gateway = start_gateway(workers=[hostile, good], ready=1)
    assert lost(gateway, hostile) in reasons
    others_go_on(gateway, connect, good)


@pytest.mark.parametrize("misbehave, reasons", [
    (grpc_ok, {"live-ended"}),
    (grpc_unavailable, {"live-ended", "grpc-status"}),
    (rst_stream, {"live-ended", "stream-reset"}),
], ids=lambda value: getattr(value, "__name__", ""))
def test_heartbeat_ends(start_gateway, start_worker, connect, misbehave, reasons):
    """A heartbeat call that is refused, broken off or ended without an answer means a worker that is not alive."""
    hostile, good = start_worker(misbehave_after_headers(misbehave), "live",
                                 kind=Http2Worker), start_worker()
    gateway = start_gateway(workers=[hostile, good], ready=1)
    assert lost(gateway, hostile) in reasons
    others_go_on(gateway, connect, good)


def test_malformed_ready(start_gateway, start_worker, connect):
    """An answer to `ready` that is no ReadyResult."""
    hostile, good = start_worker(ready=b"\x0a\xff"), start_worker()
    gateway = start_gateway(workers=[hostile, good], ready=1)
    assert lost(gateway, hostile) == "malformed-message"
    others_go_on(gateway, connect, good)


def test_endless_headers(start_gateway, start_worker, connect):
    """A worker that sends headers without end does not fill the gateway's memory."""
    def flood(call):
        # CONTINUATION frames that never carry END_HEADERS.
        block = b"\0\x01x" + b"\x7f\x80\x7e" + b"y" * 16_000
        size = len(block).to_bytes(3, "big")
        stream = call.stream_id.to_bytes(4, "big")
        call.socket.sendall(call.connection.data_to_send())
        call.socket.sendall(size + b"\x01\x00" + stream + block)
        for _ in range(20_000):
            call.socket.sendall(size + b"\x09\x00" + stream + block)

    hostile, good = start_worker(flood, "headers", kind=Http2Worker), start_worker()
    gateway = start_gateway(workers=[hostile, good], ready=1)
    lost(gateway, hostile)
    others_go_on(gateway, connect, good)
    assert gateway.process.resident_bytes() < 200 << 20


def lost(gateway, worker):
    """The reason for which the link to `worker` ended first."""
    records = until(lambda: gateway.log("worker-lost", worker=worker.endpoint), "link ends")
    return records[0]["reason"]


def others_go_on(gateway, connect, good):
    """Clients that the good worker has are served, however often the hostile one comes back."""
    # A client that is given to the hostile worker may lose its packet; at least one is not.
    clients = [connect(gateway) for _ in range(4)]
    for client in clients:
        client.send_packet(b"whose am I?")
    settled = until(
        lambda: [c for c in clients if gateway.uuid_of(c) in good.uuids()], "one is well served")
    for client in settled:
        assert client.receive_packet() == b"whose am I?"
        client.echo(b"the others go on")
    assert gateway.log("worker-lost", worker=good.endpoint) == []


def misbehave_after_headers(misbehave):
    def run(call):
        call.respond()
        misbehave(call)
    return run
