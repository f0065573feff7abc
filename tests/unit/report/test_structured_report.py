from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset

from tests.unit.report.reading import evaluations, groups_of, read_back, texts_of
from tests.unit.report.studies import (
    PNEUMONIA_MODEL,
    SourceImage,
    a_finding,
    a_study,
    an_image,
    declined,
    done,
    failed,
    write_source,
)
from wetread.domain import Box, Code
from wetread.report import codes, identity
from wetread.report.encode import to_part10
from wetread.report.results import Predecessor
from wetread.report.structured_report import build_report

BOX = Box(100, 150, 180, 260, 0.9)
OTHER_BOX = Box(300, 400, 420.5, 520, 0.7)


def test_report_holds_one_closed_region_per_box(tmp_path: Path) -> None:
    image = an_image(write_source(tmp_path, SourceImage()), done(a_finding(0.87, BOX, OTHER_BOX)))

    groups = groups_of(read_back(a_study(image)))

    assert len(groups) == 2
    points = groups[1].roi.value
    assert points.tolist() == [[300, 400], [420.5, 400], [420.5, 520], [300, 520], [300, 400]]
    assert len({group.tracking_uid for group in groups}) == 2


def test_report_says_finding_site_probability_presence_and_network(tmp_path: Path) -> None:
    image = an_image(write_source(tmp_path, SourceImage()), done(a_finding(0.874, BOX)))

    group = groups_of(read_back(a_study(image)))[0]

    assert group.finding_type.value == "125605004"
    assert [site.value.value for site in group.finding_sites] == ["74670003"]
    assert group.finding_sites[0].laterality.value == "7771000"
    measured = group.get_measurements()[0]
    assert (measured.name.value, measured.value, measured.unit.value) == ("122157", 87.4, "%")
    assert evaluations(group)["125605004"] == codes.PRESENT.value
    assert evaluations(group)["111017"] == "111242"
    assert any("doubtful from 20 %, positive from 60 %" in text for text in texts_of(group))
    assert "Execution provider: CPUExecutionProvider" in texts_of(group)


@pytest.mark.parametrize(
    ("probability", "presence"), [(0.87, codes.PRESENT), (0.4, codes.UNDETERMINED), (0.03, codes.ABSENT)]
)
def test_report_says_the_zone_as_presence(tmp_path: Path, probability: float, presence: Code) -> None:
    image = an_image(write_source(tmp_path, SourceImage()), done(a_finding(probability, BOX)))

    group = groups_of(read_back(a_study(image)))[0]

    assert evaluations(group)["125605004"] == presence.value


def test_report_bounds_a_negative_by_the_whole_image(tmp_path: Path) -> None:
    image = an_image(write_source(tmp_path, SourceImage(rows=600, columns=480)), done(a_finding(0.03)))

    group = groups_of(read_back(a_study(image)))[0]

    assert group.roi.value.tolist() == [[0, 0], [480, 0], [480, 600], [0, 600], [0, 0]]
    assert evaluations(group)["111017"] == "111241"


def test_report_of_an_unread_image_has_no_number_and_says_why(tmp_path: Path) -> None:
    image = an_image(
        write_source(tmp_path, SourceImage()), declined("body_part_unknown", "body part unknown")
    )

    report = read_back(a_study(image))

    group = groups_of(report)[0]
    assert group.get_measurements() == []
    assert evaluations(group)["111017"] == "111245"
    assert evaluations(group)[codes.PRESENCE.value] == codes.UNDETERMINED.value
    assert "Not evaluable: body part unknown (body_part_unknown)" in texts_of(group)
    assert "ContributingEquipmentSequence" not in report


def test_report_lists_every_input_and_puts_lesions_first(tmp_path: Path) -> None:
    paths = [write_source(tmp_path, SourceImage(name=name)) for name in ("a", "b", "c")]
    images = (
        an_image(paths[0], done(a_finding(0.03))),
        an_image(paths[1], declined("too_small", "too small")),
        an_image(paths[2], done(a_finding(0.9, BOX)), failed("broke", "it broke", model=PNEUMONIA_MODEL)),
    )

    report = read_back(a_study(*images))

    listed = {str(uid) for _, _, uid, _ in report.get_evidence(current_procedure_only=True)}
    assert listed == {str(image.instance.header.SOPInstanceUID) for image in images}
    groups = groups_of(report)
    assert [group.finding_type.value for group in groups] == ["125605004", "125605004", "111225", "111224"]
    assert groups[0].roi.value.tolist()[0] == [100, 150]


