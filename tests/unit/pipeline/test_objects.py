from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from tests.unit.pipeline.parts import FirstStep, first_step
from tests.unit.pipeline.revisions import (
    EVERYTHING,
    OLD_PACS,
    admit,
    claim,
    conclude,
    concluder,
    of_kind,
    read_all,
    read_object,
)
from wetread.domain import Destination, ObjectKind, Profile, StudyUid
from wetread.errors import InvalidObject, Transient
from wetread.ledger.held import Held

ALL = frozenset(Profile.EVERYTHING.kinds)


@pytest.fixture
def step(tmp_path: Path) -> Iterator[FirstStep]:
    with first_step(tmp_path) as parts:
        yield parts


def source_file(step: FirstStep, study: StudyUid) -> Path:
    [instance] = step.ledger.instances.of_study(study)
    path = step.spool.path(instance.spool_key)
    path.chmod(0o600)
    return path


def held(step: FirstStep, study: StudyUid) -> dict[ObjectKind, Held]:
    return {item.kind: item for item in step.ledger.held.of_study(study)}


@pytest.mark.parametrize("profile", list(Profile))
def test_a_profile_gets_its_kinds_and_report_and_capture_are_made_for_all(
    step: FirstStep, profile: Profile
) -> None:
    study = admit(step, "one")
    read_all(step, study)

    report = conclude(step, Destination("pacs", "dicom", objects=profile.kinds))

    always = {ObjectKind.STRUCTURED_REPORT, ObjectKind.CAPTURE}
    assert {item.kind for item in report.objects} == always | set(profile.kinds)
    owed = [delivery.object.kind for delivery in step.ledger.deliveries.of_study(study)]
    assert sorted(owed) == sorted(profile.kinds)
    assert held(step, study) == {}


def test_an_older_pacs_gets_the_older_form_of_the_report_and_not_the_newer(step: FirstStep) -> None:
    study = admit(step, "one")
    read_all(step, study)

    report = conclude(step, OLD_PACS)

    assert of_kind(report, ObjectKind.STRUCTURED_REPORT)
    ds = read_object(step, report, ObjectKind.COMPREHENSIVE_REPORT)
    assert ds.SOPClassUID == "1.2.840.10008.5.1.4.1.1.88.33"
    owed = {delivery.object.kind for delivery in step.ledger.deliveries.of_study(study)}
    assert owed == {ObjectKind.CAPTURE, ObjectKind.COMPREHENSIVE_REPORT}


def test_a_negative_study_has_neither_boxes_nor_key_objects_nor_a_coloured_picture(step: FirstStep) -> None:
    read_all(step, admit(step, "one"), probability=0.1)

    report = conclude(step, EVERYTHING)

    kinds = {item.kind for item in report.objects}
    pointing = {ObjectKind.PRESENTATION_STATE, ObjectKind.KEY_OBJECT, ObjectKind.HEAT_MAP_CAPTURE}
    assert kinds == ALL - pointing


def test_a_crash_before_the_ledger_knows_makes_the_same_bytes_again(step: FirstStep) -> None:
    study = admit(step, "one")
    read_all(step, study)
    first = claim(step)
    # All is made and in the spool; the ledger does not take it, as if the process had died there.
    assert not concluder(step, EVERYTHING).conclude(replace(first, image_count=99))
    left = step.files()
    step.ledger.studies.release(study, not_before=0.0, problem="killed")

    report = conclude(step, EVERYTHING)

    assert step.files() == left
    assert {item.kind for item in report.objects} == ALL


def test_a_late_image_leaves_the_objects_of_the_others_as_they_are(step: FirstStep) -> None:
    study = admit(step, "one")
    read_all(step, study)
    first = conclude(step, EVERYTHING)
    admit(step, "two")
    read_all(step, study)

    second = conclude(step, EVERYTHING)

    for kind in ALL - {ObjectKind.STRUCTURED_REPORT, ObjectKind.KEY_OBJECT}:
        assert set(of_kind(first, kind)) < set(of_kind(second, kind)), kind
    uids = [delivery.object.SOPInstanceUID for delivery in step.ledger.deliveries.of_study(study)]
    assert len(uids) == len(set(uids)) == len(first.objects) + len(second.objects) - 4


def test_a_destination_set_up_since_gets_all_of_the_next_revision_and_the_others_nothing_twice(
    step: FirstStep,
) -> None:
    study = admit(step, "one")
    read_all(step, study)
    pacs = Destination("pacs", "dicom")
    conclude(step, pacs)
    admit(step, "two")
    read_all(step, study)

    second = conclude(step, pacs, EVERYTHING)

    deliveries = step.ledger.deliveries.of_study(study)
    new = [item.object.SOPInstanceUID for item in deliveries if item.destination == EVERYTHING.name]
    old = [item.object.SOPInstanceUID for item in deliveries if item.destination == pacs.name]
    assert sorted(new) == sorted(item.SOPInstanceUID for item in second.objects)
    # Two reports, two captures.
    assert len(old) == len(set(old)) == 4


