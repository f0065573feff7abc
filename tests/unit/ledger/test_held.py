from __future__ import annotations

from tests.unit.ledger.rows import result, study_of
from wetread.domain import ObjectKind
from wetread.ledger import Ledger
from wetread.ledger.held import Held


def held(study: str, name: str = "capture", *, reason: str = "Rows is missing", at: float = 100.0) -> Held:
    source = result("source").SOPInstanceUID
    return Held(study_of(study), 1, ObjectKind.CAPTURE, result(name).SOPInstanceUID, reason, at, source)


def test_the_same_defect_found_by_a_second_run_is_one_row(ledger: Ledger) -> None:
    ledger.held.add([held("one")])
    ledger.held.add([held("one", at=200.0)])

    [found] = ledger.held.of_study(study_of("one"))
    assert (found.at, found.reason, found.kind) == (100.0, "Rows is missing", ObjectKind.CAPTURE)
    assert found.source == result("source").SOPInstanceUID


def test_two_objects_with_the_same_defect_are_two_rows(ledger: Ledger) -> None:
    ledger.held.add([held("one", "first heat map"), held("one", "second heat map")])

    assert len(ledger.held.of_study(study_of("one"))) == 2


def test_held_objects_page_in_order_and_the_newest_come_first_on_request(ledger: Ledger) -> None:
    ledger.held.add([held(f"study {number}") for number in range(3)])

    first = ledger.held.page(limit=1)[0]

    assert [item.study for item in ledger.held.page(after=first.id)] == [
        study_of("study 1"),
        study_of("study 2"),
    ]
    assert [item.study for item in ledger.held.newest(limit=2)] == [study_of("study 2"), study_of("study 1")]


def test_counts_tell_held_objects_by_kind(ledger: Ledger) -> None:
    ledger.held.add([held("one")])

    assert ledger.views.counts()["held"] == {"capture": 1}
