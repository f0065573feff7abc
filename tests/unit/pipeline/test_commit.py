from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.unit.ledger.rows import lease, study_of
from tests.unit.pipeline.outgoing import ScriptedSender, owe, states
from wetread.deliver import Commitment
from wetread.deliver.pace import Pace
from wetread.domain import CommitmentReport, Delivery, DeliveryState, Destination, Hours
from wetread.errors import Mismatch, NotOffered, Unreachable
from wetread.ledger import Ledger
from wetread.pipeline.commit import PATIENCE, Committer, Registrar, _to_report
from wetread.spool.objects import Spool

PACS = Destination("pacs", "dicom", "127.0.0.1", 104, "PACS", commits=True, commit_wait_s=60.0)
COMMITTED, SENT = DeliveryState.COMMITTED, DeliveryState.SENT


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as opened:
        yield opened


@pytest.fixture
def sent(ledger: Ledger, tmp_path: Path) -> Delivery:
    """A capture that the destination has been sent."""
    owe(ledger, Spool(tmp_path / "spool"), "one", "pacs")
    [delivery] = ledger.deliveries.of_study(study_of("one"))
    ledger.deliveries.claim_next(lease(2e9), only=("pacs",))
    ledger.deliveries.mark_sent(delivery.id, status="0x0000", now=delivery.created_at)
    return delivery


def committer(
    ledger: Ledger, sender: ScriptedSender, destination: Destination = PACS
) -> tuple[Committer, Registrar]:
    registrar = Registrar(ledger=ledger, destinations=[destination])
    made = Committer(ledger=ledger, senders={"pacs": sender}, destinations=[destination], registrar=registrar)
    return made, registrar


def waiting(ledger: Ledger) -> Delivery:
    [delivery] = ledger.deliveries.of_study(study_of("one"))
    return delivery


def test_what_was_sent_is_asked_for_once(ledger: Ledger, sent: Delivery) -> None:
    sender = ScriptedSender("", commitments=[None])
    asking, _ = committer(ledger, sender)

    asked = [asking.ask_next(), asking.ask_next()]

    assert asked == [True, False]
    assert [count for _, count in sender.asked] == [1]
    assert states(ledger, "one") == {"pacs": SENT}


def test_the_request_is_in_the_ledger_before_it_is_made(ledger: Ledger, sent: Delivery) -> None:
    known = []

    class Archive(ScriptedSender):
        def request_commitment(self, deliveries: object, *, transaction_uid: str) -> None:
            known.append(ledger.commitments.asked_of(transaction_uid))

    committer(ledger, Archive(""))[0].ask_next()

    assert known == ["pacs"]


def test_a_report_of_the_destination_commits(ledger: Ledger, sent: Delivery) -> None:
    sender = ScriptedSender("", commitments=[None])
    asking, registrar = committer(ledger, sender)
    asking.ask_next()
    told = CommitmentReport(sender.asked[0][0], frozenset({sent.object.SOPInstanceUID}), {})

    with pytest.raises(Mismatch):
        registrar.enter(told, "STRANGER")
    assert states(ledger, "one") == {"pacs": SENT}
    registrar.enter(told, "PACS")

    assert states(ledger, "one") == {"pacs": COMMITTED}


def test_a_destination_that_answers_at_once_commits_at_once(ledger: Ledger, sent: Delivery) -> None:
    kept = Commitment(frozenset({sent.object.SOPInstanceUID}), frozenset())

    committer(ledger, ScriptedSender("", commitments=[kept]))[0].ask_next()

    assert states(ledger, "one") == {"pacs": COMMITTED}


def test_what_is_not_found_at_once_is_asked_for_again_before_it_is_sent_again(
    ledger: Ledger, sent: Delivery
) -> None:
    lost = Commitment(frozenset(), frozenset({sent.object.SOPInstanceUID}))

    committer(ledger, ScriptedSender("", commitments=[lost]))[0].ask_next()

    after = waiting(ledger)
    assert (after.state, after.commit_lapses) == (SENT, 1)
    assert 0 < after.next_attempt_at - time.time() <= 5


