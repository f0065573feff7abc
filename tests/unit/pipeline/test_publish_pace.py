from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.ledger.rows import study_of
from tests.unit.pipeline.outgoing import ScriptedSender, owe, states
from wetread.deliver.pace import Pace
from wetread.domain import OUTSIDE_HOURS, DeliveryState, Destination, Hours
from wetread.errors import Unreachable
from wetread.ledger import Ledger
from wetread.pipeline.degrade import Degrader
from wetread.pipeline.publish import Publisher
from wetread.spool.objects import Spool

ALWAYS = Hours(0, 0)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as opened:
        yield opened


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


def in_three_hours() -> Hours:
    """An hour that is over before this one comes again: the wall's clock decides, and says no."""
    local = time.localtime()
    start = (60 * local.tm_hour + local.tm_min + 180) % 1440
    return Hours(start, (start + 60) % 1440)


def publisher(
    ledger: Ledger, spool: Spool, sender: ScriptedSender, *, hours: Hours = ALWAYS, per_minute: int = 0
) -> Publisher:
    pacs = Destination("pacs", "dicom", hours=(hours,), per_minute=per_minute)
    other = Destination("other", "dicom")
    return Publisher(
        ledger=ledger,
        spool=spool,
        senders={"pacs": sender, "other": ScriptedSender("0x0000")},
        degrader=Degrader(ledger=ledger, spool=spool, destinations=[pacs, other]),
        holder="publisher",
        lease_s=60.0,
        paces={"pacs": Pace(pacs)},
    )


def test_a_destination_outside_its_hours_waits_with_its_reason_while_the_other_is_served(
    ledger: Ledger, spool: Spool
) -> None:
    owe(ledger, spool, "one", "pacs", "other")
    sender, hours = ScriptedSender("0x0000"), in_three_hours()
    publishing = publisher(ledger, spool, sender, hours=hours)

    while publishing.publish_next():
        pass

    [waiting] = [item for item in ledger.deliveries.of_study(study_of("one")) if item.destination == "pacs"]
    assert sender.sent == []
    assert states(ledger, "one") == {"pacs": DeliveryState.PENDING, "other": DeliveryState.SENT}
    assert (waiting.attempts, waiting.last_status) == (0, OUTSIDE_HOURS)
    assert waiting.last_error.startswith("waits for its hours, ")
    assert 0 < waiting.next_attempt_at - time.time() <= 600


def test_what_waited_for_the_hours_is_sent_when_they_have_begun(ledger: Ledger, spool: Spool) -> None:
    owe(ledger, spool, "one", "pacs")
    sender = ScriptedSender("0x0000")
    publisher(ledger, spool, sender, hours=in_three_hours()).publish_next()
    [waiting] = ledger.deliveries.of_study(study_of("one"))
    ledger.deliveries.postpone(waiting.id, until=0.0, status=waiting.last_status, error=waiting.last_error)

    publisher(ledger, spool, sender).publish_next()

    [sent] = ledger.deliveries.of_study(study_of("one"))
    assert (sent.state, sent.last_error) == (DeliveryState.SENT, "")


def test_no_more_than_the_rate_goes_to_a_destination_while_the_other_is_served(
    ledger: Ledger, spool: Spool
) -> None:
    for name in ("one", "two", "three"):
        owe(ledger, spool, name, "pacs", "other")
    sender = ScriptedSender("0x0000")
    publishing = publisher(ledger, spool, sender, per_minute=2)

    while publishing.publish_next():
        pass

    assert len(sender.sent) == 2
    assert {states(ledger, name)["other"] for name in ("one", "two", "three")} == {DeliveryState.SENT}
    assert states(ledger, "three")["pacs"] is DeliveryState.PENDING


def test_a_destination_is_left_alone_for_as_long_as_it_asks(ledger: Ledger, spool: Spool) -> None:
    owe(ledger, spool, "one", "pacs")
    owe(ledger, spool, "two", "pacs")
    sender = ScriptedSender(Unreachable("busy", wait_s=300.0))
    publishing = publisher(ledger, spool, sender)

    worked = [publishing.publish_next(), publishing.publish_next()]

    [tried] = [item for item in ledger.deliveries.of_study(study_of("one")) if item.attempts]
    assert (worked, len(sender.sent)) == ([True, False], 1)
    assert 299 < tried.next_attempt_at - time.time() <= 300
