"""TLS before a server that has none, as a reverse proxy gives it."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.unit.deliver.authority import Authority

_PIECE_BYTES = 2**16


@contextmanager
def tls_front(port: int, authority: Authority) -> Iterator[int]:
    """Pass on to the local `port` what comes by TLS while the context is open; the front's own port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate, authority.key)

    class Relay(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with (
                suppress(OSError),
                context.wrap_socket(self.request, server_side=True) as here,
                socket.create_connection(("127.0.0.1", port)) as there,
            ):
                back = threading.Thread(target=_pass_on, args=(there, here))
                back.start()
                _pass_on(here, there)
                back.join()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Relay) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            serving.join()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(_PIECE_BYTES):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