def test_report_clips_boxes_to_the_image(tmp_path: Path) -> None:
    image = an_image(
        write_source(tmp_path, SourceImage(rows=600, columns=480)),
        done(a_finding(0.9, Box(-4, 590, 900, 700, 1))),
    )

    group = groups_of(read_back(a_study(image)))[0]

    assert np.array(group.roi.value).max(axis=0).tolist() == [480, 600]
    assert np.array(group.roi.value).min(axis=0).tolist() == [0, 590]


def test_report_names_its_predecessor(tmp_path: Path) -> None:
    image = an_image(write_source(tmp_path, SourceImage()), done(a_finding(0.9, BOX)))
    first = build_report(a_study(image)).ds
    earlier = Predecessor(first.SOPClassUID, first.SOPInstanceUID, first.SeriesInstanceUID)

    second = read_back(a_study(image, revision=2, predecessor=earlier))

    reference = second.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence[0]
    assert reference.ReferencedSOPInstanceUID == first.SOPInstanceUID
    assert second.SeriesInstanceUID == first.SeriesInstanceUID
    assert second.InstanceNumber == 2


def test_report_carries_one_device_per_network(tmp_path: Path) -> None:
    image = an_image(
        write_source(tmp_path, SourceImage()),
        done(a_finding(0.9, BOX)),
        done(a_finding(0.1), model=PNEUMONIA_MODEL),
    )

    items = read_back(a_study(image)).ContributingEquipmentSequence

    assert [(item.ManufacturerModelName, item.SoftwareVersions) for item in items] == [
        ("fracture", "1.0.0"),
        ("pneumonia", "1.0.0"),
    ]
    assert items[1].DeviceUID == identity.device_uid(PNEUMONIA_MODEL)
    assert items[0].PurposeOfReferenceCodeSequence[0].CodeMeaning == "Processing Algorithm"


def test_report_carries_the_order_over(tmp_path: Path) -> None:
    order = Dataset()
    order.RequestedProcedureID = "RP1"
    path = write_source(tmp_path, SourceImage(more={"RequestAttributesSequence": [order]}))

    report = read_back(a_study(an_image(path, done(a_finding(0.03)))))

    assert report.ReferencedRequestSequence[0].RequestedProcedureID == "RP1"
    assert report.ReferencedRequestSequence[0].AccessionNumber == "A1"


@pytest.mark.parametrize("name", ["Yamada^Tarou=山田^太郎=やまだ^たろう", "Иванов", "Anonymous"])
def test_report_keeps_names_and_does_not_warn_with_them(tmp_path: Path, name: str) -> None:
    path = write_source(tmp_path, SourceImage(patient_name=name))

    report = read_back(a_study(an_image(path, done(a_finding(0.03)))))

    assert str(report.PatientName) == name


def test_report_is_made_for_an_image_that_lacks_nearly_everything(tmp_path: Path) -> None:
    absent = (
        "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID",
        "StudyDate",
        "StudyTime", "PatientOrientation", "ImagerPixelSpacing", "ReferringPhysicianName", "BodyPartExamined",
    )  # fmt: skip
    path = write_source(tmp_path, SourceImage(without=absent))

    report = read_back(a_study(an_image(path, done(a_finding(0.9, BOX)))))

    assert report.PatientName == ""
    assert groups_of(report)[0].finding_sites == []


def test_report_of_the_same_result_is_the_same_bytes(tmp_path: Path) -> None:
    image = an_image(write_source(tmp_path, SourceImage()), done(a_finding(0.87, BOX, OTHER_BOX)))
    result = a_study(image)

    assert to_part10(build_report(result).ds) == to_part10(build_report(result).ds)
