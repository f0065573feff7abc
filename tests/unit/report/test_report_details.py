"""What a report says beside its findings: for readers, for orders, for the next revision."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from tests.unit.report.reading import evaluations, groups_of, read_back, summary_of, texts_of
from tests.unit.report.studies import (
    CONCLUDED_AT,
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
from wetread.report import codes
from wetread.report.comprehensive import as_comprehensive
from wetread.report.content import walk
from wetread.report.encode import to_part10
from wetread.report.gate import check
from wetread.report.results import ImageResult
from wetread.report.structured_report import build_report

BOX = Box(100, 150, 180, 260, 0.9)
OTHER_BOX = Box(300, 400, 420.5, 520, 0.7)


def as_noted(image: ImageResult, **other: str) -> ImageResult:
    """The image as the ledger noted it on receipt: with the source's patient, save what is given."""
    noted = {"PatientID": "QC-1", "PatientBirthDate": "19700101"} | other
    header = replace(image.instance.header, **noted)  # type: ignore[arg-type]  # the given fields are text
    return replace(image, instance=replace(image.instance, header=header))


@pytest.mark.parametrize(
    ("character_set", "name"),
    [
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("ISO_IR 144", "Иванов^Пётр"),
    ],
    ids=["Japanese", "Cyrillic"],
)
def test_name_of_a_patient_survives_byte_for_byte_in_both_forms(
    tmp_path: Path, character_set: str | list[str], name: str
) -> None:
    path = write_source(tmp_path, SourceImage(character_set=character_set, patient_name=name))
    study = a_study(an_image(path, done(a_finding(0.9, BOX))))

    for built in (build_report(study), as_comprehensive(build_report(study))):
        check(built, study)
        data = to_part10(built.ds)
        assert name.encode("utf-8") in data
        read = pydicom.dcmread(BytesIO(data))
        assert (str(read.PatientName), read.SpecificCharacterSet) == (name, "ISO_IR 192")
        groups = [read.PatientName.alphabetic, read.PatientName.ideographic, read.PatientName.phonetic]
        assert groups == [*name.split("="), "", ""][:3]


def test_report_says_zone_and_operating_points_once(tmp_path: Path) -> None:
    image = an_image(write_source(tmp_path, SourceImage()), done(a_finding(0.4, BOX)))

    group = groups_of(read_back(a_study(image)))[0]

    said = [item for item in walk(group[0]) if "Zone" in item.get("TextValue", "")]
    assert [(item.ConceptNameCodeSequence[0].CodeMeaning, item.TextValue) for item in said] == [
        (
            "Algorithm Parameters",
            "Zone: doubtful. Operating points on the calibrated probability of fracture: "
            "doubtful from 20 %, positive from 60 %",
        )
    ]
    assert "ContentSequence" not in group.get_measurements()[0][0]


def test_report_names_a_statement_about_the_whole_image_as_such(tmp_path: Path) -> None:
    image = an_image(write_source(tmp_path, SourceImage()), done(a_finding(0.03)))

    group = groups_of(read_back(a_study(image)))[0]

    assert group.tracking_identifier == "Image 1, fracture, whole image"


def test_no_group_claims_that_all_networks_succeeded_or_none_where_one_failed(tmp_path: Path) -> None:
    broken = failed("timeout", "timed out", model=PNEUMONIA_MODEL)
    image = an_image(write_source(tmp_path, SourceImage()), done(a_finding(0.87, BOX)), broken)

    said = [evaluations(group)["111017"] for group in groups_of(read_back(a_study(image)))]

    assert said == [codes.SOME_WITH_FINDINGS.value] * 2


def test_report_says_how_strong_the_evidence_in_each_box_is(tmp_path: Path) -> None:
    image = an_image(write_source(tmp_path, SourceImage()), done(a_finding(0.87, BOX, OTHER_BOX)))

    said = [texts_of(group) for group in groups_of(read_back(a_study(image)))]

    assert "Peak evidence in this box: 0.90 of 1 (not a probability of disease)" in said[0]
    assert "Peak evidence in this box: 0.70 of 1 (not a probability of disease)" in said[1]


def test_report_counts_findings_places_and_images(tmp_path: Path) -> None:
    front, side, late = (write_source(tmp_path, SourceImage(name=name)) for name in ("front", "side", "late"))
    study = a_study(
        an_image(front, done(a_finding(0.87, BOX, OTHER_BOX))),
        an_image(side, done(a_finding(0.03))),
        an_image(late),
    )

    said = summary_of(read_back(study))

    counted = (
        "Findings per image, added up: 1 positive, 0 doubtful, 1 negative. "
        "Marked places: 2. Images: 3, of these evaluated: 2."
    )
    assert "Number of lesions" not in {name for name, _ in said}
    assert ("Comment", counted) in said
    assert ("Comment", "Image 3 not evaluable: no network reads this kind of image.") in said


