"""What a report says of the study as a whole, in words and as one code; the gate asks for the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from wetread.domain import Code, Finding, Zone
from wetread.report import answer, codes
from wetread.report.changes import changes, listed
from wetread.report.results import ImageResult, StudyResult

PLAIN_NOTE: Final = (
    "The full report could not be built from the source header; "
    "patient and study are as noted when the image was received."
)


def texts(result: StudyResult) -> list[tuple[Code, str]]:
    """Every sentence with the concept it answers, in the report's order."""
    said = [
        (codes.CONCLUSION, answer.study_answer(result).text),
        (codes.COMMENT, f"{answer.SAFETY_NOTE}."),
        (codes.COMMENT, _counts(result)),
    ]
    more = [*_other_patients(result), *_unread(result), *changes(result)]
    return said + [(codes.COMMENT, text) for text in more]


def processing(images: Sequence[ImageResult]) -> Code:
    """CID 6047 over these images. One that no network may read counts as one without success."""
    done = [a for image in images for a in answer.done(image)]
    if not done:
        return codes.NONE_SUCCEEDED
    is_all_read = all(answer.done(image) and not answer.failed(image) for image in images)
    has_findings = any(f.zone is not Zone.NEGATIVE for a in done for f in a.findings)
    return _processed(is_all_read=is_all_read, has_findings=has_findings)


def finding_processing(image: ImageResult, finding: Finding) -> Code:
    """The same of one finding: whether it is there, and whether each network meant for its image answered."""
    return _processed(is_all_read=not answer.failed(image), has_findings=finding.zone is not Zone.NEGATIVE)


def _processed(*, is_all_read: bool, has_findings: bool) -> Code:
    if is_all_read:
        return codes.ALL_WITH_FINDINGS if has_findings else codes.ALL_WITHOUT_FINDINGS
    return codes.SOME_WITH_FINDINGS if has_findings else codes.SOME_WITHOUT_FINDINGS


def _other_patients(result: StudyResult) -> list[str]:
    """That a study mixes patients, which a report on the first image's patient would hide."""
    headers = [image.instance.header for image in result.images]
    others = _differing([h.PatientID for h in headers]) | _differing([h.PatientBirthDate for h in headers])
    if not others:
        return []
    named = listed([f"image {number}" for number in sorted(others)])
    return [
        "Images of this study name different patients: "
        f"this report names the patient of image 1, another is named by {named}."
    ]


def _differing(values: list[str]) -> set[int]:
    """Which of them, counted from 1, is not as the first that is filled; an empty one contradicts none."""
    filled = [(number, value) for number, value in enumerate(values, start=1) if value]
    return {number for number, value in filled if value != filled[0][1]}


def _counts(result: StudyResult) -> str:
    """How many findings of each zone, places and images.

    No number of lesions: one may show on two views, and two networks may mark one place.
    """
    found = [finding for image in result.images for finding in answer.findings_of(image)]
    zones = [finding.zone for finding in found]
    counted = ", ".join(f"{zones.count(zone)} {zone.value}" for zone in Zone)
    evaluated = sum(bool(answer.done(image)) for image in result.images)
    return (
        f"Findings per image, added up: {counted}. "
        f"Marked places: {sum(len(finding.boxes) for finding in found)}. "
        f"Images: {len(result.images)}, of these evaluated: {evaluated}."
    )


def _unread(result: StudyResult) -> list[str]:
    """Every image without an answer, and every network that failed beside one that gave an answer."""
    said: list[str] = []
    for number, image in enumerate(result.images, start=1):
        name = answer.image_name(image, number)
        if not answer.done(image):
            said.append(f"{name} not evaluable: {answer.reason_of(image).text}.")
            continue
        said += [
            f"{name} not evaluated by {failed.model.name}: {answer.reason_given(failed).text}."
            for failed in answer.failed(image)
        ]
    return said
