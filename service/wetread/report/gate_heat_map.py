"""What a heat map must be, given the image it is of and the finding it belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import ParametricMapStorage

from wetread.domain import Finding, ModelId, ObjectKind
from wetread.report import answer, codes, identity
from wetread.report.content import coded
from wetread.report.gate_stamp import equipment_defects, place_defects
from wetread.report.heat_map import geometry, surrogate_note, values_of
from wetread.report.results import Evidence, ImageResult, Proof

_FIXED: Final = MappingProxyType(
    {
        "SOPClassUID": ParametricMapStorage,
        "Modality": "OT",
        "ImageType": ["DERIVED", "PRIMARY", "VOLUME", "QUANTITY"],
        "ContentLabel": "HEAT_MAP",
        "PhotometricInterpretation": "MONOCHROME2",
        "PresentationLUTShape": "IDENTITY",
        "SamplesPerPixel": 1,
        "BitsAllocated": 32,
        "NumberOfFrames": 1,
        "BurnedInAnnotation": "NO",
        "ContentQualification": "RESEARCH",
        "FrameOfReferenceUID": None,
    }
)
_WINDOW: Final = ("WindowCenter", "WindowWidth", "VOILUTFunction")
_SCALE: Final = ("RescaleSlope", "RescaleIntercept")
_PLANE: Final = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
# Decimal strings keep 14 digits or so.
_NEAR: Final = 1e-6


def heat_map_defects(ds: Dataset, image: ImageResult, source: Dataset, *, proof: Proof) -> Iterator[str]:
    """Every way in which a heat map is not what its image and finding call for."""
    frame = identity.derive_uid("frame of reference", image.instance.header.SOPInstanceUID)
    for keyword, value in _FIXED.items():
        if ds.get(keyword) != (value or frame):
            yield f"{keyword} is not {value or 'derived from the source image'}"
    subject = _subject(ds, image)
    if subject is None:
        yield "is of no finding of this image"
        return
    model, finding = subject
    yield from equipment_defects(ds, [model])
    yield from place_defects(ds, image, ObjectKind.HEAT_MAP, source=source, place=_place(ds, image))
    if not str(ds.get("ContentDescription", "")).startswith(finding.label[:30]):
        yield "ContentDescription does not name the finding"
    shared = (ds.get("SharedFunctionalGroupsSequence") or [Dataset()])[0]
    frames = ds.get("PerFrameFunctionalGroupsSequence") or []
    if len(frames) != 1:
        yield "not exactly one frame"
        return
    yield from _pixel_defects(ds)
    yield from _value_defects(ds, subject, proof.evidence)
    yield from _place_defects(shared, frames[0], geometry(image, source, (ds.Rows or 1, ds.Columns or 1)))
    yield from _meaning_defects(shared, finding)
    yield from _window_defects(shared)
    yield from _origin_defects(ds, frames[0], image, source)
    yield from _common_defects(ds, image)


def _place(ds: Dataset, image: ImageResult) -> int:
    pairs = [(a.model, finding) for a in answer.done(image) for finding in a.findings]
    uids = [identity.heat_map_uid(image, *pair) for pair in pairs]
    return uids.index(ds.SOPInstanceUID) + 1


def _subject(ds: Dataset, image: ImageResult) -> tuple[ModelId, Finding] | None:
    pairs = ((a.model, finding) for a in answer.done(image) for finding in a.findings)
    return next((pair for pair in pairs if identity.heat_map_uid(image, *pair) == ds.SOPInstanceUID), None)


def _pixel_defects(ds: Dataset) -> Iterator[str]:
    data = ds.get("FloatPixelData") or b""
    if "PixelData" in ds or len(data) != 4 * int(ds.Rows or 0) * int(ds.Columns or 0) or not data:
        yield "FloatPixelData does not have the length that the matrix asks"
        return
    values = np.frombuffer(data, "<f4")
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > 1:
        yield "a value is not within 0 to 1"


def _value_defects(ds: Dataset, subject: tuple[ModelId, Finding], evidence: Evidence | None) -> Iterator[str]:
    """The map is the network's own, cell by cell."""
    if evidence is None or (evidence.model, evidence.finding) != subject:
        yield "the evidence is not that of the finding"
    elif (ds.Rows, ds.Columns) != evidence.heat_map.shape:
        yield "the matrix is not the evidence's"
    elif ds.get("FloatPixelData") != values_of(evidence).astype("<f4").tobytes():
        yield "the values are not the evidence"


