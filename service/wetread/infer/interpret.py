"""From a network's numbers to findings a reader can check: probability, zone, boxes, heat map."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from wetread.domain import Box, Finding, Zone
from wetread.infer.manifest import (
    BoxesSpec,
    Calibration,
    ClassificationSpec,
    FindingSpec,
    InputSpec,
    Manifest,
)
from wetread.infer.outputs import Outputs
from wetread.infer.prepare import Placement

MOST_BOXES = 10
# When a finding is not negative and no cell passes the threshold, the place is what stands
# within this share of the peak.
_SHARE_OF_PEAK = 0.5


# A score of a detector becomes a logit no further out than this one's.
_LEAST_SCORE = 1e-6


@dataclass(frozen=True, slots=True)
class ReadFinding:
    """A finding whose heat map is not in the spool yet.

    `heat_map` is (rows, columns), float16, 0..1, spread over exactly the original image, or None where the
    model has none; `finding.heat_map` is None. `candidates` are all places that the model points at,
    whatever the zone and, of a detector, whatever the score, strongest first: what localisation is
    measured on. `finding.boxes` are those of them that are shown.
    """

    finding: Finding
    heat_map: NDArray[np.float16] | None
    candidates: tuple[Box, ...] = ()


def interpret(manifest: Manifest, placement: Placement, outputs: Outputs) -> tuple[ReadFinding, ...]:
    """Turn a network's answer for one image into its findings, in the manifest's order."""
    return tuple(
        _interpret_one(manifest, spec, placement, outputs=outputs, channel=channel)
        for spec, channel in zip(manifest.findings, manifest.channels, strict=True)
    )


def _interpret_one(
    manifest: Manifest, spec: FindingSpec, placement: Placement, *, outputs: Outputs, channel: int
) -> ReadFinding:
    detections = outputs.detections
    detected = () if detections is None else detections.place(placement, channel=channel)
    probability = calibrated(_logit(manifest, outputs, channel, detected), spec.calibration)
    operating_points = spec.operating_points.to_operating_points()
    zone = operating_points.zone(probability)
    heat_map = outputs.heat_map(channel)
    candidates: tuple[Box, ...] = ()
    if spec.boxes is not None:
        candidates = detected or _hot(heat_map, manifest, spec.boxes, placement)
    boxes = () if zone is Zone.NEGATIVE else _shown(candidates, spec)
    finding = Finding(spec.code.to_code(), spec.label, probability, zone, operating_points, boxes)
    cropped = None if heat_map is None else crop_to_image(heat_map, manifest.input, placement)
    return ReadFinding(finding, cropped, candidates)


def _logit(manifest: Manifest, outputs: Outputs, channel: int, detected: Sequence[Box]) -> float:
    """The number that calibration takes: the log of the odds, as the network sees them."""
    if outputs.logits is None:
        best = max((box.probability for box in detected), default=0.0)
        score = min(max(best, _LEAST_SCORE), 1 - _LEAST_SCORE)
        return math.log(score / (1 - score))
    logits = outputs.logits.astype(np.float64)
    if isinstance(manifest.output, ClassificationSpec) and manifest.output.activation == "softmax":
        # log(p / (1 - p)) of a softmax, without the p that rounds to one.
        return float(logits[channel] - np.logaddexp.reduce(np.delete(logits, channel)))
    return float(logits[channel])


def _hot(
    heat_map: NDArray[np.float32] | None, manifest: Manifest, spec: BoxesSpec, placement: Placement
) -> tuple[Box, ...]:
    """The places of a heat map; of a detector that found nothing at all, only that of its peak."""
    if heat_map is None:
        return ()
    threshold = spec.threshold if isinstance(manifest.output, ClassificationSpec) else 1.0
    return find_boxes(heat_map, manifest.input, placement, threshold=threshold)


def _shown(candidates: tuple[Box, ...], spec: FindingSpec) -> tuple[Box, ...]:
    """At most `MOST_BOXES`; none too weak, but never none where there is a place at all."""
    least = 0.0 if spec.boxes is None else spec.boxes.threshold
    return tuple(box for box in candidates if box.probability >= least)[:MOST_BOXES] or candidates[:1]


def calibrated(logit: float, calibration: Calibration) -> float:
    """Platt scaling: sigmoid(a * logit + b), 0..1."""
    scaled = calibration.a * logit + calibration.b
    # Either branch keeps the exponent negative, so that exp never overflows.
    if scaled >= 0:
        return 1.0 / (1.0 + math.exp(-scaled))
    return math.exp(scaled) / (1.0 + math.exp(scaled))


def find_boxes(
    heat_map: NDArray[np.float32], input_spec: InputSpec, placement: Placement, *, threshold: float
) -> tuple[Box, ...]:
    """Boxes around the connected cells at or above `threshold`, in pixels of the original image.

    Edges lie on cell borders, clipped to the image; strongest first, at most `MOST_BOXES`. Never
    empty: without a cell above the threshold, the cells around the peak and within half of it.
    """
    grid = _Grid.over(heat_map, input_spec, placement)
    evidence = np.where(grid.is_on_image(), heat_map, np.float32(-1.0))
    components = _components(evidence, least=threshold)
    if not components:
        peak = float(evidence.max())
        components = [c for c in _components(evidence, least=_SHARE_OF_PEAK * peak) if c.peak == peak][:1]
    components.sort(key=lambda component: -component.peak)
    return tuple(grid.to_box(component) for component in components[:MOST_BOXES])


def crop_to_image(
    heat_map: NDArray[np.float32], input_spec: InputSpec, placement: Placement
) -> NDArray[np.float16]:
    """The heat map without the letterbox: resampled so that it spans exactly the original image."""
    grid = _Grid.over(heat_map, input_spec, placement)
    rows = max(1, round(placement.rows / grid.cell_rows))
    columns = max(1, round(placement.columns / grid.cell_columns))
    # Centres of the new cells, measured in old cells whose first centre is at 0.
    y = (placement.top + (np.arange(rows) + 0.5) * placement.rows / rows) / grid.cell_rows - 0.5
    x = (placement.left + (np.arange(columns) + 0.5) * placement.columns / columns) / grid.cell_columns - 0.5
    map_x, map_y = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
    cropped = cv2.remap(heat_map, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cropped.astype(np.float16)


@dataclass(frozen=True, slots=True)
class _Component:
    """Connected cells: their bounds in cells, `right` and `bottom` exclusive, and the highest value."""

    left: int
    top: int
    right: int
    bottom: int
    peak: float


@dataclass(frozen=True, slots=True)
class _Grid:
    """The cells of a heat map laid over the network's input. Cell sizes are in input pixels."""

    rows: int
    columns: int
    cell_rows: float
    cell_columns: float
    placement: Placement

    @classmethod
    def over(cls, heat_map: NDArray[np.float32], input_spec: InputSpec, placement: Placement) -> _Grid:
        rows, columns = heat_map.shape
        return cls(rows, columns, input_spec.rows / rows, input_spec.columns / columns, placement)

    def is_on_image(self) -> NDArray[np.bool_]:
        """Which cells share area with the image; the others lie in the letterbox alone."""
        top = np.arange(self.rows) * self.cell_rows
        left = np.arange(self.columns) * self.cell_columns
        place = self.placement
        is_row = (top < place.top + place.rows) & (top + self.cell_rows > place.top)
        is_column = (left < place.left + place.columns) & (left + self.cell_columns > place.left)
        return np.logical_and.outer(is_row, is_column)

    def to_box(self, component: _Component) -> Box:
        """Cell borders in pixels of the original image, clipped to it, at least one pixel wide and high."""
        edges = self.placement.to_original_box(
            component.left * self.cell_columns,
            component.top * self.cell_rows,
            component.right * self.cell_columns,
            component.bottom * self.cell_rows,
        )
        return Box(*edges, component.peak)


def _components(evidence: NDArray[np.float32], *, least: float) -> list[_Component]:
    mask = (evidence >= np.float32(least)).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    found = []
    for label in range(1, count):
        left, top, width, height = (int(v) for v in stats[label, : cv2.CC_STAT_AREA])
        peak = float(evidence[labels == label].max())
        found.append(_Component(left, top, left + width, top + height, peak))
    return found
