"""Findings drawn on a picture: a frame round each place and a tag beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wetread.domain import Box, Finding, Zone
from wetread.report.answer import Tone, percent_text
from wetread.report.band import COLOUR_OF
from wetread.report.layout import Scale
from wetread.report.lettering import Colour, line_height, paint_text, width_of

_DARK: Final[Colour] = (0, 0, 0)
# A frame is at least so many of its lines wide: of a smaller one nobody sees whether it is dashed.
_LEAST_LINES: Final = 10
# Greys, of 255: places that differ by less are equally good, and the first one is taken.
_SAME_DETAIL: Final = 6.0


@dataclass(frozen=True, slots=True)
class _Rectangle:
    """Output pixels; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    def overlaps(self, other: _Rectangle) -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


def draw_findings(
    picture: NDArray[np.uint8], findings: Sequence[Finding], scale: Scale, *, left: int = 0
) -> None:
    """Boxes first, then labels where they cover neither box nor label.

    The radiograph lies in `picture` from column `left` on, scaled.
    """
    least_px = _LEAST_LINES * _line_px(picture)
    drawn = [
        (finding, _placed(box, scale, left=left, least_px=least_px))
        for finding in findings
        for box in finding.boxes
    ]
    for finding, box in drawn:
        _draw_box(picture, box, colour=_colour(finding), dashed=finding.zone is Zone.DOUBTFUL)
    taken = [box for _, box in drawn]
    labelled: set[tuple[str, str]] = set()
    for finding, box in drawn:
        key = (finding.code.value, finding.zone.value)
        text = _label(finding, is_first=key not in labelled)
        labelled.add(key)
        taken.append(_draw_label(picture, text, box, colour=_colour(finding), taken=taken))


def _label(finding: Finding, *, is_first: bool) -> str:
    """What a tag says: the probability, which is the image's and not the place's, only once."""
    chance = f" {percent_text(finding)}" if is_first else ""
    return f"{finding.label}{chance}, {finding.zone.value}"


def _colour(finding: Finding) -> Colour:
    return COLOUR_OF[Tone(finding.zone.value)]


def _placed(box: Box, scale: Scale, *, left: int, least_px: int) -> _Rectangle:
    """Where the frame's inside lies: round the box, and so large that a tiny one is seen."""
    x0, x1 = _span(left + box.left * scale.x, left + box.right * scale.x, least_px)
    y0, y1 = _span(box.top * scale.y, box.bottom * scale.y, least_px)
    return _Rectangle(x0, y0, x1, y1)


def _span(start: float, end: float, least_px: int) -> tuple[int, int]:
    missing = max(0.0, least_px - (end - start)) / 2
    return int(np.floor(start - missing)), int(np.ceil(end + missing))


def _draw_box(picture: NDArray[np.uint8], box: _Rectangle, *, colour: Colour, dashed: bool) -> None:
    """Lines lie outside the box, so that they hide nothing in it: dark under light, seen on any grey."""
    line = _line_px(picture)
    edge = max(1, line // 2)
    for grown, inks in (((line + 2 * edge), _DARK), (line + edge, colour)):
        inner = 0 if inks is _DARK else edge
        for strip in _strips(
            _outside(box, grown, picture), thick=grown - inner, dash=12 * line if dashed else 0
        ):
            picture[strip.top : strip.bottom, strip.left : strip.right] = inks


def _outside(box: _Rectangle, by: int, picture: NDArray[np.uint8]) -> _Rectangle:
    rows, columns = picture.shape[:2]
    return _Rectangle(
        max(0, box.left - by), max(0, box.top - by), min(columns, box.right + by), min(rows, box.bottom + by)
    )


def _strips(outer: _Rectangle, *, thick: int, dash: int) -> list[_Rectangle]:
    """The four sides of a frame as rectangles, in dashes of `dash` pixels where that is not 0."""
    across = _dashes(outer.left, outer.right, dash)
    down = _dashes(outer.top, outer.bottom, dash)
    top, bottom = (outer.top, outer.top + thick), (outer.bottom - thick, outer.bottom)
    left, right = (outer.left, outer.left + thick), (outer.right - thick, outer.right)
    sides = [_Rectangle(a, y0, b, y1) for a, b in across for y0, y1 in (top, bottom)]
    return sides + [_Rectangle(x0, a, x1, b) for a, b in down for x0, x1 in (left, right)]


def _dashes(start: int, end: int, dash: int) -> list[tuple[int, int]]:
    """Dashes and gaps so that both ends, the corners, are drawn."""
    if not dash or end - start < 3 * dash:
        return (
            [(start, end)]
            if not dash
            else [(start, start + (end - start) // 3), (end - (end - start) // 3, end)]
        )
    count = (end - start) // dash
    count += 1 - count % 2
    step = (end - start) / count
    return [(round(start + k * step), round(start + (k + 1) * step)) for k in range(0, count, 2)]


def _draw_label(
    picture: NDArray[np.uint8], text: str, box: _Rectangle, *, colour: Colour, taken: list[_Rectangle]
) -> _Rectangle:
    """A dark tag beside the box: where it covers nothing drawn, and of the film what shows least."""
    size = max(13, max(picture.shape[0], picture.shape[1]) // 52)
    wide, high = width_of(text, size) + size // 2, line_height(size) + size // 4
    places = _label_places(box, wide, high, picture)
    free = [place for place in places if not any(place.overlaps(other) for other in taken)]
    place = min(free or places, key=lambda place: _detail(picture, place))
    region = picture[place.top : place.bottom, place.left : place.right]
    region[:] = region // 5
    paint_text(picture, text, x=place.left + size // 4, y=place.top + size // 8, size_px=size, colour=colour)
    return place


def _detail(picture: NDArray[np.uint8], place: _Rectangle) -> float:
    """How much there is to see: the spread of greys, least in air. Markers and bone edges have much."""
    return float(picture[place.top : place.bottom, place.left : place.right, 0].std() // _SAME_DETAIL)


def _label_places(box: _Rectangle, wide: int, high: int, picture: NDArray[np.uint8]) -> list[_Rectangle]:
    """Above, below, right and left of the box, inside the picture; the box itself only where all fail."""
    rows, columns, _ = picture.shape
    gap = 3 * _line_px(picture)
    along = [max(0, min(x, columns - wide)) for x in (box.left - gap, box.right + gap - wide)]
    down = [max(0, min(y, rows - high)) for y in (box.top, box.bottom - high)]
    corners = [(left, top) for top in (box.top - gap - high, box.bottom + gap) for left in along]
    corners += [(left, top) for left in (box.right + gap, box.left - gap - wide) for top in down]
    places = [
        _Rectangle(left, top, left + wide, top + high)
        for left, top in corners
        if 0 <= top <= rows - high and 0 <= left <= columns - wide
    ]
    inside = min(max(0, box.top + gap), max(0, rows - high))
    return places or [_Rectangle(along[0], inside, along[0] + wide, inside + high)]


def _line_px(picture: NDArray[np.uint8]) -> int:
    rows, columns, _ = picture.shape
    return max(2, round(int(max(rows, columns)) / 512))
