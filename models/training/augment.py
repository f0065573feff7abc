"""From a stored radiograph to a network input: as the service prepares it, or a varied view."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from monai.transforms import (
    Compose,
    RandAdjustContrast,
    RandCoarseDropout,
    RandGaussianNoise,
    RandGaussianSmooth,
    RandHistogramShift,
    RandScaleIntensity,
    RandShiftIntensity,
)
from numpy.typing import NDArray

from training.dataset import Sample
from training.settings import Phase, TrainingSettings

Matrix = NDArray[np.float64]
LEAST_VISIBLE = 0.3
CROP_TRIES = 4


@dataclass(frozen=True, slots=True)
class View:
    """One network input: `image` (rows, columns) float32 0..1, `boxes` and label as seen in it."""

    image: NDArray[np.float32]
    boxes: NDArray[np.float32]
    label: int


def frame_matrix(shape: tuple[int, ...], size: int, fit: str) -> Matrix:
    """The affine map (3, 3) from pixels of an image of `shape` to a square of `size`."""
    rows, columns = shape[:2]
    if fit == "square":
        return np.diag([size / columns, size / rows, 1.0])
    width, height, left, top = letterbox(shape, size)
    return np.array([[width / columns, 0, left], [0, height / rows, top], [0, 0, 1.0]])


def letterbox(shape: tuple[int, ...], size: int) -> tuple[int, int, int, int]:
    """Width, height, left and top of an image of `shape` centred in a square of `size`."""
    scale = size / max(shape[:2])
    width, height = max(1, round(shape[1] * scale)), max(1, round(shape[0] * scale))
    return width, height, (size - width) // 2, (size - height) // 2


class Augmenter:
    """Draws varied views of samples for one phase of training."""

    def __init__(self, settings: TrainingSettings, phase: Phase) -> None:
        self._settings, self._phase = settings, phase
        # Bone is a small, bright part of a limb film and must not drown in white.
        self._most_saturated = 16.0 if settings.fit == "square" else 2.0
        # A hole must not hide a lesion: a fracture is some 25 pixels wide, an opacity 60.
        hole = phase.size // (8 if settings.fit == "square" else 20)
        self._intensity = Compose(
            [
                RandAdjustContrast(prob=0.6, gamma=(0.6, 1.7)),
                RandHistogramShift(num_control_points=(5, 8), prob=0.15),
                RandScaleIntensity(factors=0.25, prob=0.5),
                RandShiftIntensity(offsets=0.1, prob=0.4),
                RandGaussianSmooth(sigma_x=(0.3, 1.1), sigma_y=(0.3, 1.1), prob=0.15),
                RandGaussianNoise(prob=0.25, std=0.03),
                RandCoarseDropout(
                    holes=1,
                    max_holes=3,
                    spatial_size=hole // 2,
                    max_spatial_size=hole,
                    fill_value=0.4,
                    prob=0.2,
                ),
            ]
        )

    def __call__(self, sample: Sample, rng: np.random.Generator) -> View:
        """One varied view; the same `rng` state gives the same view."""
        size = self._phase.size
        base = self._crop(sample, rng) if self._phase.crop else self._frame(sample)
        matrix = self._wobble(rng) @ base
        image = cv2.warpAffine(sample.image, matrix[:2], (size, size), flags=cv2.INTER_LINEAR)
        boxes = visible_boxes(sample.boxes, matrix, size)
        self._intensity.set_random_state(int(rng.integers(2**31)))
        grey = self._intensity(_degraded(image, rng, self._most_saturated)[None].astype(np.float32) / 255.0)
        label = self._label(sample, boxes)
        return View(np.clip(np.asarray(grey[0], np.float32), 0.0, 1.0), boxes, label)

    def _label(self, sample: Sample, seen: NDArray[np.float32]) -> int:
        """A window is positive when a lesion lies in it; of a positive without boxes that cannot be told."""
        if sample.label < 1:
            return sample.label
        if not len(sample.boxes):
            return -1 if self._phase.crop else 1
        return int(len(seen) > 0)

    def _frame(self, sample: Sample) -> Matrix:
        return frame_matrix(sample.image.shape, self._phase.size, self._settings.fit)

    def _crop(self, sample: Sample, rng: np.random.Generator) -> Matrix:
        full = frame_matrix(sample.image.shape, self._settings.size, self._settings.fit)
        x, y = self._crop_centre(sample, rng)
        half = self._phase.size / 2
        centre = full @ np.array([x, y, 1.0])
        return _shift(half - centre[0], half - centre[1]) @ full

    def _crop_centre(self, sample: Sample, rng: np.random.Generator) -> tuple[float, float]:
        rows, columns = sample.image.shape
        if len(sample.focus) and rng.random() < 0.85:
            box = sample.focus[rng.integers(len(sample.focus))]
            jitter = rng.uniform(-0.42, 0.42, 2) * self._phase.size * max(rows, columns) / self._settings.size
            return float(box[[0, 2]].mean() + jitter[0]), float(box[[1, 3]].mean() + jitter[1])
        tries = rng.uniform(0.12, 0.88, (CROP_TRIES, 2)) * [columns, rows]
        # Windows of empty film teach nothing: take the liveliest of a few.
        spreads = [_spread(sample.image, x, y, reach=64) for x, y in tries]
        x, y = tries[int(np.argmax(spreads))]
        return float(x), float(y)

    def _wobble(self, rng: np.random.Generator) -> Matrix:
        half = self._phase.size / 2
        turn = np.deg2rad(rng.uniform(-1, 1) * self._settings.largest_turn_deg * (rng.random() < 0.7))
        scale = np.exp(rng.uniform(-0.22, 0.2)) * np.exp(rng.uniform(-0.08, 0.08, 2))
        cosine, sine = np.cos(turn), np.sin(turn)
        matrix = np.array([[cosine * scale[0], -sine, 0], [sine, cosine * scale[1], 0], [0, 0, 1.0]])
        if rng.random() < 0.5:
            matrix = np.diag([-1.0, 1.0, 1.0]) @ matrix
        if self._settings.flip_vertical and rng.random() < 0.35:
            matrix = np.diag([1.0, -1.0, 1.0]) @ matrix
        if self._settings.flip_vertical and rng.random() < 0.15:
            matrix = matrix[[1, 0, 2]]
        offset = rng.uniform(-0.07, 0.07, 2) * self._phase.size
        return _shift(half + offset[0], half + offset[1]) @ matrix @ _shift(-half, -half)


def _shift(x: float, y: float) -> Matrix:
    return np.array([[1.0, 0, x], [0, 1.0, y], [0, 0, 1.0]])


def _spread(image: NDArray[np.uint8], x: float, y: float, *, reach: int) -> float:
    window = image[max(0, int(y) - reach) : int(y) + reach, max(0, int(x) - reach) : int(x) + reach]
    return float(window[::4, ::4].std()) if window.size else 0.0


def _degraded(image: NDArray[np.uint8], rng: np.random.Generator, most_saturated: float) -> NDArray[np.uint8]:
    if rng.random() < 0.2:
        size, factor = image.shape[0], rng.uniform(0.55, 0.9)
        small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        image = np.asarray(cv2.resize(small, (size, size), interpolation=cv2.INTER_LINEAR), np.uint8)
    if rng.random() < 0.2:
        low, high = rng.uniform(0, 12), rng.uniform(100 - most_saturated, 100)
        bounds = np.percentile(image[::4, ::4], [low, high])
        stretched = (image.astype(np.float32) - bounds[0]) * (255.0 / max(bounds[1] - bounds[0], 20.0))
        image = np.clip(stretched, 0, 255).astype(np.uint8)
    return image


def visible_boxes(boxes: NDArray[np.float32], matrix: Matrix, size: int) -> NDArray[np.float32]:
    """Boxes under an affine map, upright again and cut to the square; those mostly outside are dropped."""
    if not len(boxes):
        return np.zeros((0, 4), np.float32)
    x, y = boxes[:, [0, 2, 2, 0]], boxes[:, [1, 1, 3, 3]]
    corners = np.stack([x, y, np.ones_like(x)], axis=1)
    moved = np.einsum("ij,njk->nik", matrix[:2], corners)
    upright = np.concatenate([moved.min(2), moved.max(2)], axis=1)
    clipped = np.clip(upright, 0, size)
    share = _area(clipped) / np.maximum(_area(upright), 1e-6)
    return clipped[share >= LEAST_VISIBLE].astype(np.float32)


def _area(boxes: NDArray[np.generic]) -> NDArray[np.float64]:
    return np.asarray((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), np.float64)
