"""Planted defects in presentation states, key objects and heat maps: each one must be caught."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset

from tests.unit.report.studies import (
    FRACTURE_MODEL,
    PNEUMONIA,
    SourceImage,
    a_display,
    a_finding,
    a_study,
    an_image,
    done,
    write_source,
)
from tests.unit.report.test_gate import COMMON, Mutation, delete, set_to
from tests.unit.report.test_key_object import kept
from wetread.domain import Box, ObjectKind, SpoolKey
from wetread.errors import InvalidObject
from wetread.report.capture import build_capture
from wetread.report.gate import check
from wetread.report.heat_map import build_heat_map
from wetread.report.key_object import build_key_object
from wetread.report.presentation_state import build_presentation_state
from wetread.report.results import BuiltObject, Evidence, StudyResult

BOX, OTHER_BOX = Box(100, 150, 180, 260, 0.9), Box(300, 400, 420, 520, 0.4)
SEEN = replace(a_finding(0.87, BOX), heat_map=SpoolKey("aa/heat.npy"))

# Some defects are values that pydicom warns of when they are planted.
pytestmark = pytest.mark.filterwarnings("ignore:.*:UserWarning:pydicom")


@pytest.fixture
def study(tmp_path: Path) -> StudyResult:
    """Two views of one wrist, MONOCHROME1: a positive and a doubtful box on one, nothing on the other."""
    more: dict[str, object] = {
        "PhotometricInterpretation": "MONOCHROME1",
        "WindowCenter": "2000",
        "WindowWidth": "3000",
        "RescaleSlope": "1",
        "RescaleIntercept": "0",
    }
    doubtful = a_finding(0.4, OTHER_BOX, code=PNEUMONIA, label="Pneumonia")
    front = an_image(write_source(tmp_path, SourceImage(name="front", more=more)), done(SEEN, doubtful))
    side = an_image(write_source(tmp_path, SourceImage(name="side", more=more)), done(a_finding(0.03)))
    return a_study(front, side)


def state(study: StudyResult) -> BuiltObject:
    return build_presentation_state(study.images[0], study)


def key_object(study: StudyResult) -> BuiltObject:
    return build_key_object(study, [kept(build_capture(study.images[0], a_display(), study))])


def heat_map(study: StudyResult) -> BuiltObject:
    heat = np.linspace(0, 1, 600, dtype=np.float16).reshape(30, 20)
    return build_heat_map(study.images[0], study, Evidence(FRACTURE_MODEL, SEEN, heat))


def at(path: str, keyword: str, value: object) -> Mutation:
    """A mutation that overwrites an attribute in the first item, or the one numbered, of nested sequences."""

    def mutate(ds: Dataset) -> None:
        setattr(_item(ds, path), keyword, value)

    return mutate


def without(path: str, keyword: str) -> Mutation:
    """A mutation that removes an attribute there."""

    def mutate(ds: Dataset) -> None:
        delattr(_item(ds, path), keyword)

    return mutate


def _item(ds: Dataset, path: str) -> Dataset:
    for step in path.split("/"):
        keyword, _, number = step.partition(":")
        ds = ds[keyword].value[int(number or 0)]
    return ds


def changed(keyword: str, change: Callable[[Dataset], object]) -> Mutation:
    """A mutation that runs on the items of a top-level sequence."""

    def mutate(ds: Dataset) -> None:
        change(ds[keyword].value)

    return mutate


MARK, DASHED = "GraphicAnnotationSequence", "GraphicAnnotationSequence:1"
AREA, FRAME = "DisplayedAreaSelectionSequence", "PerFrameFunctionalGroupsSequence"
SHARED = "SharedFunctionalGroupsSequence"
MAPPING = f"{SHARED}/RealWorldValueMappingSequence"

STATE: dict[str, Mutation] = {
    "inverted": set_to("PresentationLUTShape", "IDENTITY"),
    "no polarity": delete("PresentationLUTShape"),
    "another window": at("SoftcopyVOILUTSequence", "WindowCenter", "1000"),
    "no window": delete("SoftcopyVOILUTSequence"),
    "another slope": set_to("RescaleSlope", "2"),
    "no modality LUT": delete("RescaleIntercept"),
    "another class": set_to("SOPClassUID", "1.2.840.10008.5.1.4.1.1.11.2"),
    "another modality": set_to("Modality", "OT"),
    "tiled origin": set_to("PixelOriginInterpretation", "FRAME"),
    "no description": set_to("ContentDescription", ""),
    "no moment": delete("PresentationCreationTime"),
    "no equipment": delete("ContributingEquipmentSequence"),
    "another image": at(
        "ReferencedSeriesSequence/ReferencedImageSequence", "ReferencedSOPInstanceUID", "2.25.1"
    ),
    "another source series": at("ReferencedSeriesSequence", "SeriesInstanceUID", "2.25.1"),
    "another source class": at(
        "ReferencedSeriesSequence/ReferencedImageSequence",
        "ReferencedSOPClassUID",
        "1.2.840.10008.5.1.4.1.1.7",
    ),
    "box of another image": at(f"{MARK}/ReferencedImageSequence", "ReferencedSOPInstanceUID", "2.25.1"),
    "part of the image": at(AREA, "DisplayedAreaBottomRightHandCorner", [480, 300]),
    "counted from 0": at(AREA, "DisplayedAreaTopLeftHandCorner", [0, 0]),
    "other spacing": at(AREA, "PresentationPixelSpacing", ["0.3", "0.3"]),
    "no spacing": without(AREA, "PresentationPixelSpacing"),
    "oblong": at(AREA, "PresentationPixelSpacing", ["0.14", "0.28"]),
    "undefined layer": changed("GraphicLayerSequence", lambda items: items.pop(0)),
    "layer twice": at("GraphicLayerSequence:1", "GraphicLayer", "AI POSITIVE"),
    "box left out": changed(MARK, lambda items: items.pop(0)),
    "doubtful as positive": at(DASHED, "GraphicLayer", "AI POSITIVE"),
    "moved box": at(
        f"{MARK}/GraphicObjectSequence", "GraphicData", [110, 150, 190, 150, 190, 260, 110, 260, 110, 150]
    ),
    "counted from 1": at(
        f"{MARK}/GraphicObjectSequence", "GraphicData", [101, 151, 181, 151, 181, 261, 101, 261, 101, 151]
    ),
    "open box": at(
        f"{MARK}/GraphicObjectSequence", "GraphicData", [100, 150, 180, 150, 180, 260, 100, 260, 100, 200]
    ),
    "crossed box": at(
        f"{MARK}/GraphicObjectSequence", "GraphicData", [100, 150, 180, 260, 140, 200, 100, 260, 100, 150]
    ),
    "wrong count": at(f"{MARK}/GraphicObjectSequence", "NumberOfGraphicPoints", 4),
    "spline": at(f"{MARK}/GraphicObjectSequence", "GraphicType", "INTERPOLATED"),
    "part of the display": at(f"{MARK}/GraphicObjectSequence", "GraphicAnnotationUnits", "DISPLAY"),
    "words outside": at(f"{MARK}/TextObjectSequence", "BoundingBoxBottomRightHandCorner", [500, 160]),
    "anchor outside": at(f"{MARK}/TextObjectSequence", "AnchorPoint", [-5, 160]),
    "says more": at(f"{MARK}/TextObjectSequence", "UnformattedTextValue", "Fracture 97 %, positive"),
    "says doubtful": at(f"{MARK}/TextObjectSequence", "UnformattedTextValue", "Fracture 87 %, doubtful"),
    "no safety note": at(f"{MARK}:2/TextObjectSequence", "UnformattedTextValue", "fracture 1.0.0"),
}
KEY_OBJECT: dict[str, Mutation] = {
    "another class": set_to("SOPClassUID", "1.2.840.10008.5.1.4.1.1.88.33"),
    "another modality": set_to("Modality", "SR"),
    "another revision": set_to("InstanceNumber", 2),
    "another title": at("ConceptNameCodeSequence", "CodeValue", "113001"),
    "no template": delete("ContentTemplateSequence"),
    "running text": set_to("ContinuityOfContent", "CONTINUOUS"),
    "no performed step": delete("ReferencedPerformedProcedureStepSequence"),
    "no equipment": delete("ContributingEquipmentSequence"),
    "named image": lambda ds: setattr(
        ds.ContentSequence[-1], "ConceptNameCodeSequence", ds.ConceptNameCodeSequence
    ),
    "property": lambda ds: setattr(ds.ContentSequence[-1], "RelationshipType", "HAS PROPERTIES"),
    "observer unknown": lambda ds: setattr(
        next(i for i in ds.ContentSequence if i.ValueType == "UIDREF"), "UID", "2.25.1"
    ),
    "another answer": lambda ds: setattr(
        [i for i in ds.ContentSequence if i.ValueType == "TEXT"][-1], "TextValue", "NO FINDINGS"
    ),
    "image not selected": changed("ContentSequence", lambda items: items.pop(-2)),
    "selected twice": changed("ContentSequence", lambda items: items.append(deepcopy(items[-1]))),
    "not listed": changed(
        "CurrentRequestedProcedureEvidenceSequence", lambda items: items[0].ReferencedSeriesSequence.pop()
    ),
    "listed elsewhere": at("CurrentRequestedProcedureEvidenceSequence", "StudyInstanceUID", "2.25.1"),
    "another series": at(
        "CurrentRequestedProcedureEvidenceSequence/ReferencedSeriesSequence", "SeriesInstanceUID", "2.25.1"
    ),
    "another image": lambda ds: setattr(
        ds.ContentSequence[-2].ReferencedSOPSequence[0], "ReferencedSOPInstanceUID", "2.25.1"
    ),
}
HEAT_MAP: dict[str, Mutation] = {
    "another class": set_to("SOPClassUID", "1.2.840.10008.5.1.4.1.1.66.4"),
    "inverted": set_to("PhotometricInterpretation", "MONOCHROME1"),
    "fewer rows": lambda ds: setattr(ds, "Rows", ds.Rows - 1),
    "turned matrix": lambda ds: (setattr(ds, "Rows", 20), setattr(ds, "Columns", 30))[0],
    "cut pixels": lambda ds: setattr(ds, "FloatPixelData", ds.FloatPixelData[:-4]),
    "over 1": lambda ds: setattr(ds, "FloatPixelData", np.full(600, 1.5, "<f4").tobytes()),
    "no number": lambda ds: setattr(ds, "FloatPixelData", np.full(600, np.nan, "<f4").tobytes()),
    "for use": set_to("ContentQualification", "PRODUCT"),
    "another frame of reference": set_to("FrameOfReferenceUID", "2.25.1"),
    "unscaled spacing": at(f"{SHARED}/PixelMeasuresSequence", "PixelSpacing", ["0.14", "0.14"]),
    "no thickness": without(f"{SHARED}/PixelMeasuresSequence", "SliceThickness"),
    "moved": at(f"{FRAME}/PlanePositionSequence", "ImagePositionPatient", [0, 0, 0]),
    "turned": at(f"{SHARED}/PlaneOrientationSequence", "ImageOrientationPatient", [0, 1, 0, 1, 0, 0]),
    "scaled values": at(MAPPING, "RealWorldValueSlope", 100.0),
    "half the range": at(MAPPING, "DoubleFloatRealWorldValueLastValueMapped", 0.5),
    "in percent": at(f"{MAPPING}/MeasurementUnitsCodeSequence", "CodeValue", "%"),
    "another quantity": at(
        f"{MAPPING}/QuantityDefinitionSequence/ConceptCodeSequence", "CodeValue", "130403"
    ),
    "another finding": at(
        f"{MAPPING}/QuantityDefinitionSequence:1/ConceptCodeSequence", "CodeValue", "233604007"
    ),
    "surrogate not said": at(f"{FRAME}/DerivationImageSequence", "DerivationDescription", "a map"),
    "another image": at(
        f"{FRAME}/DerivationImageSequence/SourceImageSequence", "ReferencedSOPInstanceUID", "2.25.1"
    ),
    "another source series": at("ReferencedSeriesSequence", "SeriesInstanceUID", "2.25.1"),
    "another network": at("ContributingEquipmentSequence", "DeviceUID", "2.25.1"),
    "another label": set_to("ContentDescription", "Pneumonia: AI heat map, research use only"),
    "two frames": changed(FRAME, lambda items: items.append(deepcopy(items[0]))),
}
# A presentation state has a moment of creation where others have one of content.
COMMON_TO_STATES = {name: mutate for name, mutate in COMMON.items() if name != "no such date"}


def plant(built: BuiltObject, study: StudyResult, mutate: Mutation) -> None:
    """Check the sound object, then a copy with the defect."""
    check(built, study)
    ds = deepcopy(built.ds)
    mutate(ds)
    with pytest.raises(InvalidObject, match=f"{built.kind.value}: "):
        check(replace(built, ds=ds), study)


@pytest.mark.parametrize(
    "mutate", [*COMMON_TO_STATES.values(), *STATE.values()], ids=[*COMMON_TO_STATES, *STATE]
)
def test_gate_catches_a_defect_in_a_presentation_state(study: StudyResult, mutate: Mutation) -> None:
    plant(state(study), study, mutate)


@pytest.mark.parametrize("mutate", [*COMMON.values(), *KEY_OBJECT.values()], ids=[*COMMON, *KEY_OBJECT])
def test_gate_catches_a_defect_in_a_key_object(study: StudyResult, mutate: Mutation) -> None:
    plant(key_object(study), study, mutate)


@pytest.mark.parametrize("mutate", [*COMMON.values(), *HEAT_MAP.values()], ids=[*COMMON, *HEAT_MAP])
def test_gate_catches_a_defect_in_a_heat_map(study: StudyResult, mutate: Mutation) -> None:
    plant(heat_map(study), study, mutate)


def test_gate_passes_a_key_object_whose_capture_was_held_back(study: StudyResult) -> None:
    check(build_key_object(study, []), study)


@pytest.mark.parametrize("build", [state, heat_map], ids=["gsps", "heat-map"])
def test_gate_holds_an_object_about_another_image(
    study: StudyResult, build: Callable[[StudyResult], BuiltObject]
) -> None:
    built = replace(build(study), source=study.images[1].instance.header.SOPInstanceUID)

    with pytest.raises(InvalidObject, match="SOPInstanceUID"):
        check(built, study)


def test_gate_holds_a_capture_that_passes_for_another_kind(study: StudyResult) -> None:
    built = replace(state(study), kind=ObjectKind.HEAT_MAP)

    with pytest.raises(InvalidObject, match="heat-map: "):
        check(built, study)
