from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from tests.unit.report.studies import SourceImage, a_finding, a_study, an_image, done, write_source
from wetread.domain import Box, ModelId, ObjectKind
from wetread.report import identity

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
