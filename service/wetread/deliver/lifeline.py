"""The connection to one destination, to be cut from outside when who waits on it waits too long."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

# An upload slower than 0.26 Mbit/s is taken for one that has stopped.
SLOWEST_BYTES_S: Final = 32 * 1024


def upload_s(size_bytes: int) -> float:
    """How long an upload of this size may take at the most, in seconds."""
    return size_bytes / SLOWEST_BYTES_S


class Lifeline:
    """Holds on to a connection beside the library that reads and writes it.

    A socket's own timeout counts from byte to byte: a peer that trickles never meets it. `is_late` tells a
    connection that was cut for that, `is_cut` one that was cut for whatever reason.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: socket.socket | None = None
        self.is_cut = False
        self.is_late = False

    def watch(self, connection: socket.socket) -> None:
        """Hold on to a connection just opened, and no longer to the one before."""
        # A handle of its own: TLS takes over the socket that it wraps.
        held = socket.socket(fileno=os.dup(connection.fileno()))
        with self._lock:
            before, self._held = self._held, held
        if before is not None:
            before.close()

    @contextmanager
    def within(self, limit_s: float) -> Iterator[None]:
        """Cut the connection when what is done inside takes longer."""
        self.is_cut = self.is_late = False
        timer = threading.Timer(limit_s, self._expire)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def cut(self) -> None:
        """End the connection: whoever reads or writes it goes on at once, with an error."""
        self.is_cut = True
        with self._lock, suppress(OSError):  # it may have ended by itself
            if self._held is not None:
                self._held.shutdown(socket.SHUT_RDWR)

    def _expire(self) -> None:
        self.is_late = True
        self.cut()

    def drop(self) -> None:
        """Hold on to nothing."""
        with self._lock:
            held, self._held = self._held, None
        if held is not None:
            held.close()
