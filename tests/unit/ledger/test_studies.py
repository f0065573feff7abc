from __future__ import annotations

import pytest

from tests.unit.ledger.rows import (
    FRACTURE,
    PACS,
    finish_all,
    lease,
    received,
    register,
    report,
    result,
    study_of,
)
from wetread.domain import DeliveryState, Destination, Lane, ObjectKind, StudyUid
from wetread.ledger import Ledger
from wetread.ledger.instances import Plan
from wetread.ledger.studies import Claim, Step


def claim(ledger: Ledger, now: float = 110.0) -> Claim:
    found = ledger.studies.claim_due(lease(now, holder="publisher"), quiet_s=3.0)
    assert found is not None
    return found


def conclude(ledger: Ledger, claim: Claim, *names: str, at: float = 110.0) -> bool:
    objects = [
        result(name, ObjectKind.CAPTURE if "capture" in name else ObjectKind.STRUCTURED_REPORT)
        for name in names
    ]
    made = report(claim.study, claim.revision, *objects, at=at)
    return ledger.reports.conclude(claim, made, worst_zone="positive", destinations=[PACS])


def test_a_study_is_due_once_it_is_quiet_and_fully_analysed(ledger: Ledger) -> None:
    register(ledger, "one", at=100.0)

    pending = ledger.studies.claim_due(lease(110.0), quiet_s=3.0)
    finish_all(ledger)
    noisy = ledger.studies.claim_due(lease(102.9), quiet_s=3.0)
    quiet = ledger.studies.claim_due(lease(103.0), quiet_s=3.0)

    assert pending is None
    assert noisy is None
    assert quiet == Claim(study_of("one"), revision=1, image_count=1, attempts=1, known_at=101.0)


def test_a_study_of_declined_images_alone_is_due_too(ledger: Ledger) -> None:
    plan = Plan(FRACTURE, Lane.ROUTINE, "modality_out_of_scope", "no CT")
    ledger.instances.register(received("ct"), [plan])

    assert claim(ledger).study == study_of("ct")


def test_a_claimed_study_is_not_given_twice_until_its_lease_lapses(ledger: Ledger) -> None:
    register(ledger, "one")
    finish_all(ledger)
    claim(ledger, now=110.0)

    assert ledger.studies.claim_due(lease(169.0), quiet_s=3.0) is None
    assert claim(ledger, now=170.0).attempts == 2


def test_a_study_given_back_waits_and_tells_its_problem(ledger: Ledger) -> None:
    register(ledger, "one")
    finish_all(ledger)
    claim(ledger)

    ledger.studies.release(study_of("one"), not_before=115.0, problem="no report passes the gate")

    line = ledger.views.study(study_of("one"))
    assert line is not None
    assert line.problem == "no report passes the gate"
    assert ledger.studies.claim_due(lease(114.0), quiet_s=3.0) is None
    assert claim(ledger, now=115.0).attempts == 2


def test_next_due_is_when_the_first_open_study_falls_quiet(ledger: Ledger) -> None:
    assert ledger.studies.next_due_at(quiet_s=3.0) is None
    register(ledger, "late", at=200.0)
    register(ledger, "early", at=100.0)
    assert ledger.studies.next_due_at(quiet_s=3.0) is None
    finish_all(ledger)

    assert ledger.studies.next_due_at(quiet_s=3.0) == 103.0


def test_a_conclusion_writes_report_objects_and_what_is_owed(ledger: Ledger) -> None:
    register(ledger, "one")
    finish_all(ledger)

    assert conclude(ledger, claim(ledger), "sr", "capture")

    line = ledger.views.study(study_of("one"))
    [revision] = ledger.reports.revisions(study_of("one"))
    owed = ledger.deliveries.of_study(study_of("one"))
    assert line is not None
    assert (line.state, line.revision, line.outcome, line.worst_zone) == (
        "concluded",
        1,
        "findings",
        "positive",
    )
    assert revision.objects == (result("sr"), result("capture", ObjectKind.CAPTURE))
    assert [(item.destination, item.state) for item in owed] == [("pacs", DeliveryState.PENDING)] * 2


def test_nothing_is_concluded_when_an_image_came_meanwhile(ledger: Ledger) -> None:
    register(ledger, "one", study="both")
    finish_all(ledger)
    claimed = claim(ledger)
    register(ledger, "two", study="both", at=109.0)

    assert not conclude(ledger, claimed, "sr")

    line = ledger.views.study(study_of("both"))
    assert line is not None
    assert (line.state, line.revision) == ("open", 0)
    assert ledger.reports.revisions(study_of("both")) == []
    assert ledger.deliveries.of_study(study_of("both")) == []


