"""The picture people see: the radiograph, its findings drawn on it, and the answer above it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from wetread.domain import Box, Finding, Zone
from wetread.report.answer import Tone, percent
from wetread.report.band import COLOUR_OF, Band, band_rows, paint_band
from wetread.report.lettering import Colour, line_height, paint_text, width_of

Mode = Literal["boxes", "heatmap", "none"]
Display = NDArray[np.float32] | NDArray[np.uint8]

# A smaller picture is enlarged: text on it could not be read, nor thin lines told apart.
LEAST_SIDE: Final = 768
# A narrower one gets black at its sides: the band needs the room.
LEAST_COLUMNS: Final = 420
_DARK: Final[Colour] = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Scale:
    """Output pixels per source pixel, across and down."""

    x: float
    y: float


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


def draw_overlay(
    display: Display,
    *,
    findings: Sequence[Finding],
    band: Band | None,
    mode: Mode = "boxes",
    max_side: int | None = None,
    pixel_aspect: float = 1.0,
    heat_map: NDArray[np.float16] | NDArray[np.float32] | None = None,
) -> NDArray[np.uint8]:
    """The picture, RGB, shape (rows, columns, 3).

    `display` is (rows, columns), 0..1 or 0..255, as shown to a person: windowed, dense tissue bright.
    The band stands in rows of its own on top and hides no anatomy; None leaves it out. Mode `heatmap`
    needs `heat_map`: evidence 0..1 spread over the whole image. `max_side` bounds the finished picture;
    `pixel_aspect` is a source pixel's height over its width, and the picture's pixels are square.
    """
    scale = scale_for(display.shape[0], display.shape[1], band=band, max_side=max_side, aspect=pixel_aspect)
    picture = _to_rgb(display, scale)
    if mode == "heatmap":
        _blend_heat(picture, heat_map)
    if mode == "boxes":
        _draw_findings(picture, findings, scale)
    picture = _widened(picture)
    if band is None:
        return picture
    return np.concatenate((paint_band(band, columns=picture.shape[1]), picture))


def scale_for(
    rows: int, columns: int, *, band: Band | None, max_side: int | None, aspect: float = 1.0
) -> Scale:
    """How much a picture is scaled so that pixels come out square and the finished side is bounded."""
    # Vendors round the same spacing differently on the two axes: under 1 % is square.
    tall, wide = (max(aspect, 1.0), max(1 / aspect, 1.0)) if abs(aspect - 1) > 0.01 else (1.0, 1.0)
    longest = max(rows * tall, columns * wide)
    bound = max_side or int(max(longest, LEAST_SIDE))
    factor = max(1.0, min(LEAST_SIDE, bound) / longest)
    for _ in range(3):
        high, broad = _finished(rows * tall * factor, columns * wide * factor, band)
        over = max(high, broad) / bound
        if over <= 1 or max_side is None:
            break
        factor /= over
    # Snapped to whole pixels, so that spacing divided by it is the finished picture's own.
    return Scale(_snapped(columns, wide * factor), _snapped(rows, tall * factor))


def _snapped(pixels: int, factor: float) -> float:
    return max(1, round(pixels * factor)) / pixels


def _finished(rows: float, columns: float, band: Band | None) -> tuple[int, int]:
    """Rows and columns of the picture with its band."""
    broad = max(round(columns), LEAST_COLUMNS)
    return round(rows) + (band_rows(band, columns=broad) if band else 0), broad


def _to_rgb(display: Display, scale: Scale) -> NDArray[np.uint8]:
    rows, columns = display.shape
    size = (max(1, round(columns * scale.x)), max(1, round(rows * scale.y)))
    method = cv2.INTER_AREA if scale.x < 1 else cv2.INTER_CUBIC
    # To bytes first: scaling them takes a third of the time that scaling floats takes.
    grey = display if display.dtype == np.uint8 else cv2.convertScaleAbs(display, alpha=255.0)
    if size != (columns, rows):
        grey = cv2.resize(grey, size, interpolation=method)
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), dtype=np.uint8)


def _widened(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    missing = LEAST_COLUMNS - picture.shape[1]
    if missing <= 0:
        return picture
    left = missing // 2
    return np.pad(picture, ((0, 0), (left, missing - left), (0, 0)))


def _blend_heat(
    picture: NDArray[np.uint8], heat_map: NDArray[np.float16] | NDArray[np.float32] | None
) -> None:
    """Evidence as colour, the more of it the less see-through; nothing where there is none."""
    if heat_map is None:
        raise ValueError("mode 'heatmap' needs a heat map")
    rows, columns = picture.shape[:2]
    heat = cv2.resize(heat_map.astype(np.float32), (columns, rows), interpolation=cv2.INTER_CUBIC)
    heat = np.clip(heat, 0.0, 1.0)
    colours = cv2.applyColorMap(cv2.convertScaleAbs(heat, alpha=255.0), cv2.COLORMAP_INFERNO)[..., ::-1]
    alpha = (0.6 * np.sqrt(heat))[..., None]
    picture[:] = (picture * (1 - alpha) + colours * alpha + 0.5).astype(np.uint8)


def _draw_findings(picture: NDArray[np.uint8], findings: Sequence[Finding], scale: Scale) -> None:
    """Boxes first, then labels where they cover neither box nor label."""
    drawn = [(finding, _placed(box, scale)) for finding in findings for box in finding.boxes]
    for finding, box in drawn:
        _draw_box(picture, box, colour=_colour(finding), dashed=finding.zone is Zone.DOUBTFUL)
    taken = [box for _, box in drawn]
    labelled: set[tuple[str, str]] = set()
    for finding, box in drawn:
        key = (finding.code.value, finding.zone.value)
        text = finding.label if key in labelled else _label(finding)
        labelled.add(key)
        taken.append(_draw_label(picture, text, box, colour=_colour(finding), taken=taken))


def _label(finding: Finding) -> str:
    return f"{finding.label} {percent(finding.probability)}, {finding.zone.value}"


def _colour(finding: Finding) -> Colour:
    return COLOUR_OF[Tone(finding.zone.value)]


def _placed(box: Box, scale: Scale) -> _Rectangle:
    return _Rectangle(
        int(np.floor(box.left * scale.x)),
        int(np.floor(box.top * scale.y)),
        int(np.ceil(box.right * scale.x)),
        int(np.ceil(box.bottom * scale.y)),
    )


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
    """A dark tag beside the box, at the first place that covers nothing drawn; else above it."""
    size = max(13, max(picture.shape[0], picture.shape[1]) // 52)
    wide, high = width_of(text, size) + size // 2, line_height(size) + size // 4
    places = _label_places(box, wide, high, picture)
    free = [place for place in places if not any(place.overlaps(other) for other in taken)]
    place = (free or places)[0]
    region = picture[place.top : place.bottom, place.left : place.right]
    region[:] = region // 5
    paint_text(picture, text, x=place.left + size // 4, y=place.top + size // 8, size_px=size, colour=colour)
    return place


def _label_places(box: _Rectangle, wide: int, high: int, picture: NDArray[np.uint8]) -> list[_Rectangle]:
    """Above, below, right and left of the box, inside the picture; the box itself only where all fail."""
    rows, columns, _ = picture.shape
    gap = 3 * _line_px(picture)
    along = max(0, min(box.left - gap, columns - wide))
    corners = (
        (along, box.top - gap - high),
        (along, box.bottom + gap),
        (box.right + gap, box.top),
        (box.left - gap - wide, box.top),
    )
    places = [
        _Rectangle(left, top, left + wide, top + high)
        for left, top in corners
        if 0 <= top <= rows - high and 0 <= left <= columns - wide
    ]
    inside = min(max(0, box.top + gap), max(0, rows - high))
    return places or [_Rectangle(along, inside, along + wide, inside + high)]


def _line_px(picture: NDArray[np.uint8]) -> int:
    rows, columns, _ = picture.shape
    return max(2, round(int(max(rows, columns)) / 600))
