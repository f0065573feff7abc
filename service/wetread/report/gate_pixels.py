"""Whether a capture's pixels are the answer and the image they claim to be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from wetread.report import answer
from wetread.report.band import band_of, paint_band
from wetread.report.capture import paint_card
from wetread.report.gate_likeness import look_defects
from wetread.report.layout import LEAST_COLUMNS, SAMPLES, Bounds, Layout, Scale, stretch_of
from wetread.report.legend import Legend, legend_rows, paint_legend
from wetread.report.overlay import draw_on
from wetread.report.results import Evidence, ImageResult, Proof
from wetread.report.source import pixel_aspect, pixel_spacing_mm
from wetread.report.source_pixels import SAMPLES_A_SIDE, evenly, sample_stored
from wetread.report.tint import tint

_TOLERANCE: Final = 0.01
# Of 255, and the part of all coloured places that may differ by more: at the rim of the evidence on a small
# picture the colour of a pixel is not that of its neighbour.
_SAME_COLOUR: Final = 24
_RIM: Final = 0.2
_FEW: Final = 10
_Picture = NDArray[np.uint8]


def pixel_defects(
    ds: Dataset, image: ImageResult, source: Dataset, *, proof: Proof, legend: Legend | None
) -> Iterator[str]:
    """Length, band, legend, proportions, everything drawn on the film, and the film against its source."""
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
    if legend and not np.array_equal(picture[rows - foot :], paint_legend(legend, columns=columns)):
        yield "the legend does not say whose heat map it is"
    if proof.film is None:
        yield from _card_defects(ds, picture, image)
        return
    yield from _area_defects(ds, picture[len(band) : rows - foot], image, source)
    area = picture[len(band) : rows - foot]
    yield from _drawing_defects(area, proof.film, image, proof.evidence)
    stored = sample_stored(image.path, SAMPLES_A_SIDE)
    stored = proof.stored if stored is None else stored
    yield from look_defects(proof.film, stored, is_read=bool(answer.done(image)))


def _card_defects(ds: Dataset, picture: _Picture, image: ImageResult) -> Iterator[str]:
    if "PixelSpacing" in ds:
        yield "PixelSpacing is stated on a card"
    if not np.array_equal(picture, paint_card(image, Bounds(max_side=picture.shape[1]))):
        yield "something else than words stands on a card"


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


def _drawing_defects(
    area: _Picture, film: _Picture, image: ImageResult, evidence: Evidence | None
) -> Iterator[str]:
    """Drawn once more, of the result's own findings or evidence, the film must come out the same."""
    header, (rows, columns) = image.instance.header, film.shape
    if rows != len(area) or columns > area.shape[1] or not (header.Rows and header.Columns):
        yield "the film does not fill its place"
        return
    scale = Scale(columns / header.Columns, rows / header.Rows)
    layout = Layout(scale, rows, columns, area.shape[1], band_rows=0, legend_rows=0)
    if evidence is not None:
        yield from _tint_defects(area[:, layout.left : layout.left + columns], film, evidence)
        return
    if not np.array_equal(area, draw_on(film, layout, findings=answer.findings_of(image))):
        yield "what is drawn on the film is not the findings' boxes and tags, and they alone"


def _tint_defects(area: _Picture, film: _Picture, evidence: Evidence) -> Iterator[str]:
    """At places spread evenly: to colour all of it again would take as long as to make it."""
    at = np.ix_(*(evenly(side, SAMPLES_A_SIDE // 2) for side in film.shape))
    expected = np.repeat(film[at][..., None], SAMPLES, axis=2)
    tint(expected, evidence.heat_map)
    shown = area[at]
    is_off = np.abs(shown.astype(np.int16) - expected).max(axis=-1) > _SAME_COLOUR
    is_coloured = (np.ptp(shown, axis=-1) > 0) | (np.ptp(expected, axis=-1) > 0)
    if is_off.sum() > _FEW + _RIM * is_coloured.sum():
        yield "the colours are not the evidence"
