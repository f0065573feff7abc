"""Boxes and words of a presentation state: where they stand on the image.

All coordinates are (x, y) in pixels of the source, the outer corner of the first pixel at 0, 0 (PS3.3
C.10.5, units PIXEL): a box's own, unchanged. Only the displayed area counts pixels from 1 (C.10.4).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from wetread.domain import Box, Finding, Zone
from wetread.report import answer
from wetread.report.measurement_group import outline, whole_image
from wetread.report.results import ImageResult

Points = tuple[tuple[float, float], ...]

# Dashes on each side of a doubtful box; the first and the last reach the corners.
_DASHES: Final = 4
# A line of text is this part of the longer side high, and a letter this part of that wide.
_LINE_PART: Final = 45
_LETTER_WIDTH: Final = 0.6


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle on the image, edges in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Area) -> bool:
        """Whether they share more than an edge."""
        is_beside = self.right <= other.left or other.right <= self.left
        return not (is_beside or self.bottom <= other.top or other.bottom <= self.top)


@dataclass(frozen=True, slots=True)
class Mark:
    """One box with its words. `lines` are closed (positive) or dashes of two points each (doubtful)."""

    zone: Zone
    lines: tuple[Points, ...]
    text: str
    text_area: Area
    anchor: tuple[float, float]
    is_beside: bool


@dataclass(frozen=True, slots=True)
class Note:
    """Words about the whole image."""

    text: str
    area: Area


def boxed(image: ImageResult) -> list[tuple[Finding, Box]]:
    """Every box on an image, the worst finding first."""
    return [(finding, box) for finding in answer.findings_of(image) for box in finding.boxes]


def label_of(finding: Finding) -> str:
    """What stands beside a box."""
    return f"{finding.label} {answer.percent_text(finding)}, {finding.zone.value}"


def note_of(image: ImageResult) -> str:
    """What stands once on an image."""
    return "\r\n".join((f"{answer.SAFETY_NOTE}.", answer.models_text(answer.done(image))))


def annotate(image: ImageResult) -> tuple[list[Mark], Note]:
    """The marks of all boxes, and the note where it covers none of them if there is such a place."""
    whole = whole_image(image)
    frame = Area(0, 0, whole.right, whole.bottom)
    outlines = [tuple(outline(box, within=whole)) for _, box in boxed(image)]
    taken = [_area(points) for points in outlines]
    marks = []
    for (finding, _), points in zip(boxed(image), outlines, strict=True):
        text = label_of(finding)
        area, is_beside = _place(text, _beside(_area(points), _size(text, frame)), frame=frame, taken=taken)
        taken.append(area)
        lines = (points,) if finding.zone is Zone.POSITIVE else tuple(_dashes(points))
        marks.append(Mark(finding.zone, lines, text, area, _nearest(points, area), is_beside))
    text = note_of(image)
    area, _ = _place(text, [], frame=frame, taken=taken)
    return marks, Note(text, area)


def _dashes(points: Points) -> Iterator[Points]:
    """A polyline as dashes, for viewers that draw every line solid."""
    parts = 2 * _DASHES - 1
    for (x0, y0), (x1, y1) in pairwise(points):
        for number in range(0, parts, 2):
            start, end = number / parts, (number + 1) / parts
            yield (
                (x0 + (x1 - x0) * start, y0 + (y1 - y0) * start),
                (x0 + (x1 - x0) * end, y0 + (y1 - y0) * end),
            )


def _area(points: Points) -> Area:
    across, down = [x for x, _ in points], [y for _, y in points]
    return Area(min(across), min(down), max(across), max(down))


def _size(text: str, frame: Area) -> tuple[float, float]:
    """Width and height that words take, never more than the image has."""
    lines = text.split("\r\n")
    high = max(frame.right, frame.bottom) / _LINE_PART
    wide = _LETTER_WIDTH * high * max(len(line) for line in lines)
    return min(wide, frame.right), min(1.2 * high * len(lines), frame.bottom)


def _beside(box: Area, size: tuple[float, float]) -> list[Area]:
    """Above, below, right of and left of a box."""
    wide, high = size
    gap = high / 4
    corners = (
        (box.left, box.top - gap - high),
        (box.left, box.bottom + gap),
        (box.right + gap, box.top),
        (box.left - gap - wide, box.top),
    )
    return [Area(x, y, x + wide, y + high) for x, y in corners]


def _place(text: str, wished: Sequence[Area], *, frame: Area, taken: Sequence[Area]) -> tuple[Area, bool]:
    """The first free place: of those wished for (moved sideways into the image), else down its edges.

    Where nothing is free the first of all: words over a box are better than none. True: as wished.
    """
    width, height = _size(text, frame)
    beside = [_moved(area, frame) for area in wished]
    # Not at the very edge: viewers cut the letters there.
    margin = min(height / 4, (frame.right - width) / 2, (frame.bottom - height) / 2)
    edges = [
        Area(left, margin + top, left + width, margin + top + height)
        for top in _steps(frame.bottom - height - 2 * margin, height)
        for left in (margin, frame.right - width - margin)
    ]
    for number, area in enumerate([*beside, *edges]):
        is_inside = area.top >= 0 and area.bottom <= frame.bottom
        if is_inside and not any(area.overlaps(other) for other in taken):
            return area, number < len(beside)
    return edges[0], False


def _moved(area: Area, frame: Area) -> Area:
    by = min(frame.right - area.right, 0.0) if area.right > frame.right else max(-area.left, 0.0)
    return Area(area.left + by, area.top, area.right + by, area.bottom)


def _steps(most: float, step: float) -> list[float]:
    count = int(most // step) if step > 0 else 0
    return [number * step for number in range(count + 1)]


def _nearest(points: Points, area: Area) -> tuple[float, float]:
    """The corner of a box that is nearest to its words."""
    x, y = (area.left + area.right) / 2, (area.top + area.bottom) / 2
    return min(points, key=lambda corner: abs(corner[0] - x) + abs(corner[1] - y))
