"""What the operations page shows."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import Final

from wetread.api.cases import to_delivery_out, to_held_out
from wetread.api.parts import ApiParts
from wetread.api.routes.health import ALIVE_S, make_ready, to_part_out
from wetread.api.routes.quarantine import to_quarantined_out
from wetread.api.schemas import DeliveryOut, HeldObjectOut, PartOut, QuarantinedOut, ReadyOut
from wetread.domain import DeliveryState
from wetread.ledger.quarantine import Quarantined
from wetread.ledger.views import Plainer

_SHOWN: Final = 50
_CHUNK: Final = 1000


@dataclass(frozen=True, slots=True)
class Operations:
    """The state of the service at one moment. The lists are bounded; the counts are not."""

    ready: ReadyOut
    parts: list[PartOut]
    counts: dict[str, dict[str, int]]
    free_bytes: int
    refused: list[DeliveryOut]
    pending: list[DeliveryOut]
    unconfirmed: list[DeliveryOut]
    held: list[HeldObjectOut]
    plainer: list[Plainer]
    quarantine: list[QuarantinedOut]
    destinations: list[str]


def gather(parts: ApiParts) -> Operations:
    """Ask the ledger and the spool."""
    now = time.time()
    destinations = parts.settings.destinations
    return Operations(
        ready=make_ready(parts, now=now),
        parts=[to_part_out(beat) for beat in parts.ledger.workers.alive(since=now - ALIVE_S)],
        counts=parts.ledger.views.counts(),
        free_bytes=parts.spool.free_bytes(),
        refused=_oldest(parts, DeliveryState.REFUSED),
        pending=_oldest(parts, DeliveryState.PENDING),
        unconfirmed=[to_delivery_out(item) for item in parts.ledger.deliveries.unconfirmed(limit=_SHOWN)],
        held=[to_held_out(held) for held in parts.ledger.held.newest(limit=_SHOWN)],
        plainer=parts.ledger.views.plainer(),
        quarantine=[to_quarantined_out(entry) for entry in _newest_quarantined(parts)],
        destinations=[f"{item.name} ({item.address})" for item in destinations],
    )


def _oldest(parts: ApiParts, state: DeliveryState) -> list[DeliveryOut]:
    found = parts.ledger.deliveries.page(state=state, after=0, limit=_SHOWN)
    return [to_delivery_out(delivery) for delivery in found]


def _newest_quarantined(parts: ApiParts) -> list[Quarantined]:
    """The ledger pages oldest first: walk to the end and keep the last."""
    kept: deque[Quarantined] = deque(maxlen=_SHOWN)
    while chunk := parts.ledger.quarantine.page(after=kept[-1].id if kept else 0, limit=_CHUNK):
        kept.extend(chunk)
        if len(chunk) < _CHUNK:
            break
    return list(reversed(kept))
