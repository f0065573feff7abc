"""What a capture must be, given the image whose answer it shows."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from pydicom.dataset import Dataset
from pydicom.uid import SecondaryCaptureImageStorage

from wetread.domain import SOFTWARE_VERSION, ObjectKind
from wetread.report import answer, codes, identity
from wetread.report.capture import ON_A_CARD, is_lossy
from wetread.report.gate_pixels import pixel_defects
from wetread.report.heading import instance_number
from wetread.report.legend import Legend, legend_of
from wetread.report.results import Evidence, ImageResult, Proof
from wetread.report.source import side_of

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
        "Modality": "OT",
        "SecondaryCaptureDeviceManufacturer": identity.MANUFACTURER,
        "SecondaryCaptureDeviceManufacturerModelName": identity.MODEL_NAME,
        "SecondaryCaptureDeviceSoftwareVersions": SOFTWARE_VERSION,
    }
)
# The source's grey-scale pipeline is applied already; on colour it turns viewers' pictures black.
_FORBIDDEN: Final = (
    "WindowCenter", "WindowWidth", "VOILUTSequence", "VOILUTFunction", "RescaleSlope", "RescaleIntercept",
    "RescaleType", "ModalityLUTSequence", "PresentationLUTShape", "PresentationLUTSequence",
    "SmallestImagePixelValue", "LargestImagePixelValue", "PixelPaddingValue", "PixelAspectRatio",
    "ImagerPixelSpacing", "PixelIntensityRelationship", "PresentationIntentType", "FrameOfReferenceUID",
)  # fmt: skip
_CARRIED: Final = ("LossyImageCompressionRatio", "LossyImageCompressionMethod")
_OVERLAYS: Final = range(0x6000, 0x6100)


def capture_defects(
    ds: Dataset, image: ImageResult, source: Dataset, *, kind: ObjectKind, proof: Proof
) -> Iterator[str]:
    """Every way in which a capture, plain or of a heat map, is not what its image and answer call for."""
    yield from _module_defects(ds)
    yield from _reference_defects(ds, image)
    yield from _carried_defects(ds, image, source)
    derivation = str(ds.get("DerivationDescription", ""))
    if answer.SAFETY_NOTE not in derivation:
        yield "DerivationDescription lacks the safety note"
    is_heat_map = kind is ObjectKind.HEAT_MAP_CAPTURE
    legend = _legend_named(ds, image, proof.evidence) if is_heat_map else None
    is_said = legend is not None or ds.get("ImageComments") == answer.image_answer(image).text
    if not is_said or (legend and legend.words not in derivation):
        yield "what it says is not the answer"
    if is_heat_map and legend is None:
        yield "no finding of the image is the heat map's"
        return
    # The builder says whether it is a card: of what the object says a film would pass for one.
    if derivation.startswith(ON_A_CARD) != (proof.film is None):
        yield "DerivationDescription does not say whether it is a card"
    yield from pixel_defects(ds, image, source, proof=proof, legend=legend)


def _module_defects(ds: Dataset) -> Iterator[str]:
    """Secondary Capture as we make it, and nothing in it that belongs to a grey image."""
    for keyword, value in _FIXED.items():
        if ds.get(keyword) != value:
            yield f"{keyword} is not {value}"
    for keyword in _FORBIDDEN:
        if keyword in ds:
            yield f"{keyword} must not stand on a colour picture"
    if any(element.tag.group in _OVERLAYS for element in ds):
        yield "an overlay of the source lies on the picture"


def _legend_named(ds: Dataset, image: ImageResult, evidence: Evidence | None) -> Legend | None:
    """The legend of the evidence, if that is one of this image's findings and the object says so."""
    pairs = [(a.model, finding) for a in answer.done(image) for finding in a.findings]
    if evidence is None or (evidence.model, evidence.finding) not in pairs:
        return None
    legend = legend_of(evidence)
    is_said = ds.get("ImageComments") == f"{answer.image_answer(image).text}. {legend.title}"
    return legend if is_said else None


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


def _carried_defects(ds: Dataset, image: ImageResult, source: Dataset) -> Iterator[str]:
    """What the picture says of the body and of its source must be what the source says."""
    if _texts(ds.get("PatientOrientation")) != _texts(source.get("PatientOrientation")):
        yield "PatientOrientation differs from the source"
    if ds.get("BodyPartExamined", "") != source.get("BodyPartExamined", ""):
        yield "BodyPartExamined differs from the source"
    if ds.get("ImageLaterality") != side_of(source) or "Laterality" in ds:
        yield "the side differs from the source"
    yield from _copied_defects(ds, source)
    if ds.InstanceNumber != instance_number(source):
        yield "InstanceNumber is not the source's"
    if (ds.get("LossyImageCompression") == "01") != is_lossy(image, source):
        yield "LossyImageCompression differs from the source"


def _copied_defects(ds: Dataset, source: Dataset) -> Iterator[str]:
    for keyword in _CARRIED:
        if ds.get(keyword) != source.get(keyword):
            yield f"{keyword} differs from the source"
    calibration = source.get("PixelSpacingCalibrationType") if "PixelSpacing" in ds else None
    if ds.get("PixelSpacingCalibrationType") != calibration:
        yield "PixelSpacingCalibrationType differs from the source"


def _texts(value: object) -> list[str]:
    return [] if value in (None, "") else [str(part) for part in value]  # type: ignore[attr-defined]  # MultiValue
