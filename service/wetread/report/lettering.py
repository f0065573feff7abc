"""Text as pixels: one scalable font, crisp at every size, painted on RGB arrays."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]

_ELLIPSIS: Final = "..."


@lru_cache(maxsize=64)
def font_of(size_px: int) -> ImageFont.FreeTypeFont:
    """The font that Pillow carries inside itself, so that every machine writes alike."""
    font = ImageFont.load_default(size=size_px)
    assert isinstance(font, ImageFont.FreeTypeFont), "Pillow is built without FreeType"
    return font


def width_of(text: str, size_px: int, *, bold: bool = False) -> int:
    """Columns that a line of text takes."""
    return int(np.ceil(font_of(size_px).getlength(text))) + 2 * _weight(size_px, bold=bold)


def line_height(size_px: int) -> int:
    """Rows from the top of the highest letter to the bottom of the lowest."""
    ascent, descent = font_of(size_px).getmetrics()
    return ascent + descent


def fitted_size(text: str, *, columns: int, largest_px: int, least_px: int, bold: bool = False) -> int:
    """The largest size at which one line fits; `least_px` where even that is too wide."""
    size = largest_px
    while size > least_px and width_of(text, size, bold=bold) > columns:
        size = max(least_px, min(size - 1, size * columns // width_of(text, size, bold=bold)))
    return size


def wrapped(text: str, *, columns: int, size_px: int, lines: int, bold: bool = False) -> list[str]:
    """Words on at most `lines` lines; what does not fit ends in an ellipsis."""
    made: list[str] = [""]
    for word in text.split():
        longer = f"{made[-1]} {word}".strip()
        if made[-1] and width_of(longer, size_px, bold=bold) > columns:
            made.append(word)
        else:
            made[-1] = longer
    kept = made[:lines]
    if len(made) > lines:
        kept[-1] += _ELLIPSIS
    return [_shortened(line, columns=columns, size_px=size_px, bold=bold) for line in kept]


def paint_text(
    canvas: NDArray[np.uint8], text: str, *, x: int, y: int, size_px: int, colour: Colour, bold: bool = False
) -> None:
    """Write one line with its top left corner at column `x`, row `y`; what lies outside is cut off."""
    weight = _weight(size_px, bold=bold)
    mask = Image.new("L", (width_of(text, size_px, bold=bold) + 2, line_height(size_px) + 2 * weight))
    ImageDraw.Draw(mask).text((weight, weight), text, fill=255, font=font_of(size_px), stroke_width=weight)
    left, top = max(x, 0), max(y, 0)
    region = canvas[top : y + mask.height, left : x + mask.width]
    if not region.size:
        return
    alpha = np.asarray(mask, dtype=np.uint16)[top - y :, left - x :][
        : region.shape[0], : region.shape[1], None
    ]
    ink = np.array(colour, dtype=np.uint16)
    region[:] = ((region * (255 - alpha) + ink * alpha + 127) // 255).astype(np.uint8)


def _weight(size_px: int, *, bold: bool) -> int:
    """Half the extra stroke that makes the font's one weight bold."""
    return max(1, round(size_px / 45)) if bold and size_px >= 14 else 0


def _shortened(text: str, *, columns: int, size_px: int, bold: bool) -> str:
    while len(text) > 4 and width_of(text, size_px, bold=bold) > columns:
        text = text.removesuffix(_ELLIPSIS)[:-1].rstrip() + _ELLIPSIS
    return text
