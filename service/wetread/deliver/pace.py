"""When a destination may be sent to: within its hours, and not faster than it bears."""

from __future__ import annotations

import time
from collections import deque

from wetread.domain import Destination, Hours

_MINUTE_S = 60.0


class Pace:
    """The hours and the rate of one destination. Times are seconds since the epoch.

    The rate is this process's own: each of several publishers has it to itself.
    """

    def __init__(self, destination: Destination) -> None:
        self._hours = destination.hours
        self._sent: deque[float] | None = (
            deque(maxlen=destination.per_minute) if destination.per_minute else None
        )

    @property
    def words(self) -> str:
        """What it waits for, such as `waits for its hours, 22:00-06:00`."""
        spans = (f"{_clock(item.start)}-{_clock(item.end)}" for item in self._hours)
        return f"waits for its hours, {' and '.join(spans)}"

    def is_open(self, now: float) -> bool:
        """Whether it is within the hours, by the local clock."""
        return not self._hours or any(_holds(hours, _local_minute(now)) for hours in self._hours)

    def opens_at(self, now: float) -> float:
        """When the hours begin next, after `now`.

        On the night when the clocks change it may be an hour off: ask `is_open` before you act on it.
        """
        year, month, day = time.localtime(now)[:3]
        starts = [
            time.mktime((year, month, day + ahead, 0, hours.start, 0, 0, 0, -1))
            for hours in self._hours
            for ahead in (0, 1, 2)
        ]
        return min((start for start in starts if start > now), default=now)

    def is_within_rate(self, now: float) -> bool:
        """Whether one more object stays within `per_minute` in any minute."""
        if self._sent is None or len(self._sent) < (self._sent.maxlen or 0):
            return True
        # A clock that is set back must not stop the delivery for as long.
        return not 0.0 <= now - self._sent[0] < _MINUTE_S

    def count(self, now: float) -> None:
        """An object goes out."""
        if self._sent is not None:
            self._sent.append(now)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _local_minute(now: float) -> int:
    local = time.localtime(now)
    return 60 * local.tm_hour + local.tm_min


def _holds(hours: Hours, minute: int) -> bool:
    if hours.start < hours.end:
        return hours.start <= minute < hours.end
    return minute >= hours.start or minute < hours.end
