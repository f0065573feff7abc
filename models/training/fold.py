"""The held-out fold read by the service's own engine: what calibration and thresholds are chosen on."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.boxes import Pointed, choose_threshold
from training.calibrate import Choice, choose
from training.dataset import Sample, groups_of, hold_out, load_split
from training.manifest import BundleFacts
from training.settings import TrainingSettings
from wetread.domain import Box
from wetread.infer.bundle import load_bundle
from wetread.infer.engine import Engine
from wetread.infer.signature import ANYONE

_NEARLY = 1e-12


class FoldReading(NamedTuple):
    """One image of the fold: the network's logit, and all places that it points at, strongest first."""

    logit: float
    candidates: tuple[Box, ...]


def held_out_fold(settings: TrainingSettings, data: Path, *, stored_size: int | None = None) -> list[Sample]:
    """The fold that training never saw, no patient of it on another film either.

    At stored resolution, as the tests are, or shrunk to `stored_size`.
    """
    root = data / settings.task
    samples = load_split(root, settings.task, "train", stored_size=stored_size)
    return hold_out(samples, folds=settings.folds, seed=settings.seed, met=groups_of(root, "train_weak"))[1]


def to_grey(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """An 8-bit image as the service displays it: 0..1, dense tissue bright."""
    return image.astype(np.float32) / np.float32(255.0)


def read_fold(bundle: Path, samples: list[Sample]) -> list[FoldReading]:
    """Read every image with a bundle that is not calibrated yet: a = 1, b = 0."""
    made = load_bundle(bundle, ANYONE)
    readings = []
    with Engine([made], threads=1) as engine:
        for sample in samples:
            found = engine.read(made.manifest.name, to_grey(sample.image)).findings[0]
            p = min(max(found.finding.probability, _NEARLY), 1 - _NEARLY)
            readings.append(FoldReading(math.log(p / (1 - p)), found.candidates))
    return readings


def choose_on_fold(
    facts: BundleFacts, samples: list[Sample], readings: list[FoldReading]
) -> tuple[Choice, float, dict[str, object]]:
    """Calibration with operating points, the least score of a shown box, and the record of both."""
    logits = np.array([reading.logit for reading in readings])
    labels = np.array([sample.label for sample in samples])
    choice = choose(
        logits,
        labels,
        sensitivity=facts.sensitivity,
        specificity=facts.specificity,
        prevalence=facts.prevalence,
    )
    shown = choice.probability(logits) >= choice.sensitive
    images = [
        Pointed(bool(is_shown), reading.candidates, sample.boxes)
        for is_shown, reading, sample in zip(shown, readings, samples, strict=True)
    ]
    threshold, tried = choose_threshold(images)
    record: dict[str, object] = {
        "fold_images": len(samples),
        "fold_positives": int(labels.sum()),
        "fold_groups": len({sample.group for sample in samples}),
        "prevalence": facts.prevalence,
        "platt": [choice.a, choice.b],
        "sensitive": choice.sensitive,
        "specific": choice.specific,
        "box_threshold": threshold,
        "box_threshold_tried": tried,
    }
    return choice, threshold, record
