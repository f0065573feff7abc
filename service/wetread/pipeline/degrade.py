"""What goes to a destination that takes no objects of a class: the plainer ones that say the same."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import pydicom

from wetread.deliver.classes import (
    SOP_CLASS_OF,
    SUBSTITUTES,
    effective_profile,
    plainer_kinds,
    taken_kinds,
)
from wetread.domain import (
    Delivery,
    DeliveryState,
    Destination,
    ObjectKind,
    ResultObject,
    SopInstanceUid,
)
from wetread.errors import ClassNotTaken
from wetread.ledger import Ledger
from wetread.report.comprehensive import as_comprehensive
from wetread.report.encode import to_part10
from wetread.report.results import BuiltObject
from wetread.spool.objects import Spool

# Sent or still to be sent: not refused, and not itself replaced.
_ON_ITS_WAY: Final = (DeliveryState.PENDING, DeliveryState.SENT, DeliveryState.COMMITTED)


class Degrader:
    """Decides object by object; the rest of a study's delivery goes on as it is."""

    def __init__(self, *, ledger: Ledger, spool: Spool, destinations: Sequence[Destination]) -> None:
        self._ledger = ledger
        self._spool = spool
        self._destinations: Mapping[str, Destination] = {item.name: item for item in destinations}

    def degrade(self, delivery: Delivery, error: ClassNotTaken) -> bool:
        """Let plainer objects stand for one that is not taken; False when none does, and a person must look.

        A report is made anew in the substitute class, if that is taken. May run twice: what it makes has
        derived UIDs, and the ledger lists and owes it once.
        """
        destination = self._destinations[delivery.destination]
        untaken = error.untaken | {delivery.object.SOPClassUID}
        taken = taken_kinds(destination, untaken)
        substitute = SUBSTITUTES.get(delivery.object.kind)
        words = f"{error}; {_in_effect(taken)}"
        if substitute in taken:
            made = self._make_comprehensive(delivery.object)
            self._ledger.deliveries.substitute(
                delivery, made, now=time.time(), status=error.code, error=words
            )
            return True
        if self._is_said_plainer(delivery, taken):
            self._ledger.deliveries.mark_degraded(
                delivery.id, status=error.code, error=words, holder=delivery.claimed_by
            )
            return True
        return False

    def _is_said_plainer(self, delivery: Delivery, taken: Collection[ObjectKind]) -> bool:
        plainer = plainer_kinds(delivery.object.kind) & frozenset(taken)
        return any(
            other.destination == delivery.destination
            and other.object.kind in plainer
            and other.state in _ON_ITS_WAY
            for other in self._ledger.deliveries.of_study(delivery.study)
        )

    def _make_comprehensive(self, report: ResultObject) -> ResultObject:
        ds = pydicom.dcmread(self._spool.path(report.spool_key))
        built = as_comprehensive(BuiltObject(ds, report.kind, report.source))
        uid = SopInstanceUid(str(built.ds.SOPInstanceUID))
        known = self._ledger.reports.find_object(uid)
        if known is not None:
            return known[1]
        data = to_part10(built.ds)
        return ResultObject(
            SOPInstanceUID=uid,
            SOPClassUID=SOP_CLASS_OF[built.kind],
            SeriesInstanceUID=str(built.ds.SeriesInstanceUID),
            kind=built.kind,
            spool_key=self._spool.put([data], suffix="dcm", is_ours=True),
            size_bytes=len(data),
            source=built.source,
        )


def _in_effect(taken: Collection[ObjectKind]) -> str:
    """Such as `in effect it gets the profile sc+sr, the report as Comprehensive SR`."""
    profile = effective_profile(taken)
    kinds = ", ".join(sorted(kind.value for kind in taken)) or "nothing"
    words = f"in effect it gets the profile {profile.value}" if profile else f"in effect it gets {kinds}"
    is_replaced = ObjectKind.STRUCTURED_REPORT not in taken and ObjectKind.COMPREHENSIVE_REPORT in taken
    return f"{words}, the report as Comprehensive SR" if profile and is_replaced else words
