"""Planted additions: what no check asks for must not leave either, in any kind of object."""

from __future__ import annotations

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
from tests.unit.report.test_gate import Mutation, delete, set_to
from tests.unit.report.test_gate_objects import at, plant
from tests.unit.report.test_gate_report import group, named, probability, put, root, summary
from tests.unit.report.test_key_object import kept
from wetread.domain import Box, Code, Finding, ObjectKind, SpoolKey
from wetread.errors import InvalidObject
from wetread.report import codes
from wetread.report.capture import build_capture
from wetread.report.comprehensive import as_comprehensive
from wetread.report.gate import check
from wetread.report.heat_map import build_heat_map
from wetread.report.items import code_item, concept, text_item
from wetread.report.key_object import build_key_object
from wetread.report.presentation_state import build_presentation_state
from wetread.report.results import BuiltObject, Evidence, StudyResult
from wetread.report.source import reading_once
from wetread.report.structured_report import build_report

BOX, OTHER_BOX = Box(100, 150, 180, 260, 0.9), Box(300, 400, 420, 520, 0.4)
SEEN = replace(a_finding(0.87, BOX), heat_map=SpoolKey("aa/heat.npy"))

# Some defects are values that pydicom warns of when they are planted.
pytestmark = pytest.mark.filterwarnings("ignore:.*:UserWarning:pydicom")


@pytest.fixture
def study(tmp_path: Path) -> StudyResult:
    """Two views, one of them with an order: a positive and a doubtful box, and nothing."""
    order = Dataset()
    order.RequestedProcedureID, order.RequestedProcedureDescription = "RP-7", "Wrist in two planes"
    more: dict[str, object] = {"RequestAttributesSequence": [order]}
    doubtful = a_finding(0.4, OTHER_BOX, code=PNEUMONIA, label="Pneumonia")
    front = an_image(write_source(tmp_path, SourceImage(name="front", more=more)), done(SEEN, doubtful))
    side = an_image(write_source(tmp_path, SourceImage(name="side", more=more)), done(a_finding(0.03)))
    return a_study(front, side)


def build(kind: ObjectKind, study: StudyResult) -> BuiltObject:
    image = study.images[0]
    if kind is ObjectKind.CAPTURE:
        return build_capture(image, a_display(), study)
    if kind is ObjectKind.PRESENTATION_STATE:
        return build_presentation_state(image, study)
    if kind is ObjectKind.KEY_OBJECT:
        return build_key_object(study, [kept(build_capture(image, a_display(), study))])
    if kind is ObjectKind.HEAT_MAP:
        heat = np.linspace(0, 1, 600, dtype=np.float16).reshape(30, 20)
        return build_heat_map(image, study, Evidence(FRACTURE_MODEL, SEEN, heat))
    report = build_report(study)
    return as_comprehensive(report) if kind is ObjectKind.COMPREHENSIVE_REPORT else report


def append(keyword: str, item: Dataset) -> Mutation:
    """A mutation that adds an item to a sequence of the root."""
    return lambda ds: ds[keyword].value.append(deepcopy(item))


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    item: Dataset = concept(Code(value, scheme, meaning))
    return item


def in_group(item: Dataset) -> Mutation:
    return lambda ds: group(0)(ds).ContentSequence.append(deepcopy(item))


def second_number(ds: Dataset) -> None:
    item = deepcopy(probability(ds))
    item.ConceptNameCodeSequence = [_code("410668003", "SCT", "Length")]
    group(0)(ds).ContentSequence.append(item)


def scheme_of_presence(ds: Dataset) -> None:
    named(group(0)(ds), "125605004").ConceptCodeSequence[0].CodingSchemeDesignator = "99X"


def frame_of_region(ds: Dataset) -> None:
    region = named(group(0)(ds), "111030")
    region.ContentSequence[0].ReferencedSOPSequence[0].ReferencedFrameNumber = 99


