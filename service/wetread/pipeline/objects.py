"""Makes the objects of one revision: each passes the gate, or is held and a plainer one goes instead."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field

from wetread.domain import ObjectKind, ResultObject, SopInstanceUid
from wetread.errors import InvalidObject, Rejected
from wetread.ledger import Ledger
from wetread.ledger.held import Held
from wetread.pipeline.stopwatch import Stopwatch
from wetread.pipeline.wanted import Catalogue, Form, Wanted
from wetread.report.answer import done
from wetread.report.encode import to_part10
from wetread.report.gate import check
from wetread.report.overlay import DRAWING_ERROR
from wetread.report.results import BuiltObject, ImageResult, StudyResult
from wetread.report.source import raise_if_away
from wetread.spool.objects import Spool

# Without a report there is no answer. All the others only say once more what it says.
_NEEDED = ObjectKind.STRUCTURED_REPORT
_PROCESS_ENDED = "the process ended"
# What pydicom, highdicom, NumPy and OpenCV raise on values or files that they cannot hold.
_UNBUILDABLE = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    OSError,
    EOFError,
    RuntimeError,
    MemoryError,
    DRAWING_ERROR,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Made:
    """What came of one revision: objects that are durable in the spool, and what did not pass."""

    result: StudyResult
    watch: Stopwatch
    objects: list[ResultObject] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)


class ObjectMaker:
    """Everything it makes has a derived UID: what is known already is taken as it is."""

    def __init__(self, *, ledger: Ledger, spool: Spool, catalogue: Catalogue) -> None:
        self._ledger = ledger
        self._spool = spool
        self._catalogue = catalogue

    def make(self, result: StudyResult, watch: Stopwatch) -> Made:
        """All that the revision calls for.

        Raises InvalidObject when no report passes the gate, Transient when the spool or ledger is away.
        """
        made = Made(result, watch)
        self._add(self._catalogue.reports(result), made)
        for image in _to_show(result):
            self._add(self._catalogue.of_image(image, result), made)
        self._add(self._catalogue.key_objects(result, made.objects), made)
        return made

    def make_plain(self, result: StudyResult, watch: Stopwatch, *, problem: str) -> Made:
        """The last resort, of what the ledger knows alone: a study is never left without an answer.

        Report and captures without pictures; `problem` ended the full ones, and is held for people to see.
        """
        logger.error("plain report instead of the full one", extra={"study": result.study})
        made = Made(result, watch)
        reports = self._catalogue.reports(result, is_plain=True)
        _hold(reports[0], made, why=f"plain report: {problem or _PROCESS_ENDED}")
        self._add(reports, made)
        for image in _to_show(result):
            self._add(self._catalogue.of_image(image, result, is_plain=True), made)
        return made

    def _add(self, wanted: list[Wanted], made: Made) -> None:
        for item in wanted:
            known = self._ledger.reports.find_object(item.uid)
            found = known[1] if known else self._make(item, made)
            if found is not None:
                made.objects.append(found)

    def _make(self, wanted: Wanted, made: Made) -> ResultObject | None:
        """The object in the fullest form that passes; None when none does."""
        for form in wanted.forms:
            built = self._try(form, wanted, made)
            if built is not None:
                with made.watch.step("conclude.keep", wanted.source):
                    return self._keep(built)
        if wanted.kind is _NEEDED:
            # Nothing is concluded: the reasons would be lost with the revision.
            self._ledger.held.add(made.held)
            raise InvalidObject("no report passes the gate")
        return None

    def _try(self, form: Form, wanted: Wanted, made: Made) -> BuiltObject | None:
        """The object in this form; None, and held with the reason, where it does not come to pass."""
        try:
            with made.watch.step(f"conclude.{wanted.kind}", wanted.source):
                built = form()
            with made.watch.step("gate", wanted.source):
                check(built, made.result)
        except Rejected as error:
            _hold(wanted, made, why=str(error))
        except _UNBUILDABLE as error:
            raise_if_away(error)
            # Held, logged and shown like a defect: a fault in a picture must not cost the study its report.
            if wanted.kind is _NEEDED:
                raise
            # The type alone: its words may quote values, which are patient data.
            _hold(wanted, made, why=f"could not be built: {type(error).__name__}")
        else:
            return built
        return None

    def _keep(self, built: BuiltObject) -> ResultObject:
        uid = SopInstanceUid(str(built.ds.SOPInstanceUID))
        # A plainer form has a UID of its own, and an earlier revision may have made it.
        known = self._ledger.reports.find_object(uid)
        if known is not None:
            return known[1]
        data = to_part10(built.ds)
        return ResultObject(
            SOPInstanceUID=uid,
            SOPClassUID=str(built.ds.SOPClassUID),
            SeriesInstanceUID=str(built.ds.SeriesInstanceUID),
            kind=built.kind,
            spool_key=self._spool.put([data], suffix="dcm", is_ours=True),
            size_bytes=len(data),
            source=built.source,
        )


def _hold(wanted: Wanted, made: Made, *, why: str) -> None:
    study, revision = made.result.study, made.result.revision
    # The gate's words begin with the kind, which the row states anyway.
    why = why.removeprefix(f"{wanted.kind}: ")
    fields = {"study": study, "revision": revision, "kind": wanted.kind.value}
    logger.error("object held back", extra=fields | {"why": why})
    made.held.append(Held(study, revision, wanted.kind, wanted.uid, why, time.time(), wanted.source))


def _to_show(result: StudyResult) -> list[ImageResult]:
    """Every image that was read; of a study where none was, the first, so that its answer is seen too."""
    return [image for image in result.images if done(image)] or list(result.images[:1])
