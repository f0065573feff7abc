"""A front before a server that passes on only so much, as a peer or a line that has stopped."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

_PIECE_BYTES = 2**16
# What of a PDU follows its first bytes is far longer than any test: PS3.8 9.3.1.
_ENDLESS = bytes([0x04, 0, 0x7F, 0xFF, 0xFF, 0xFF])


@dataclass(frozen=True, slots=True)
class Stall:
    """`answers` whole answers are passed on, then `more` bytes; then silence, or a byte at a time."""

    answers: int
    more: int = 0
    trickles: bool = False
    reads_on: bool = True


@contextmanager
def stalling(port: int, stall: Stall) -> Iterator[int]:
    """Stand before the local `port` while the context is open; the front's own port."""
    over = threading.Event()

    class Relay(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)) as there:
                pieces = threading.Thread(target=_pass_on, args=(self.request, there, stall))
                pieces.start()
                _answer(there, self.request, stall, over)
                pieces.join()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Relay) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        try:
            yield int(server.server_address[1])
        finally:
            over.set()
            server.shutdown()
            serving.join()


def _pass_on(source: socket.socket, sink: socket.socket, stall: Stall) -> None:
    with suppress(OSError):
        while piece := source.recv(_PIECE_BYTES):
            sink.sendall(piece)
            if not stall.reads_on:
                return


def _answer(source: socket.socket, sink: socket.socket, stall: Stall, over: threading.Event) -> None:
    with suppress(OSError):
        for _ in range(stall.answers):
            sink.sendall(source.recv(_PIECE_BYTES))
        if stall.more:
            sink.sendall(source.recv(_PIECE_BYTES)[: stall.more])
        if stall.trickles:
            sink.sendall(_ENDLESS)
        while not over.wait(0.05):
            if stall.trickles:
                sink.sendall(b"\0")
    with suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)
