"""Senders: each knows how one kind of destination takes an object, and what its answers mean."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class Sender(Protocol):
    """One destination, its connection kept open between objects."""

    def send(self, path: Path) -> str:
        """Send one Part 10 file; the destination's status.

        Raises Refused when it will not take the object, Unreachable when it may later.
        """

    def rest(self) -> None:
        """Nothing to send for now: release the connection if it has been idle long enough."""

    def close(self) -> None:
        """Release the connection."""
