"""Waiting for what another process will do: ask until it is so, and give up at a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

_ASK_EVERY_S = 0.05

T = TypeVar("T")


def wait_until(condition: Callable[[], T | None], *, within_s: float, what: str) -> T:
    """The first truthy answer of `condition`; fails the test, saying `what`, when none comes in time."""
    deadline = time.monotonic() + within_s
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s:g} s: {what} (last answer: {answer!r})")
        time.sleep(_ASK_EVERY_S)
