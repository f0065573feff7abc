"""Third step: a quiet study becomes one revision: its objects, checked and durable, and what is owed."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from wetread.domain import (
    ATTEMPTS_EXHAUSTED,
    Analysis,
    AnalysisState,
    Destination,
    Finding,
    ObjectKind,
    Outcome,
    Report,
    ResultObject,
    SopInstanceUid,
    StudyUid,
    Zone,
)
from wetread.errors import InvalidObject, Rejected
from wetread.infer.decode import read_image
from wetread.infer.prepare import to_display
from wetread.ledger import Ledger
from wetread.ledger.studies import Claim, Step
from wetread.report.capture import build_capture
from wetread.report.encode import to_part10
from wetread.report.gate import check
from wetread.report.identity import image_object_uid
from wetread.report.results import BuiltObject, ImageResult, Predecessor, StudyResult
from wetread.report.structured_report import build_plain_report, build_report
from wetread.spool.objects import Spool

# After so many failures of the full report the plain one goes instead.
_FULL_ATTEMPTS = 3

logger = logging.getLogger(__name__)


class _Watch:
    """Times the steps of one conclusion for the study's timeline."""

    def __init__(self, revision: int) -> None:
        self._revision = revision
        self.steps: list[Step] = []

    @contextmanager
    def step(self, name: str, instance: SopInstanceUid | None = None) -> Iterator[None]:
        """Note `name` with the time that the block took."""
        started = time.perf_counter()
        yield
        took_ms = 1000 * (time.perf_counter() - started)
        self.steps.append(Step(name, time.time(), took_ms, instance, self._revision))


class Concluder:
    """Concludes claimed studies. Everything it makes has a derived UID: doing it twice makes the same."""

    def __init__(
        self, *, ledger: Ledger, spool: Spool, destinations: Sequence[Destination], max_side: int
    ) -> None:
        self._ledger = ledger
        self._spool = spool
        self._destinations = tuple(destinations)
        self._max_side = max_side

    def conclude(self, claim: Claim) -> bool:
        """Write the claimed revision; False when an image came meanwhile and the study stays open.

        Raises InvalidObject when no report passes the gate, Transient when the spool or ledger is away.
        """
        watch = _Watch(claim.revision)
        with watch.step("conclude"):
            result = self._gather(claim)
            is_plain = claim.attempts > _FULL_ATTEMPTS
            objects = self._make_plain(result) if is_plain else self._make_objects(result, watch)
        report = Report(claim.study, claim.revision, result.outcome, result.concluded_at, tuple(objects))
        zone = worst_zone([analysis for image in result.images for analysis in image.analyses])
        is_mine = self._ledger.reports.conclude(
            claim, report, worst_zone=zone, destinations=self._destinations
        )
        if is_mine:
            self._ledger.studies.note(claim.study, watch.steps)
            fields = {"study": claim.study, "revision": claim.revision, "outcome": result.outcome.value}
            took_ms = round(watch.steps[-1].duration_ms)
            logger.info("concluded", extra=fields | {"objects": len(objects), "ms": took_ms})
        return is_mine

    def _gather(self, claim: Claim) -> StudyResult:
        analyses = self._ledger.analyses.of_study(claim.study)
        images = tuple(
            ImageResult(instance, self._spool.path(instance.spool_key), tuple(analyses.get(instance.id, ())))
            for instance in self._ledger.instances.of_study(claim.study)
            if not instance.is_conflicting
        )
        return StudyResult(
            study=claim.study,
            revision=claim.revision,
            outcome=_outcome([analysis for image in images for analysis in image.analyses]),
            images=images,
            concluded_at=time.time(),
            predecessor=self._find_predecessor(claim.study),
        )

    def _find_predecessor(self, study: StudyUid) -> Predecessor | None:
        for report in reversed(self._ledger.reports.revisions(study)):
            for item in report.objects:
                if item.kind is ObjectKind.STRUCTURED_REPORT:
                    return Predecessor(item.SOPClassUID, item.SOPInstanceUID, item.SeriesInstanceUID)
        return None

    def _make_objects(self, result: StudyResult, watch: _Watch) -> list[ResultObject]:
        with watch.step("conclude.sr"):
            report = build_report(result)
        with watch.step("gate"):
            check(report, result)
        objects = [self._keep(report)]
        for image in _to_capture(result):
            known = self._ledger.reports.find_object(image_object_uid(ObjectKind.CAPTURE, image))
            capture = known[1] if known else self._make_capture(image, result, watch)
            if capture is not None:
                objects.append(capture)
        return objects

    def _make_plain(self, result: StudyResult) -> list[ResultObject]:
        """The last resort, of what the ledger knows alone: a study is never left without an answer."""
        logger.error("plain report instead of the full one", extra={"study": result.study})
        report = build_plain_report(result)
        check(report, result)
        return [self._keep(report)]

    def _make_capture(self, image: ImageResult, result: StudyResult, watch: _Watch) -> ResultObject | None:
        """A capture of this image and answer; None, and logged, when it fails the gate."""
        try:
            with watch.step("conclude.capture", image.instance.header.SOPInstanceUID):
                capture = build_capture(image, self._display(image), result, max_side=self._max_side)
            with watch.step("gate", image.instance.header.SOPInstanceUID):
                check(capture, result)
        except InvalidObject as error:
            # The report says the same in words; it must not wait for a picture.
            logger.error("capture held back", extra={"study": result.study, "why": str(error)})
            return None
        return self._keep(capture)

    def _display(self, image: ImageResult) -> NDArray[np.float32] | None:
        if any(analysis.reason == ATTEMPTS_EXHAUSTED for analysis in image.analyses):
            # Whatever ended the workers that decoded it would end this process too.
            return None
        try:
            return to_display(read_image(image.path))
        except Rejected:
            # Its analyses carry the reason; the capture then is a card without the image.
            return None

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


def _to_capture(result: StudyResult) -> list[ImageResult]:
    """Every image that was read; of a study where none was, the first, so that its answer is seen too."""
    read = [
        image
        for image in result.images
        if any(analysis.state is AnalysisState.DONE for analysis in image.analyses)
    ]
    return read or list(result.images[:1])
