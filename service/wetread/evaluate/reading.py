"""Reads every case with one finding of one bundle, as the service would."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from wetread.config import Settings
from wetread.domain import Box, OperatingPoints, Zone
from wetread.errors import Misconfigured, Rejected
from wetread.evaluate.cases import Case
from wetread.evaluate.picture import OutOfScope, facts_of, open_picture
from wetread.infer.bundle import MANIFEST_NAME, Bundle, load_bundle
from wetread.infer.engine import Engine, available_providers
from wetread.infer.guard import Guard, find_guard
from wetread.pipeline.parts import make_trust, read_bundles, to_readers
from wetread.route.rules import Scope

_MS_PER_S = 1e3


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said of a case, or why it said nothing.

    `reason` is the code of a case that is not evaluable, '' otherwise. `shown` are the boxes that the service
    shows; `candidates` all that the model has, with their FROC score as `probability`, strongest first.
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
    """The finding that is measured: a bundle, the finding's place in it, and the guard beside it, if any."""

    bundle: Bundle
    finding: int = 0
    guard: Bundle | None = None

    @property
    def points(self) -> OperatingPoints:
        """Its two thresholds."""
        return self.bundle.manifest.findings[self.finding].operating_points.to_operating_points()

    @property
    def title(self) -> str:
        """Model and version."""
        return f"{self.bundle.id.name} {self.bundle.id.version}"

    @property
    def is_detector(self) -> bool:
        """Whether its boxes come from a detector, not from a heat map."""
        return self.bundle.manifest.output.kind == "detection"


def find_subject(settings: Settings, name: str, *, finding: str | None) -> Subject:
    """A model by name (its newest version) or by the folder of one version.

    Raises Misconfigured, with what there is, for an unknown model or finding, or when it has several
    findings and none is named.
    """
    bundles = {bundle.id.name: bundle for bundle in read_bundles(settings)}
    folder = Path(name)
    if (folder / MANIFEST_NAME).is_file():
        bundle = load_bundle(folder.resolve(), make_trust(settings))
    elif name in bundles:
        bundle = bundles[name]
    else:
        known = ", ".join(name for name, bundle in bundles.items() if bundle.manifest.findings)
        raise Misconfigured(f"no model named {name!r} (there are: {known})")
    labels = [spec.label for spec in bundle.manifest.findings]
    if not labels:
        raise Misconfigured(f"{bundle.id.name} finds nothing: it says what a picture is")
    if finding not in labels and (finding is not None or len(labels) > 1):
        raise Misconfigured(f"{bundle.id.name}: choose one with --finding: {', '.join(labels)}")
    place = labels.index(finding) if finding else 0
    # Another version of a model stands in the place of the one that is installed.
    guard = find_guard([*({**bundles, bundle.id.name: bundle}).values()])
    return Subject(bundle, place, guard if bundle.manifest.reads.pictures else None)


@contextmanager
def opened(subject: Subject, *, threads: int) -> Iterator[Reader]:
    """The model, and its guard, ready to read."""
    bundles = [subject.bundle, *([subject.guard] if subject.guard else [])]
    with Engine(bundles, threads=threads, providers=available_providers()) as engine:
        yield Reader(subject, engine, Guard(engine, bundles))


class Reader:
    """Reads cases one after the other."""

    def __init__(self, subject: Subject, engine: Engine, guard: Guard) -> None:
        self._subject = subject
        self._engine = engine
        self._guard = guard
        self._scope: Scope = to_readers([subject.bundle])[0].scope

    def read_all(self, cases: Iterable[Case]) -> Iterator[Answer]:
        """One answer per case, in order. Facts and group are completed from the DICOM header."""
        for case in cases:
            started = time.perf_counter()
            answer = self._read(case)
            yield replace(answer, took_ms=(time.perf_counter() - started) * _MS_PER_S)

    def _read(self, case: Case) -> Answer:
        try:
            picture = open_picture(case.path, self._scope)
        except OutOfScope as error:
            return Answer(_completed(case, facts_of(error.header), error.header.PatientID), error.code)
        except Rejected as error:
            return Answer(case, error.code)
        known = _completed(case, picture.facts, picture.patient)
        subject = self._subject
        try:
            if self._guard.is_asked_by(subject.bundle.id):
                self._guard.check(subject.bundle.id, picture.display)
            reading = self._engine.read(subject.bundle.id.name, picture.display)
        except Rejected as error:
            return Answer(known, error.code)
        found = reading.findings[subject.finding]
        # A heat map says where, its image says whether: the product ranks the boxes of all images.
        weight = 1.0 if subject.is_detector else found.finding.probability
        candidates = tuple(replace(box, probability=box.probability * weight) for box in found.candidates)
        return Answer(
            known, "", found.finding.probability, found.finding.zone, found.finding.boxes, candidates
        )


def _completed(case: Case, facts: dict[str, str], patient: str) -> Case:
    """What the list says stands before what the header says."""
    said = {name: value for name, value in case.facts.items() if value}
    return replace(case, facts={**facts, **said}, group=case.group or patient)
