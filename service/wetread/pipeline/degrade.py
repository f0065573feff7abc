"""What goes to a destination that takes no objects of a class: the plainer ones that say the same."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping, Sequence
from io import BytesIO
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
    Report,
    ResultObject,
    SopInstanceUid,
)
from wetread.errors import ClassNotTaken, InvalidObject
from wetread.ledger import Ledger
from wetread.report.comprehensive import as_comprehensive
from wetread.report.encode import to_part10
from wetread.report.gate_substitute import check_substitute
from wetread.report.identity import comprehensive_uid
from wetread.report.results import BuiltObject
from wetread.spool.objects import Spool

# Sent or still to be sent: not refused, and not itself replaced.
_ON_ITS_WAY: Final = (DeliveryState.PENDING, DeliveryState.SENT, DeliveryState.COMMITTED)
# What says all of a revision alone.
_REPORTS: Final = frozenset({ObjectKind.STRUCTURED_REPORT, ObjectKind.COMPREHENSIVE_REPORT})
_REFUSED_TOO: Final = "the destination takes no such object, and what should stand for it is refused"
_AGAIN_S: Final = 3600.0

logger = logging.getLogger(__name__)


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

    def reconsider(self, refused: Delivery) -> None:
        """Refuse, for a person to see, what was degraded on the strength of an object now refused itself."""
        kinds = frozenset(ObjectKind)
        for other in self._ledger.deliveries.of_study(refused.study):
            rests_on_it = (
                other.destination == refused.destination
                and other.state is DeliveryState.DEGRADED
                and refused.object.kind in plainer_kinds(other.object.kind)
            )
            if rests_on_it and not (self._is_substituted(other) or self._is_said_plainer(other, kinds)):
                until = time.time() + _AGAIN_S
                self._ledger.deliveries.refuse_degraded(other.id, until=until, error=_REFUSED_TOO)
                fields = {"delivery": other.id, "destination": other.destination}
                logger.error("delivery refused", extra=fields | {"why": _REFUSED_TOO})

    def _is_substituted(self, delivery: Delivery) -> bool:
        uid = comprehensive_uid(delivery.object.SOPInstanceUID)
        return _is_on_its_way(self._owed(delivery).get(uid))

    def _is_said_plainer(self, delivery: Delivery, taken: Collection[ObjectKind]) -> bool:
        """Whether plainer objects of the same revision are on their way that say all of it."""
        plainer = plainer_kinds(delivery.object.kind) & frozenset(taken)
        revision = self._revision_with(delivery)
        if revision is None:
            return False
        about = [item for item in revision.objects if item.kind in plainer]
        owed = self._owed(delivery)
        on_way = [item for item in about if _is_on_its_way(owed.get(item.SOPInstanceUID))]
        if any(item.kind in _REPORTS for item in on_way):
            return True
        source = delivery.object.source
        if source is not None:
            return any(item.source == source for item in on_way)
        # No report: then every image by itself, and none of which a picture was held back.
        pictures = [item for item in about if item.kind not in _REPORTS]
        return bool(pictures) and on_way == pictures and not self._is_any_lost(revision, plainer)

    def _is_any_lost(self, revision: Report, kinds: Collection[ObjectKind]) -> bool:
        """Whether an object of these kinds is held and no plainer form of it was made."""
        # By what it shows: a plainer form has a UID of its own.
        made = {(item.kind, item.source) for item in revision.objects}
        return any(
            item.revision == revision.revision and item.kind in kinds and (item.kind, item.source) not in made
            for item in self._ledger.held.of_study(revision.study)
        )

    def _revision_with(self, delivery: Delivery) -> Report | None:
        """The newest revision that lists the object."""
        revisions = reversed(self._ledger.reports.revisions(delivery.study))
        uid = delivery.object.SOPInstanceUID
        return next((r for r in revisions if any(item.SOPInstanceUID == uid for item in r.objects)), None)

    def _owed(self, delivery: Delivery) -> dict[str, Delivery]:
        """All that the same destination is owed of the study, by object."""
        found = self._ledger.deliveries.of_study(delivery.study)
        return {
            item.object.SOPInstanceUID: item for item in found if item.destination == delivery.destination
        }

    def _make_comprehensive(self, report: ResultObject) -> ResultObject:
        ds = pydicom.dcmread(self._spool.path(report.spool_key))
        if ds.SOPInstanceUID != report.SOPInstanceUID:
            raise InvalidObject("the spool holds another object than the report")
        built = as_comprehensive(BuiltObject(ds, report.kind, report.source))
        uid = SopInstanceUid(str(built.ds.SOPInstanceUID))
        known = self._ledger.reports.find_object(uid)
        if known is not None:
            return known[1]
        data = to_part10(built.ds)
        # It takes the place of one that passed the gate, and has no result here to be judged by itself.
        check_substitute(pydicom.dcmread(BytesIO(data)), ds)
        return ResultObject(
            SOPInstanceUID=uid,
            SOPClassUID=SOP_CLASS_OF[built.kind],
            SeriesInstanceUID=str(built.ds.SeriesInstanceUID),
            kind=built.kind,
            spool_key=self._spool.put([data], suffix="dcm", is_ours=True),
            size_bytes=len(data),
            source=built.source,
        )


def _is_on_its_way(delivery: Delivery | None) -> bool:
    return delivery is not None and delivery.state in _ON_ITS_WAY


def _in_effect(taken: Collection[ObjectKind]) -> str:
    """Such as `in effect it gets the profile sc+sr, the report as Comprehensive SR`."""
    profile = effective_profile(taken)
    kinds = ", ".join(sorted(kind.value for kind in taken)) or "nothing"
    words = f"in effect it gets the profile {profile.value}" if profile else f"in effect it gets {kinds}"
    is_replaced = ObjectKind.STRUCTURED_REPORT not in taken and ObjectKind.COMPREHENSIVE_REPORT in taken
    return f"{words}, the report as Comprehensive SR" if profile and is_replaced else words