def _place_defects(shared: Dataset, frame: Dataset, wanted: tuple[list[float], list[float]]) -> Iterator[str]:
    """The map's edges are the image's, in the surrogate plane."""
    position, spacing = wanted
    if not _is_near(_inside(frame, "PlanePositionSequence", "ImagePositionPatient"), position):
        yield "the position is not the surrogate's"
    if not _is_near(_inside(shared, "PixelMeasuresSequence", "PixelSpacing"), spacing):
        yield "PixelSpacing times matrix is not the image"
    if not _inside(shared, "PixelMeasuresSequence", "SliceThickness"):
        yield "SliceThickness is missing"
    if not _is_near(_inside(shared, "PlaneOrientationSequence", "ImageOrientationPatient"), _PLANE):
        yield "the orientation is not the surrogate's"


def _is_near(found: object, wanted: list[float]) -> bool:
    try:
        return np.allclose(np.asarray(found, float), wanted, rtol=_NEAR, atol=_NEAR)
    except (TypeError, ValueError):
        return False


def _meaning_defects(shared: Dataset, finding: Finding) -> Iterator[str]:
    """Values are read as they stand: slope one, no unit, of a quantity with a code."""
    mappings = shared.get("RealWorldValueMappingSequence") or []
    if len(mappings) != 1:
        yield "not exactly one real world value mapping"
        return
    mapping = mappings[0]
    if (mapping.get("RealWorldValueSlope"), mapping.get("RealWorldValueIntercept")) != (1, 0):
        yield "the mapping changes the values"
    ends = (
        mapping.get("DoubleFloatRealWorldValueFirstValueMapped"),
        mapping.get("DoubleFloatRealWorldValueLastValueMapped"),
    )
    if ends != (0, 1):
        yield "the mapping is not for 0 to 1"
    if coded(mapping, "MeasurementUnitsCodeSequence")[:2] != (codes.NO_UNITS.value, codes.NO_UNITS.scheme):
        yield "the unit is not none"
    said = [coded(q, "ConceptCodeSequence") for q in mapping.get("QuantityDefinitionSequence") or []]
    if said != [(code.value, code.scheme, code.meaning) for code in (codes.CLASS_ACTIVATION, finding.code)]:
        yield "the quantity is not the finding's class activation"
    if finding.label[:40] not in str(mapping.get("LUTExplanation", "")):
        yield "the explanation of the values does not name the finding"


def _window_defects(shared: Dataset) -> Iterator[str]:
    """Shown from 0 to 1, larger is brighter."""
    window = tuple(_inside(shared, "FrameVOILUTSequence", keyword) for keyword in _WINDOW)
    if window != (0.5, 1, "LINEAR_EXACT"):
        yield "the window is not from 0 to 1"
    scale = tuple(_inside(shared, "PixelValueTransformationSequence", keyword) for keyword in _SCALE)
    if scale != (1, 0):
        yield "the values are scaled"


def _origin_defects(ds: Dataset, frame: Dataset, image: ImageResult, source: Dataset) -> Iterator[str]:
    derivations = frame.get("DerivationImageSequence") or []
    said = " ".join(str(item.get("DerivationDescription", "")) for item in derivations)
    if surrogate_note(source) not in said or answer.SAFETY_NOTE not in said:
        yield "DerivationDescription lacks the surrogate geometry or the safety note"
    origins = [origin for item in derivations for origin in item.get("SourceImageSequence") or []]
    if not (_names(origins, image) and _names(list(ds.get("SourceImageSequence") or []), image)):
        yield "the derivation does not name the source image, and it alone"


def _common_defects(ds: Dataset, image: ImageResult) -> Iterator[str]:
    series = ds.get("ReferencedSeriesSequence") or []
    items = [item for one in series for item in one.get("ReferencedInstanceSequence") or []]
    is_series = [one.get("SeriesInstanceUID") for one in series] == [image.instance.header.SeriesInstanceUID]
    if not is_series or not _names(items, image):
        yield "ReferencedSeriesSequence does not name the source image, and it alone"


def _names(items: list[Dataset], image: ImageResult) -> bool:
    header = image.instance.header
    named = [(item.get("ReferencedSOPClassUID"), item.get("ReferencedSOPInstanceUID")) for item in items]
    return named == [(header.SOPClassUID, header.SOPInstanceUID)]


def _inside(groups: Dataset, sequence: str, keyword: str) -> object:
    """A value of a functional group's one item, or None."""
    items = groups.get(sequence) or []
    return items[0].get(keyword) if items else None
