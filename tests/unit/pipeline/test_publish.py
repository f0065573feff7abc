from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.ledger.rows import study_of
from tests.unit.pipeline.outgoing import ScriptedSender, owe, states
from wetread.deliver import Sender
from wetread.domain import (
    DeliveryState,
    Destination,
)
from wetread.errors import NotTakenYet, Refused, Unreachable
from wetread.ledger import Ledger
from wetread.pipeline.degrade import Degrader
from wetread.pipeline.publish import Publisher, _when_refused
from wetread.spool.objects import Spool


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as opened:
        yield opened


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


def publisher(ledger: Ledger, spool: Spool, **senders: Sender) -> Publisher:
    destinations = [Destination(name, "dicom") for name in senders]
    return Publisher(
        ledger=ledger,
        spool=spool,
        senders=senders,
        degrader=Degrader(ledger=ledger, spool=spool, destinations=destinations),
        holder="publisher",
        lease_s=60.0,
    )


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
        publisher(ledger, spool, pacs=ScriptedSender(NotTakenYet("full", code="0xA700"))).publish_next()
        ledger.deliveries.postpone(poison.id, until=0.0, status="", error="")
    publishing = publisher(ledger, spool, pacs=ScriptedSender(NotTakenYet("full", code="0xA700"), "0x0000"))
    publishing.publish_next()
    owe(ledger, spool, "new", "pacs")

    resting_until = publishing._resting_until["pacs"]  # its clock is the wall's

    assert resting_until - time.time() <= 2.0


def test_a_refused_delivery_is_tried_again_after_an_hour_then_daily_at_least(
    ledger: Ledger, spool: Spool
) -> None:
    owe(ledger, spool, "one", "pacs")
    refusing = publisher(ledger, spool, pacs=ScriptedSender(Refused("no", code="0xC000")))
    refusing.publish_next()

    [delivery] = ledger.deliveries.of_study(study_of("one"))

    assert not refusing.publish_next()
    assert 3590 < delivery.next_attempt_at - time.time() <= 3600
    assert _when_refused(replace(delivery, created_at=time.time() - 7200)) - time.time() > 7190
    assert _when_refused(replace(delivery, created_at=0.0)) - time.time() <= 86400


def test_a_refused_delivery_stays_refused_when_its_next_try_meets_a_destination_that_is_down(
    ledger: Ledger, spool: Spool
) -> None:
    owe(ledger, spool, "one", "pacs")
    publisher(ledger, spool, pacs=ScriptedSender(Refused("no", code="0xC000"))).publish_next()
    [delivery] = ledger.deliveries.of_study(study_of("one"))
    ledger.deliveries.mark_refused(delivery.id, until=0.0, status="0xC000", error="no")

    publisher(ledger, spool, pacs=ScriptedSender(Unreachable("no answer"))).publish_next()

    [after] = ledger.deliveries.of_study(study_of("one"))
    assert (after.state, after.last_status, after.last_error) == (DeliveryState.REFUSED, "0xC000", "no")
    assert after.next_attempt_at > time.time() + 3590


def test_a_refused_delivery_that_is_taken_in_the_end_is_sent(ledger: Ledger, spool: Spool) -> None:
    owe(ledger, spool, "one", "pacs")
    [delivery] = ledger.deliveries.of_study(study_of("one"))
    ledger.deliveries.mark_refused(delivery.id, until=0.0, status="0xC000", error="no")

    publisher(ledger, spool, pacs=ScriptedSender("0xB000")).publish_next()

    [after] = ledger.deliveries.of_study(study_of("one"))
    assert (after.state, after.last_status, after.last_error) == (DeliveryState.SENT, "0xB000", "")


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


def test_what_a_destination_never_takes_holds_up_nothing_that_is_new(ledger: Ledger, spool: Spool) -> None:
    for name in ("poison", "venom"):
        owe(ledger, spool, name, "pacs")
        publisher(ledger, spool, pacs=ScriptedSender(NotTakenYet("full", code="0xA700"))).publish_next()
    owe(ledger, spool, "new", "pacs")
    for name in ("poison", "venom"):
        [due] = ledger.deliveries.of_study(study_of(name))
        ledger.deliveries.postpone(due.id, until=0.0, status="0xA700", error="full")
    sender = ScriptedSender("0x0000")

    publisher(ledger, spool, pacs=sender).publish_next()

    assert sender.sent == [b"new"]


def test_an_object_that_is_never_taken_is_tried_ever_more_rarely(ledger: Ledger, spool: Spool) -> None:
    owe(ledger, spool, "poison", "pacs")
    [poison] = ledger.deliveries.of_study(study_of("poison"))

    for _ in range(13):
        ledger.deliveries.postpone(poison.id, until=0.0, status="", error="")
        publisher(ledger, spool, pacs=ScriptedSender(NotTakenYet("full", code="0xA700"))).publish_next()

    [after] = ledger.deliveries.of_study(study_of("poison"))
    assert (after.state, after.last_error) == (DeliveryState.PENDING, "full")
    assert 1790 < after.next_attempt_at - time.time() <= 3600


def test_a_delivery_that_a_fault_has_ended_says_so_and_waits(ledger: Ledger, spool: Spool) -> None:
    class Broken(ScriptedSender):
        def send(self, path: Path) -> str:
            raise LookupError

    owe(ledger, spool, "one", "pacs")
    publishing = publisher(ledger, spool, pacs=Broken())
    with pytest.raises(LookupError):
        publishing.publish_next()

    publishing.put_off()

    [after] = ledger.deliveries.of_study(study_of("one"))
    assert (after.state, after.last_status) == (DeliveryState.PENDING, "fault")
    assert after.last_error.startswith("a fault of the service")
    assert after.next_attempt_at > time.time()