def two_presences(ds: Dataset) -> None:
    absent = _code(codes.ABSENT.value, codes.ABSENT.scheme, codes.ABSENT.meaning)
    named(group(0)(ds), "125605004").ConceptCodeSequence.append(absent)


def verified_by(ds: Dataset) -> None:
    ds.VerifyingObserverSequence = [Dataset()]
    ds.VerifyingObserverSequence[0].VerifyingObserverName = "Some^Body"


def two_descriptions(ds: Dataset) -> None:
    item = deepcopy(named_text(ds, "113012"))
    item.TextValue = "NO FRACTURE"
    ds.ContentSequence.insert(4, item)


def named_text(ds: Dataset, code: str) -> Dataset:
    items = [i for i in ds.ContentSequence if i.get("ConceptNameCodeSequence")]
    found: Dataset = next(i for i in items if i.ConceptNameCodeSequence[0].CodeValue == code)
    return found


def extra_words(ds: Dataset) -> None:
    item = deepcopy(ds.GraphicAnnotationSequence[-1])
    item.GraphicLayer = "AI POSITIVE"
    item.TextObjectSequence[0].UnformattedTextValue = "NO FRACTURE"
    ds.GraphicAnnotationSequence.append(item)


def stubs(ds: Dataset) -> None:
    mark = next(i for i in ds.GraphicAnnotationSequence if i.GraphicLayer == "AI DOUBTFUL")
    lines = mark.GraphicObjectSequence
    mark.GraphicObjectSequence = [lines[0], lines[7], lines[8]]


