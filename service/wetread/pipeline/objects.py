"""Makes the objects of one revision: each passes the gate, or is held and a plainer one goes instead."""

from __future__ import annotations

import logging
import time

from wetread.domain import ObjectKind, ResultObject, SopInstanceUid
from wetread.errors import InvalidObject, Rejected, Transient
from wetread.ledger import Ledger
from wetread.ledger.held import Held
from wetread.pipeline.stopwatch import Stopwatch
from wetread.pipeline.wanted import Catalogue, Form, Wanted
from wetread.report.answer import done
from wetread.report.encode import to_part10
from wetread.report.gate import check
from wetread.report.results import BuiltObject, ImageResult, StudyResult
from wetread.spool.objects import Spool

# Without a report there is no answer. All the others only say once more what it says.
_NEEDED = ObjectKind.STRUCTURED_REPORT

logger = logging.getLogger(__name__)


class ObjectMaker:
    """Everything it makes has a derived UID: what is known already is taken as it is."""

    def __init__(self, *, ledger: Ledger, spool: Spool, catalogue: Catalogue) -> None:
        self._ledger = ledger
        self._spool = spool
        self._catalogue = catalogue

    def make(self, result: StudyResult, watch: Stopwatch) -> list[ResultObject]:
        """All that the revision calls for, durable in the spool, less what is held back.

        Raises InvalidObject when no report passes the gate, Transient when the spool or ledger is away.
        """
        made = self._make_all(self._catalogue.reports(result), result, watch)
        for image in _to_show(result):
            made += self._make_all(self._catalogue.of_image(image, result), result, watch)
        return made + self._make_all(self._catalogue.key_objects(result, made), result, watch)

    def make_plain(self, result: StudyResult, watch: Stopwatch) -> list[ResultObject]:
        """The last resort, of what the ledger knows alone: a study is never left without an answer."""
        logger.error("plain report instead of the full one", extra={"study": result.study})
        return self._make_all(self._catalogue.reports(result, is_plain=True), result, watch)

    def _make_all(self, wanted: list[Wanted], result: StudyResult, watch: Stopwatch) -> list[ResultObject]:
        made = [self._make(item, result, watch) for item in wanted]
        return [item for item in made if item is not None]

    def _make(self, wanted: Wanted, result: StudyResult, watch: Stopwatch) -> ResultObject | None:
        known = self._ledger.reports.find_object(wanted.uid)
        if known is not None:
            return known[1]
        for form in wanted.forms:
            built = self._try(form, wanted, result, watch)
            if built is not None:
                return self._keep(built)
        if wanted.kind is _NEEDED:
            raise InvalidObject("no report passes the gate")
        return None

    def _try(self, form: Form, wanted: Wanted, result: StudyResult, watch: Stopwatch) -> BuiltObject | None:
        """The object in this form; None, and held with the reason, where it does not come to pass."""
        try:
            with watch.step(f"conclude.{wanted.kind}", wanted.source):
                built = form()
            with watch.step("gate", wanted.source):
                check(built, result)
        except Rejected as error:
            self._hold(wanted, result, why=str(error))
        except Transient:
            raise
        except Exception as error:
            # Held, logged and counted like a defect: a fault in a picture must not cost the study its report.
            if wanted.kind is _NEEDED:
                raise
            logger.exception("object not built", extra={"study": result.study, "kind": wanted.kind.value})
            self._hold(wanted, result, why=f"could not be built: {type(error).__name__}")
        else:
            return built
        return None

    def _hold(self, wanted: Wanted, result: StudyResult, *, why: str) -> None:
        # The gate's words begin with the kind, which the row states anyway.
        why = why.removeprefix(f"{wanted.kind}: ")
        fields = {"study": result.study, "revision": result.revision, "kind": wanted.kind.value}
        logger.error("object held back", extra=fields | {"why": why})
        held = Held(result.study, result.revision, wanted.kind, why, time.time(), wanted.source)
        self._ledger.held.add(held, uid=wanted.uid)

    def _keep(self, built: BuiltObject) -> ResultObject:
        data = to_part10(built.ds)
        return ResultObject(
            SOPInstanceUID=SopInstanceUid(str(built.ds.SOPInstanceUID)),
            SOPClassUID=str(built.ds.SOPClassUID),
            SeriesInstanceUID=str(built.ds.SeriesInstanceUID),
            kind=built.kind,
            spool_key=self._spool.put([data], suffix="dcm", is_ours=True),
            size_bytes=len(data),
            source=built.source,
        )


def _to_show(result: StudyResult) -> list[ImageResult]:
    """Every image that was read; of a study where none was, the first, so that its answer is seen too."""
    return [image for image in result.images if done(image)] or list(result.images[:1])
