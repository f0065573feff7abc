"""The picture people see: the radiograph, its findings drawn on it, and the answer above it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from wetread.domain import Finding
from wetread.report.band import Band, paint_band
from wetread.report.layout import Bounds, Layout, Sheet
from wetread.report.legend import Legend, paint_legend
from wetread.report.marks import draw_findings
from wetread.report.tint import HeatMap, tint

Mode = Literal["boxes", "heatmap", "none"]
Display = NDArray[np.float32] | NDArray[np.uint8]
# What the drawing library raises; it belongs to none of the usual families.
DRAWING_ERROR: Final = cv2.error


def draw_overlay(
    display: Display,
    *,
    findings: Sequence[Finding],
    band: Band | None,
    mode: Mode = "boxes",
    max_side: int | None = None,
    max_bytes: int | None = None,
    pixel_aspect: float = 1.0,
    heat_map: HeatMap | None = None,
    legend: Legend | None = None,
) -> NDArray[np.uint8]:
    """The picture, RGB, shape (rows, columns, 3).

    `display` is (rows, columns), 0..1 or 0..255, as shown to a person: windowed, dense tissue bright.
    Band and legend stand in rows of their own, above and under it, and hide no anatomy; None leaves them out.
    Mode `heatmap` needs `heat_map`: evidence 0..1 spread over the whole image. `max_side` and `max_bytes`
    (3 a pixel) bound the finished picture; `pixel_aspect` is a source pixel's height over its width, and the
    picture's pixels are square. Raises ValueError when not even the band fits.
    """
    if mode == "heatmap" and heat_map is None:
        raise ValueError("mode 'heatmap' needs a heat map")
    sheet = Sheet(display.shape[0], display.shape[1], band=band, legend=legend, pixel_aspect=pixel_aspect)
    layout = sheet.lay_out(Bounds(max_side, max_bytes))
    picture = draw_on(
        to_film(display, layout),
        layout,
        findings=findings if mode == "boxes" else (),
        heat_map=heat_map if mode == "heatmap" else None,
    )
    return with_strips(picture, band=band, legend=legend)


def draw_on(
    film: NDArray[np.uint8],
    layout: Layout,
    *,
    findings: Sequence[Finding] = (),
    heat_map: HeatMap | None = None,
) -> NDArray[np.uint8]:
    """The radiograph of `to_film`, evidence and findings drawn on it: RGB, black at its sides if narrow."""
    picture = np.asarray(cv2.cvtColor(film, cv2.COLOR_GRAY2RGB), dtype=np.uint8)
    if heat_map is not None:
        tint(picture, heat_map)
    picture = _widened(picture, layout)
    draw_findings(picture, findings, layout.scale, left=layout.left)
    return picture


def with_strips(
    picture: NDArray[np.uint8], *, band: Band | None, legend: Legend | None = None
) -> NDArray[np.uint8]:
    """Band above and legend under a drawn picture, of its width."""
    strips = [picture]
    if band is not None:
        strips.insert(0, paint_band(band, columns=picture.shape[1]))
    if legend is not None:
        strips.append(paint_legend(legend, columns=picture.shape[1]))
    return np.concatenate(strips) if len(strips) > 1 else strips[0]


def to_film(display: Display, layout: Layout) -> NDArray[np.uint8]:
    """The display at the size of its layout, in bytes: (rows, columns)."""
    rows, columns = display.shape
    size = (layout.picture_columns, layout.picture_rows)
    method = cv2.INTER_AREA if layout.scale.x < 1 else cv2.INTER_CUBIC
    # To bytes first: scaling them takes a third of the time that scaling floats takes.
    grey = display if display.dtype == np.uint8 else cv2.convertScaleAbs(display, alpha=255.0)
    if size != (columns, rows):
        grey = cv2.resize(grey, size, interpolation=method)
    return np.asarray(grey, dtype=np.uint8)


def _widened(picture: NDArray[np.uint8], layout: Layout) -> NDArray[np.uint8]:
    missing = layout.columns - picture.shape[1]
    if missing <= 0:
        return picture
    return np.pad(picture, ((0, 0), (layout.left, missing - layout.left), (0, 0)))