def test_report_accounts_for_an_image_that_no_network_was_planned_for(tmp_path: Path) -> None:
    front, side = (write_source(tmp_path, SourceImage(name=name)) for name in ("front", "side"))
    planned, unplanned = an_image(front, done(a_finding(0.03))), an_image(side)

    report = read_back(a_study(planned, unplanned))

    assert len(groups_of(report)) == 2
    assert len(report.get_evidence(current_procedure_only=True)) == 2
    assert evaluations(groups_of(report)[1])[codes.PRESENCE.value] == codes.UNDETERMINED.value


def test_report_carries_the_orders_of_every_image_over_once(tmp_path: Path) -> None:
    def order(number: str) -> Dataset:
        item, code = Dataset(), Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "36554-4", "LN", "XR Chest"
        item.RequestedProcedureID, item.RequestedProcedureDescription = number, "Chest"
        item.RequestedProcedureCodeSequence = [code]
        item.AccessionNumber = f"A{number}"
        return item

    orders = {"front": [order("1")], "side": [order("1"), order("2")]}
    images = [
        an_image(
            write_source(tmp_path, SourceImage(name=name, more={"RequestAttributesSequence": items})),
            done(a_finding(0.03)),
        )
        for name, items in orders.items()
    ]

    requests = read_back(a_study(*images)).ReferencedRequestSequence

    assert [(r.AccessionNumber, r.RequestedProcedureID) for r in requests] == [("A1", "1"), ("A2", "2")]
    assert requests[0].RequestedProcedureCodeSequence[0].CodeValue == "36554-4"


def test_report_concluded_later_differs_in_its_times_alone(tmp_path: Path) -> None:
    image = an_image(write_source(tmp_path, SourceImage()), done(a_finding(0.87, BOX)))
    early, late = a_study(image), a_study(image, concluded_at=CONCLUDED_AT + 100_000)

    for form in (lambda built: built, as_comprehensive):
        first, second = (pydicom.dcmread(BytesIO(to_part10(form(build_report(r)).ds))) for r in (early, late))
        changed = {element.keyword for element in first if element != second[element.tag]}

        assert changed == {"InstanceCreationDate", "InstanceCreationTime", "ContentDate", "ContentTime"}
        assert first.file_meta == second.file_meta


def test_report_says_which_network_failed_and_why(tmp_path: Path) -> None:
    broken = failed("timeout", "the network timed out.", model=PNEUMONIA_MODEL)
    image = an_image(write_source(tmp_path, SourceImage()), done(a_finding(0.03)), broken)

    said = summary_of(read_back(a_study(image)))

    assert ("Conclusion", "NO FINDINGS: fracture 3 % (pneumonia not evaluated)") in said
    assert ("Comment", "Image 1 not evaluated by pneumonia: the network timed out.") in said


@pytest.mark.parametrize(
    "other", [{"PatientID": "QC-2"}, {"PatientBirthDate": "19710101"}], ids=["number", "birth"]
)
def test_report_on_images_of_two_patients_says_so_and_the_gate_asks_for_it(
    tmp_path: Path, other: dict[str, str]
) -> None:
    front, side = (
        an_image(write_source(tmp_path, SourceImage(name=name)), done(a_finding(0.03)))
        for name in ("front", "side")
    )
    alike = a_study(as_noted(front), as_noted(side, PatientBirthDate=""))
    mixed = a_study(as_noted(front), as_noted(side, **other))
    sentence = (
        "Images of this study name different patients: "
        "this report names the patient of image 1, another is named by image 2."
    )

    assert ("Comment", sentence) in summary_of(read_back(mixed))
    assert not any("different patients" in text for _, text in summary_of(read_back(alike)))
    with pytest.raises(InvalidObject, match="the summary lacks sentence"):
        check(build_report(alike), mixed)


def test_report_names_an_image_by_its_view_too(tmp_path: Path) -> None:
    front, side, late = (write_source(tmp_path, SourceImage(name=name)) for name in ("front", "side", "late"))
    study = a_study(
        as_noted(an_image(front, done(a_finding(0.87, BOX))), view="PA"),
        as_noted(an_image(side), view="LL"),
        an_image(late),
    )

    report = read_back(study)

    named = [group.tracking_identifier for group in groups_of(report)]
    assert named == [
        "Image 1 (PA), fracture 1",
        "Image 2 (LL), not evaluable by Wetread",
        "Image 3, not evaluable by Wetread",
    ]
    reason = "not evaluable: no network reads this kind of image."
    assert ("Comment", f"Image 2 (LL) {reason}") in summary_of(report)
