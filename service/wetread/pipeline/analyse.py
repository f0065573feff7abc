"""Second step: one claimed analysis becomes findings, or a reason why not."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO

import numpy as np

from wetread.domain import ATTEMPTS_EXHAUSTED, Analysis, Finding, Instance, ModelId
from wetread.errors import Rejected
from wetread.infer.decode import read_image
from wetread.infer.engine import Engine, Reading
from wetread.infer.guard import Guard
from wetread.infer.interpret import ReadFinding
from wetread.infer.prepare import to_display
from wetread.ledger import Ledger
from wetread.ledger.studies import Step
from wetread.spool.objects import Spool

logger = logging.getLogger(__name__)


class _Watch:
    """The steps of one analysis for the study's timeline."""

    def __init__(self, instance: Instance, analysis: Analysis) -> None:
        self._instance = instance.header.SOPInstanceUID
        self._detail = f"{analysis.model.name} {analysis.model.version}"
        self.steps: list[Step] = []

    def note(self, name: str, duration_ms: float) -> None:
        """Add a step that has just ended."""
        self.steps.append(
            Step(
                step=name,
                at=time.time(),
                duration_ms=duration_ms,
                instance=self._instance,
                detail=self._detail,
            )
        )

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Note `name` with the time that the block took, also where it ends in a reason why not."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.note(name, 1000 * (time.perf_counter() - started))

    def rounded(self) -> dict[str, int]:
        """Milliseconds by step, for the log."""
        return {step.step: round(step.duration_ms) for step in self.steps}


class Analyser:
    """Reads one image with one model and records the answer; the same analysis may run twice."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        spool: Spool,
        engine: Engine,
        guard: Guard,
        models: Collection[ModelId],
        max_attempts: int,
        ended: Callable[[], None],
    ) -> None:
        self._ledger = ledger
        self._spool = spool
        self._engine = engine
        self._guard = guard
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
        watch = _Watch(instance, analysis)
        try:
            reading = self._read(instance, analysis, watch)
        except Rejected as error:
            self._fail(analysis, reason=error.code, text=str(error))
        else:
            findings = [self._keep_heat_map(found) for found in reading.findings]
            self._ledger.analyses.finish(analysis.id, findings, provider=reading.provider, now=time.time())
            logger.info("analysed", extra={"analysis": analysis.id, **watch.rounded()})
        self._ledger.studies.note(instance.header.StudyInstanceUID, watch.steps)

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

    def _read(self, instance: Instance, analysis: Analysis, watch: _Watch) -> Reading:
        with watch.step("analyse.decode"):
            image = read_image(self._spool.path(instance.spool_key))
        started = time.perf_counter()
        display = to_display(image)
        display_ms = 1000 * (time.perf_counter() - started)
        if self._guard.is_asked_by(analysis.model):
            with watch.step("analyse.picture"):
                self._guard.check(analysis.model, display)
        reading = self._engine.read(analysis.model.name, display)
        watch.note("analyse.prepare", display_ms + reading.prepare_ms)
        watch.note("analyse.infer", reading.infer_ms)
        return reading

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
