from __future__ import annotations

import threading

from tests.unit.ledger.rows import (
    FRACTURE,
    PNEUMONIA,
    header_of,
    received,
    register,
    report,
    result,
    study_of,
)
from wetread.domain import AnalysisState, Lane
from wetread.ledger import Ledger
from wetread.ledger.instances import Plan, Registered
from wetread.ledger.studies import Claim


def test_an_instance_is_registered_with_its_study_and_analyses(ledger: Ledger) -> None:
    plans = [Plan(FRACTURE, Lane.URGENT), Plan(PNEUMONIA, Lane.URGENT, "body_part_out_of_scope", "no chest")]

    registered = ledger.instances.register(received("one"), plans)

    instance = ledger.instances.get(registered.instance_id)
    analyses = ledger.analyses.of_study(study_of("one"))[registered.instance_id]
    assert registered.is_new
    assert instance.header == header_of("one")
    assert instance.calling_aet == "MODALITY"
    assert [(item.model, item.state, item.reason) for item in analyses] == [
        (FRACTURE, AnalysisState.PENDING, ""),
        (PNEUMONIA, AnalysisState.DECLINED, "body_part_out_of_scope"),
    ]
    assert registered.planned == (analyses[0].id,)


def test_the_same_instance_again_changes_nothing(ledger: Ledger) -> None:
    first = register(ledger, "one")

    again = register(ledger, "one", at=500.0)

    line = ledger.views.study(study_of("one"))
    assert again == Registered(first.instance_id, is_new=False, is_conflicting=False)
    assert line is not None
    assert (line.image_count, line.last_image_at) == (1, 100.0)
    assert ledger.views.counts()["analyses"] == {"pending": 1}


def test_other_bytes_under_the_same_uid_are_kept_flagged_and_not_analysed(ledger: Ledger) -> None:
    first = register(ledger, "one")

    other = register(ledger, "one", content="other bytes", at=500.0)

    line = ledger.views.study(study_of("one"))
    assert line is not None
    assert other.is_new
    assert other.is_conflicting
    assert other.planned == ()
    assert (line.image_count, line.last_image_at) == (1, 100.0)
    assert [(i.id, i.is_conflicting) for i in ledger.instances.of_study(study_of("one"))] == [
        (first.instance_id, False),
        (other.instance_id, True),
    ]


def test_a_conflicting_instance_that_comes_again_is_still_the_conflicting_one(ledger: Ledger) -> None:
    register(ledger, "one")
    other = register(ledger, "one", content="other bytes")

    again = register(ledger, "one", content="other bytes")

    assert again == Registered(other.instance_id, is_new=False, is_conflicting=True)


def test_a_conflicting_instance_does_not_reopen_a_concluded_study(ledger: Ledger) -> None:
    register(ledger, "one")
    ledger.reports.conclude(
        Claim(study_of("one"), 1, 1, 1), report(study_of("one"), 1), worst_zone="", destinations=[]
    )

    register(ledger, "one", content="other bytes")

    line = ledger.views.study(study_of("one"))
    assert line is not None
    assert line.state == "concluded"


def test_an_image_that_a_pacs_moved_to_another_study_is_analysed_there_too(ledger: Ledger) -> None:
    register(ledger, "one", study="first")

    moved = register(ledger, "one", study="second", content="with another study UID")

    assert not moved.is_conflicting
    assert len(moved.planned) == 1
    assert len(ledger.instances.of_study(study_of("second"))) == 1


def test_a_result_of_ours_is_known_by_its_uid(ledger: Ledger) -> None:
    register(ledger, "one")
    ours = result("sr")
    ledger.reports.conclude(
        Claim(study_of("one"), 1, 1, 1), report(study_of("one"), 1, ours), worst_zone="", destinations=[]
    )

    assert ledger.instances.is_result(ours.SOPInstanceUID)
    assert not ledger.instances.is_result(header_of("one").SOPInstanceUID)


def test_one_urgent_image_makes_the_study_urgent(ledger: Ledger) -> None:
    register(ledger, "one", study="both")
    urgent = received("two", study="both")
    object.__setattr__(urgent.header, "is_urgent", True)

    ledger.instances.register(urgent, [])

    line = ledger.views.study(study_of("both"))
    assert line is not None
    assert line.is_urgent


def test_many_doors_registering_one_instance_at_once_make_one_row(url: str, ledger: Ledger) -> None:
    gate, found = threading.Barrier(6), list[Registered]()

    def door(number: int) -> None:
        with Ledger(url) as own:
            gate.wait()
            found.append(register(own, "one"))
            found.append(register(own, f"of-{number}", study="one"))

    threads = [threading.Thread(target=door, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    line = ledger.views.study(study_of("one"))
    assert line is not None
    assert len(found) == 12
    assert sum(item.is_new for item in found) == 7
    assert not any(item.is_conflicting for item in found)
    assert line.image_count == 7
