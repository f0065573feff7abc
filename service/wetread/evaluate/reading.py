"""Reads every case with one finding of one bundle, as the service would."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from wetread.domain import Box, OperatingPoints, Zone
from wetread.errors import Misconfigured, Rejected
from wetread.evaluate.cases import Case
from wetread.evaluate.picture import OutOfScope, facts_of, open_picture
from wetread.infer.bundle import Bundle, load_bundle, load_bundles
from wetread.infer.engine import Engine, available_providers
from wetread.pipeline.parts import to_readers

# A detector's boxes from this score on are candidates for the FROC curve. A heat map is cut at the bundle's
# own threshold: a lower one would melt its boxes into one.
LEAST_SCORE = 0.005
_MS_PER_S = 1e3

# Asked about every displayed image: raises Rejected, with the code a report gives, for the wrong picture.
Guard: TypeAlias = Callable[[NDArray[np.float32]], None]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said of a case, or why it said nothing.

    `reason` is the code of a case that is not evaluable, '' otherwise. `candidates` are all boxes with their
    FROC score as `probability`, strongest first; `shown` are those that the service would show.
    """

    case: Case
    reason: str = ""
    probability: float = 0.0
    zone: Zone = Zone.NEGATIVE
    shown: tuple[Box, ...] = ()
    candidates: tuple[Box, ...] = ()
    took_ms: float = 0.0

    @property
    def is_evaluable(self) -> bool:
        """Whether there is an answer to measure."""
        return not self.reason


@dataclass(frozen=True, slots=True)
class Subject:
    """The finding that is measured: a bundle and its place among the bundle's findings."""

    bundle: Bundle
    finding: int = 0

    @property
    def points(self) -> OperatingPoints:
        """Its two thresholds."""
        return self.bundle.manifest.findings[self.finding].operating_points.to_operating_points()

    @property
    def label(self) -> str:
        """Its name."""
        return self.bundle.manifest.findings[self.finding].label

    @property
    def title(self) -> str:
        """Model and version."""
        return f"{self.bundle.id.name} {self.bundle.id.version}"

    @property
    def is_detector(self) -> bool:
        """Whether its boxes come from a detector, not from a heat map."""
        return str(self.bundle.manifest.output.kind) == "detection"


def find_subject(models: Path, name: str, *, finding: str | None) -> Subject:
    """A model by name (its newest version) or by the folder of one version.

    Raises Misconfigured, with what there is, for an unknown model or finding, or when it has several
    findings and none is named.
    """
    folder = Path(name)
    if (folder / "model.toml").is_file():
        bundle = load_bundle(folder.resolve())
    else:
        bundles = {bundle.id.name: bundle for bundle in load_bundles(models)}
        if name not in bundles:
            raise Misconfigured(f"no model named {name!r} (there are: {', '.join(bundles)})")
        bundle = bundles[name]
    labels = [spec.label for spec in bundle.manifest.findings]
    if finding is None and len(labels) == 1:
        return Subject(bundle)
    if finding not in labels:
        raise Misconfigured(f"{bundle.id.name}: choose one with --finding: {', '.join(labels) or 'none'}")
    return Subject(bundle, labels.index(finding))


def read_cases(
    subject: Subject, cases: Iterable[Case], *, guard: Guard | None, threads: int
) -> Iterator[Answer]:
    """One answer per case, in order. A case's facts and group are completed from its DICOM header."""
    scope = to_readers([subject.bundle])[0].scope
    with Engine([_all_boxes(subject)], threads=threads, providers=available_providers()) as engine:
        for case in cases:
            started = time.perf_counter()
            try:
                picture = open_picture(case.path, scope)
                if guard is not None:
                    guard(picture.display)
                known = replace(
                    case, facts={**picture.facts, **_filled(case)}, group=case.group or picture.patient
                )
                answer = _read(engine, subject, known, picture.display)
            except OutOfScope as error:
                known = replace(
                    case,
                    facts={**facts_of(error.header), **_filled(case)},
                    group=case.group or error.header.PatientID,
                )
                answer = Answer(known, error.code)
            except Rejected as error:
                answer = Answer(case, error.code)
            yield replace(answer, took_ms=(time.perf_counter() - started) * _MS_PER_S)


def _filled(case: Case) -> dict[str, str]:
    return {name: value for name, value in case.facts.items() if value}


def _read(engine: Engine, subject: Subject, case: Case, display: NDArray[np.float32]) -> Answer:
    found = engine.read(subject.bundle.manifest.name, display).findings[subject.finding].finding
    zone = subject.points.zone(found.probability)
    shown = () if zone is Zone.NEGATIVE else shown_boxes(subject, found.boxes)
    # A heat map says where, its image says whether: the product ranks the boxes of all images.
    weight = 1.0 if subject.is_detector else found.probability
    candidates = tuple(replace(box, probability=box.probability * weight) for box in found.boxes)
    return Answer(case, "", found.probability, zone, shown, candidates)


def shown_boxes(subject: Subject, boxes: tuple[Box, ...]) -> tuple[Box, ...]:
    """Those of the candidates that the service shows: from the threshold on, the strongest at least."""
    if not subject.is_detector:
        return boxes
    spec = subject.bundle.manifest.findings[subject.finding].boxes
    least = LEAST_SCORE if spec is None else spec.threshold
    passing = tuple(box for box in boxes if box.probability >= least)
    return passing or boxes[:1]


def _all_boxes(subject: Subject) -> Bundle:
    """The bundle with boxes for negative images too, and with a detector's weak boxes."""
    manifest = subject.bundle.manifest
    findings = []
    for spec in manifest.findings:
        points = spec.operating_points.model_copy(update={"sensitive": 0.0})
        update: dict[str, object] = {"operating_points": points}
        if spec.boxes is not None and subject.is_detector:
            update["boxes"] = spec.boxes.model_copy(update={"threshold": LEAST_SCORE})
        findings.append(spec.model_copy(update=update))
    return replace(subject.bundle, manifest=manifest.model_copy(update={"findings": tuple(findings)}))
