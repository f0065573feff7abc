from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.report.studies import (
    POINTS,
    SourceImage,
    a_display,
    a_finding,
    a_study,
    an_image,
    declined,
    done,
    write_source,
)
from wetread.domain import Analysis, Box, ModelId, ObjectKind, SpoolKey
from wetread.report import identity
from wetread.report.capture import build_capture
from wetread.report.results import Predecessor
from wetread.report.structured_report import build_plain_report, build_report

BOX = Box(100, 150, 180, 260, 0.9)


def test_derived_uid_has_the_form_and_length_that_the_standard_allows() -> None:
    uid = identity.derive_uid("a", "b")

    assert re.fullmatch(r"2\.25\.(0|[1-9]\d*)", uid)
    assert len(uid) <= 64


def test_derived_uid_tells_where_one_part_ends() -> None:
    assert identity.derive_uid("ab", "c") != identity.derive_uid("a", "bc")


def test_capture_uid_stays_the_same_in_a_later_revision(tmp_path: Path) -> None:
    image = an_image(write_source(tmp_path, SourceImage()), done(a_finding(0.8, BOX)))
    first, second = a_study(image), a_study(image, revision=2)

    assert identity.image_object_uid(ObjectKind.CAPTURE, first.images[0]) == identity.image_object_uid(
        ObjectKind.CAPTURE, second.images[0]
    )
    assert identity.study_object_uid(ObjectKind.STRUCTURED_REPORT, first) != identity.study_object_uid(
        ObjectKind.STRUCTURED_REPORT, second
    )


def test_capture_uid_changes_with_answer_network_and_bytes(tmp_path: Path) -> None:
    image = an_image(write_source(tmp_path, SourceImage()), done(a_finding(0.8, BOX)))
    retrained = ModelId("fracture", "1.0.0", "other")

    others = {
        identity.image_object_uid(ObjectKind.CAPTURE, replace(image, analyses=(done(a_finding(0.7, BOX)),))),
        identity.image_object_uid(
            ObjectKind.CAPTURE, replace(image, analyses=(done(a_finding(0.8, BOX), model=retrained),))
        ),
        identity.image_object_uid(
            ObjectKind.CAPTURE, replace(image, instance=replace(image.instance, digest="other"))
        ),
    }

    assert len(others | {identity.image_object_uid(ObjectKind.CAPTURE, image)}) == 4


def test_capture_uid_does_not_depend_on_the_order_of_analyses(tmp_path: Path) -> None:
    path = write_source(tmp_path, SourceImage())
    first, second = done(a_finding(0.8, BOX)), done(a_finding(0.1), model=ModelId("pneumonia", "1.0.0"))

    one, other = an_image(path, first, second), an_image(path, second, first)

    assert identity.image_object_uid(ObjectKind.CAPTURE, one) == identity.image_object_uid(
        ObjectKind.CAPTURE, other
    )


def test_device_uid_is_new_with_every_retraining() -> None:
    old, new = ModelId("fracture", "1.0.0", "a"), ModelId("fracture", "1.0.0", "b")

    assert identity.device_uid(old) != identity.device_uid(new)


def test_series_uid_is_one_per_study_and_kind(tmp_path: Path) -> None:
    study = a_study(an_image(write_source(tmp_path, SourceImage()), done(a_finding(0.1)))).study

    assert identity.series_uid(study, ObjectKind.CAPTURE) != identity.series_uid(
        study, ObjectKind.STRUCTURED_REPORT
    )


def test_series_of_objects_about_an_image_is_one_per_body_part_and_side(tmp_path: Path) -> None:
    def series_of(name: str, **more: str) -> str:
        image = an_image(write_source(tmp_path, SourceImage(name=name, **more)), done(a_finding(0.1)))
        return identity.image_series_uid(ObjectKind.CAPTURE, image)

    front, side, right = series_of("front"), series_of("side"), series_of("right", laterality="R")
    hand = series_of("hand", body_part="HAND")

    assert front == side
    assert len({front, right, hand}) == 3


@pytest.mark.parametrize(
    "other",
    [
        done(replace(a_finding(0.8, BOX), label="Broken bone")),
        done(replace(a_finding(0.8, BOX), operating_points=replace(POINTS, sensitive=0.1))),
        done(a_finding(0.8, replace(BOX, probability=0.5))),
        done(replace(a_finding(0.8, BOX), heat_map=SpoolKey("aa/other.npy"))),
        replace(done(a_finding(0.8, BOX)), provider="CUDAExecutionProvider"),
    ],
    ids=["label", "operating points", "evidence in a box", "heat map", "provider"],
)
def test_uid_changes_with_whatever_the_object_says(tmp_path: Path, other: Analysis) -> None:
    path = write_source(tmp_path, SourceImage())
    one, another = an_image(path, done(a_finding(0.8, BOX))), an_image(path, other)
    kind = ObjectKind.STRUCTURED_REPORT

    assert identity.study_object_uid(kind, a_study(one)) != identity.study_object_uid(kind, a_study(another))
    assert identity.image_object_uid(ObjectKind.CAPTURE, one) != identity.image_object_uid(
        ObjectKind.CAPTURE, another
    )


def test_uid_changes_with_the_words_of_a_reason(tmp_path: Path) -> None:
    path = write_source(tmp_path, SourceImage())
    kind = ObjectKind.STRUCTURED_REPORT

    uids = {
        identity.study_object_uid(kind, a_study(an_image(path, declined("age", words))))
        for words in ("too young", "age unknown")
    }

    assert len(uids) == 2


def test_report_uid_changes_with_what_it_replaces(tmp_path: Path) -> None:
    image = an_image(write_source(tmp_path, SourceImage()), done(a_finding(0.8, BOX)))
    earlier = Predecessor("1.2", "1.2.3", "1.2.4", frozenset({"1.2.5"}), "NO FINDINGS")
    others = (
        None,
        earlier,
        replace(earlier, SOPInstanceUID="1.2.9"),
        replace(earlier, images=frozenset()),
        replace(earlier, answer="FRACTURE SUSPECTED 87 %"),
    )

    uids = {
        identity.study_object_uid(ObjectKind.STRUCTURED_REPORT, a_study(image, revision=2, predecessor=one))
        for one in others
    }

    assert len(uids) == len(others)


def test_plainer_forms_are_objects_of_their_own(tmp_path: Path) -> None:
    image = an_image(write_source(tmp_path, SourceImage()), done(a_finding(0.8, BOX)))
    study = a_study(image)

    picture, card = build_capture(image, a_display(), study), build_capture(image, None, study)

    assert picture.ds.SOPInstanceUID != card.ds.SOPInstanceUID
    assert build_report(study).ds.SOPInstanceUID != build_plain_report(study).ds.SOPInstanceUID
