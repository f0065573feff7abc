"""What a revision changes against the report it replaces, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from wetread.report import answer
from wetread.report.results import Predecessor, StudyResult

# A TEXT item may be longer, but a person reads no list of a hundred UIDs.
_NAMED: Final = 10


def changes(result: StudyResult) -> list[str]:
    """One sentence each: that it replaces a report, its images, its conclusion. Empty for a first report."""
    if result.predecessor is None:
        return []
    said = [f"Revision {result.revision}; replaces the earlier report that is named as its predecessor."]
    return said + list(_of_images(result, result.predecessor)) + list(_of_answer(result, result.predecessor))


def _of_images(result: StudyResult, earlier: Predecessor) -> Iterator[str]:
    if not earlier.images:
        # A report from before the ledger noted its inputs.
        return
    present = [str(image.instance.header.SOPInstanceUID) for image in result.images]
    added = [
        answer.image_name(image, number)
        for number, image in enumerate(result.images, start=1)
        if image.instance.header.SOPInstanceUID not in earlier.images
    ]
    gone = sorted(earlier.images.difference(present))
    if added:
        yield f"Images added since: {listed(added)}."
    if gone:
        yield f"Images no longer counted: {listed(gone)}."
    if not added and not gone:
        yield "The images are the same as before."


def _of_answer(result: StudyResult, earlier: Predecessor) -> Iterator[str]:
    now = answer.study_answer(result).text
    if earlier.answer == now:
        yield f"Answer unchanged: {now}."
    elif earlier.answer:
        yield f"Answer was: {earlier.answer}; now: {now}."


def listed(names: list[str]) -> str:
    """The first names of a list, and how many more there are."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