def test_what_is_still_not_found_after_some_queries_is_not_kept(sent: Delivery) -> None:
    uid = sent.object.SOPInstanceUID
    lost = Commitment(frozenset(), frozenset({uid}))

    reports = [_to_report(lost, [replace(sent, commit_lapses=lapses)], "2.25.1") for lapses in (2, 3)]

    assert [dict(report.failed) for report in reports] == [{}, {uid: "not found there"}]


def test_a_destination_is_not_asked_outside_its_hours_nor_before_it_wants(
    ledger: Ledger, sent: Delivery
) -> None:
    local = time.localtime()
    start = (60 * local.tm_hour + local.tm_min + 180) % 1440
    later = replace(PACS, hours=(Hours(start, (start + 60) % 1440),))
    registrar = Registrar(ledger=ledger, destinations=[later])
    sender = ScriptedSender("", commitments=[Unreachable("busy", wait_s=300.0)])
    parts: dict[str, Any] = {"ledger": ledger, "senders": {"pacs": sender}, "registrar": registrar}

    closed = Committer(**parts, destinations=[later], paces={"pacs": Pace(later)}).ask_next()
    Committer(**parts, destinations=[PACS]).ask_next()

    assert (closed, len(sender.asked)) == (False, 1)
    assert 290 < waiting(ledger).next_attempt_at - time.time() <= 300


@pytest.mark.parametrize(
    ("error", "within_s"),
    [
        (NotOffered("the destination does not offer storage commitment"), (3590, 3600)),
        (Unreachable("PACS does not answer"), (50, 60)),
    ],
)
def test_a_destination_that_cannot_be_asked_keeps_what_it_was_sent_and_is_asked_later(
    ledger: Ledger, sent: Delivery, error: Exception, within_s: tuple[float, float]
) -> None:
    asking, _ = committer(ledger, ScriptedSender("", commitments=[error]))  # type: ignore[list-item]

    asking.ask_next()

    after = waiting(ledger)
    assert (after.state, after.last_error) == (SENT, str(error))
    assert within_s[0] < after.next_attempt_at - sent.created_at < within_s[1] + 30
    assert not asking.ask_next()


def test_an_answer_that_does_not_come_is_asked_for_again_under_another_transaction(
    ledger: Ledger, sent: Delivery
) -> None:
    sender = ScriptedSender("", commitments=[None])
    hurried = replace(PACS, commit_wait_s=-1.0)

    for _ in range(3):
        # A new one each time: it leaves an archive some seconds between two requests.
        committer(ledger, sender, hurried)[0].ask_next()

    assert len({transaction for transaction, _ in sender.asked}) == 3
    assert waiting(ledger).last_error == "no storage commitment: the destination has not answered 2 times"


def test_a_destination_that_is_not_set_to_commit_itself_is_left_alone(ledger: Ledger, sent: Delivery) -> None:
    sender = ScriptedSender("", commitments=[None])
    asking, _ = committer(ledger, sender, replace(PACS, commits=False))

    assert not asking.ask_next()
    assert sender.asked == []


def test_patience_is_short_at_first_and_a_day_at_last() -> None:
    assert [PATIENCE.after_lapse(lapses) for lapses in (1, 2, 3, 4, 100)] == [0, 0, 3600, 7200, 86400]
    assert [PATIENCE.after_failure(failures) for failures in (1, 2, 5)] == [2, 8, 512]


def test_what_is_never_kept_is_sent_again_ever_more_slowly_and_at_last_no_more() -> None:
    waits = [PATIENCE.after_refusal(refusals) for refusals in range(1, 9)]

    assert waits == [3600, 4 * 3600, 16 * 3600, 64 * 3600, 7 * 86400, 7 * 86400, None, None]