def test_a_second_conclusion_of_one_claim_does_nothing(ledger: Ledger) -> None:
    register(ledger, "one")
    finish_all(ledger)
    claimed = claim(ledger)

    assert conclude(ledger, claimed, "sr")
    assert not conclude(ledger, claimed, "sr")

    assert len(ledger.reports.revisions(study_of("one"))) == 1
    assert len(ledger.deliveries.of_study(study_of("one"))) == 1


def test_a_late_image_opens_the_next_revision(ledger: Ledger) -> None:
    register(ledger, "one", study="both")
    finish_all(ledger)
    conclude(ledger, claim(ledger), "sr 1")

    register(ledger, "two", study="both", at=200.0)
    finish_all(ledger, now=201.0)
    later = claim(ledger, now=210.0)

    assert later == Claim(study_of("both"), revision=2, image_count=2, attempts=1, known_at=201.0)
    assert conclude(ledger, later, "sr 2", at=210.0)
    assert [item.revision for item in ledger.reports.revisions(study_of("both"))] == [1, 2]


def test_a_capture_that_a_later_revision_uses_again_is_delivered_once(ledger: Ledger) -> None:
    register(ledger, "one", study="both")
    finish_all(ledger)
    conclude(ledger, claim(ledger), "sr 1", "capture of one")
    register(ledger, "two", study="both", at=200.0)
    finish_all(ledger, now=201.0)

    conclude(ledger, claim(ledger, now=210.0), "sr 2", "capture of one", "capture of two", at=210.0)

    owed = [item.object.SOPInstanceUID for item in ledger.deliveries.of_study(study_of("both"))]
    assert len(owed) == len(set(owed)) == 4
    assert len(ledger.reports.revisions(study_of("both"))[1].objects) == 3


def test_each_destination_gets_the_kinds_it_takes(ledger: Ledger) -> None:
    register(ledger, "one")
    finish_all(ledger)
    only_sr = Destination("archive", "dicom", objects=(ObjectKind.STRUCTURED_REPORT,))
    objects = (result("sr"), result("capture", ObjectKind.CAPTURE))

    ledger.reports.conclude(
        claim(ledger), report(study_of("one"), 1, *objects), worst_zone="", destinations=[PACS, only_sr]
    )

    owed = [(item.destination, item.object.kind) for item in ledger.deliveries.of_study(study_of("one"))]
    assert sorted(owed) == [("archive", "sr"), ("pacs", "capture"), ("pacs", "sr")]


def test_a_result_object_is_found_by_its_uid(ledger: Ledger) -> None:
    register(ledger, "one")
    finish_all(ledger)
    conclude(ledger, claim(ledger), "sr")

    assert ledger.reports.find_object(result("sr").SOPInstanceUID) == (study_of("one"), result("sr"))
    assert ledger.reports.find_object(result("another").SOPInstanceUID) is None


def test_the_timeline_keeps_its_steps_in_order(ledger: Ledger) -> None:
    steps = [
        Step("analyse.decode", 100.0, 3.5, detail="fracture 1.0.0"),
        Step("conclude", 101.0, 20.0, revision=1),
    ]

    ledger.studies.note(study_of("one"), steps)

    assert ledger.studies.timeline(study_of("one")) == steps
    assert ledger.studies.timeline(StudyUid("1.2")) == []


@pytest.mark.parametrize("names", [("positive", "negative", "doubtful")])
def test_the_worklist_raises_what_is_alarming_and_lowers_nothing(
    ledger: Ledger, names: tuple[str, ...]
) -> None:
    for number, zone in enumerate(("negative", "doubtful", "positive", "")):
        name = f"{zone or 'unread'}"
        register(ledger, name, at=100.0 + number)
        made = Claim(study_of(name), 1, 1, 1)
        ledger.reports.conclude(made, report(made.study, 1), worst_zone=zone, destinations=[])

    lines = ledger.views.worklist(limit=10)

    assert [line.worst_zone for line in lines] == ["positive", "doubtful", "negative", ""]
    assert [line.study for line in ledger.views.worklist(limit=1, offset=1)] == [study_of("doubtful")]


def test_the_worklist_shows_the_last_24_hours_before_all_that_is_older(ledger: Ledger) -> None:
    now = 1_000_000.0
    arrivals = {
        "yesterday's": ("positive", 24 * 3600.0 + 1),
        "older still": ("negative", 48 * 3600.0),
        "a day old": ("negative", 24 * 3600.0),
        "today's": ("doubtful", 60.0),
    }
    for name, (zone, ago_s) in arrivals.items():
        register(ledger, name, at=now - ago_s)
        made = Claim(study_of(name), 1, 1, 1)
        ledger.reports.conclude(made, report(made.study, 1), worst_zone=zone, destinations=[])

    lines = ledger.views.worklist(limit=10, now=now)

    names = ("today's", "a day old", "yesterday's", "older still")
    assert [line.study for line in lines] == [study_of(name) for name in names]
