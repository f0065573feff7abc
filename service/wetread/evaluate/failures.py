"""The answers that were most wrong, as pictures for the page. They show patients when patients were read."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import cv2
import numpy as np
from PIL import Image

from wetread.evaluate.cases import Rectangles
from wetread.evaluate.hits import to_rectangles
from wetread.evaluate.picture import open_display
from wetread.evaluate.reading import Answer

SHOWN = 6
_LONGEST_SIDE = 420
_JPEG_QUALITY = 80


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture: JPEG as a data URL, its size, and boxes in its pixels with their scores."""

    answer: Answer
    source: str
    width: int
    height: int
    lesions: tuple[tuple[float, ...], ...]
    boxes: tuple[tuple[tuple[float, ...], float], ...]


def worst_misses(answers: Sequence[Answer]) -> list[Answer]:
    """Positives that were given the lowest probabilities, lowest first."""
    positives = [answer for answer in answers if answer.is_evaluable and answer.case.label == 1]
    return sorted(positives, key=lambda answer: answer.probability)[:SHOWN]


def worst_alarms(answers: Sequence[Answer]) -> list[Answer]:
    """Negatives that were given the highest probabilities, highest first."""
    negatives = [answer for answer in answers if answer.is_evaluable and answer.case.label == 0]
    return sorted(negatives, key=lambda answer: -answer.probability)[:SHOWN]


def show(answer: Answer) -> Shown:
    """Draw one answer: the radiograph shrunk, its true boxes and those that the model has for it.

    A negative answer shows no box in the service; here its strongest candidate is drawn.
    """
    display = open_display(answer.case.path)
    scale = min(1.0, _LONGEST_SIDE / max(display.shape))
    size = (max(1, round(display.shape[1] * scale)), max(1, round(display.shape[0] * scale)))
    small = cv2.resize(display, size, interpolation=cv2.INTER_AREA)
    boxes = answer.shown or answer.candidates[:1]
    lesions = np.zeros((0, 4)) if answer.case.lesions is None else answer.case.lesions
    return Shown(
        answer,
        _to_url(np.round(small * 255).astype(np.uint8)),
        *size,
        _scaled(lesions, scale),
        tuple(zip(_scaled(to_rectangles(boxes), scale), (box.probability for box in boxes), strict=True)),
    )


def _scaled(boxes: Rectangles, scale: float) -> tuple[tuple[float, ...], ...]:
    """Left, top, width, height."""
    sizes = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1) * scale
    return tuple(tuple(round(float(edge), 1) for edge in box) for box in sizes)


def _to_url(grey: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> str:
    buffer = BytesIO()
    Image.fromarray(grey).save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
