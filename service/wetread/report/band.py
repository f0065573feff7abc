"""The header band: the answer in one glance, who gave it, and that it is no diagnosis."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wetread.report import answer
from wetread.report.answer import Tone
from wetread.report.lettering import Colour, fitted_size, line_height, paint_text, width_of, wrapped
from wetread.report.results import ImageResult

# Okabe and Ito's palette, told apart in every kind of colour blindness: orange, sky blue, bluish green.
COLOUR_OF: Final = MappingProxyType(
    {
        Tone.POSITIVE: (230, 159, 0),
        Tone.DOUBTFUL: (86, 180, 233),
        Tone.NEGATIVE: (0, 158, 115),
        Tone.NOT_EVALUABLE: (190, 190, 190),
    }
)
_INK: Final[Colour] = (0, 0, 0)
PAPER: Final[Colour] = (18, 22, 26)
QUIET: Final[Colour] = (214, 219, 224)
_WRAPPED_LINES: Final = 4


@dataclass(frozen=True, slots=True)
class Band:
    """What the band says. `detail` names the networks and may be ''."""

    tone: Tone
    headline: str
    detail: str = ""
    note: str = answer.SAFETY_NOTE


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    x: int
    y: int
    size_px: int
    colour: Colour
    bold: bool = False


def band_of(image: ImageResult) -> Band:
    """The band of one image's answer."""
    said = answer.image_answer(image)
    return Band(said.tone, said.text, f"Wetread, {said.models}" if said.models else "Wetread")


# The gate wants the band that the builder has just painted, and half of its time would go into it.
@lru_cache(maxsize=4)
def paint_band(band: Band, *, columns: int) -> NDArray[np.uint8]:
    """The band as its own RGB image, read-only, `columns` wide and as high as its text needs."""
    head, head_rows = _headline(band, columns)
    foot, foot_rows = _footline(band, columns, top=head_rows)
    canvas = np.empty((head_rows + foot_rows, columns, 3), np.uint8)
    canvas[:head_rows] = COLOUR_OF[band.tone]
    canvas[head_rows:] = PAPER
    for line in (*head, *foot):
        paint_text(
            canvas, line.text, x=line.x, y=line.y, size_px=line.size_px, colour=line.colour, bold=line.bold
        )
    canvas.flags.writeable = False
    return canvas


def band_rows(band: Band, *, columns: int) -> int:
    """How many rows the band takes, without painting it."""
    _, head_rows = _headline(band, columns)
    return head_rows + _footline(band, columns, top=head_rows)[1]


def margin_of(columns: int) -> int:
    """Columns left free on either side of text in a strip so wide."""
    return max(4, columns // 50)


def small_size(columns: int) -> int:
    """Letters of what is not the answer, in pixels."""
    return max(10, columns // 46)


def _headline(band: Band, columns: int) -> tuple[list[_Line], int]:
    """As large as one line allows, so that it survives a thumbnail; two lines before it gets small."""
    margin = margin_of(columns)
    lines = _headline_lines(band.headline, columns - 2 * margin, columns)
    padding = max(2, lines[0][1] // 5)
    made, y = [], padding
    for text, size in lines:
        # Bold is drawn as a stroke, and that fills the letters of long text.
        made.append(_Line(text, margin, y, size, _INK, bold=size >= columns // 22))
        y += line_height(size)
    return made, y + padding


def _headline_lines(text: str, free: int, columns: int) -> list[tuple[str, int]]:
    """Lines with their sizes: one, else one per statement, else the first one large and the rest wrapped."""
    largest, halves = max(16, columns // 13), _halves(text)
    for lines, least_px in (([text], columns // 18), (halves, columns // 20)):
        longest = max(lines, key=lambda line: width_of(line, largest, bold=True))
        size = fitted_size(longest, columns=free, largest_px=largest, least_px=least_px, bold=True)
        if width_of(longest, size, bold=True) <= free:
            return [(line, size) for line in lines]
    # Why there is no answer is said in full: it is all that this picture has to say.
    first, rest = halves if len(halves) > 1 else ("", text)
    size = fitted_size(first, columns=free, largest_px=largest, least_px=12, bold=True)
    small = max(12, columns // 27)
    wrapped_rest = wrapped(rest, columns=free, size_px=small, lines=_WRAPPED_LINES)
    return [(first, size)] * bool(first) + [(line, small) for line in wrapped_rest]


def _halves(text: str) -> list[str]:
    """The headline in two where its sense parts: after the answer's name, before a remark, between two."""
    for mark, kept in ((": ", 0), (" (", 1), (", ", 0)):
        at = text.find(mark)
        if at > 0:
            return [text[:at], text[at + len(mark) - kept :].lstrip()]
    return [text]


def _footline(band: Band, columns: int, *, top: int) -> tuple[list[_Line], int]:
    """Note and networks, side by side where both fit, else under each other."""
    margin = margin_of(columns)
    size = small_size(columns)
    pitch, padding = line_height(size), max(2, size // 4)
    size = fitted_size(band.note, columns=columns - 2 * margin, largest_px=size, least_px=8)
    wide = width_of(band.note, size) + width_of(band.detail, size) + 4 * margin
    detail_x = columns - margin - width_of(band.detail, size) if wide <= columns else margin
    rows = pitch if wide <= columns or not band.detail else 2 * pitch
    made = [_Line(band.note, margin, top + padding, size, QUIET)]
    if band.detail:
        text = wrapped(band.detail, columns=columns - 2 * margin, size_px=size, lines=1)[0]
        made.append(_Line(text, detail_x, top + padding + rows - pitch, size, QUIET))
    return made, rows + 2 * padding
