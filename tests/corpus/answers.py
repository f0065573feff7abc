"""What the networks are said to have found: planted answers, the same for the same image each time."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from tests.unit.report.studies import (
    FRACTURE_MODEL,
    PNEUMONIA,
    PNEUMONIA_MODEL,
    a_finding,
    declined,
    done,
    failed,
)
from wetread.domain import Analysis, Box, Code, Finding, ModelId, SpoolKey, Zone
from wetread.report.results import Evidence

OPACITY = Code("112001", "DCM", "Opacity")
_HEAT_ROWS, _HEAT_COLUMNS = 28, 24


@dataclass(frozen=True, slots=True)
class Subject:
    """The image that is answered: its matrix, and whether it is a chest."""

    name: str
    rows: int
    columns: int
    is_chest: bool

    @property
    def model(self) -> ModelId:
        """Who reads it."""
        return PNEUMONIA_MODEL if self.is_chest else FRACTURE_MODEL

    def boxes(self, count: int) -> tuple[Box, ...]:
        """Boxes that do not meet, one in each of `count` bands, off the grid of whole pixels."""
        rng = np.random.default_rng(zlib.crc32(self.name.encode()))
        band = self.rows / max(count, 1)
        made = []
        for number in range(count):
            high, wide = band * rng.uniform(0.3, 0.7), self.columns * rng.uniform(0.12, 0.35)
            top = number * band + rng.uniform(0.1, 0.9) * (band - high)
            left = rng.uniform(0.05, 0.95) * (self.columns - wide)
            made.append(Box(left, top, left + wide, top + high, rng.uniform(0.3, 0.99)))
        return tuple(made)

    def finding(self, probability: float, *boxes: Box) -> Finding:
        """Its model's own finding."""
        if self.is_chest:
            return a_finding(probability, *boxes, code=PNEUMONIA, label="Pneumonia")
        return a_finding(probability, *boxes)


def _found(probability: float, boxes: int) -> Callable[[Subject], tuple[Analysis, ...]]:
    def answer(subject: Subject) -> tuple[Analysis, ...]:
        return (done(subject.finding(probability, *subject.boxes(boxes)), model=subject.model),)

    return answer


def _at_the_edge(subject: Subject) -> tuple[Analysis, ...]:
    """Boxes that touch the border, reach over it, and are one pixel wide."""
    wide, high = float(subject.columns), float(subject.rows)
    boxes = (
        Box(0, 0, wide / 4, high / 4, 0.9),
        Box(wide * 0.8, high * 0.8, wide + 0.4, high + 3, 0.8),
        Box(wide / 2, high / 2, wide / 2 + 1, high / 2 + 1, 0.7),
    )
    return (done(subject.finding(0.9, *boxes), model=subject.model),)


def _two_findings(subject: Subject) -> tuple[Analysis, ...]:
    first, second, third = subject.boxes(3)
    opacity = a_finding(0.35, second, third, code=OPACITY, label="Opacity")
    return (done(subject.finding(0.91, first), opacity, model=subject.model),)


def _one_network_failed(subject: Subject) -> tuple[Analysis, ...]:
    other = FRACTURE_MODEL if subject.is_chest else PNEUMONIA_MODEL
    broken = failed("inference_failed", "the network gave no number", model=other)
    return (*_found(0.74, 1)(subject), broken)


def _declined(subject: Subject) -> tuple[Analysis, ...]:
    return (
        declined("age_out_of_scope", "patients under 18 years are not read", model=PNEUMONIA_MODEL),
        declined("body_part_out_of_scope", "body part SKULL is not read by this model", model=FRACTURE_MODEL),
    )


def _undecodable(subject: Subject) -> tuple[Analysis, ...]:
    return (failed("pixels_truncated", "1024 bytes of pixels are missing", model=subject.model),)


def _turned_away(subject: Subject) -> tuple[Analysis, ...]:
    return (failed("picture_inverted", "the picture is a negative", model=subject.model),)


ANSWERS: Mapping[str, Callable[[Subject], tuple[Analysis, ...]]] = MappingProxyType(
    {
        "no finding": _found(0.03, 0),
        "one box": _found(0.87, 1),
        "two boxes": _found(0.93, 2),
        "three boxes": _found(0.99, 3),
        "four boxes": _found(0.71, 4),
        "five boxes": _found(0.998, 5),
        "one doubtful": _found(0.41, 1),
        "two doubtful": _found(0.22, 2),
        "positive, not located": _found(0.66, 0),
        "at the edge": _at_the_edge,
        "two findings": _two_findings,
        "one network failed": _one_network_failed,
        "declined": _declined,
        "undecodable": _undecodable,
        "picture turned away": _turned_away,
    }
)


def answered(subject: Subject, answer: str) -> tuple[Analysis, ...]:
    """The analyses of an image that is answered so; what is found has a heat map."""
    return tuple(
        replace(analysis, findings=tuple(_with_heat_map(finding) for finding in analysis.findings))
        for analysis in ANSWERS[answer](subject)
    )


def _with_heat_map(finding: Finding) -> Finding:
    is_found = finding.zone is not Zone.NEGATIVE
    return replace(finding, heat_map=SpoolKey("aa/heat.npy")) if is_found else finding


def evidence_of(subject: Subject, analyses: tuple[Analysis, ...]) -> tuple[Evidence, ...]:
    """A heat map for every finding that has one: a hill over each box, or one in the middle."""
    return tuple(
        Evidence(analysis.model, finding, _heat_map(subject, finding.boxes))
        for analysis in analyses
        for finding in analysis.findings
        if finding.heat_map
    )


def _heat_map(subject: Subject, boxes: tuple[Box, ...]) -> NDArray[np.float16]:
    middle = Box(0.4 * subject.columns, 0.4 * subject.rows, 0.6 * subject.columns, 0.6 * subject.rows, 0.5)
    y, x = np.mgrid[0:_HEAT_ROWS, 0:_HEAT_COLUMNS]
    y, x = (y + 0.5) * subject.rows / _HEAT_ROWS, (x + 0.5) * subject.columns / _HEAT_COLUMNS
    hills = [
        np.exp(
            -2 * ((x - (b.left + b.right) / 2) / max(b.right - b.left, 1)) ** 2
            - 2 * ((y - (b.top + b.bottom) / 2) / max(b.bottom - b.top, 1)) ** 2
        )
        for b in boxes or (middle,)
    ]
    return np.asarray(np.max(hills, axis=0), dtype=np.float16)