ANY: dict[str, Mutation] = {
    "another maker": set_to("Manufacturer", "Somebody"),
    "another model": set_to("ManufacturerModelName", "Somebody"),
    "another version": set_to("SoftwareVersions", "99"),
    "another creator": set_to("InstanceCreatorUID", "2.25.1"),
    "description without the warning": set_to("SeriesDescription", "Radiology report"),
    "another series number": set_to("SeriesNumber", 1),
    "another zone": set_to("TimezoneOffsetFromUTC", "+0900"),
    "created on another day": set_to("InstanceCreationDate", "19000101"),
    "created at another time": set_to("InstanceCreationTime", "113344"),
    "another issuer": set_to("IssuerOfPatientID", "OTHER HOSPITAL"),
    "another study description": set_to("StudyDescription", "MRI brain"),
    "an operator": set_to("OperatorsName", "Some^Body"),
    "an attribute of nobody's": lambda ds: ds.add_new(0x00091001, "LO", "private"),
    "equipment of another UID": at("ContributingEquipmentSequence", "DeviceUID", "2.25.1"),
    "equipment twice": lambda ds: ds.ContributingEquipmentSequence.append(
        deepcopy(ds.ContributingEquipmentSequence[0])
    ),
    "no equipment": delete("ContributingEquipmentSequence"),
}
REPORT: dict[str, Mutation] = {
    "a day that is none": set_to("ContentDate", "99999999"),
    "another time": set_to("ContentTime", "113344"),
    "final": set_to("PreliminaryFlag", "FINAL"),
    "verified by a person": verified_by,
    "another title": lambda ds: setattr(ds, "ConceptNameCodeSequence", [_code("111036", "DCM", "CAD")]),
    "another order": at("ReferencedRequestSequence", "AccessionNumber", "ZZZ9"),
    "no order": delete("ReferencedRequestSequence"),
    "another procedure": lambda ds: setattr(
        named(ds, "121058"), "ConceptCodeSequence", [_code("25045-6", "LN", "CT unspecified body region")]
    ),
    "another language": lambda ds: setattr(
        named(ds, "121049"), "ConceptCodeSequence", [_code("de-DE", "RFC5646", "German")]
    ),
    "an impression": append("ContentSequence", text_item(Code("121073", "DCM", "Impression"), "Carcinoma.")),
    "a person too": append("ContentSequence", text_item(Code("121008", "DCM", "Person Observer Name"), "A")),
    "observer of another maker": put(lambda ds: named(ds, "121014"), "TextValue", "Somebody"),
    "absent as well": in_group(code_item(Code("125605004", "SCT", "Fracture of bone"), codes.ABSENT)),
    "undetermined as well": in_group(code_item(codes.PRESENCE, codes.UNDETERMINED)),
    "present and absent": two_presences,
    "a comment in a group": in_group(text_item(codes.COMMENT, "No fracture.")),
    "a length": second_number,
    "another scheme": scheme_of_presence,
    "another number in floating point": put(
        lambda ds: probability(ds).MeasuredValueSequence[0], "FloatingPointValue", 3.0
    ),
    "a region of no group": lambda ds: setattr(
        named(group(0)(ds), "111030"), "RelationshipType", "HAS PROPERTIES"
    ),
    "a frame": frame_of_region,
    "words of another question": lambda ds: setattr(
        named(group(0)(ds), "121071").ConceptNameCodeSequence[0], "CodeMeaning", "Impression"
    ),
    "an item below a text": lambda ds: setattr(
        named(summary(ds), "121077"), "ContentSequence", [text_item(codes.COMMENT, "No fracture.")]
    ),
    "running text": put(summary, "ContinuityOfContent", "CONTINUOUS"),
    "a sentence twice": lambda ds: summary(ds).ContentSequence.append(deepcopy(named(summary(ds), "121106"))),
    "no groups' container": lambda ds: root(ds).ContentSequence.remove(named(ds, "126010")),
}
STATE: dict[str, Mutation] = {
    "mirrored": set_to("ImageHorizontalFlip", "Y"),
    "turned": set_to("ImageRotation", 90),
    "shutter": set_to("ShutterShape", "RECTANGULAR"),
    "overlay": lambda ds: ds.add_new(0x60000010, "US", 1),
    "filled box": at("GraphicAnnotationSequence/GraphicObjectSequence", "GraphicFilled", "Y"),
    "in three dimensions": at("GraphicAnnotationSequence/GraphicObjectSequence", "GraphicDimensions", 3),
    "black window": at("SoftcopyVOILUTSequence", "WindowCenter", "1000000"),
    "other words": extra_words,
    "black layers": at("GraphicLayerSequence", "GraphicLayerRecommendedDisplayGrayscaleValue", 0),
    "stubs": stubs,
    "true size": at("DisplayedAreaSelectionSequence", "PresentationSizeMode", "TRUE SIZE"),
    "anchor elsewhere": at("GraphicAnnotationSequence/TextObjectSequence", "AnchorPoint", [0.0, 0.0]),
    "no room for words": at(
        "GraphicAnnotationSequence/TextObjectSequence", "BoundingBoxBottomRightHandCorner", [0.0, 0.0]
    ),
    "another side": set_to("Laterality", "R"),
    "another part": set_to("BodyPartExamined", "SKULL"),
    "another number": set_to("InstanceNumber", 99),
}
KEY_OBJECT: dict[str, Mutation] = {
    "two descriptions": two_descriptions,
    "for teaching": at("ConceptNameCodeSequence", "CodeMeaning", "For Teaching"),
    "a person": lambda ds: setattr(
        ds.ContentSequence[0], "ConceptCodeSequence", [_code("121006", "DCM", "Person")]
    ),
    "observer of another name": lambda ds: setattr(named_text(ds, "121013"), "TextValue", "Dr. No"),
}
SHARED = "SharedFunctionalGroupsSequence"
HEAT_MAP: dict[str, Mutation] = {
    "series' side": set_to("Laterality", "R"),
    "another side": set_to("ImageLaterality", "R"),
    "another part": set_to("BodyPartExamined", "SKULL"),
    "original": set_to("ImageType", ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]),
    "another window": at(f"{SHARED}/FrameVOILUTSequence", "WindowCenter", "99"),
    "scaled": at(f"{SHARED}/PixelValueTransformationSequence", "RescaleSlope", "2"),
    "words of another finding": at(
        f"{SHARED}/RealWorldValueMappingSequence/QuantityDefinitionSequence:1/ConceptCodeSequence",
        "CodeMeaning",
        "Pneumonia",
    ),
    "values of another finding": at(
        f"{SHARED}/RealWorldValueMappingSequence", "LUTExplanation", "Class activation, Pneumonia"
    ),
    "another source": at("SourceImageSequence", "ReferencedSOPInstanceUID", "2.25.1"),
    "another number": set_to("InstanceNumber", 99),
}
CAPTURE: dict[str, Mutation] = {
    "a calibration": set_to("PixelSpacingCalibrationType", "FIDUCIAL"),
    "a scanner's spacing": set_to("NominalScannedPixelSpacing", ["9", "9"]),
    "another image": lambda ds: setattr(ds, "ReferencedImageSequence", deepcopy(ds.SourceImageSequence)),
    "another device": set_to("SecondaryCaptureDeviceManufacturer", "Somebody"),
    "a ratio": set_to("LossyImageCompressionRatio", "10"),
    "another number": set_to("InstanceNumber", 99),
}
OF_KIND: dict[ObjectKind, dict[str, Mutation]] = {
    ObjectKind.STRUCTURED_REPORT: REPORT,
    ObjectKind.COMPREHENSIVE_REPORT: REPORT,
    ObjectKind.PRESENTATION_STATE: STATE,
    ObjectKind.KEY_OBJECT: KEY_OBJECT,
    ObjectKind.HEAT_MAP: HEAT_MAP,
    ObjectKind.CAPTURE: CAPTURE,
}
PLANTS = [(kind, name, mutate) for kind, own in OF_KIND.items() for name, mutate in (ANY | own).items()]


