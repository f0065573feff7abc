from __future__ import annotations

import pytest

from tests.unit.ledger.rows import PACS, finish_all, lease, register, report, result, study_of
from wetread.domain import (
    CommitmentReport,
    Delivery,
    DeliveryState,
    Destination,
    ObjectKind,
    SopInstanceUid,
)
from wetread.errors import Mismatch, NotFound
from wetread.ledger import Ledger
from wetread.ledger.commitments import Patience
from wetread.ledger.studies import Claim

OTHER = Destination("other", "dicom", "127.0.0.1", 105, "OTHER")
PATIENCE = Patience(
    after_lapse=lambda lapses: 0.0 if lapses < 3 else 3600.0,
    after_failure=lambda failures: 10.0 * failures,
    most_failures=2,
    after_refusal=lambda refusals: 3600.0 if refusals < 2 else None,
)
FIRST = "2.25.1"


@pytest.fixture
def owing(ledger: Ledger) -> Ledger:
    """A ledger that owes a report and a capture of one study, due at 110."""
    owe(ledger, "one")
    return ledger


def owe(ledger: Ledger, name: str) -> None:
    register(ledger, name)
    finish_all(ledger)
    objects = (result(f"{name} sr"), result(f"{name} capture", ObjectKind.CAPTURE))
    ledger.reports.conclude(
        Claim(study_of(name), 1, 1, 1),
        report(study_of(name), 1, *objects, at=110.0),
        worst_zone="",
        destinations=[PACS],
    )


def send_all(ledger: Ledger, *, now: float = 120.0) -> None:
    while delivery := ledger.deliveries.claim_next(lease(now), only=("pacs",)):
        ledger.deliveries.mark_sent(delivery.id, status="0x0000", now=now)


def ask(
    ledger: Ledger,
    transaction: str = FIRST,
    *,
    now: float = 130.0,
    wait_s: float = 60.0,
    since: float = 0.0,
    to: str = "pacs",
    most: int = 10,
) -> list[Delivery]:
    return ledger.commitments.open_request(
        to, transaction_uid=transaction, now=now, wait_s=wait_s, since=since, most=most
    )


def uids(deliveries: list[Delivery]) -> list[SopInstanceUid]:
    return [delivery.object.SOPInstanceUID for delivery in deliveries]


def answer(
    ledger: Ledger, *kept: SopInstanceUid, transaction: str = FIRST, now: float = 140.0, **failed: object
) -> int:
    """Settle: these kept, and those of `failed` not there."""
    lost = {SopInstanceUid(str(uid)): "no such object" for uid in failed.get("lost", ())}
    told = CommitmentReport(transaction, frozenset(kept), lost)
    return len(ledger.commitments.settle(told, destination="pacs", now=now, patience=PATIENCE))


def state(ledger: Ledger, name: str = "one") -> list[Delivery]:
    return ledger.deliveries.of_study(study_of(name))


def test_what_was_sent_is_named_in_one_request_and_in_no_second(owing: Ledger) -> None:
    send_all(owing)

    asked, again = ask(owing), ask(owing, "2.25.2")

    assert [item.id for item in asked] == [item.id for item in state(owing)]
    assert again == []
    assert owing.commitments.asked_of(FIRST) == "pacs"
    with pytest.raises(NotFound):
        owing.commitments.asked_of("2.25.2")


def test_a_study_is_asked_for_when_nothing_more_of_it_is_due(owing: Ledger) -> None:
    owe(owing, "two")
    first = owing.deliveries.claim_next(lease(120.0), only=("pacs",))
    assert first is not None
    owing.deliveries.mark_sent(first.id, status="0x0000", now=120.0)
    assert ask(owing) == []

    second = next(item for item in state(owing) if item.id != first.id)
    owing.deliveries.mark_refused(second.id, until=9999.0, status="0xC000", error="no")

    assert [item.id for item in ask(owing)] == [first.id]


def test_nothing_that_is_not_sent_or_was_sent_too_long_ago_is_asked_for(owing: Ledger) -> None:
    assert ask(owing) == []
    send_all(owing)

    assert ask(owing, since=125.0) == []
    assert ask(owing, to="other") == []
    assert len(ask(owing, most=1)) == 1


def test_objects_that_are_kept_are_committed_and_keep_when_they_were_sent(owing: Ledger) -> None:
    send_all(owing)
    asked = ask(owing)

    committed = answer(owing, *uids(asked))

    assert committed == 2
    assert {(item.state, item.sent_at, item.last_status) for item in state(owing)} == {
        (DeliveryState.COMMITTED, 120.0, "0x0000")
    }


def test_an_object_that_is_lost_is_owed_again_and_the_other_committed(owing: Ledger) -> None:
    send_all(owing)
    kept, lost = uids(ask(owing))

    answer(owing, kept, lost=[lost], now=140.0)

    good, bad = state(owing)
    assert good.state is DeliveryState.COMMITTED
    assert (bad.state, bad.sent_at, bad.next_attempt_at) == (DeliveryState.PENDING, None, 150.0)
    assert bad.last_error == "sent, but not kept by the destination: no such object"
    again = owing.deliveries.claim_next(lease(150.0), only=("pacs",))
    assert again is not None
    assert again.id == bad.id


def test_an_object_that_is_lost_again_and_again_is_refused_for_a_person(owing: Ledger) -> None:
    for number in range(3):
        send_all(owing, now=200.0 + 1000 * number)
        asked = ask(owing, f"2.25.{number}", now=300.0 + 1000 * number)
        kept, lost = state(owing)[0].object.SOPInstanceUID, state(owing)[1].object.SOPInstanceUID
        assert lost in uids(asked)
        answer(owing, kept, transaction=f"2.25.{number}", lost=[lost], now=400.0 + 1000 * number)

    bad = state(owing)[1]
    assert (bad.state, bad.next_attempt_at) == (DeliveryState.REFUSED, 2400.0 + 3600.0)


