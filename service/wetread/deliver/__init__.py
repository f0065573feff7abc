"""Senders: each knows how one kind of destination takes an object, and what its answers mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from wetread.domain import Delivery, SopInstanceUid


@dataclass(frozen=True, slots=True)
class Commitment:
    """Which objects a destination has committed itself to keep, and which it says it has not."""

    kept: frozenset[SopInstanceUid]
    failed: frozenset[SopInstanceUid]


class Sender(Protocol):
    """One destination, its connection kept open between objects."""

    def send(self, path: Path) -> str:
        """Send one Part 10 file; the destination's status.

        Raises ClassNotTaken when it takes no object of this SOP class, Refused when it will not take
        this object, Unreachable when it may later.
        """

    def request_commitment(
        self, deliveries: Sequence[Delivery], *, transaction_uid: str
    ) -> Commitment | None:
        """Ask the destination to keep what was sent to it; None when its answer comes later, by itself.

        Raises Refused when it gives no commitment, Unreachable when it may later.
        """

    def rest(self) -> None:
        """Nothing to send for now: release the connection if it has been idle long enough."""

    def cut(self) -> None:
        """End from another thread what `send` or `request_commitment` waits for: it raises Unreachable."""

    def close(self) -> None:
        """Release the connection."""