@pytest.mark.parametrize(
    ("kind", "mutate"),
    [(kind, mutate) for kind, _, mutate in PLANTS],
    ids=[f"{kind.value}: {name}" for kind, name, _ in PLANTS],
)
def test_gate_holds_what_says_more_or_other_than_its_kind_may(
    study: StudyResult, kind: ObjectKind, mutate: Mutation
) -> None:
    plant(build(kind, study), study, mutate)


@pytest.mark.parametrize(
    "finding",
    [
        a_finding(1.7),
        a_finding(0.87, replace(BOX, probability=-0.1)),
        a_finding(0.87, Box(700, 150, 780, 260, 0.9)),
        a_finding(0.87, Box(180, 150, 100, 260, 0.9)),
        a_finding(0.87, Box(100, 260, 180, 150, 0.9)),
    ],
    ids=["over 1", "evidence under 0", "beside the image", "left of right", "upside down"],
)
def test_gate_holds_an_answer_that_no_object_can_say(tmp_path: Path, finding: Finding) -> None:
    image = an_image(write_source(tmp_path, SourceImage()), done(finding))
    study = a_study(image)

    with pytest.raises(InvalidObject, match=r"not within 0 to 1|beside the image"):
        check(build_report(study), study)


def test_gate_passes_a_box_that_reaches_over_the_edge(tmp_path: Path) -> None:
    image = an_image(write_source(tmp_path, SourceImage()), done(a_finding(0.87, Box(-5, -3, 40, 50, 0.9))))
    study = a_study(image)

    for made in (build_report(study), build_presentation_state(image, study)):
        check(made, study)


def test_gate_reads_each_source_once_for_all_objects_of_a_revision(study: StudyResult) -> None:
    sources = reading_once()
    kinds = (ObjectKind.STRUCTURED_REPORT, ObjectKind.KEY_OBJECT)
    made = [build(kind, study) for kind in kinds]
    check(made[0], study, sources=sources)
    for image in study.images:
        image.path.unlink()

    check(made[1], study, sources=sources)
