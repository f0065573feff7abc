"""The queue of one machine: the ledger holds every waiting analysis, a named pipe wakes who works.

Chosen over a Celery file-system transport (1,000 ms per hop as shipped, never redelivers after a kill) and
over a bundled Redis (its last wheel is of 2023): the ledger has to hold every pending step anyway.
"""

from __future__ import annotations

import errno
import os
import select
import sys
from pathlib import Path
from types import TracebackType

from wetread.domain import AnalysisId, Lane


class Bell:
    """Wakes one of the processes that wait on it. Losing a ring costs a short sleep, never a job."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.is_fifo():
            _make_fifo(path)
        # Opened for both ends: never at end of file, and a ring without a waiter is kept for the next one.
        self._pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def __enter__(self) -> Bell:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ring(self) -> None:
        """Wake one waiter."""
        try:
            os.write(self._pipe, b"!")
        except BlockingIOError:
            # The pipe is full of rings: whoever waits will wake.
            return

    def wait(self, timeout_s: float) -> bool:
        """Sleep until a ring or the timeout; whether it rang."""
        ready, _, _ = select.select([self._pipe], [], [], max(0.0, timeout_s))
        if not ready:
            return False
        try:
            return bool(os.read(self._pipe, 1))
        except BlockingIOError:
            # Another process took this ring.
            return False

    def close(self) -> None:
        """Release the pipe."""
        os.close(self._pipe)


class EmbeddedQueue:
    """Tells the workers of this machine that the ledger holds work for them."""

    def __init__(self, bell: Bell) -> None:
        self._bell = bell

    def put(self, analysis_id: AnalysisId, lane: Lane) -> None:
        """Wake a worker; which analysis comes first, the ledger decides."""
        self._bell.ring()

    def depth(self) -> int:
        """As many as there may be: workers look into the ledger every second, nothing is announced again."""
        return sys.maxsize


def _make_fifo(path: Path) -> None:
    try:
        os.mkfifo(path, mode=0o600)
    except OSError as error:
        # Another process was first.
        if error.errno != errno.EEXIST:
            raise