def test_a_revision_notes_what_it_answered_of_which_images(step: FirstStep) -> None:
    study = admit(step, "one")
    read_all(step, study)

    report = conclude(step)

    [instance] = step.ledger.instances.of_study(study)
    assert report.inputs == (instance.header.SOPInstanceUID,)
    assert report.answer == "FRACTURE SUSPECTED 90 %"


def test_a_second_revision_says_what_changed_since_the_first(step: FirstStep) -> None:
    study = admit(step, "one")
    read_all(step, study, probability=0.1)
    conclude(step)
    admit(step, "two")
    read_all(step, study, probability=0.9)

    report = read_object(step, conclude(step), ObjectKind.STRUCTURED_REPORT)

    said = " ".join(str(element.value) for element in report.iterall() if element.keyword == "TextValue")
    assert "Images added since: Image 2 (AP)." in said
    assert "NO FINDINGS: fracture 10 %" in said


def test_a_destination_of_captures_alone_gets_a_card_of_what_cannot_be_concluded_in_full(
    step: FirstStep,
) -> None:
    study = admit(step, "one")
    read_all(step, study)
    for _ in range(3):
        claim(step)
        step.ledger.studies.release(study, not_before=0.0, problem="a fault of the service (RuntimeError)")
    # Nothing of the file can be used: the card is of what the ledger knows.
    source_file(step, study).unlink()

    report = conclude(step, Destination("viewer", "dicom", objects=Profile.CAPTURES.kinds))

    [owed] = step.ledger.deliveries.of_study(study)
    assert owed.object.kind is ObjectKind.CAPTURE
    card = read_object(step, report, ObjectKind.CAPTURE)
    assert (card.PatientName, card.ImageComments) == ("Test^both", "FRACTURE SUSPECTED 90 %")
    [why] = step.ledger.held.of_study(study)
    assert why.reason == "plain report: a fault of the service (RuntimeError)"


def test_what_the_drawing_library_raises_costs_the_picture_alone(step: FirstStep) -> None:
    study = admit(step, "one")
    read_all(step, study)
    [path] = [path for path in step.files() if path.suffix == ".npy"]
    path.chmod(0o600)
    # A map of no pixels cannot be resized.
    np.save(path, np.zeros((0, 0), np.float16), allow_pickle=False)

    report = conclude(step, EVERYTHING)

    assert ObjectKind.CAPTURE in {item.kind for item in report.objects}
    assert held(step, study)[ObjectKind.HEAT_MAP_CAPTURE].reason == "could not be built: error"


def test_a_source_that_is_another_study_now_costs_the_picture_and_not_the_answer(step: FirstStep) -> None:
    study = admit(step, "one")
    read_all(step, study)
    path = source_file(step, study)
    ds = pydicom.dcmread(path)
    ds.StudyInstanceUID, ds.PatientName = "2.25.1", "Doe^Jane"
    ds.save_as(path)

    report = conclude(step, EVERYTHING, OLD_PACS)

    assert {item.kind for item in report.objects} == {
        ObjectKind.STRUCTURED_REPORT,
        ObjectKind.COMPREHENSIVE_REPORT,
        ObjectKind.CAPTURE,
    }
    assert read_object(step, report, ObjectKind.CAPTURE).PatientName == "Test^both"
    plain = read_object(step, report, ObjectKind.STRUCTURED_REPORT)
    assert plain.PatientName == "Test^both"
    found = held(step, study)
    assert set(found) == ALL | {ObjectKind.COMPREHENSIVE_REPORT}
    assert found[ObjectKind.STRUCTURED_REPORT].reason == "the source file is of another StudyInstanceUID"
    assert not any("Doe" in item.reason or "2.25.1" in item.reason for item in found.values())


def test_a_picture_that_can_no_longer_be_decoded_is_held_and_a_card_goes(step: FirstStep) -> None:
    study = admit(step, "one")
    read_all(step, study)
    path = source_file(step, study)
    os.truncate(path, path.stat().st_size - 1000)

    report = conclude(step, EVERYTHING)

    card = read_object(step, report, ObjectKind.CAPTURE)
    assert card.DerivationDescription.startswith("Answer on a card")
    assert set(held(step, study)) == {ObjectKind.CAPTURE, ObjectKind.HEAT_MAP_CAPTURE}


def test_a_layer_over_an_image_without_a_window_shows_what_the_capture_shows(step: FirstStep) -> None:
    study = admit(step, "one", WindowCenter=None, WindowWidth=None)
    read_all(step, study)

    layer = read_object(step, conclude(step, EVERYTHING), ObjectKind.PRESENTATION_STATE)

    [instance] = step.ledger.instances.of_study(study)
    low, high = np.percentile(pydicom.dcmread(step.spool.path(instance.spool_key)).pixel_array, (0.5, 99.5))
    [voi] = layer.SoftcopyVOILUTSequence
    assert voi.WindowWidth == pytest.approx(high - low, rel=0.1)


