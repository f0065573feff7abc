from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.ledger.rows import finish_all, register, report, study_of
from wetread.deliver import Sender
from wetread.domain import (
    DeliveryState,
    Destination,
    ObjectKind,
    ResultObject,
    SopInstanceUid,
)
from wetread.errors import Refused, Unreachable, WetreadError
from wetread.ledger import Ledger
from wetread.ledger.studies import Claim
from wetread.pipeline.publish import Publisher
from wetread.spool.objects import Spool


class ScriptedSender:
    """A destination that answers by a list; the last answer repeats."""

    def __init__(self, *answers: str | WetreadError) -> None:
        self.answers = list(answers)
        self.sent: list[bytes] = []

    def send(self, path: Path) -> str:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.sent.append(path.read_bytes())
        if isinstance(answer, WetreadError):
            raise answer
        return answer

    def rest(self) -> None:
        """Holds nothing."""

    def close(self) -> None:
        """Holds nothing."""


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as opened:
        yield opened


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


def owe(ledger: Ledger, spool: Spool, name: str, *destinations: str) -> None:
    register(ledger, name)
    finish_all(ledger)
    key = spool.put([name.encode()], suffix="dcm")
    uid = SopInstanceUid(f"1.2.{len(ledger.views.worklist(limit=100))}")
    made = ResultObject(uid, "1.2.840.10008.5.1.4.1.1.7", "1.2", ObjectKind.CAPTURE, key, len(name))
    ledger.reports.conclude(
        Claim(study_of(name), 1, 1, 1),
        report(study_of(name), 1, made, at=time.time() - 1),
        worst_zone="",
        destinations=[Destination(each, "dicom") for each in destinations],
    )


def publisher(ledger: Ledger, spool: Spool, **senders: Sender) -> Publisher:
    return Publisher(ledger=ledger, spool=spool, senders=senders, holder="publisher", lease_s=60.0)


def states(ledger: Ledger, name: str) -> dict[str, DeliveryState]:
    return {item.destination: item.state for item in ledger.deliveries.of_study(study_of(name))}


def test_a_delivery_that_is_taken_is_sent_and_noted(ledger: Ledger, spool: Spool) -> None:
    owe(ledger, spool, "one", "pacs")
    sender = ScriptedSender("0x0000")
    publishing = publisher(ledger, spool, pacs=sender)

    worked = [publishing.publish_next(), publishing.publish_next()]

    assert worked == [True, False]
    assert sender.sent == [b"one"]
    assert states(ledger, "one") == {"pacs": DeliveryState.SENT}
    assert [step.step for step in ledger.studies.timeline(study_of("one"))] == ["delivered"]


def test_a_refused_delivery_is_kept_for_a_person_and_does_not_stop_the_next(
    ledger: Ledger, spool: Spool
) -> None:
    owe(ledger, spool, "one", "pacs")
    owe(ledger, spool, "two", "pacs")
    publishing = publisher(ledger, spool, pacs=ScriptedSender(Refused("no", code="0xA900"), "0x0000"))

    while publishing.publish_next():
        pass

    assert states(ledger, "one") == {"pacs": DeliveryState.REFUSED}
    assert states(ledger, "two") == {"pacs": DeliveryState.SENT}
    assert ledger.deliveries.of_study(study_of("one"))[0].last_status == "0xA900"


def test_a_destination_that_is_down_rests_while_the_other_is_served(ledger: Ledger, spool: Spool) -> None:
    for name in ("one", "two", "three"):
        owe(ledger, spool, name, "down", "up")
    down, up = ScriptedSender(Unreachable("no answer")), ScriptedSender("0x0000")
    publishing = publisher(ledger, spool, down=down, up=up)

    while publishing.publish_next():
        pass

    assert len(up.sent) == 3
    assert len(down.sent) == 1
    assert states(ledger, "one") == {"down": DeliveryState.PENDING, "up": DeliveryState.SENT}


def test_an_unreachable_destination_is_tried_again_later_and_later_up_to_a_minute(
    ledger: Ledger, spool: Spool
) -> None:
    owe(ledger, spool, "one", "pacs")
    waits = []

    for _ in range(9):
        # A new publisher each time: what is known of the destination's rest is its own.
        publisher(ledger, spool, pacs=ScriptedSender(Unreachable("no answer"))).publish_next()
        [delivery] = ledger.deliveries.of_study(study_of("one"))
        waits.append(delivery.next_attempt_at - time.time())
        ledger.deliveries.postpone(delivery.id, until=0.0, status="", error="")

    assert 0.5 < waits[0] <= 2.0
    assert 3.5 < waits[2] <= 8.0
    assert 29.0 < waits[8] <= 60.0


def test_one_object_that_is_never_taken_does_not_lengthen_the_rest_of_the_destination(
    ledger: Ledger, spool: Spool
) -> None:
    owe(ledger, spool, "poison", "pacs")
    [poison] = ledger.deliveries.of_study(study_of("poison"))
    for _ in range(8):
        publisher(ledger, spool, pacs=ScriptedSender(Unreachable("full", code="0xA700"))).publish_next()
        ledger.deliveries.postpone(poison.id, until=0.0, status="", error="")
    publishing = publisher(ledger, spool, pacs=ScriptedSender(Unreachable("full", code="0xA700"), "0x0000"))
    publishing.publish_next()
    owe(ledger, spool, "new", "pacs")

    resting_until = publishing._resting_until["pacs"]  # its clock is the wall's

    assert resting_until - time.time() <= 2.0


def test_a_retry_by_a_person_sends_what_was_refused(ledger: Ledger, spool: Spool) -> None:
    owe(ledger, spool, "one", "pacs")
    publishing = publisher(ledger, spool, pacs=ScriptedSender(Refused("no"), "0x0000"))
    publishing.publish_next()
    [delivery] = ledger.deliveries.of_study(study_of("one"))

    ledger.deliveries.retry(delivery.id, now=time.time())
    publishing.publish_next()

    assert states(ledger, "one") == {"pacs": DeliveryState.SENT}


def test_an_object_that_is_gone_from_the_spool_is_refused_with_its_reason(
    ledger: Ledger, spool: Spool
) -> None:
    owe(ledger, spool, "one", "pacs")
    [delivery] = ledger.deliveries.of_study(study_of("one"))
    spool.path(delivery.object.spool_key).unlink()

    publisher(ledger, spool, pacs=ScriptedSender("0x0000")).publish_next()

    [after] = ledger.deliveries.of_study(study_of("one"))
    assert (after.state, after.last_status) == (DeliveryState.REFUSED, "not_found")


def test_a_destination_that_was_removed_from_the_settings_keeps_what_it_is_owed(
    ledger: Ledger, spool: Spool
) -> None:
    owe(ledger, spool, "one", "removed")

    assert not publisher(ledger, spool, pacs=ScriptedSender("0x0000")).publish_next()

    assert states(ledger, "one") == {"removed": DeliveryState.PENDING}
