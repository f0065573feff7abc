"""Whether a capture's pixels are the answer and the image they claim to be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from wetread.report import answer
from wetread.report.band import band_of, paint_band
from wetread.report.layout import LEAST_COLUMNS, SAMPLES, stretch_of
from wetread.report.legend import Legend, is_legend, legend_rows
from wetread.report.results import ImageResult
from wetread.report.source import pixel_aspect, pixel_spacing_mm
from wetread.report.source_pixels import evenly, sample_stored

_SAMPLES_A_SIDE: Final = 64
# Of 255: what a network has read shows more than this (`infer.exposure`).
_LEAST_CONTRAST: Final = 8
# Rank correlation with the source: 0.93 to 0.99 on real files, whatever their window; turned by half of a
# symmetric hand still 0.93.
_INVERTED_BELOW: Final = -0.1
_ANOTHER_BELOW: Final = 0.25
_TURNED_BY: Final = 0.03
_TOLERANCE: Final = 0.01
_Picture = NDArray[np.uint8]


def pixel_defects(
    ds: Dataset, image: ImageResult, source: Dataset, *, is_card: bool, legend: Legend | None
) -> Iterator[str]:
    """Length, band, legend, proportions, contrast; of an uncompressed source polarity and orientation too."""
    rows, columns = int(ds.get("Rows") or 0), int(ds.get("Columns") or 0)
    pixels, length = ds.get("PixelData", b""), rows * columns * SAMPLES
    if not length or len(pixels) != length + length % 2:
        yield "PixelData does not have the length that the matrix asks"
        return
    picture = np.frombuffer(pixels, np.uint8, count=length).reshape(rows, columns, SAMPLES)
    band = paint_band(band_of(image), columns=columns)
    if not np.array_equal(picture[: len(band)], band):
        yield "the band does not say the answer"
    foot = legend_rows(legend, columns=columns) if legend else 0
    if legend and not is_legend(picture[rows - foot :], legend):
        yield "the legend does not say whose heat map it is"
    if is_card:
        if "PixelSpacing" in ds:
            yield "PixelSpacing is stated on a card"
        return
    yield from _area_defects(ds, picture[len(band) : rows - foot], image, source)


def _area_defects(ds: Dataset, area: _Picture, image: ImageResult, source: Dataset) -> Iterator[str]:
    """The radiograph itself, between band and legend."""
    header, (tall, wide) = image.instance.header, stretch_of(pixel_aspect(source))
    if not (header.Rows and header.Columns and len(area)):
        yield "there is no picture"
        return
    columns = round(len(area) / (header.Rows * tall) * header.Columns * wide)
    missing = area.shape[1] - columns
    is_margin = missing > 0 and area.shape[1] <= LEAST_COLUMNS
    if not is_margin and abs(missing) > 1 + _TOLERANCE * columns:
        yield "the picture does not have the source's proportions"
        return
    yield from _spacing_defects(ds, len(area), image, source)
    shown = area[:, missing // 2 : missing // 2 + columns] if is_margin else area
    rows_at, columns_at = (evenly(side, _SAMPLES_A_SIDE) for side in shown.shape[:2])
    yield from _look_defects(shown[np.ix_(rows_at, columns_at)], image)


def _spacing_defects(ds: Dataset, rows: int, image: ImageResult, source: Dataset) -> Iterator[str]:
    """Where the source is calibrated the picture must be, to its own scale."""
    spacing = pixel_spacing_mm(source)
    if spacing is None or "PixelSpacing" not in ds:
        if (spacing is None) != ("PixelSpacing" not in ds):
            yield "PixelSpacing is stated and the source has none, or the other way round"
        return
    down, across = (float(value) for value in ds.PixelSpacing)
    if abs(down / across - 1) > 1e-6:
        yield "PixelSpacing is not square"
    high_mm = image.instance.header.Rows * spacing[0]
    if abs(rows * down / high_mm - 1) > _TOLERANCE + 1 / rows:
        yield "PixelSpacing does not fit the matrix"


def _look_defects(sample: _Picture, image: ImageResult) -> Iterator[str]:
    """Black, inverted, turned round or another's; what is coloured is not judged."""
    if answer.done(image) and np.ptp(sample) < _LEAST_CONTRAST:
        yield "the picture shows nothing"
        return
    stored = sample_stored(image.path, _SAMPLES_A_SIDE)
    if stored is None:
        return
    likeness = _likeness(sample, stored)
    if likeness is None:
        return
    turned = (_likeness(other, stored) for other in (sample[::-1], sample[:, ::-1], sample[::-1, ::-1]))
    if likeness < _INVERTED_BELOW:
        yield "the picture is inverted"
    elif likeness < _ANOTHER_BELOW and answer.done(image):
        yield "the picture is of another image"
    elif max(value or 0.0 for value in turned) > likeness + _TURNED_BY:
        yield "the picture is turned or mirrored"


def _likeness(sample: _Picture, stored: NDArray[np.int64]) -> float | None:
    """Rank correlation, -1..1, over what is grey: blind to windowing. None where there is nothing to rank."""
    is_grey = np.ptp(sample, axis=-1) == 0
    shown, expected = _ranks(sample[..., 0][is_grey]), _ranks(stored[is_grey])
    if not (shown.std() and expected.std()):
        return None
    return float(np.corrcoef(shown, expected)[0, 1])


def _ranks(values: NDArray[np.uint8] | NDArray[np.int64]) -> NDArray[np.float64]:
    """Equal values share the middle of their ranks."""
    if not values.size:
        return np.zeros(1)
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - counts / 2)[place], np.float64)
