"""The strip under a heat map that says what its colours mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wetread.report.band import PAPER, QUIET, margin_of, small_size
from wetread.report.lettering import line_height, paint_text, width_of, wrapped
from wetread.report.results import Evidence
from wetread.report.tint import colour_bar

EVIDENCE_NOTE: Final = "Evidence, not probability."
# A middling grey of soft tissue, so that the bar looks as the colours do on the film.
_GREY: Final = 96
_LINES: Final = 2


@dataclass(frozen=True, slots=True)
class Legend:
    """Whose evidence of what is shown. `peak` is the most there is on this image, 0..1."""

    finding: str
    model: str
    peak: float

    @property
    def title(self) -> str:
        """What is shown, and whose it is."""
        return f"Heat map: {self.finding}, {self.model}"

    @property
    def words(self) -> str:
        """What the colours say, and what they do not."""
        return f"Heat map of {self.finding.lower()}: how strongly the network {self.model} points to a place. {EVIDENCE_NOTE}"


def legend_of(evidence: Evidence) -> Legend:
    """The legend of one heat map."""
    model = f"{evidence.model.name} {evidence.model.version}"
    return Legend(evidence.finding.label, model, float(evidence.heat_map.max(initial=0.0)))


def paint_legend(legend: Legend, *, columns: int) -> NDArray[np.uint8]:
    """The legend as its own RGB image, `columns` wide: a bar from 0 to 1 with the image's own peak, words."""
    size, margin = small_size(columns), margin_of(columns)
    canvas = np.full((legend_rows(legend, columns=columns), columns, 3), PAPER, np.uint8)
    y = size // 2
    _paint_bar(canvas, legend, y=y, size=size)
    y += 2 * line_height(size)
    for line in _lines(legend, columns):
        paint_text(canvas, line, x=margin, y=y, size_px=size, colour=QUIET)
        y += line_height(size)
    return canvas


def legend_rows(legend: Legend, *, columns: int) -> int:
    """How many rows the legend takes, without painting it."""
    size = small_size(columns)
    return (2 + len(_lines(legend, columns))) * line_height(size) + size


def _lines(legend: Legend, columns: int) -> list[str]:
    free = columns - 2 * margin_of(columns)
    return wrapped(legend.words, columns=free, size_px=small_size(columns), lines=_LINES)


def _paint_bar(canvas: NDArray[np.uint8], legend: Legend, *, y: int, size: int) -> None:
    """0, the bar, 1; under it a mark where the image's peak stands."""
    margin, high = margin_of(canvas.shape[1]), line_height(size)
    left = margin + width_of("0 none", size) + size // 2
    right = canvas.shape[1] - margin - width_of("1 strongest", size) - size // 2
    canvas[y : y + high, left:right] = colour_bar(high, right - left, grey=_GREY)
    paint_text(canvas, "0 none", x=margin, y=y, size_px=size, colour=QUIET)
    paint_text(canvas, "1 strongest", x=right + size // 2, y=y, size_px=size, colour=QUIET)
    peak = left + round(legend.peak * (right - left - 1))
    half = max(1, size // 12)
    canvas[y : y + high + size // 4, max(left, peak - half) : min(right, peak + half)] = QUIET
    text = f"most on this image: {legend.peak:.2f}"
    x = min(max(left, peak - width_of(text, size) // 2), right - width_of(text, size))
    paint_text(canvas, text, x=max(margin, x), y=y + high, size_px=size, colour=QUIET)
