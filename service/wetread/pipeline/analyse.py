"""Second step: one claimed analysis becomes findings, or a reason why not."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from io import BytesIO

import numpy as np

from wetread.domain import ATTEMPTS_EXHAUSTED, Analysis, Finding, Instance, ModelId
from wetread.errors import Rejected
from wetread.infer.decode import read_image
from wetread.infer.engine import Engine
from wetread.infer.interpret import ReadFinding
from wetread.infer.prepare import to_display
from wetread.ledger import Ledger
from wetread.ledger.studies import Step
from wetread.spool.objects import Spool

logger = logging.getLogger(__name__)


class Analyser:
    """Reads one image with one model and records the answer; the same analysis may run twice."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        spool: Spool,
        engine: Engine,
        models: Collection[ModelId],
        max_attempts: int,
        ended: Callable[[], None],
    ) -> None:
        self._ledger = ledger
        self._spool = spool
        self._engine = engine
        self._models = frozenset(models)
        self._max_attempts = max_attempts
        self._ended = ended

    def analyse(self, analysis: Analysis) -> None:
        """Bring a claimed analysis to its end and say so. Raises Transient when ledger or spool is away."""
        self._run(analysis)
        self._ended()

    def _run(self, analysis: Analysis) -> None:
        if self._is_hopeless(analysis):
            return
        instance = self._ledger.instances.get(analysis.instance_id)
        try:
            steps, findings, provider = self._read(instance, analysis)
        except Rejected as error:
            self._fail(analysis, reason=error.code, text=str(error))
            return
        self._ledger.analyses.finish(analysis.id, findings, provider=provider, now=time.time())
        self._ledger.studies.note(instance.header.StudyInstanceUID, steps)
        logger.info(
            "analysed", extra={"analysis": analysis.id} | {s.step: round(s.duration_ms) for s in steps}
        )

    def _is_hopeless(self, analysis: Analysis) -> bool:
        if analysis.model not in self._models:
            self._fail(analysis, reason="model_not_here", text="the model was withdrawn before it ran")
            return True
        # Attempts are counted when claimed: an image that kills its worker does not get to loop.
        if analysis.attempts > self._max_attempts:
            text = f"given up after {self._max_attempts} attempts that did not end"
            self._fail(analysis, reason=ATTEMPTS_EXHAUSTED, text=text)
            return True
        return False

    def _read(self, instance: Instance, analysis: Analysis) -> tuple[list[Step], list[Finding], str]:
        started = time.perf_counter()
        image = read_image(self._spool.path(instance.spool_key))
        decoded = time.perf_counter()
        display = to_display(image)
        displayed = time.perf_counter()
        reading = self._engine.read(analysis.model.name, display)
        findings = [self._keep_heat_map(found) for found in reading.findings]
        prepare_ms = 1000 * (displayed - decoded) + reading.prepare_ms
        steps = [
            _step("analyse.decode", 1000 * (decoded - started), instance, analysis),
            _step("analyse.prepare", prepare_ms, instance, analysis),
            _step("analyse.infer", reading.infer_ms, instance, analysis),
        ]
        return steps, findings, reading.provider

    def _keep_heat_map(self, found: ReadFinding) -> Finding:
        if found.heat_map is None:
            return found.finding
        buffer = BytesIO()
        np.save(buffer, found.heat_map, allow_pickle=False)
        return replace(
            found.finding, heat_map=self._spool.put([buffer.getvalue()], suffix="npy", is_ours=True)
        )

    def _fail(self, analysis: Analysis, *, reason: str, text: str) -> None:
        self._ledger.analyses.fail(analysis.id, reason=reason, reason_text=text, now=time.time())
        logger.warning("not evaluable", extra={"analysis": analysis.id, "reason": reason, "why": text})


def _step(name: str, duration_ms: float, instance: Instance, analysis: Analysis) -> Step:
    return Step(
        step=name,
        at=time.time(),
        duration_ms=duration_ms,
        instance=instance.header.SOPInstanceUID,
        detail=f"{analysis.model.name} {analysis.model.version}",
    )
