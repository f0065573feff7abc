"""A progress bar with the time that is left: redrawn on a terminal, now and then a line in a log."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

SECONDS_BETWEEN_LOG_LINES = 30.0
SMOOTHING = 0.95


class Progress:
    """Counts steps; shows the running mean of whatever losses it is told."""

    def __init__(self, line: tqdm[None]) -> None:
        self._line = line
        self._mean: float | None = None

    def step(self, loss: float | None = None, *, count: int = 1) -> None:
        """`count` steps are done; `loss` is that of the last."""
        if loss is not None:
            self._mean = loss if self._mean is None else SMOOTHING * self._mean + (1 - SMOOTHING) * loss
            self._line.set_postfix_str(f"loss {self._mean:.4f}", refresh=False)
        self._line.update(count)

    def say(self, text: str) -> None:
        """A line of its own, above the bar."""
        self._line.write(text, file=sys.stderr)


@contextmanager
def bar(total: int, name: str, *, done: int = 0) -> Iterator[Progress]:
    """Show `total` steps of which `done` were made before (a resumed run)."""
    # A log file gets a line each half minute, not the hundred thousand redraws of a terminal.
    pause = 0.2 if sys.stderr.isatty() else SECONDS_BETWEEN_LOG_LINES
    with tqdm(total=total, initial=done, desc=name, mininterval=pause, maxinterval=pause) as line:
        yield Progress(line)
