"""Third step: a quiet study becomes one revision: its objects, checked and durable, and what is owed."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from wetread.domain import (
    Analysis,
    AnalysisState,
    Destination,
    Finding,
    ObjectKind,
    Outcome,
    Report,
    ResultObject,
    StudyUid,
    Zone,
)
from wetread.ledger import Ledger
from wetread.ledger.studies import Claim
from wetread.pipeline.objects import ObjectMaker
from wetread.pipeline.stopwatch import Stopwatch
from wetread.pipeline.wanted import Catalogue
from wetread.report.answer import study_answer
from wetread.report.capture import DEFAULT_MAX_BYTES
from wetread.report.results import ImageResult, Predecessor, StudyResult
from wetread.spool.objects import Spool

# After so many failures of the full report the plain one goes instead.
_FULL_ATTEMPTS = 3

logger = logging.getLogger(__name__)


class Concluder:
    """Concludes claimed studies. A claim that is concluded again, after a crash, makes the same bytes."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        spool: Spool,
        destinations: Sequence[Destination],
        max_side: int,
        max_bytes: int = DEFAULT_MAX_BYTES,
    ) -> None:
        kinds = {kind for destination in destinations for kind in destination.objects}
        catalogue = Catalogue(spool=spool, kinds=kinds, max_side=max_side, max_bytes=max_bytes)
        self._ledger = ledger
        self._spool = spool
        self._destinations = tuple(destinations)
        self._maker = ObjectMaker(ledger=ledger, spool=spool, catalogue=catalogue)

    def conclude(self, claim: Claim) -> bool:
        """Write the claimed revision; False when an image came meanwhile and the study stays open.

        Raises InvalidObject when no report passes the gate, Transient when the spool or ledger is away.
        """
        watch = Stopwatch(claim.revision)
        with watch.step("conclude"):
            result = self._gather(claim)
            if claim.attempts > _FULL_ATTEMPTS:
                made = self._maker.make_plain(result, watch, problem=claim.problem)
            else:
                made = self._maker.make(result, watch)
        report = _to_report(result, made.objects)
        zone = worst_zone([analysis for image in result.images for analysis in image.analyses])
        is_mine = self._ledger.reports.conclude(
            claim, report, worst_zone=zone, destinations=self._destinations, held=made.held
        )
        if is_mine:
            self._ledger.studies.note(claim.study, watch.steps)
            fields = {"study": claim.study, "revision": claim.revision, "outcome": result.outcome.value}
            took_ms = round(watch.steps[-1].duration_ms)
            fields |= {"objects": len(made.objects), "held": len(made.held)}
            logger.info("concluded", extra=fields | {"ms": took_ms})
        return is_mine

    def _gather(self, claim: Claim) -> StudyResult:
        analyses = self._ledger.analyses.of_study(claim.study)
        images = tuple(
            ImageResult(instance, self._spool.place(instance.spool_key), tuple(analyses.get(instance.id, ())))
            for instance in self._ledger.instances.of_study(claim.study)
            if not instance.is_conflicting
        )
        return StudyResult(
            study=claim.study,
            revision=claim.revision,
            outcome=_outcome([analysis for image in images for analysis in image.analyses]),
            images=images,
            # No clock: a claim that is concluded again must give the same objects, byte for byte.
            concluded_at=claim.known_at,
            predecessor=self._find_predecessor(claim.study),
        )

    def _find_predecessor(self, study: StudyUid) -> Predecessor | None:
        """The report of the latest revision, full or plain: a revision always has one."""
        older = ObjectKind.COMPREHENSIVE_REPORT
        for report in reversed(self._ledger.reports.revisions(study)):
            for item in report.objects:
                if item.kind is ObjectKind.STRUCTURED_REPORT:
                    return Predecessor(
                        item.SOPClassUID,
                        item.SOPInstanceUID,
                        item.SeriesInstanceUID,
                        images=frozenset(report.inputs),
                        answer=report.answer,
                        has_comprehensive=any(other.kind is older for other in report.objects),
                    )
        return None


def _to_report(result: StudyResult, objects: Sequence[ResultObject]) -> Report:
    return Report(
        result.study,
        result.revision,
        result.outcome,
        created_at=time.time(),
        objects=tuple(objects),
        answer=study_answer(result).text,
        inputs=tuple(image.instance.header.SOPInstanceUID for image in result.images),
    )


def worst_zone(analyses: Sequence[Analysis]) -> str:
    """The most alarming zone found; '' when nothing could be read."""
    zones = {finding.zone for finding in _findings(analyses)}
    return next((zone.value for zone in Zone if zone in zones), "")


def _findings(analyses: Sequence[Analysis]) -> list[Finding]:
    return [finding for analysis in analyses for finding in analysis.findings]


def _outcome(analyses: Sequence[Analysis]) -> Outcome:
    if not any(analysis.state is AnalysisState.DONE for analysis in analyses):
        return Outcome.NOT_EVALUABLE
    is_found = worst_zone(analyses) in {Zone.POSITIVE, Zone.DOUBTFUL}
    return Outcome.FINDINGS if is_found else Outcome.NO_FINDINGS
