"""Everything that the page tells, as one structure: what `evaluation.json` holds."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from wetread.domain import SOFTWARE_VERSION, OperatingPoints
from wetread.evaluate.cases import CaseSet
from wetread.evaluate.comparison import Rival, compare
from wetread.evaluate.figures import Figures, area_under_curve, at_threshold, curves, describe
from wetread.evaluate.localisation import localise
from wetread.evaluate.reading import Answer, Subject
from wetread.evaluate.records import digest_of
from wetread.evaluate.sample import LEAST_GROUPS, RESAMPLES, SEED, Sample, rounded, to_sample, with_unanswered
from wetread.evaluate.subgroups import LEAST_IMAGES, describe_subgroups

SCHEMA = 1
_LIBRARIES = ("numpy", "scipy", "scikit-learn", "statsmodels", "onnxruntime", "onnxruntime-gpu")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the caller asked for beside the figures that are always made."""

    command: str
    prevalence: float | None = None
    by: tuple[str, ...] = ()
    rivals: tuple[Rival, ...] = ()


def summarise(subject: Subject, cases: CaseSet, answers: Sequence[Answer], wishes: Wishes) -> Figures:
    """The figures of one evaluation; the README beside this file describes every key."""
    sample, points = to_sample(answers), subject.points
    figures: Figures = {
        "schema": SCHEMA,
        "made": _made(wishes, answers),
        "model": describe_model(subject),
        "data": _data(cases, answers),
        "zones": dict(Counter(answer.zone.value for answer in answers if answer.is_evaluable)),
    }
    if not len(sample.labels):
        return figures
    return figures | {
        "all": describe(sample, points, prevalence=wishes.prevalence),
        "if_not_evaluable": _if_unanswered(answers, points),
        "curves": curves(sample),
        "localisation": localise(answers),
        "subgroups": describe_subgroups(sample, points, by=wishes.by),
        "least_images_of_a_subgroup": LEAST_IMAGES,
        "comparisons": [compare(sample, points, rival) for rival in wishes.rivals],
    }


def describe_model(subject: Subject) -> Figures:
    """Who was measured."""
    bundle = subject.bundle
    spec = bundle.manifest.findings[subject.finding]
    return {
        "name": bundle.id.name,
        "version": bundle.id.version,
        "title": bundle.manifest.title,
        "intended_use": bundle.manifest.intended_use,
        "sha256": bundle.id.digest,
        "guard": f"{subject.guard.id.name} {subject.guard.id.version}" if subject.guard else None,
        "finding": spec.label,
        "code": {"value": spec.code.value, "scheme": spec.code.scheme, "meaning": spec.code.meaning},
        "operating_points": {"sensitive": subject.points.sensitive, "specific": subject.points.specific},
        "boxes": None
        if spec.boxes is None
        else {"threshold": spec.boxes.threshold, "from": "detector" if subject.is_detector else "heat map"},
    }


def _made(wishes: Wishes, answers: Sequence[Answer]) -> Figures:
    times = [answer.took_ms for answer in answers if answer.is_evaluable]
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "by": f"wetread {SOFTWARE_VERSION}",
        "command": wishes.command,
        "median_ms_per_image": rounded(float(np.median(times))) if times else None,
        "python": platform.python_version(),
        "libraries": _versions(),
        "intervals": {
            "level": 0.95,
            "proportions": "Wilson",
            "others": "percentile bootstrap over groups",
            "resamples": RESAMPLES,
            "seed": SEED,
            "least_groups": LEAST_GROUPS,
        },
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            # ONNX Runtime comes as one of two packages.
            continue
    return found


def _data(cases: CaseSet, answers: Sequence[Answer]) -> Figures:
    silent = [answer for answer in answers if not answer.is_evaluable]
    return {
        "name": cases.name,
        "split": cases.split,
        "sha256": digest_of(cases.cases),
        "images": len(answers),
        "is_labelled": cases.is_labelled,
        "left_out": [{"row": item.row, "reason": item.reason} for item in cases.exclusions],
        "not_evaluable": {
            "images": len(silent),
            "positives": sum(answer.case.label == 1 for answer in silent),
            "reasons": dict(Counter(answer.reason for answer in silent).most_common()),
        },
    }


def _if_unanswered(answers: Sequence[Answer], points: OperatingPoints) -> Figures | None:
    """The headline again, with the cases that were not evaluable counted; None when all were."""
    if all(answer.is_evaluable for answer in answers):
        return None
    return {
        "counted_as_negative": _headline(with_unanswered(answers, are_wrong=False), points),
        "counted_as_wrong": _headline(with_unanswered(answers, are_wrong=True), points),
    }


def _headline(sample: Sample, points: OperatingPoints) -> Figures:
    return {
        "images": len(sample.labels),
        "auc": area_under_curve(sample),
        "sensitive": at_threshold(sample, points.sensitive, prevalence=None),
        "specific": at_threshold(sample, points.specific, prevalence=None),
    }
