"""Answers of readers that are as good as a test wants them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from wetread.domain import Box, OperatingPoints, Zone
from wetread.evaluate.cases import Case
from wetread.evaluate.reading import Answer

POINTS = OperatingPoints(0.3, 0.6)
LESION = (10.0, 10.0, 30.0, 30.0)


def answer(
    number: int,
    label: int | None,
    probability: float,
    *,
    lesions: Sequence[tuple[float, ...]] | None = None,
    boxes: Sequence[tuple[float, ...]] = (),
    group: str = "",
    reason: str = "",
    **facts: str,
) -> Answer:
    """One case and what was said of it; a box is left, top, right, bottom, score."""
    marked = None if lesions is None else np.array(lesions, dtype=np.float64).reshape(-1, 4)
    name = f"case-{number}.png"
    case = Case(name, Path(name), number, label, marked, group, facts)
    zone = POINTS.zone(probability)
    candidates = tuple(Box(*box) for box in boxes)
    shown = () if zone is Zone.NEGATIVE else candidates
    return Answer(case, reason, probability, zone, shown, candidates, 1.0)


def perfect(images: int = 40) -> list[Answer]:
    """Every second case is positive, and known to be."""
    return [answer(number, number % 2, 0.9 if number % 2 else 0.1) for number in range(images)]


def random(images: int = 400, seed: int = 1) -> list[Answer]:
    """Says anything."""
    chances = np.random.default_rng(seed).random(images)
    return [answer(number, number % 2, float(chance)) for number, chance in enumerate(chances)]
