"""Planted defects in a revised report, in both its classes: each one must be caught."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import Comprehensive3DSRStorage, ComprehensiveSRStorage

from tests.unit.report.studies import (
    PNEUMONIA,
    PNEUMONIA_MODEL,
    SourceImage,
    a_finding,
    a_study,
    an_image,
    done,
    failed,
    write_source,
)
from wetread.domain import Box
from wetread.errors import InvalidObject
from wetread.report.answer import study_answer
from wetread.report.comprehensive import as_comprehensive
from wetread.report.gate import check
from wetread.report.results import BuiltObject, Predecessor, StudyResult
from wetread.report.structured_report import build_report

BOX, OTHER_BOX = Box(100, 150, 180, 260, 0.9), Box(300, 400, 420, 520, 0.7)
FORMS: dict[str, Callable[[BuiltObject], BuiltObject]] = {
    "3D": lambda built: built,
    "comprehensive": as_comprehensive,
}
Mutation = Callable[[Dataset], None]
Place = Callable[[Dataset], Dataset]

# Some defects are values that pydicom warns of when they are planted.
pytestmark = pytest.mark.filterwarnings("ignore:.*:UserWarning:pydicom")


@pytest.fixture
def study(tmp_path: Path) -> StudyResult:
    """A second revision: two boxes on one view, none on another, and a new view that was not read."""
    front = an_image(write_source(tmp_path, SourceImage(name="front")), done(a_finding(0.87, BOX, OTHER_BOX)))
    side = an_image(
        write_source(tmp_path, SourceImage(name="side")),
        done(a_finding(0.03)),
        done(a_finding(0.05, code=PNEUMONIA, label="Pneumonia"), model=PNEUMONIA_MODEL),
    )
    late = an_image(write_source(tmp_path, SourceImage(name="late")), failed("pixels_missing", "no pixels"))
    first = a_study(front, side)
    ds = build_report(first).ds
    earlier = Predecessor(
        ds.SOPClassUID,
        ds.SOPInstanceUID,
        ds.SeriesInstanceUID,
        images=frozenset(str(image.instance.header.SOPInstanceUID) for image in first.images),
        answer=study_answer(first).text,
    )
    return a_study(front, side, late, revision=2, predecessor=earlier)


def named(parent: Dataset, code: str, *, number: int = 0) -> Dataset:
    """The child whose name has this code value."""
    found = [i for i in parent.ContentSequence if i.ConceptNameCodeSequence[0].CodeValue == code]
    item: Dataset = found[number]
    return item


def root(ds: Dataset) -> Dataset:
    return ds


def summary(ds: Dataset) -> Dataset:
    return named(ds, "C0034375")


def group(number: int) -> Place:
    """A measurement group: 0 and 1 have boxes, 2 and 3 are negative, 4 was not evaluable."""

    def find(ds: Dataset) -> Dataset:
        item: Dataset = named(ds, "126010").ContentSequence[number]
        return item

    return find


def probability(ds: Dataset) -> Dataset:
    return named(group(0)(ds), "122157")


def unit(ds: Dataset) -> Dataset:
    item: Dataset = probability(ds).MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0]
    return item


def answer_to(place: Place, code: str) -> Place:
    """The code that answers the item of that name."""

    def find(ds: Dataset) -> Dataset:
        item: Dataset = named(place(ds), code).ConceptCodeSequence[0]
        return item

    return find


def site(ds: Dataset) -> Dataset:
    return named(group(0)(ds), "363698007")


def device(ds: Dataset) -> Dataset:
    item: Dataset = ds.ContributingEquipmentSequence[0]
    return item


def earlier_series(ds: Dataset) -> Dataset:
    item: Dataset = ds.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0]
    return item


def earlier_report(ds: Dataset) -> Dataset:
    item: Dataset = earlier_series(ds).ReferencedSOPSequence[0]
    return item


def put(place: Place, keyword: str, value: object) -> Mutation:
    """A mutation that overwrites one attribute."""
    return lambda ds: setattr(place(ds), keyword, value)


def text(place: Place, code: str, words: str, *, number: int = 0) -> Mutation:
    """A mutation that puts other words."""
    return lambda ds: setattr(named(place(ds), code, number=number), "TextValue", words)


def drop(place: Place, code: str, *, number: int = 0) -> Mutation:
    """A mutation that leaves one item out."""

    def mutate(ds: Dataset) -> None:
        items = place(ds).ContentSequence
        names = [item.ConceptNameCodeSequence[0].CodeValue for item in items]
        del items[[at for at, name in enumerate(names) if name == code][number]]

    return mutate


def swap_class(ds: Dataset) -> None:
    is_plain = ds.SOPClassUID == ComprehensiveSRStorage
    other = Comprehensive3DSRStorage if is_plain else ComprehensiveSRStorage
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = other


def request_of_another_study(ds: Dataset) -> None:
    request = Dataset()
    request.StudyInstanceUID = "2.25.1"
    ds.ReferencedRequestSequence = [request]


def extra_sentence(ds: Dataset) -> None:
    item = deepcopy(named(summary(ds), "121106"))
    item.TextValue = "Looks fine to me."
    summary(ds).ContentSequence.append(item)


SENTENCES = {
    "safety note": 0, "counts": 1, "reason of the unread image": 2, "that it replaces a report": 3,
    "what images were added": 4, "how the answer changed": 5,
}  # fmt: skip
DEFECTS: dict[str, Mutation] = {
    "another count": text(summary, "121106", "Findings: 0 positive.", number=1),
    "another summary code": put(answer_to(summary, "111017"), "CodeValue", "111241"),
    "no summary code": drop(summary, "111017"),
    "no conclusion": drop(summary, "121077"),
    "a sentence more": extra_sentence,
    "another change": text(summary, "121106", "Answer unchanged: NO FINDINGS.", number=5),
    **{f"without {name}": drop(summary, "121106", number=number) for name, number in SENTENCES.items()},
    "another zone or operating point": text(group(0), "111002", "Zone: negative. Doubtful from 1 %"),
    "no zone": drop(group(0), "111002"),
    "another box's evidence": text(group(0), "111002", "Peak evidence in this box: 0.10", number=1),
    "another provider": text(group(0), "111002", "Execution provider: CUDA", number=2),
    "no provider": drop(group(0), "111002", number=2),
    "another digest": text(group(0), "111002", "Network SHA-256: 00", number=3),
    "no digest": drop(group(0), "111002", number=3),
    "another reason": text(group(4), "111002", "Not evaluable: too dark (dark)"),
    "another network": text(group(0), "111001", "pneumonia"),
    "another version": text(group(0), "111003", "1.0.1"),
    "no version": drop(group(0), "111003"),
    "another family": put(answer_to(group(0), "111000"), "CodeValue", "123109"),
    "another tracking identifier": text(group(0), "112039", "Image 2, fracture 1"),
    "a negative as a lesion": text(group(2), "112039", "Image 2, fracture 1"),
    "another group summary": put(answer_to(group(0), "111017"), "CodeValue", "111241"),
    "no image quality": drop(group(4), "111101"),
    "unread but absent": put(answer_to(group(4), "705057003"), "CodeValue", "272519000"),
    "not tried instead of failed": put(answer_to(group(4), "121071"), "CodeValue", "111225"),
    "no geometric purpose": drop(group(0), "130400"),
    "another side": put(answer_to(site, "272741003"), "CodeValue", "24028007"),
    "words of another side": put(answer_to(site, "272741003"), "CodeMeaning", "Right"),
    "no side": drop(site, "272741003"),
    "another site": put(answer_to(group(0), "363698007"), "CodeValue", "816094009"),
    "no site": drop(group(0), "363698007"),
    "another unit": put(unit, "CodeValue", "1"),
    "words of another unit": put(unit, "CodeMeaning", "no units"),
    "words of another presence": put(answer_to(group(0), "125605004"), "CodeMeaning", "Absent"),
    "words of another finding": put(answer_to(group(0), "121071"), "CodeMeaning", "Pneumonia"),
    "no observer": drop(root, "121005"),
    "a person as observer": put(answer_to(root, "121005"), "CodeValue", "121006"),
    "another device": put(lambda ds: named(ds, "121012"), "UID", "2.25.1"),
    "device of another name": text(root, "121013", "Dr. No"),
    "equipment of another maker": put(device, "Manufacturer", "Somebody"),
    "equipment of another name": put(device, "ManufacturerModelName", "pneumonia"),
    "equipment of another version": put(device, "SoftwareVersions", "2.0.0"),
    "equipment of another UID": put(device, "DeviceUID", "2.25.1"),
    "equipment of another digest": put(device, "ContributionDescription", "Neural network, SHA-256 00"),
    "equipment left out": lambda ds: ds.ContributingEquipmentSequence.pop(),
    "another predecessor": put(earlier_report, "ReferencedSOPInstanceUID", "2.25.1"),
    "predecessor of another class": put(earlier_report, "ReferencedSOPClassUID", "1.2.840.10008.5.1.4.1.1.7"),
    "predecessor in another series": put(earlier_series, "SeriesInstanceUID", "2.25.1"),
    "no predecessor": lambda ds: delattr(ds, "PredecessorDocumentsSequence"),
    "no evidence": lambda ds: delattr(ds, "CurrentRequestedProcedureEvidenceSequence"),
    "the other class": swap_class,
    "another modality": put(root, "Modality", "OT"),
    "another series number": put(root, "SeriesNumber", 1),
    "request of another study": request_of_another_study,
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("mutate", DEFECTS.values(), ids=DEFECTS)
def test_gate_catches_a_defect_in_either_form_of_a_report(
    study: StudyResult, mutate: Mutation, form: Callable[[BuiltObject], BuiltObject]
) -> None:
    built = form(build_report(study))
    check(built, study)
    ds = deepcopy(built.ds)
    mutate(ds)

    with pytest.raises(InvalidObject, match=f"{built.kind.value}: "):
        check(replace(built, ds=ds), study)


def test_gate_says_which_part_of_a_group_differs(study: StudyResult) -> None:
    built = build_report(study)
    put(answer_to(site, "272741003"), "CodeValue", "24028007")(built.ds)

    with pytest.raises(InvalidObject, match=r"which is not the result \(site\)"):
        check(built, study)


def test_gate_stops_a_comprehensive_report_that_names_the_3d_predecessor(study: StudyResult) -> None:
    built = build_report(study)
    made = as_comprehensive(built)
    made.ds.PredecessorDocumentsSequence = built.ds.PredecessorDocumentsSequence

    with pytest.raises(InvalidObject, match="the predecessor is not the earlier revision"):
        check(made, study)
