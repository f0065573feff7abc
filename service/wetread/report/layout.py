"""How large a finished picture is, and where in it the radiograph lies."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from wetread.report.band import Band, band_rows
from wetread.report.legend import Legend, legend_rows

# A smaller picture is enlarged: text on it could not be read, nor thin lines told apart.
LEAST_SIDE: Final = 768
# A narrower one gets black at its sides: the band needs the room.
LEAST_COLUMNS: Final = 420
SAMPLES: Final = 3

# Vendors round the same spacing differently on the two axes: under 1 % is square.
_SQUARE_WITHIN: Final = 0.01
# Each try shrinks by this at least: where the band's own room is fixed, a proportional step would creep.
_LEAST_STEP: Final = 1.002
_TRIES: Final = 1000


@dataclass(frozen=True, slots=True)
class Scale:
    """Output pixels per source pixel, across and down."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a finished picture may not exceed: its longer side in pixels, its bytes as RGB. None: no bound."""

    max_side: int | None = None
    max_bytes: int | None = None

    def excess(self, layout: Layout) -> float:
        """How much too long a side is, as a factor; 1 or less where the picture is within both bounds."""
        over_side = max(layout.rows, layout.columns) / self.max_side if self.max_side else 0.0
        over_area = layout.size_bytes / self.max_bytes if self.max_bytes else 0.0
        return max(over_side, math.sqrt(over_area))


@dataclass(frozen=True, slots=True)
class Layout:
    """A finished picture from top to bottom: band, radiograph with black at its sides if narrow, legend.

    All in output pixels; `scale` is snapped to whole ones, so that spacing divided by it is the picture's.
    """

    scale: Scale
    picture_rows: int
    picture_columns: int
    columns: int
    band_rows: int
    legend_rows: int

    @property
    def rows(self) -> int:
        """Of the whole."""
        return self.band_rows + self.picture_rows + self.legend_rows

    @property
    def size_bytes(self) -> int:
        """Uncompressed, RGB."""
        return self.rows * self.columns * SAMPLES

    @property
    def left(self) -> int:
        """The radiograph's first column."""
        return (self.columns - self.picture_columns) // 2


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is to be laid out: a radiograph of `rows` x `columns`, and what stands above and under it.

    `pixel_aspect` is the height of one of its pixels over the width.
    """

    rows: int
    columns: int
    band: Band | None = None
    legend: Legend | None = None
    pixel_aspect: float = 1.0

    def lay_out(self, bounds: Bounds) -> Layout:
        """The largest layout with square pixels within the bounds; small radiographs are enlarged.

        Raises ValueError when not even band and legend fit.
        """
        tall, wide = stretch_of(self.pixel_aspect)
        factor = max(1.0, _least_side(bounds, LEAST_SIDE) / max(self.rows * tall, self.columns * wide))
        for _ in range(_TRIES):
            layout = self._at(factor * tall, factor * wide, bounds)
            excess = bounds.excess(layout)
            if excess <= 1:
                return layout
            factor /= max(excess, _LEAST_STEP)
        raise ValueError(f"no picture fits into {bounds}")

    def _at(self, down: float, across: float, bounds: Bounds) -> Layout:
        rows, own_columns = max(1, round(self.rows * down)), max(1, round(self.columns * across))
        columns = max(own_columns, _least_side(bounds, LEAST_COLUMNS))
        return Layout(
            scale=Scale(own_columns / self.columns, rows / self.rows),
            picture_rows=rows,
            picture_columns=own_columns,
            columns=columns,
            band_rows=band_rows(self.band, columns=columns) if self.band else 0,
            legend_rows=legend_rows(self.legend, columns=columns) if self.legend else 0,
        )


def stretch_of(pixel_aspect: float) -> tuple[float, float]:
    """By how much to enlarge down and across, so that oblong pixels come out square and none is lost."""
    if abs(pixel_aspect - 1) <= _SQUARE_WITHIN:
        return 1.0, 1.0
    return max(pixel_aspect, 1.0), max(1 / pixel_aspect, 1.0)


def _least_side(bounds: Bounds, wanted: int) -> int:
    return min(wanted, bounds.max_side or wanted)
