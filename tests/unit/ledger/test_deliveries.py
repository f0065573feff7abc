from __future__ import annotations

import pytest

from tests.unit.ledger.rows import PACS, finish_all, lease, register, report, result, study_of
from wetread.domain import Delivery, DeliveryId, DeliveryState, Destination, ObjectKind
from wetread.ledger import Ledger
from wetread.ledger.studies import Claim

OTHER = Destination("other", "dicom", "127.0.0.1", 105, "OTHER")


@pytest.fixture
def owing(ledger: Ledger) -> Ledger:
    """A ledger that owes one SR and one capture to each of two destinations, due at 110."""
    register(ledger, "one")
    finish_all(ledger)
    objects = (result("sr"), result("capture", ObjectKind.CAPTURE))
    ledger.reports.conclude(
        Claim(study_of("one"), 1, 1, 1),
        report(study_of("one"), 1, *objects, at=110.0),
        worst_zone="",
        destinations=[PACS, OTHER],
    )
    return ledger


def take(ledger: Ledger, now: float, *only: str) -> Delivery:
    delivery = ledger.deliveries.claim_next(lease(now), only=only or ("pacs", "other"))
    assert delivery is not None
    return delivery


def again(ledger: Ledger, delivery: Delivery) -> Delivery:
    return next(item for item in ledger.deliveries.of_study(delivery.study) if item.id == delivery.id)


def test_each_delivery_is_taken_once(owing: Ledger) -> None:
    taken = {take(owing, 110.0).id for _ in range(4)}

    assert len(taken) == 4
    assert owing.deliveries.claim_next(lease(110.0), only=("pacs", "other")) is None


def test_only_the_named_destinations_are_served(owing: Ledger) -> None:
    taken = [take(owing, 110.0, "other").destination for _ in range(2)]

    assert taken == ["other", "other"]
    assert owing.deliveries.claim_next(lease(110.0), only=("other",)) is None
    assert owing.deliveries.claim_next(lease(110.0), only=()) is None


def test_nothing_is_taken_before_it_is_due(owing: Ledger) -> None:
    assert owing.deliveries.claim_next(lease(109.0), only=("pacs",)) is None


def test_what_a_dead_publisher_held_comes_back_when_its_lease_lapses(owing: Ledger) -> None:
    held = take(owing, 110.0, "pacs")
    take(owing, 110.0, "pacs")

    assert owing.deliveries.claim_next(lease(169.0), only=("pacs",)) is None
    again = take(owing, 170.0, "pacs")

    assert (again.id, again.attempts) == (held.id, 2)


def test_a_sent_delivery_is_done(owing: Ledger) -> None:
    delivery = take(owing, 110.0)

    owing.deliveries.mark_sent(delivery.id, status="0xB000", now=111.0)

    done = again(owing, delivery)
    assert (done.state, done.last_status, done.sent_at) == (DeliveryState.SENT, "0xB000", 111.0)
    assert not owing.deliveries.retry(delivery.id, now=200.0)


def test_a_postponed_delivery_comes_back_at_its_time_with_its_error(owing: Ledger) -> None:
    delivery = take(owing, 110.0, "pacs")
    take(owing, 110.0, "pacs")

    owing.deliveries.postpone(delivery.id, until=120.0, status="unreachable", error="no answer")

    assert owing.deliveries.claim_next(lease(119.9), only=("pacs",)) is None
    assert take(owing, 120.0, "pacs").id == delivery.id
    assert again(owing, delivery).last_error == "no answer"


def test_a_refused_delivery_waits_for_a_person_who_may_try_again(owing: Ledger) -> None:
    delivery = take(owing, 110.0)
    owing.deliveries.mark_refused(delivery.id, until=3700.0, status="0xA900", error="refused")
    assert owing.deliveries.page(state=DeliveryState.REFUSED, after=0, limit=10) == [again(owing, delivery)]

    assert owing.deliveries.retry(delivery.id, now=500.0)

    assert (again(owing, delivery).state, again(owing, delivery).attempts) == (DeliveryState.PENDING, 0)
    assert not owing.deliveries.retry(DeliveryId(999), now=500.0)


def test_a_refused_delivery_is_tried_again_slowly_and_stays_refused_meanwhile(owing: Ledger) -> None:
    delivery = take(owing, 110.0, "pacs")
    owing.deliveries.mark_refused(delivery.id, until=3710.0, status="0xA900", error="refused")
    take(owing, 110.0, "pacs")
    assert owing.deliveries.claim_next(lease(3709.0, length_s=9e9), only=("pacs",)) is not None

    later = take(owing, 3710.0, "pacs")

    assert (later.id, later.state, later.last_error) == (delivery.id, DeliveryState.REFUSED, "refused")


def test_a_degraded_delivery_is_not_tried_until_a_person_says_so(owing: Ledger) -> None:
    delivery = take(owing, 110.0)
    owing.deliveries.mark_degraded(delivery.id, status="no_context", error="takes no such class")
    assert delivery.id not in {take(owing, 9e9).id for _ in range(3)}

    assert owing.deliveries.retry(delivery.id, now=9e9)

    assert again(owing, delivery).state is DeliveryState.PENDING


def test_a_substitute_is_listed_and_owed_once_however_often_it_is_made(owing: Ledger) -> None:
    sr = next(item for item in owing.deliveries.of_study(study_of("one")) if item.destination == "pacs")
    made = result("comprehensive", ObjectKind.COMPREHENSIVE_REPORT)

    for _ in range(2):
        owing.deliveries.substitute(sr, made, now=120.0, status="no_context", error="plainer")

    owed = [item for item in owing.deliveries.of_study(sr.study) if item.object == made]
    [revision] = owing.reports.revisions(sr.study)
    assert [(item.destination, item.state) for item in owed] == [("pacs", DeliveryState.PENDING)]
    assert again(owing, sr).state is DeliveryState.DEGRADED
    assert again(owing, sr).last_error == "plainer"
    assert [item for item in revision.objects if item == made] == [made]


