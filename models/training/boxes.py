"""Boxes from the heat map, cut by the service's own code, and the choice of their threshold."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from training.dataset import Sample
from training.settings import TrainingSettings
from wetread.domain import Box
from wetread.infer.interpret import find_boxes
from wetread.infer.manifest import InputSpec
from wetread.infer.prepare import place, to_input

THRESHOLDS = tuple(round(0.1 + 0.05 * step, 2) for step in range(18))
LEAST_OVERLAP = 0.3


class RawReading(NamedTuple):
    """What the exported network says of one image: image logit and map (h, w), 0..1."""

    logit: float
    heat_map: NDArray[np.float32]


class Hits(NamedTuple):
    """Boxes against the truth: lesions found, lesions there, boxes that hit none."""

    found: int
    lesions: int
    false_boxes: int


class Candidate:
    """An exported network that has no bundle manifest yet, run as the service will run it."""

    def __init__(self, path: Path, settings: TrainingSettings) -> None:
        self.spec = input_spec(settings)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def read(self, image: NDArray[np.uint8]) -> RawReading:
        """Read one stored image."""
        tensor = to_input(to_grey(image), self.spec)
        logits, heat_map = self._session.run(["logits", "heat_map"], {"image": tensor})
        return RawReading(float(logits[0, 0]), np.asarray(heat_map[0, 0], np.float32))


def to_grey(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """An 8-bit image as the service displays it: 0..1, dense tissue bright."""
    return image.astype(np.float32) / np.float32(255.0)


def input_spec(settings: TrainingSettings) -> InputSpec:
    """The network's input as the manifest will state it."""
    return InputSpec.model_validate(
        {
            "name": "image",
            "rows": settings.size,
            "columns": settings.size,
            "channels": 1,
            "fit": settings.fit,
            "mean": 0.0,
            "std": 1.0,
        }
    )


def count_hits(boxes: tuple[Box, ...], truth: NDArray[np.float32]) -> Hits:
    """A box hits a lesion when its centre lies in it or their overlap (IoU) is at least 0.3."""
    matrix = np.array([[_is_hit(box, lesion) for lesion in truth] for box in boxes], bool)
    if not len(boxes) or not len(truth):
        return Hits(0, len(truth), len(boxes))
    return Hits(int(matrix.any(axis=0).sum()), len(truth), int((~matrix.any(axis=1)).sum()))


def _is_hit(box: Box, lesion: NDArray[np.float32]) -> bool:
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    if lesion[0] <= x <= lesion[2] and lesion[1] <= y <= lesion[3]:
        return True
    width = min(box.right, lesion[2]) - max(box.left, lesion[0])
    height = min(box.bottom, lesion[3]) - max(box.top, lesion[1])
    shared = max(0.0, width) * max(0.0, height)
    areas = (box.right - box.left) * (box.bottom - box.top) + (lesion[2] - lesion[0]) * (
        lesion[3] - lesion[1]
    )
    return bool(shared >= LEAST_OVERLAP * (areas - shared))


def choose_threshold(
    candidate: Candidate, samples: list[Sample], readings: list[RawReading], *, least_logit: float
) -> tuple[float, list[dict[str, float]]]:
    """The threshold with the best F1 of boxes over images that would be shown boxes, and all tried."""
    table = []
    for threshold in THRESHOLDS:
        hits = [
            count_hits(_shown(candidate, sample, reading, threshold, least_logit), sample.boxes)
            for sample, reading in zip(samples, readings, strict=True)
        ]
        found, lesions, wrong = (sum(column) for column in zip(*hits, strict=True))
        score = 2 * found / max(1, found + wrong + lesions)
        table.append(
            {
                "threshold": threshold,
                "hit_rate": round(found / lesions, 4),
                "false_boxes_per_image": round(wrong / len(samples), 4),
                "f1": round(score, 4),
            }
        )
    best = max(table, key=lambda row: row["f1"])
    return best["threshold"], table


def _shown(
    candidate: Candidate, sample: Sample, reading: RawReading, threshold: float, least_logit: float
) -> tuple[Box, ...]:
    if reading.logit < least_logit:
        return ()
    rows, columns = sample.image.shape
    placement = place(rows, columns, candidate.spec)
    return find_boxes(reading.heat_map, candidate.spec, placement, threshold=threshold)
