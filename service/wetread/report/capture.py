"""One image's answer as a Secondary Capture: the one result object that every viewer shows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import SecondaryCaptureImageStorage
from pydicom.valuerep import format_number_as_ds

from wetread.domain import SOFTWARE_VERSION, ObjectKind
from wetread.report import answer, codes, identity
from wetread.report.band import PAPER, QUIET, band_of, paint_band
from wetread.report.heading import instance_number
from wetread.report.items import concept
from wetread.report.layout import SAMPLES, Bounds, Scale, Sheet
from wetread.report.legend import legend_of
from wetread.report.lettering import line_height, paint_text, wrapped
from wetread.report.overlay import Display, draw_on, to_film, with_strips
from wetread.report.results import BuiltObject, Evidence, ImageResult, Proof, StudyResult
from wetread.report.source import (
    ledger_source,
    pixel_aspect,
    pixel_spacing_mm,
    quiet,
    side_of,
    source_of,
)
from wetread.report.stamp import add_equipment, stamp

DEFAULT_MAX_SIDE: Final = 2048
DEFAULT_MAX_BYTES: Final = 13_000_000
# A capture whose derivation starts so shows no radiograph.
ON_A_CARD: Final = "Answer on a card"
_HEAT_MAP_SERIES: Final = "AI heat map (Wetread), research use only"
_CARD_COLUMNS: Final = 1024
_CARD_ROWS: Final = 640
_COPIED: Final = (
    "BodyPartExamined", "LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod",
)  # fmt: skip
# Transfer syntaxes that lose by definition, whatever the header says: JPEG, JPEG-LS near-lossless.
_LOSSY: Final = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 81))


@dataclass(frozen=True, slots=True)
class _Shown:
    """A finished picture: what was drawn and what it says, in words. `scale` is None on a card."""

    pixels: NDArray[np.uint8]
    scale: Scale | None
    drawn: str
    said: str
    proof: Proof


def build_capture(
    image: ImageResult,
    display: Display | None,
    study: StudyResult,
    *,
    max_side: int = DEFAULT_MAX_SIDE,
    max_bytes: int = DEFAULT_MAX_BYTES,
) -> BuiltObject:
    """The picture with its answer on top as RGB, 8 bit, uncompressed: what every archive can decode.

    `display` is the image as shown to a person (windowed, right polarity); None makes a plain card, for
    an image whose pixels cannot be shown. `max_side` bounds the finished picture's longer side in pixels,
    `max_bytes` its pixel data. Raises Unreadable when the source header cannot be read.
    """
    source, band = source_of(image), band_of(image)
    bounds = Bounds(max_side, max_bytes)
    if display is None:
        return _build_card(image, bounds, study=study, source=source)
    sheet = Sheet(display.shape[0], display.shape[1], band=band, pixel_aspect=pixel_aspect(source))
    layout = sheet.lay_out(bounds)
    film = to_film(display, layout)
    pixels = with_strips(draw_on(film, layout, findings=answer.findings_of(image)), band=band)
    drawn = "Answer written above the image as displayed, findings outlined"
    shown = _Shown(pixels, layout.scale, drawn, answer.image_answer(image).text, Proof(film))
    return _build(ObjectKind.CAPTURE, image, shown, study=study, source=source)


def build_plain_capture(
    image: ImageResult,
    study: StudyResult,
    *,
    max_side: int = DEFAULT_MAX_SIDE,
    max_bytes: int = DEFAULT_MAX_BYTES,
) -> BuiltObject:
    """The last resort: the card of `build_capture`, made without the source file.

    Of patient and study only what the ledger noted on receipt. The gate judges it by the ledger.
    """
    card = _build_card(image, Bounds(max_side, max_bytes), study=study, source=ledger_source(image))
    return replace(card, is_plain=True)


def build_heat_map_capture(
    image: ImageResult,
    display: Display,
    study: StudyResult,
    evidence: Sequence[Evidence],
    *,
    max_side: int = DEFAULT_MAX_SIDE,
    max_bytes: int = DEFAULT_MAX_BYTES,
) -> BuiltObject:
    """The picture with the worst finding's evidence as colour, and under it what the colours mean.

    One an image: of several heat maps the one of the finding that leads the answer is shown, for two
    laid over each other say nothing of either. Arguments and errors otherwise as `build_capture`; raises
    ValueError when `evidence` holds none of the image's findings.
    """
    source, band, leading = source_of(image), band_of(image), _leading(image, evidence)
    legend = legend_of(leading)
    sheet = Sheet(
        display.shape[0], display.shape[1], band=band, legend=legend, pixel_aspect=pixel_aspect(source)
    )
    layout = sheet.lay_out(Bounds(max_side, max_bytes))
    film = to_film(display, layout)
    picture = draw_on(film, layout, heat_map=leading.heat_map)
    pixels = with_strips(picture, band=band, legend=legend)
    drawn = f"Answer written above the image as displayed, coloured by evidence. {legend.words}"
    said = f"{answer.image_answer(image).text}. {legend.title}"
    shown = _Shown(pixels, layout.scale, drawn, said, Proof(film, evidence=leading))
    return _build(ObjectKind.HEAT_MAP_CAPTURE, image, shown, study=study, source=source)


def series_description(kind: ObjectKind) -> str:
    """What a viewer lists the series as."""
    is_heat_map = kind is ObjectKind.HEAT_MAP_CAPTURE
    return _HEAT_MAP_SERIES if is_heat_map else identity.SERIES_DESCRIPTION


def is_lossy(image: ImageResult, source: Dataset) -> bool:
    """Whether the source was ever compressed with loss: said once, it stays said (PS3.3 C.7.6.1.1.5)."""
    return source.get("LossyImageCompression") == "01" or image.instance.header.TransferSyntaxUID in _LOSSY


def paint_card(image: ImageResult, bounds: Bounds) -> NDArray[np.uint8]:
    """The answer without a picture, RGB."""
    columns = _card_columns(bounds)
    band = paint_band(band_of(image), columns=columns)
    card = np.full((columns * _CARD_ROWS // _CARD_COLUMNS, columns, 3), PAPER, np.uint8)
    card[: len(band)] = band
    lines = ["This image cannot be shown here.", "Please read the original image without AI."]
    size, margin, y = columns // 32, columns // 25, len(band) + columns // 16
    for sentence in lines:
        for text in wrapped(sentence, columns=columns - 2 * margin, size_px=size, lines=2):
            paint_text(card, text, x=margin, y=y, size_px=size, colour=QUIET)
            y += line_height(size) + size // 3
    return card


def _card_columns(bounds: Bounds) -> int:
    columns = min(_CARD_COLUMNS, bounds.max_side or _CARD_COLUMNS)
    if bounds.max_bytes is None:
        return columns
    return min(columns, math.isqrt(bounds.max_bytes * _CARD_COLUMNS // (SAMPLES * _CARD_ROWS)))


def _leading(image: ImageResult, evidence: Sequence[Evidence]) -> Evidence:
    """The evidence of the finding that the answer names first."""
    for finding in answer.findings_of(image):
        for item in evidence:
            if item.finding == finding:
                return item
    raise ValueError("no evidence of any finding on this image")


def _build_card(image: ImageResult, bounds: Bounds, *, study: StudyResult, source: Dataset) -> BuiltObject:
    shown = _Shown(paint_card(image, bounds), None, ON_A_CARD, answer.image_answer(image).text, Proof())
    return _build(ObjectKind.CAPTURE, image, shown, study=study, source=source)


def _build(
    kind: ObjectKind, image: ImageResult, shown: _Shown, *, study: StudyResult, source: Dataset
) -> BuiltObject:
    ds = Dataset()
    with quiet():
        _copy_image(ds, source)
        _describe_series(ds, kind, image)
        ds.SOPInstanceUID = identity.image_object_uid(kind, image, *(() if shown.scale else (identity.CARD,)))
        _describe_object(ds, image, source=source)
        _add_pixels(ds, shown.pixels)
        _describe_derivation(ds, image, shown)
        if is_lossy(image, source):
            ds.LossyImageCompression = "01"
        if shown.scale:
            _state_spacing(ds, source, shown.scale)
        add_equipment(ds, answer.done(image))
        stamp(ds, source=source, at=study.concluded_at)
    return BuiltObject(ds, kind, image.instance.header.SOPInstanceUID, proof=shown.proof)


def _copy_image(ds: Dataset, source: Dataset) -> None:
    """What holds of the picture as of the image it was made of."""
    for keyword in _COPIED:
        if keyword in source:
            setattr(ds, keyword, source[keyword].value)


def _describe_series(ds: Dataset, kind: ObjectKind, image: ImageResult) -> None:
    """A series of our own for each kind."""
    ds.StudyInstanceUID = image.instance.header.StudyInstanceUID
    ds.SeriesInstanceUID = identity.image_series_uid(kind, image)
    ds.SeriesNumber = identity.SERIES_NUMBER[kind]
    ds.SeriesDescription = series_description(kind)
    # Not the source's modality: hanging protocols and routing rules would take it for a radiograph.
    ds.Modality = "OT"


def _describe_object(ds: Dataset, image: ImageResult, *, source: Dataset) -> None:
    """SOP Common, SC Equipment and General Image modules (PS3.3 C.12.1, C.8.6.1, C.7.6.1)."""
    ds.SOPClassUID = SecondaryCaptureImageStorage
    ds.ConversionType = "WSD"
    ds.SecondaryCaptureDeviceManufacturer = identity.MANUFACTURER
    ds.SecondaryCaptureDeviceManufacturerModelName = identity.MODEL_NAME
    ds.SecondaryCaptureDeviceSoftwareVersions = SOFTWARE_VERSION
    ds.ImageType = ["DERIVED", "SECONDARY"]
    ds.InstanceNumber = instance_number(source)
    ds.PatientOrientation = source.get("PatientOrientation") or ""
    ds.BurnedInAnnotation = "YES"
    ds.ImageLaterality = side_of(source)


def _add_pixels(ds: Dataset, picture: NDArray[np.uint8]) -> None:
    """No VOI or LUT of the source: it is applied."""
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = SAMPLES, "RGB", 0
    ds.Rows, ds.Columns = picture.shape[:2]
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
    pixels = picture.tobytes()
    ds.PixelData = pixels + b"\x00" * (len(pixels) % 2)
    ds["PixelData"].VR = "OB"


def _describe_derivation(ds: Dataset, image: ImageResult, shown: _Shown) -> None:
    """What the picture was made of, and how."""
    header = image.instance.header
    reference = Dataset()
    reference.ReferencedSOPClassUID = header.SOPClassUID
    reference.ReferencedSOPInstanceUID = header.SOPInstanceUID
    reference.PurposeOfReferenceCodeSequence = [concept(codes.SOURCE_IMAGE)]
    ds.SourceImageSequence = [reference]
    ds.ImageComments = shown.said
    ds.DerivationDescription = f"{shown.drawn}. {answer.SAFETY_NOTE}."
    if shown.scale and (shown.scale.x, shown.scale.y) != (1.0, 1.0):
        ds.DerivationCodeSequence = [concept(codes.SPATIAL_RESAMPLING)]


def _state_spacing(ds: Dataset, source: Dataset, scale: Scale) -> None:
    """The source's calibrated spacing, scaled with the picture; the rows of the band do not change it."""
    spacing = pixel_spacing_mm(source)
    if spacing is None:
        return
    # The picture's pixels are square; what rounding to whole pixels leaves is under one of them.
    side_mm = math.sqrt(spacing[0] / scale.y * spacing[1] / scale.x)
    ds.PixelSpacing = [format_number_as_ds(side_mm)] * 2
    if "PixelSpacingCalibrationType" in source:
        ds.PixelSpacingCalibrationType = source.PixelSpacingCalibrationType
        ds.PixelSpacingCalibrationDescription = (
            source.get("PixelSpacingCalibrationDescription") or "as source"
        )