def test_a_substitute_for_a_second_destination_is_the_same_object_owed_to_it_too(owing: Ledger) -> None:
    made = result("comprehensive", ObjectKind.COMPREHENSIVE_REPORT)
    reports = [
        item
        for item in owing.deliveries.of_study(study_of("one"))
        if item.object.kind is ObjectKind.STRUCTURED_REPORT
    ]

    for sr in reports:
        owing.deliveries.substitute(sr, made, now=120.0, status="no_context", error="plainer")

    owed = [item.destination for item in owing.deliveries.of_study(study_of("one")) if item.object == made]
    assert sorted(owed) == ["other", "pacs"]


def test_pages_go_on_after_the_last_id(owing: Ledger) -> None:
    first = owing.deliveries.page(state=None, after=0, limit=3)
    second = owing.deliveries.page(state=None, after=first[-1].id, limit=3)

    assert (len(first), len(second)) == (3, 1)


def test_a_successor_frees_the_deliveries_its_predecessor_held(owing: Ledger) -> None:
    held = take(owing, 110.0, "pacs")
    take(owing, 110.0, "pacs")

    owing.workers.release_claims("worker")

    assert take(owing, 111.0, "pacs").id == held.id


def test_what_is_due_outside_the_hours_waits_with_its_reason_and_counts_no_attempt(owing: Ledger) -> None:
    owing.deliveries.defer("pacs", now=110.0, until=500.0, why="waits for its hours, 22:00-06:00")

    deferred = [item for item in owing.deliveries.of_study(study_of("one")) if item.destination == "pacs"]
    assert {(item.next_attempt_at, item.attempts, item.last_error) for item in deferred} == {
        (500.0, 0, "waits for its hours, 22:00-06:00")
    }
    assert owing.deliveries.claim_next(lease(499.0), only=("pacs",)) is None
    assert take(owing, 110.0, "other").destination == "other"
    assert take(owing, 500.0, "pacs").destination == "pacs"


def test_what_is_being_sent_or_is_not_due_is_not_deferred(owing: Ledger) -> None:
    held = take(owing, 110.0, "pacs")
    owing.deliveries.defer("pacs", now=110.0, until=500.0, why="waits")

    assert again(owing, held).last_error == ""

    owing.deliveries.mark_sent(held.id, status="0x0000", now=111.0)
    owing.deliveries.defer("pacs", now=200.0, until=600.0, why="waits")

    assert {
        item.last_error for item in owing.deliveries.page(state=DeliveryState.SENT, after=0, limit=9)
    } == {""}


def test_what_a_destination_is_kept_from_by_its_hours_still_says_what_went_wrong_before(
    owing: Ledger,
) -> None:
    held = take(owing, 110.0, "pacs")
    owing.deliveries.postpone(held.id, until=120.0, status="tls", error="not trusted")

    owing.deliveries.defer("pacs", now=130.0, until=500.0, why="waits for its hours")

    after = again(owing, held)
    assert (after.next_attempt_at, after.last_status, after.last_error) == (500.0, "tls", "not trusted")


def test_a_publisher_whose_lease_has_lapsed_says_nothing_of_what_another_has_taken(owing: Ledger) -> None:
    held = take(owing, 110.0, "pacs")
    take(owing, 110.0, "pacs")
    owing.deliveries.claim_next(lease(170.0, holder="other"), only=("pacs",))

    owing.deliveries.mark_refused(held.id, until=9e9, status="0xC000", error="no", holder="worker")
    late = again(owing, held)
    owing.deliveries.mark_sent(held.id, status="0x0000", now=180.0, holder="other")

    assert (late.state, late.last_error) == (DeliveryState.PENDING, "")
    assert again(owing, held).state is DeliveryState.SENT


def test_what_has_been_sent_is_not_changed_by_who_comes_late(owing: Ledger) -> None:
    held = take(owing, 110.0, "pacs")
    owing.deliveries.mark_sent(held.id, status="0x0000", now=111.0)

    owing.deliveries.postpone(held.id, until=9e9, status="unreachable", error="no answer")
    owing.deliveries.mark_degraded(held.id, status="no_context", error="plainer")
    owing.deliveries.substitute(
        held, result("late", ObjectKind.COMPREHENSIVE_REPORT), now=120.0, status="no_context", error="plainer"
    )

    assert again(owing, held).state is DeliveryState.SENT
    assert again(owing, held).last_error == ""
    assert len(owing.deliveries.of_study(held.study)) == 4


def test_what_was_never_tried_comes_first_and_what_was_refused_last(owing: Ledger) -> None:
    refused, postponed = take(owing, 110.0), take(owing, 110.0)
    owing.deliveries.mark_refused(refused.id, until=111.0, status="0xC000", error="no")
    owing.deliveries.postpone(postponed.id, until=112.0, status="0xA700", error="full")

    taken = [take(owing, 120.0).id for _ in range(4)]

    assert taken[2:] == [postponed.id, refused.id]


def test_a_lease_is_longer_by_what_the_object_takes_on_a_slow_line(owing: Ledger) -> None:
    held = owing.deliveries.claim_next(lease(110.0), only=("pacs",), bytes_s=0.5)
    take(owing, 110.0, "pacs")
    assert held is not None
    lapses_at = 170.0 + held.object.size_bytes / 0.5

    assert take(owing, lapses_at - 1, "pacs").id != held.id
    assert take(owing, lapses_at, "pacs").id == held.id
