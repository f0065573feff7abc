"""The selection of images that matter."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.unit.report.studies import (
    SourceImage,
    a_display,
    a_finding,
    a_study,
    an_image,
    declined,
    done,
    write_source,
)
from wetread.domain import Box, ObjectKind, ResultObject, SopInstanceUid, SpoolKey
from wetread.report.capture import build_capture
from wetread.report.gate import check
from wetread.report.key_object import build_key_object, is_called_for
from wetread.report.results import BuiltObject, StudyResult

BOX = Box(100, 150, 180, 260, 0.9)


def kept(built: BuiltObject) -> ResultObject:
    """A built object as the ledger lists it."""
    ds = built.ds
    return ResultObject(
        SOPInstanceUID=SopInstanceUid(ds.SOPInstanceUID),
        SOPClassUID=ds.SOPClassUID,
        SeriesInstanceUID=ds.SeriesInstanceUID,
        kind=built.kind,
        spool_key=SpoolKey("aa/capture.dcm"),
        size_bytes=1,
        source=built.source,
    )


def three_views(folder: Path) -> StudyResult:
    """A positive view, a doubtful one and one without findings."""
    front, oblique, side = (write_source(folder, SourceImage(name=n)) for n in ("front", "oblique", "side"))
    return a_study(
        an_image(front, done(a_finding(0.87, BOX))),
        an_image(oblique, done(a_finding(0.4, BOX))),
        an_image(side, done(a_finding(0.03))),
    )


def captures_of(study: StudyResult) -> list[ResultObject]:
    return [kept(build_capture(image, a_display(), study)) for image in study.images]


def test_key_object_selects_the_images_with_positive_findings_and_their_captures(tmp_path: Path) -> None:
    study = three_views(tmp_path)
    captures = captures_of(study)

    built = build_key_object(study, captures)

    check(built, study)
    shown = [
        i.ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        for i in built.ds.ContentSequence
        if i.ValueType == "IMAGE"
    ]
    front = study.images[0].instance.header.SOPInstanceUID
    assert shown == [front, captures[0].SOPInstanceUID]


def test_key_object_says_the_answer_and_what_it_is_for(tmp_path: Path) -> None:
    study = three_views(tmp_path)

    built = build_key_object(study, [])

    check(built, study)
    texts = [
        i.TextValue
        for i in built.ds.ContentSequence
        if i.get("ConceptNameCodeSequence") and i.ValueType == "TEXT"
    ]
    assert "FRACTURE SUSPECTED 87 %. AI result, research use only, not for primary diagnosis." in texts
    assert built.ds.ConceptNameCodeSequence[0].CodeMeaning == "Of Interest"


def test_key_object_leaves_out_what_a_destination_may_not_have(tmp_path: Path) -> None:
    study = three_views(tmp_path)
    captures = captures_of(study)
    tinted = replace(captures[0], SOPInstanceUID=SopInstanceUid("2.25.9"), kind=ObjectKind.HEAT_MAP_CAPTURE)

    assert build_key_object(study, [*captures, tinted]).ds == build_key_object(study, captures).ds


def test_key_object_is_for_positive_studies_only(tmp_path: Path) -> None:
    path = write_source(tmp_path, SourceImage())

    assert is_called_for(three_views(tmp_path))
    assert not is_called_for(a_study(an_image(path, done(a_finding(0.4)))))
    assert not is_called_for(a_study(an_image(path, done(a_finding(0.03)))))
    assert not is_called_for(a_study(an_image(path, declined("body_part_out_of_scope", "out of scope"))))


def test_key_object_of_a_later_revision_is_another_object_in_the_same_series(tmp_path: Path) -> None:
    first = three_views(tmp_path)
    second = a_study(*first.images, revision=2)

    old, new = (build_key_object(study, []).ds for study in (first, second))

    assert old.SOPInstanceUID != new.SOPInstanceUID
    assert old.SeriesInstanceUID == new.SeriesInstanceUID
