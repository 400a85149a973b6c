#!/usr/bin/env python3
"""A tap between a client and a server: it passes all bytes on and keeps those of each direction.

    tap.py --listen 127.0.0.1:4000 --server 127.0.0.1:4001 --out FOLDER [--limit BYTES]

Connection N of the tap, counted from 1, becomes FOLDER/client-N.bin, what the client sent, and
FOLDER/server-N.bin, what the server sent: from the first byte, and at most `limit` bytes of each.
"""

import argparse
import pathlib
import socket
import threading

LIMIT_BYTES = 20_000


class Tap:
    """Listens until `close`; connections and their bytes are kept in memory until `save`.

    `wrap_client` and `wrap_server` make another socket of a new one: TLS, for a game that has
    nothing else. The recording is then of what is inside.
    """

    def __init__(self, server, listen=("127.0.0.1", 0), limit=LIMIT_BYTES, wrap_client=None,
                 wrap_server=None):
        self.server = server
        self.limit = limit
        self.connections = []
        self._wrap = (wrap_client or (lambda s: s), wrap_server or (lambda s: s))
        self._listener = socket.create_server(listen)
        self.host, self.port = self._listener.getsockname()[:2]
        self._threads = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        """Takes no new connections, and waits until those that there are have ended."""
        self._listener.close()
        for thread in list(self._threads):
            thread.join(20)

    def save(self, folder):
        """Writes the recordings of connections where anything was said."""
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        number = 0
        for recorded in self.connections:
            if not any(recorded):
                continue
            number += 1
            for side, data in zip(("client", "server"), recorded):
                (folder / f"{side}-{number}.bin").write_bytes(data)
        return number

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            recorded = (bytearray(), bytearray())
            self.connections.append(recorded)
            thread = threading.Thread(target=self._connect, args=(client, recorded), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _connect(self, client, recorded):
        try:
            server = socket.create_connection(self.server)
        except OSError:
            client.close()
            return
        try:
            client, server = self._wrap[0](client), self._wrap[1](server)
        except OSError:
            client.close()
            server.close()
            return
        pumps = [threading.Thread(target=self._pump, args=args, daemon=True)
                 for args in [(client, server, recorded[0]), (server, client, recorded[1])]]
        for pump in pumps:
            pump.start()
        for pump in pumps:
            pump.join()
        client.close()
        server.close()

    def _pump(self, source, target, kept):
        try:
            while part := source.recv(65536):
                kept += part[:max(0, self.limit - len(kept))]
                target.sendall(part)
            target.shutdown(socket.SHUT_WR)
        except (OSError, ValueError):
            # Who resets does so for both sides; nothing of it is worth more than what was kept.
            for s in (source, target):
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass


def _address(text):
    host, _, port = text.rpartition(":")
    return host, int(port)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--listen", type=_address, required=True, help="HOST:PORT")
    parser.add_argument("--server", type=_address, required=True, help="HOST:PORT")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="a folder")
    parser.add_argument("--limit", type=int, default=LIMIT_BYTES, help="bytes of each direction")
    options = parser.parse_args()
    tap = Tap(options.server, options.listen, options.limit)
    print(f"listening on {tap.host}:{tap.port}; Ctrl-C ends it", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        pass
    print(f"{tap.save(options.out)} connections in {options.out}")


if __name__ == "__main__":
    main()
