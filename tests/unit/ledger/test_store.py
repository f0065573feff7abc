from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.unit.ledger.rows import register
from wetread.errors import Misconfigured, Transient
from wetread.ledger import Ledger
from wetread.ledger.quarantine import Quarantined
from wetread.ledger.workers import Beat


@pytest.mark.parametrize("url", ["nonsense", "oracle://nowhere/x", "sqlite:////no/such/folder/ledger.db"])
def test_a_ledger_that_cannot_be_opened_is_one_clear_line(url: str) -> None:
    with pytest.raises(Misconfigured, match=r"ledger\.url") as raised:
        Ledger(url)

    assert "\n" not in str(raised.value)


def test_a_ledger_of_another_version_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    Ledger(f"sqlite:///{path}").close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE about SET value = '99' WHERE key = 'schema'")

    with pytest.raises(Misconfigured, match="schema 99"):
        Ledger(f"sqlite:///{path}")


def test_commits_survive_a_power_cut(tmp_path: Path) -> None:
    with (
        Ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger,
        ledger._store.write() as connection,
    ):  # a promise of the disk
        mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
        synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar()

    # 2 is FULL: https://sqlite.org/pragma.html#pragma_synchronous
    assert (mode, synchronous) == ("wal", 2)


def fill(ledger: Ledger) -> None:
    for number in range(200):
        register(ledger, f"image-{number}")


def test_a_full_disk_is_transient_and_leaves_the_ledger_whole(tmp_path: Path) -> None:
    with Ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        register(ledger, "before")
        with ledger._store.write() as connection:  # stands in for a full disk
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

        with pytest.raises(Transient):
            fill(ledger)

        assert ledger.views.counts()["studies"]["open"] >= 1


def test_quarantine_pages_in_order(ledger: Ledger) -> None:
    entry = Quarantined(1.0, "unreadable", "why", 10, "1.2", "MODALITY", "127.0.0.1", "dicom")

    ids = [ledger.quarantine.add(entry) for _ in range(3)]

    assert [item.id for item in ledger.quarantine.page(after=ids[0])] == ids[1:]
    assert ledger.quarantine.page(limit=1)[0].reason == "unreadable"


def test_a_part_beats_once_per_row_and_leaves(ledger: Ledger) -> None:
    ledger.workers.beat(Beat("host/analyse/0", "analyse", 1.0, 10.0, "CPU", ("fracture 1.0.0",)))
    ledger.workers.beat(Beat("host/analyse/0", "analyse", 1.0, 20.0, "CPU", ("fracture 1.0.0",)))

    assert ledger.workers.alive(since=15.0) == [
        Beat("host/analyse/0", "analyse", 1.0, 20.0, "CPU", ("fracture 1.0.0",))
    ]
    assert ledger.workers.alive(since=21.0) == []
    ledger.workers.leave("host/analyse/0")
    assert ledger.workers.alive(since=0.0) == []


def test_counts_tell_rows_by_state(ledger: Ledger) -> None:
    register(ledger, "one")

    counts = ledger.views.counts()

    assert counts["studies"] == {"open": 1}
    assert counts["analyses"] == {"pending": 1}
    assert counts["instances"] == {"dicom": 1}
    assert ledger.views.oldest_waiting_at() == 100.0
