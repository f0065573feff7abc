"""Defects that the gate leaves to the judges: what a module or template of the standard asks of an object.

The gate holds an object against the result it answers (`tests/unit/report/test_gate*.py` plant those
defects); it does not know every attribute that an information object must have, for the builders write
them always alike and the judges look at each kind of object in CI:

| kind | what the gate judges | left to the judges |
|---|---|---|
| sr, sr-comprehensive | identity, references, regions, tracking, statements | relations, templates, modules |
| capture, heat-map-capture | identity, pixels, polarity, spacing, texts | terms, calibration, strays |
| gsps | identity, polarity, window, boxes, words | graphic and layer modules |
| ko | identity, selection, title, description | codes |
| heat-map | identity, values, geometry, meaning | dimensions, equipment, context |
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from tests.corpus.objects import build_all
from tests.corpus.studies import wrapped_cases
from tests.judges.bench import Exhibit, against, judge
from tests.judges.programs import need_all
from tests.unit.report import test_gate, test_gate_capture, test_gate_objects
from wetread.domain import ObjectKind
from wetread.report.encode import to_part10

# The fixture starts 100 programs, of which PixelMed's alone takes a second or two a report.
pytestmark = pytest.mark.timeout(900)
Mutation = Callable[[Dataset], None]
_SR, _OLD_SR = ObjectKind.STRUCTURED_REPORT, ObjectKind.COMPREHENSIVE_REPORT
_CAPTURE, _HEAT_CAPTURE = ObjectKind.CAPTURE, ObjectKind.HEAT_MAP_CAPTURE
_STATE, _KEY, _HEAT = ObjectKind.PRESENTATION_STATE, ObjectKind.KEY_OBJECT, ObjectKind.HEAT_MAP


def items_of(ds: Dataset, value_type: str) -> Iterator[Dataset]:
    for item in ds.get("ContentSequence") or []:
        if item.ValueType == value_type:
            yield item
        yield from items_of(item, value_type)


def relate(value_type: str, relation: str) -> Mutation:
    return lambda ds: setattr(next(items_of(ds, value_type)), "RelationshipType", relation)


def drop(keyword: str) -> Mutation:
    return lambda ds: delattr(ds, keyword)


def put(keyword: str, value: object) -> Mutation:
    return lambda ds: setattr(ds, keyword, value)


def forget_a_meaning(ds: Dataset) -> None:
    del next(items_of(ds, "CODE")).ConceptCodeSequence[0].CodeMeaning


def name_another_procedure(ds: Dataset) -> None:
    next(items_of(ds, "CODE")).ConceptNameCodeSequence[0].CodeValue = "121059"


def draw_in_space(ds: Dataset) -> None:
    ds.GraphicAnnotationSequence[0].GraphicObjectSequence[0].GraphicDimensions = 3


def size_as_it_likes(ds: Dataset) -> None:
    ds.DisplayedAreaSelectionSequence[0].PresentationSizeMode = "BIG"


def forget_the_order(ds: Dataset) -> None:
    del ds.GraphicLayerSequence[0].GraphicLayerOrder


DEFECTS: dict[tuple[ObjectKind, str], Mutation] = {
    (_SR, "code without meaning"): forget_a_meaning,
    (_SR, "a number as a property"): relate("NUM", "HAS PROPERTIES"),
    (_SR, "a region as a modifier"): relate("SCOORD", "HAS CONCEPT MOD"),
    (_SR, "another procedure"): name_another_procedure,
    (_SR, "no performed procedure step"): drop("ReferencedPerformedProcedureStepSequence"),
    (_SR, "no performed procedure code"): drop("PerformedProcedureCodeSequence"),
    (_SR, "perhaps preliminary"): put("PreliminaryFlag", "MAYBE"),
    (_OLD_SR, "code without meaning"): forget_a_meaning,
    (_OLD_SR, "a number as a property"): relate("NUM", "HAS PROPERTIES"),
    (_CAPTURE, "perhaps for quality control"): put("QualityControlImage", "MAYBE"),
    (_CAPTURE, "calibrated without a word"): drop("PixelSpacingCalibrationDescription"),
    (_CAPTURE, "an exposure"): put("KVP", "80"),
    (_HEAT_CAPTURE, "an exposure"): put("KVP", "80"),
    (_STATE, "drawn in space"): draw_in_space,
    (_STATE, "sized as it likes"): size_as_it_likes,
    (_STATE, "layer without order"): forget_the_order,
    (_KEY, "code without meaning"): forget_a_meaning,
    (_HEAT, "no acquisition context"): drop("AcquisitionContextSequence"),
    (_HEAT, "no dimension organisation"): drop("DimensionOrganizationSequence"),
    (_HEAT, "no serial number"): drop("DeviceSerialNumber"),
    (_HEAT, "no label"): drop("ContentLabel"),
}


@pytest.fixture(scope="module")
def said(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What counts against each planted object, by its name; and against one sound object of each kind."""
    need_all()
    folder = tmp_path_factory.mktemp("planted")
    (case,) = wrapped_cases(test_data, folder, names=["limb-calibrated"])
    sound = {built.kind: built.ds for built in build_all(case)}
    sources = tuple(image.path for image in case.result.images)
    exhibits = []
    for (kind, name), mutate in {**DEFECTS, **{(kind, "sound"): bool for kind in sound}}.items():
        ds = deepcopy(sound[kind])
        mutate(ds)
        path = folder / f"{kind}: {name}"
        path.write_bytes(to_part10(ds))
        exhibits.append(Exhibit(path, kind, case.result.study, sources))
    verdicts = judge(exhibits)
    return {
        exhibit.path.name: against([v for v in verdicts if v.about == exhibit.path.name])
        for exhibit in exhibits
    }


@pytest.mark.parametrize(("kind", "name"), DEFECTS, ids=[f"{kind}: {name}" for kind, name in DEFECTS])
def test_a_judge_catches_a_defect_that_the_gate_leaves_to_it(
    said: dict[str, list[str]], kind: ObjectKind, name: str
) -> None:
    assert said[f"{kind}: {name}"]


@pytest.mark.parametrize("kind", ObjectKind)
def test_judges_say_nothing_against_the_sound_object(said: dict[str, list[str]], kind: ObjectKind) -> None:
    assert said[f"{kind}: sound"] == []


def test_at_least_forty_defects_are_planted_and_some_in_every_kind_of_object() -> None:
    by_the_gate = {
        _SR: {**test_gate.COMMON, **test_gate.REPORT},
        _CAPTURE: {**test_gate.COMMON, **test_gate.CAPTURE, **test_gate_capture.BOTH},
        _HEAT_CAPTURE: {**test_gate_capture.BOTH, **test_gate_capture.HEAT_MAP},
        _STATE: {**test_gate_objects.COMMON_TO_STATES, **test_gate_objects.STATE},
        _KEY: {**test_gate.COMMON, **test_gate_objects.KEY_OBJECT},
        _HEAT: {**test_gate.COMMON, **test_gate_objects.HEAT_MAP},
    }

    planted = {kind: len(by_the_gate.get(kind, {})) for kind in ObjectKind}
    for kind, _ in DEFECTS:
        planted[kind] += 1

    assert all(planted.values())
    assert sum(planted.values()) >= 40
