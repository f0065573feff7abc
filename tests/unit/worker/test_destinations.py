from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.ledger.rows import study_of
from tests.unit.pipeline.outgoing import owe
from wetread.domain import Destination
from wetread.ledger import Ledger
from wetread.spool.objects import Spool
from wetread.worker.destinations import say_destinations

PACS = Destination("pacs", "dicom", "192.0.2.1", 104, "PACS", commits=True)
WEB = Destination("web", "dicomweb", url="http://192.0.2.1", authorization="Bearer hunter2", commits=True)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as opened:
        yield opened


def warnings(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [
        (record.message, getattr(record, "destination", ""))
        for record in caplog.records
        if record.levelname == "WARNING"
    ]


def test_what_is_owed_to_a_destination_that_is_gone_is_said_by_name_and_count(
    ledger: Ledger, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spool = Spool(tmp_path / "spool")
    for name in ("one", "two", "three"):
        owe(ledger, spool, name, "old", "pacs")
    [sent, _] = ledger.deliveries.of_study(study_of("three"))
    ledger.deliveries.mark_sent(sent.id, status="0x0000", now=time.time())

    say_destinations([PACS], ledger=ledger, listens_at="0.0.0.0")

    assert warnings(caplog) == [("owed to a destination that is not set any more: not sent", "old")]
    assert [
        getattr(record, "deliveries", 0) for record in caplog.records if record.levelname == "WARNING"
    ] == [2]


@pytest.mark.parametrize(
    ("host", "listens_at", "is_said"),
    [
        ("192.0.2.1", "127.0.0.1", True),
        ("pacs.example", "localhost", True),
        ("192.0.2.1", "0.0.0.0", False),
        ("192.0.2.1", "192.0.2.7", False),
        ("127.0.0.1", "127.0.0.1", False),
        ("localhost", "::1", False),
    ],
)
def test_an_archive_elsewhere_that_cannot_reach_the_listener_is_said(
    ledger: Ledger, caplog: pytest.LogCaptureFixture, *, host: str, listens_at: str, is_said: bool
) -> None:
    to = Destination("pacs", "dicom", host, 104, "PACS", commits=True)

    say_destinations([to], ledger=ledger, listens_at=listens_at)

    said = [("a later report of storage commitment cannot reach the listener", "pacs")] if is_said else []
    assert warnings(caplog) == said


def test_a_web_destination_is_asked_and_needs_no_listener(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    say_destinations([WEB], ledger=ledger, listens_at="127.0.0.1")

    assert warnings(caplog) == [("credentials go without TLS", "web")]
    assert "hunter2" not in caplog.text
