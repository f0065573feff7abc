"""From a decoded image to what people see and to what a network takes."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from wetread.infer.decode import DecodedImage
from wetread.infer.greyscale import grey_scale_of
from wetread.infer.manifest import InputSpec


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an image lies in a network's input: position and size there, both in input pixels.

    Both systems are 0-based with the outer corner of the first pixel at (0, 0).
    """

    image_rows: int
    image_columns: int
    top: int
    left: int
    rows: int
    columns: int

    def to_original(self, x: float, y: float) -> tuple[float, float]:
        """A point of the network's input as (x, y) in pixels of the original image, not clipped."""
        return (
            (x - self.left) * self.image_columns / self.columns,
            (y - self.top) * self.image_rows / self.rows,
        )

    def to_network(self, x: float, y: float) -> tuple[float, float]:
        """A point of the original image as (x, y) in the network's input."""
        return (
            x * self.columns / self.image_columns + self.left,
            y * self.rows / self.image_rows + self.top,
        )

    def holds(self, x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Which points of the network's input lie on the image, and not in the letterbox."""
        is_across = (x >= self.left) & (x <= self.left + self.columns)
        return np.asarray(is_across & (y >= self.top) & (y <= self.top + self.rows), np.bool_)

    def to_original_box(
        self, left: float, top: float, right: float, bottom: float
    ) -> tuple[float, float, float, float]:
        """A rectangle of the network's input in pixels of the original image.

        Left, top, right, bottom, clipped to the image, at least one pixel wide and high.
        """
        left, top = self.to_original(left, top)
        right, bottom = self.to_original(right, bottom)
        left, right = _clipped(left, right, most=self.image_columns)
        top, bottom = _clipped(top, bottom, most=self.image_rows)
        return left, top, right, bottom


def to_display(image: DecodedImage) -> NDArray[np.float32]:
    """Show a decoded image as the standard says: (rows, columns), 0..1, dense tissue bright.

    The pixel matrix is kept: pixels are taken as square. Source and choices: `greyscale`.
    """
    return grey_scale_of(image).apply(image)


def display_notes(image: DecodedImage) -> tuple[str, ...]:
    """What was odd in the header on the way to the display; the codes of `GreyScale.notes`."""
    return grey_scale_of(image).notes


def place(rows: int, columns: int, spec: InputSpec) -> Placement:
    """Where an image of this size goes in a network's input."""
    if spec.fit == "square":
        return Placement(rows, columns, 0, 0, spec.rows, spec.columns)
    scale = min(spec.rows / rows, spec.columns / columns)
    height = min(spec.rows, max(1, round(rows * scale)))
    width = min(spec.columns, max(1, round(columns * scale)))
    return Placement(rows, columns, (spec.rows - height) // 2, (spec.columns - width) // 2, height, width)


def to_input(display: NDArray[np.float32], spec: InputSpec) -> NDArray[np.float32]:
    """Fit a displayed image into the tensor a model takes: (1, channels, rows, columns).

    Shrinks by area, enlarges bilinearly. The letterbox is air: 0, or 1 for a model that wants the negative,
    before scale, mean and std are applied.
    """
    rows, columns = display.shape
    placement = place(rows, columns, spec)
    is_smaller = placement.rows * placement.columns < display.size
    method = cv2.INTER_AREA if is_smaller else cv2.INTER_LINEAR
    square = np.zeros((spec.rows, spec.columns), dtype=np.float32)
    square[
        placement.top : placement.top + placement.rows, placement.left : placement.left + placement.columns
    ] = cv2.resize(display, (placement.columns, placement.rows), interpolation=method)
    if spec.polarity == "dense_dark":
        np.subtract(np.float32(1.0), square, out=square)
    square *= np.float32(spec.scale)
    mean, std = (np.reshape(np.asarray(part, np.float32), (1, -1, 1, 1)) for part in (spec.mean, spec.std))
    tensor = (square - mean) / std
    return np.ascontiguousarray(np.broadcast_to(tensor, (1, spec.channels, spec.rows, spec.columns)))


def _clipped(start: float, end: float, *, most: int) -> tuple[float, float]:
    """Keep an interval inside 0..most and at least one pixel long."""
    start, end = max(0.0, start), min(float(most), end)
    if end - start >= 1.0:
        return start, end
    start = min(max(0.0, start), most - 1.0)
    return start, start + 1.0
