from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.report.studies import SourceImage, a_finding, a_study, an_image, done, write_source
from wetread.domain import Box
from wetread.report.changes import changes
from wetread.report.results import ImageResult, Predecessor, StudyResult

BOX = Box(100, 150, 180, 260, 0.9)
REPLACES = "Revision 2; replaces the earlier report that is named as its predecessor."


@pytest.fixture
def front(tmp_path: Path) -> ImageResult:
    """A view without a finding."""
    return an_image(write_source(tmp_path, SourceImage(name="front")), done(a_finding(0.03)))


@pytest.fixture
def side(tmp_path: Path) -> ImageResult:
    """A view with one."""
    return an_image(write_source(tmp_path, SourceImage(name="side")), done(a_finding(0.87, BOX)))


def revised(*images: ImageResult, before: tuple[ImageResult, ...] = (), answer: str = "") -> StudyResult:
    """A second revision of a report of the images `before` that said `answer`."""
    seen = frozenset(str(image.instance.header.SOPInstanceUID) for image in before)
    return a_study(*images, revision=2, predecessor=Predecessor("1.2", "1.2.3", "1.2.4", seen, answer))


def test_first_report_changes_nothing(front: ImageResult) -> None:
    assert changes(a_study(front)) == []


def test_late_image_is_named_with_how_the_answer_changed(front: ImageResult, side: ImageResult) -> None:
    result = revised(front, side, before=(front,), answer="NO FINDINGS: fracture 3 %")

    assert changes(result) == [
        REPLACES,
        "Images added since: Image 2.",
        "Answer was: NO FINDINGS: fracture 3 %; now: FRACTURE SUSPECTED 87 %.",
    ]


def test_late_image_is_named_by_its_view(front: ImageResult, side: ImageResult) -> None:
    header = replace(side.instance.header, view="LL")
    lateral = replace(side, instance=replace(side.instance, header=header))

    assert changes(revised(front, lateral, before=(front,)))[1] == "Images added since: Image 2 (LL)."


def test_image_that_no_longer_counts_is_named_by_its_uid(front: ImageResult, side: ImageResult) -> None:
    result = revised(front, before=(front, side), answer="FRACTURE SUSPECTED 87 %")

    assert changes(result)[1] == f"Images no longer counted: {side.instance.header.SOPInstanceUID}."


def test_revision_that_changes_nothing_says_so(front: ImageResult) -> None:
    result = revised(front, before=(front,), answer="NO FINDINGS: fracture 3 %")

    assert changes(result) == [
        REPLACES,
        "The images are the same as before.",
        "Answer unchanged: NO FINDINGS: fracture 3 %.",
    ]


def test_revision_of_a_report_whose_inputs_were_not_noted_claims_nothing(front: ImageResult) -> None:
    assert changes(revised(front)) == [REPLACES]


def test_long_list_of_images_is_cut(front: ImageResult) -> None:
    gone = frozenset(f"2.25.{number}" for number in range(10, 40))
    result = a_study(front, revision=2, predecessor=Predecessor("1.2", "1.2.3", "1.2.4", gone))

    assert changes(result)[2].endswith("2.25.19 and 20 more.")
