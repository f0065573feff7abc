"""Times the steps of a piece of work for the study's timeline."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from wetread.domain import SopInstanceUid
from wetread.ledger.studies import Step


class Stopwatch:
    """The steps of one conclusion, in the order in which they ended."""

    def __init__(self, revision: int) -> None:
        self._revision = revision
        self.steps: list[Step] = []

    @contextmanager
    def step(self, name: str, instance: SopInstanceUid | None = None) -> Iterator[None]:
        """Note `name` with the time that the block took, also where it ends in a reason why not."""
        started = time.perf_counter()
        try:
            yield
        finally:
            took_ms = 1000 * (time.perf_counter() - started)
            self.steps.append(Step(name, time.time(), took_ms, instance, self._revision))
