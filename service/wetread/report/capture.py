"""One image's answer as a Secondary Capture: the one result object that every viewer shows."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import SecondaryCaptureImageStorage
from pydicom.valuerep import format_number_as_ds

from wetread.domain import SOFTWARE_VERSION, ObjectKind
from wetread.report import answer, codes, identity
from wetread.report.band import band_of, paint_band
from wetread.report.items import concept
from wetread.report.lettering import line_height, paint_text, wrapped
from wetread.report.overlay import Display, Scale, draw_overlay, scale_for
from wetread.report.results import BuiltObject, ImageResult, StudyResult
from wetread.report.source import pixel_aspect, pixel_spacing_mm, quiet, source_of
from wetread.report.stamp import add_equipment, stamp

DEFAULT_MAX_SIDE: Final = 2048
_CARD_COLUMNS: Final = 1024
_CARD_ROWS: Final = 640
_COPIED: Final = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime",
    "AccessionNumber", "ReferringPhysicianName", "StudyID", "StudyDescription", "IssuerOfPatientID",
    "PatientAge", "PatientSize", "PatientWeight", "PatientIdentityRemoved", "DeidentificationMethod",
    "BodyPartExamined", "LossyImageCompression",
)  # fmt: skip
# Laterality must not stand on these, and must on all others, perhaps empty (PS3.3 C.7.3.1, type 2C).
_UNPAIRED: Final = frozenset(
    {
        "ABDOMEN", "CHEST", "COCCYX", "CSPINE", "HEAD", "HEART", "JAW", "LSPINE", "NECK", "PELVIS", "SKULL",
        "SPINE", "SSPINE", "STERNUM", "TSPINE", "WHOLEBODY",
    }
)  # fmt: skip


def build_capture(
    image: ImageResult, display: Display | None, study: StudyResult, *, max_side: int = DEFAULT_MAX_SIDE
) -> BuiltObject:
    """The picture with its answer on top as RGB, 8 bit, uncompressed: what every archive can decode.

    `display` is the image as shown to a person (windowed, right polarity); None makes a plain card, for
    an image whose pixels cannot be shown. `max_side` bounds the picture, so its bytes are at most
    3 * max_side ** 2. Raises Unreadable when the source header cannot be read.
    """
    source = source_of(image)
    ds = Dataset()
    with quiet():
        _copy_identity(ds, source, study)
        _describe_object(ds, image, source)
        scale = _add_picture(ds, image, display, source=source, max_side=max_side)
        _describe_derivation(ds, image, source, scale)
        add_equipment(ds, answer.done(image))
        stamp(ds, source=source, at=study.concluded_at)
    return BuiltObject(ds=ds, kind=ObjectKind.CAPTURE, source=image.instance.header.SOPInstanceUID)


def paint_card(image: ImageResult) -> NDArray[np.uint8]:
    """The answer without a picture, RGB."""
    band = paint_band(band_of(image), columns=_CARD_COLUMNS)
    card = np.full((_CARD_ROWS, _CARD_COLUMNS, 3), (18, 22, 26), np.uint8)
    card[: len(band)] = band
    lines = ["This image cannot be shown here.", "Please read the original image without AI."]
    size, y = _CARD_COLUMNS // 32, len(band) + _CARD_COLUMNS // 16
    for sentence in lines:
        for text in wrapped(sentence, columns=_CARD_COLUMNS - 80, size_px=size, lines=2):
            paint_text(card, text, x=40, y=y, size_px=size, colour=(214, 219, 224))
            y += line_height(size) + size // 3
    return card


def _copy_identity(ds: Dataset, source: Dataset, study: StudyResult) -> None:
    """The patient and study the picture belongs to; a series of our own."""
    for keyword in _COPIED:
        if keyword in source:
            setattr(ds, keyword, source[keyword].value)
    ds.StudyInstanceUID = study.study
    ds.SeriesInstanceUID = identity.series_uid(study.study, ObjectKind.CAPTURE)
    ds.SeriesNumber = identity.SERIES_NUMBER[ObjectKind.CAPTURE]
    ds.SeriesDescription = identity.SERIES_DESCRIPTION
    # Not the source's modality: hanging protocols and routing rules would take it for a radiograph.
    ds.Modality = "OT"


def _describe_object(ds: Dataset, image: ImageResult, source: Dataset) -> None:
    """SOP Common, SC Equipment and General Image modules (PS3.3 C.12.1, C.8.6.1, C.7.6.1)."""
    ds.SOPClassUID = SecondaryCaptureImageStorage
    ds.SOPInstanceUID = identity.image_object_uid(ObjectKind.CAPTURE, image)
    ds.ConversionType = "WSD"
    ds.SecondaryCaptureDeviceManufacturer = identity.MANUFACTURER
    ds.SecondaryCaptureDeviceManufacturerModelName = identity.MODEL_NAME
    ds.SecondaryCaptureDeviceSoftwareVersions = SOFTWARE_VERSION
    ds.ImageType = ["DERIVED", "SECONDARY"]
    ds.InstanceNumber = _instance_number(source)
    ds.PatientOrientation = source.get("PatientOrientation") or ""
    ds.BurnedInAnnotation = "YES"
    if source.get("BodyPartExamined") not in _UNPAIRED:
        side = source.get("Laterality") or source.get("ImageLaterality")
        ds.Laterality = side if side in ("L", "R") else ""


def _add_picture(
    ds: Dataset, image: ImageResult, display: Display | None, *, source: Dataset, max_side: int
) -> Scale | None:
    """Pixels, and how they were scaled; None for a card. No VOI or LUT of the source: it is applied."""
    band = band_of(image)
    scale = None
    if display is None:
        picture = paint_card(image)
    else:
        aspect = pixel_aspect(source)
        scale = scale_for(*display.shape, band=band, max_side=max_side, aspect=aspect)
        picture = draw_overlay(
            display, findings=answer.findings_of(image), band=band, max_side=max_side, pixel_aspect=aspect
        )
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = 3, "RGB", 0
    ds.Rows, ds.Columns = picture.shape[:2]
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
    pixels = picture.tobytes()
    ds.PixelData = pixels + b"\x00" * (len(pixels) % 2)
    ds["PixelData"].VR = "OB"
    return scale


def _describe_derivation(ds: Dataset, image: ImageResult, source: Dataset, scale: Scale | None) -> None:
    """What the picture was made of, and at which scale."""
    header = image.instance.header
    reference = Dataset()
    reference.ReferencedSOPClassUID = header.SOPClassUID
    reference.ReferencedSOPInstanceUID = header.SOPInstanceUID
    reference.PurposeOfReferenceCodeSequence = [concept(codes.SOURCE_IMAGE)]
    ds.SourceImageSequence = [reference]
    ds.ImageComments = answer.image_answer(image).text
    drawn = "Answer written above the image as displayed, findings outlined" if scale else "Answer on a card"
    ds.DerivationDescription = f"{drawn}. {answer.SAFETY_NOTE}."
    if scale:
        _state_spacing(ds, source, scale)


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


def _instance_number(source: Dataset) -> int:
    """The source's own, so that a capture is the same object in every revision."""
    number = str(source.get("InstanceNumber") or "1")
    return int(number) if number.isdecimal() and 0 < int(number) < 2**31 else 1
