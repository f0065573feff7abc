"""A modality that does not give up: it sends each file until it is acknowledged, and remembers that."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.system.dcmtk import Modality, storescu


@dataclass(slots=True)
class SteadySender:
    """What it has to send, and what the service has acknowledged with Success."""

    modality: Modality
    files: Sequence[Path]
    acknowledged: list[Path] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def taken(self) -> int:
        """How many were acknowledged so far."""
        return len(self.acknowledged)

    def is_done(self) -> bool:
        """Whether everything was acknowledged."""
        return len(self.acknowledged) == len(self.files)

    def run(self) -> None:
        """Send in order, each file on an association of its own, again and again until Success."""
        for path in self.files:
            while not self._stop.is_set():
                if storescu(self.modality, path)[0].status == 0:
                    self.acknowledged.append(path)
                    break

    def stop(self) -> None:
        """Give up."""
        self._stop.set()


@contextmanager
def sending(modality: Modality, files: Sequence[Path]) -> Iterator[SteadySender]:
    """Send in the background while the context is open."""
    sender = SteadySender(modality, files)
    thread = threading.Thread(target=sender.run, name="modality")
    thread.start()
    try:
        yield sender
    finally:
        sender.stop()
        thread.join()
