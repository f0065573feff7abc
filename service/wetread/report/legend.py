"""The strip under a heat map that says what its colours mean."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wetread.domain import ModelId
from wetread.report.band import PAPER, QUIET, margin_of, small_size
from wetread.report.lettering import line_height, paint_text, width_of, wrapped
from wetread.report.results import Evidence
from wetread.report.tint import colour_bar

# A middling grey of soft tissue, so that the bar looks as the colours do on the film.
_GREY: Final = 96
_LINES: Final = 2


@dataclass(frozen=True, slots=True)
class Legend:
    """Whose evidence of what is shown. `peak` is the most there is on this image, 0..1."""

    finding: str
    model: ModelId
    peak: float

    @property
    def title(self) -> str:
        """What is shown, and whose it is."""
        return f"Heat map: {self.finding}, {self.model.name} {self.model.version}"

    @property
    def words(self) -> str:
        """What the colours say, and what they do not."""
        what = f"Heat map of {self.finding.lower()}"
        return f"{what}: evidence found by network {self.model.name} {self.model.version}, not a probability."


def legend_of(evidence: Evidence) -> Legend:
    """The legend of one heat map."""
    return Legend(evidence.finding.label, evidence.model, float(evidence.heat_map.max(initial=0.0)))


def paint_legend(legend: Legend, *, columns: int) -> NDArray[np.uint8]:
    """The legend as its own RGB image, `columns` wide: a bar from 0 to 1 with the image's own peak, words."""
    size = small_size(columns)
    bar = np.full((size // 2 + 2 * line_height(size), columns, 3), PAPER, np.uint8)
    _paint_bar(bar, legend.peak, y=size // 2, size=size)
    return np.concatenate((bar, _paint_words(legend.words, columns)))


def legend_rows(legend: Legend, *, columns: int) -> int:
    """How many rows the legend takes, without painting it."""
    size = small_size(columns)
    return size + (2 + len(_lines(legend.words, columns))) * line_height(size)


def _lines(words: str, columns: int) -> list[str]:
    free = columns - 2 * margin_of(columns)
    return wrapped(words, columns=free, size_px=small_size(columns), lines=_LINES)


# As of the band: the gate wants what was painted a moment ago.
@lru_cache(maxsize=4)
def _paint_words(words: str, columns: int) -> NDArray[np.uint8]:
    size, lines = small_size(columns), _lines(words, columns)
    canvas = np.full((len(lines) * line_height(size) + size - size // 2, columns, 3), PAPER, np.uint8)
    for number, line in enumerate(lines):
        y = number * line_height(size)
        paint_text(canvas, line, x=margin_of(columns), y=y, size_px=size, colour=QUIET)
    canvas.flags.writeable = False
    return canvas


def _paint_bar(canvas: NDArray[np.uint8], share: float, *, y: int, size: int) -> None:
    """0, the bar, 1; under it a mark where the image's peak stands."""
    margin, high = margin_of(canvas.shape[1]), line_height(size)
    left = margin + width_of("0 none", size) + size // 2
    right = canvas.shape[1] - margin - width_of("1 strongest", size) - size // 2
    canvas[y : y + high, left:right] = colour_bar(high, right - left, grey=_GREY)
    paint_text(canvas, "0 none", x=margin, y=y, size_px=size, colour=QUIET)
    paint_text(canvas, "1 strongest", x=right + size // 2, y=y, size_px=size, colour=QUIET)
    peak = left + round(share * (right - left - 1))
    half = max(1, size // 12)
    canvas[y : y + high + size // 4, max(left, peak - half) : min(right, peak + half)] = QUIET
    text = f"most on this image: {share:.2f}"
    x = min(max(left, peak - width_of(text, size) // 2), right - width_of(text, size))
    paint_text(canvas, text, x=max(margin, x), y=y + high, size_px=size, colour=QUIET)