def test_a_fault_in_a_heat_map_is_held_without_its_words_and_costs_nothing_else(step: FirstStep) -> None:
    study = admit(step, "one")
    read_all(step, study)
    [path] = [path for path in step.files() if path.suffix == ".npy"]
    path.chmod(0o600)
    path.write_bytes(b"Doe^Jane")

    report = conclude(step, EVERYTHING)

    lost = {ObjectKind.HEAT_MAP, ObjectKind.HEAT_MAP_CAPTURE}
    assert {item.kind for item in report.objects} == ALL - lost
    found = held(step, study)
    assert set(found) == lost
    assert {item.reason for item in found.values()} == {"could not be built: ValueError"}


def test_a_source_that_is_lost_costs_the_picture_and_not_the_answer(step: FirstStep) -> None:
    study = admit(step, "one")
    read_all(step, study)
    source_file(step, study).unlink()

    report = conclude(step)

    assert [item.kind for item in report.objects] == [ObjectKind.STRUCTURED_REPORT, ObjectKind.CAPTURE]
    card = read_object(step, report, ObjectKind.CAPTURE)
    assert card.DerivationDescription.startswith("Answer on a card")
    assert set(held(step, study)) == {ObjectKind.STRUCTURED_REPORT, ObjectKind.CAPTURE}


def test_a_disk_that_fails_for_a_while_costs_nothing_but_time(step: FirstStep) -> None:
    study = admit(step, "one")
    read_all(step, study)
    path = source_file(step, study)
    kept = path.read_bytes()
    # Any error of the operating system but a missing file.
    path.unlink()
    path.mkdir()
    with pytest.raises(Transient):
        concluder(step, EVERYTHING).conclude(claim(step))
    path.rmdir()
    path.write_bytes(kept)
    step.ledger.studies.release(study, not_before=0.0, problem="", is_counted=False)

    report = conclude(step, EVERYTHING)

    assert {item.kind for item in report.objects} == ALL
    assert held(step, study) == {}


def test_what_is_held_by_two_runs_of_one_claim_is_held_once(step: FirstStep) -> None:
    study = admit(step, "one")
    read_all(step, study)
    path = source_file(step, study)
    os.truncate(path, path.stat().st_size - 1000)
    assert not concluder(step).conclude(replace(claim(step), image_count=99))
    step.ledger.studies.release(study, not_before=0.0, problem="killed")

    conclude(step)

    [found] = step.ledger.held.of_study(study)
    assert (found.kind, found.revision) == (ObjectKind.CAPTURE, 1)


def test_a_study_of_which_no_report_passes_stays_open_and_says_what_is_wrong(step: FirstStep) -> None:
    study = admit(step, "one")
    # The defect of a network: no region can be drawn there.
    read_all(step, study, right=math.nan)

    with pytest.raises(InvalidObject):
        concluder(step, EVERYTHING).conclude(claim(step))

    assert step.ledger.reports.revisions(study) == []
    reasons = {item.reason for item in step.ledger.held.of_study(study)}
    assert len(reasons) == 1
    assert "the region leaves the image" in reasons.pop()


def test_a_plain_report_is_named_as_predecessor_like_any_other(step: FirstStep) -> None:
    study = admit(step, "one")
    read_all(step, study)
    for _ in range(3):
        claim(step)
        step.ledger.studies.release(study, not_before=0.0, problem="killed")
    first = conclude(step, OLD_PACS)
    assert [item.kind for item in first.objects] == [
        ObjectKind.COMPREHENSIVE_REPORT,
        ObjectKind.STRUCTURED_REPORT,
        ObjectKind.CAPTURE,
    ]
    admit(step, "two")
    read_all(step, study)

    second = conclude(step, OLD_PACS)

    for kind in (ObjectKind.STRUCTURED_REPORT, ObjectKind.COMPREHENSIVE_REPORT):
        [series] = read_object(step, second, kind).PredecessorDocumentsSequence[0].ReferencedSeriesSequence
        assert [item.ReferencedSOPInstanceUID for item in series.ReferencedSOPSequence] == of_kind(
            first, kind
        )


def test_a_comprehensive_report_names_the_3d_one_that_it_replaces_where_that_alone_was_made(
    step: FirstStep,
) -> None:
    study = admit(step, "one")
    read_all(step, study)
    first = conclude(step, EVERYTHING)
    admit(step, "two")
    read_all(step, study)

    second = conclude(step, OLD_PACS)

    made = read_object(step, second, ObjectKind.COMPREHENSIVE_REPORT)
    [series] = made.PredecessorDocumentsSequence[0].ReferencedSeriesSequence
    assert [item.ReferencedSOPInstanceUID for item in series.ReferencedSOPSequence] == of_kind(
        first, ObjectKind.STRUCTURED_REPORT
    )