def test_an_object_that_is_never_kept_is_at_last_sent_again_only_when_a_person_asks(owing: Ledger) -> None:
    for number in range(4):
        now = 10_000.0 * number
        send_all(owing, now=now + 200.0)
        asked = uids(ask(owing, f"2.25.{number}", now=now + 300.0))
        answer(owing, transaction=f"2.25.{number}", lost=asked, now=now + 400.0)

    given_up = state(owing)[0]
    assert owing.deliveries.claim_next(lease(1e9), only=("pacs",)) is None
    assert given_up.state is DeliveryState.REFUSED
    assert given_up.last_error == "sent, but not kept by the destination (4 times): no such object"
    owing.deliveries.retry(given_up.id, now=1e9)
    again = owing.deliveries.claim_next(lease(1e9), only=("pacs",))
    assert again is not None
    assert again.id == given_up.id


def test_a_report_that_comes_twice_changes_nothing_the_second_time(owing: Ledger) -> None:
    send_all(owing)
    kept, lost = uids(ask(owing))
    answer(owing, kept, lost=[lost])
    before = state(owing)

    assert answer(owing, kept, lost=[lost], now=999.0) == 0

    assert state(owing) == before


def test_a_report_of_a_request_that_was_never_made_changes_nothing(owing: Ledger) -> None:
    send_all(owing)
    asked = ask(owing)
    before = state(owing)

    with pytest.raises(NotFound):
        answer(owing, *uids(asked), transaction="2.25.999")

    assert state(owing) == before


def test_a_report_on_what_was_asked_of_another_destination_changes_nothing(owing: Ledger) -> None:
    send_all(owing)
    told = CommitmentReport(FIRST, frozenset(uids(ask(owing))), {})

    with pytest.raises(Mismatch):
        owing.commitments.settle(told, destination="other", now=140.0, patience=PATIENCE)

    assert {item.state for item in state(owing)} == {DeliveryState.SENT}


def test_an_object_that_the_report_does_not_name_is_asked_for_again(owing: Ledger) -> None:
    send_all(owing)
    kept, other = uids(ask(owing))

    answer(owing, kept)

    assert uids(ask(owing, "2.25.2", now=141.0)) == [other]
    assert "does not name it" in state(owing)[1].last_error


def test_an_object_that_nobody_asked_about_is_left_alone(owing: Ledger) -> None:
    owe(owing, "two")
    send_all(owing)
    asked = ask(owing, most=2)

    answer(owing, *uids(asked), SopInstanceUid("1.2.3"), lost=["1.2.4"])

    assert {item.state for item in state(owing, "two")} == {DeliveryState.SENT}


def test_a_request_without_an_answer_is_made_again_then_slowly_and_says_so(owing: Ledger) -> None:
    send_all(owing)
    for number in range(3):
        now = 1000.0 * (number + 1)
        assert len(ask(owing, f"2.25.{number}", now=now)) == 2
        assert owing.commitments.lapse("pacs", now=now + 59.0, patience=PATIENCE) == 0
        assert owing.commitments.lapse("other", now=now + 60.0, patience=PATIENCE) == 0
        assert owing.commitments.lapse("pacs", now=now + 60.0, patience=PATIENCE) == 1

    assert ask(owing, "2.25.8", now=3060.0 + 3599.0) == []
    assert {item.state for item in state(owing)} == {DeliveryState.SENT}
    assert {item.last_error for item in owing.deliveries.unconfirmed(limit=9)} == {
        "no storage commitment: the destination has not answered 3 times"
    }
    assert len(ask(owing, "2.25.9", now=3060.0 + 3600.0)) == 2


def test_an_answer_that_comes_after_all_still_counts(owing: Ledger) -> None:
    send_all(owing)
    asked = ask(owing)
    owing.commitments.lapse("pacs", now=190.0, patience=PATIENCE)
    ask(owing, "2.25.2", now=190.0)

    answer(owing, *uids(asked), now=5000.0)

    assert {item.state for item in state(owing)} == {DeliveryState.COMMITTED}
    assert {item.last_error for item in state(owing)} == {""}


def test_a_request_that_was_not_taken_is_made_again_later_and_says_why(owing: Ledger) -> None:
    send_all(owing)
    ask(owing)

    owing.commitments.withdraw(FIRST, until=500.0, error="does not offer it")

    assert ask(owing, "2.25.2", now=499.0) == []
    assert [item.last_error for item in owing.deliveries.unconfirmed(limit=9)] == ["does not offer it"] * 2
    assert len(ask(owing, "2.25.3", now=500.0)) == 2


def test_what_is_not_confirmed_is_shown_newest_first_and_sent_again_when_a_person_asks(owing: Ledger) -> None:
    send_all(owing)
    ask(owing)
    owing.commitments.withdraw(FIRST, until=9e9, error="does not offer it")
    first, second = state(owing)

    shown = owing.deliveries.unconfirmed(limit=9)
    assert owing.deliveries.retry(first.id, now=500.0)

    assert [item.id for item in shown] == [second.id, first.id]
    again = owing.deliveries.claim_next(lease(500.0), only=("pacs",))
    assert again is not None
    assert again.id == first.id
    owing.deliveries.mark_sent(first.id, status="0x0000", now=501.0)
    assert uids(ask(owing, "2.25.2", now=502.0)) == [first.object.SOPInstanceUID]


def test_what_was_committed_is_not_for_anybody_to_retry(owing: Ledger) -> None:
    send_all(owing)
    answer(owing, *uids(ask(owing)))

    assert not any(owing.deliveries.retry(item.id, now=500.0) for item in state(owing))
