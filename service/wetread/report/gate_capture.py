"""What a capture must be, given the image whose answer it shows."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from pydicom.dataset import Dataset
from pydicom.uid import SecondaryCaptureImageStorage

from wetread.domain import ObjectKind
from wetread.report import answer, codes
from wetread.report.band import COLOUR_OF
from wetread.report.layout import LEAST_COLUMNS
from wetread.report.results import ImageResult
from wetread.report.source import pixel_spacing_mm

_FIXED: Final = MappingProxyType(
    {
        "SOPClassUID": SecondaryCaptureImageStorage,
        "ConversionType": "WSD",
        "BurnedInAnnotation": "YES",
        "PhotometricInterpretation": "RGB",
        "SamplesPerPixel": 3,
        "PlanarConfiguration": 0,
        "BitsAllocated": 8,
        "BitsStored": 8,
        "HighBit": 7,
        "PixelRepresentation": 0,
        "ImageType": ["DERIVED", "SECONDARY"],
    }
)
# The source's grey-scale pipeline is applied already; on colour it turns viewers' pictures black.
_FORBIDDEN: Final = (
    "WindowCenter", "WindowWidth", "VOILUTSequence", "VOILUTFunction", "RescaleSlope", "RescaleIntercept",
    "RescaleType", "ModalityLUTSequence", "PresentationLUTShape", "PresentationLUTSequence",
    "SmallestImagePixelValue", "LargestImagePixelValue", "PixelPaddingValue",
)  # fmt: skip


def capture_defects(
    ds: Dataset, image: ImageResult, source: Dataset, *, kind: ObjectKind = ObjectKind.CAPTURE
) -> Iterator[str]:
    """Every way in which a capture is not what its image and answer call for."""
    for keyword, value in _FIXED.items():
        if ds.get(keyword) != value:
            yield f"{keyword} is not {value}"
    for keyword in _FORBIDDEN:
        if keyword in ds:
            yield f"{keyword} must not stand on a colour picture"
    yield from _reference_defects(ds, image)
    yield from _pixel_defects(ds, image)
    yield from _geometry_defects(ds, image, source)
    if kind is ObjectKind.CAPTURE and ds.get("ImageComments") != answer.image_answer(image).text:
        yield "ImageComments does not say the answer"
    if answer.SAFETY_NOTE not in ds.get("DerivationDescription", ""):
        yield "DerivationDescription lacks the safety note"


def _reference_defects(ds: Dataset, image: ImageResult) -> Iterator[str]:
    items = ds.get("SourceImageSequence") or []
    header = image.instance.header
    named = [(item.get("ReferencedSOPClassUID"), item.get("ReferencedSOPInstanceUID")) for item in items]
    if named != [(header.SOPClassUID, header.SOPInstanceUID)]:
        yield "SourceImageSequence does not name the source image, and it alone"
        return
    purposes = items[0].get("PurposeOfReferenceCodeSequence") or []
    if [item.CodeValue for item in purposes] != [codes.SOURCE_IMAGE.value]:
        yield "the source image's purpose is missing"


def _pixel_defects(ds: Dataset, image: ImageResult) -> Iterator[str]:
    pixels = ds.get("PixelData", b"")
    length = int(ds.get("Rows") or 0) * int(ds.get("Columns") or 0) * 3
    if not length or len(pixels) != length + length % 2:
        yield "PixelData does not have the length that the matrix asks"
        return
    if tuple(pixels[:3]) != COLOUR_OF[answer.image_answer(image).tone]:
        yield "the band does not have the answer's colour"


def _geometry_defects(ds: Dataset, image: ImageResult, source: Dataset) -> Iterator[str]:
    if _texts(ds.get("PatientOrientation")) != _texts(source.get("PatientOrientation")):
        yield "PatientOrientation differs from the source"
    if "PixelSpacing" not in ds:
        return
    spacing = pixel_spacing_mm(source)
    if spacing is None:
        yield "PixelSpacing is stated and the source has none"
        return
    down, across = (float(value) for value in ds.PixelSpacing)
    if abs(down / across - 1) > 1e-6:
        yield "PixelSpacing is not square"
    wide_mm = image.instance.header.Columns * spacing[1]
    if ds.Columns > LEAST_COLUMNS and abs(ds.Columns * across / wide_mm - 1) > 0.01:
        yield "PixelSpacing does not fit the matrix"


def _texts(value: object) -> list[str]:
    return [] if value in (None, "") else [str(part) for part in value]  # type: ignore[attr-defined]  # MultiValue
