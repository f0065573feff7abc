from __future__ import annotations

import time

import pytest
from sqlalchemy import create_engine, inspect, text

from tests.unit.ledger.rows import PACS, finish_all, lease, register, report, result, study_of
from wetread.domain import DeliveryState, ObjectKind
from wetread.errors import Misconfigured
from wetread.ledger import Ledger, tables
from wetread.ledger.held import Held

# The tables that schema 2 changes, as schema 1 made them; the others are the same in both.
_SCHEMA_1 = """
DROP TABLE held;
DROP TABLE commitments;
DROP TABLE report_objects;
DROP TABLE reports;
DROP TABLE deliveries;
CREATE TABLE reports (
  study_uid VARCHAR(64) NOT NULL REFERENCES studies (study_uid), revision INTEGER NOT NULL,
  outcome VARCHAR(16) NOT NULL, created_at FLOAT NOT NULL, PRIMARY KEY (study_uid, revision));
CREATE TABLE report_objects (
  study_uid VARCHAR(64) NOT NULL, revision INTEGER NOT NULL,
  sop_instance_uid VARCHAR(64) NOT NULL REFERENCES objects (sop_instance_uid),
  PRIMARY KEY (study_uid, revision, sop_instance_uid));
CREATE TABLE deliveries (
  id {row}, sop_instance_uid VARCHAR(64) NOT NULL REFERENCES objects (sop_instance_uid),
  study_uid VARCHAR(64) NOT NULL, destination VARCHAR(64) NOT NULL, state VARCHAR(16) NOT NULL,
  attempts INTEGER NOT NULL, created_at FLOAT NOT NULL, next_attempt_at FLOAT NOT NULL,
  lease_until FLOAT NOT NULL, claimed_by VARCHAR(128) NOT NULL, last_status VARCHAR(16) NOT NULL,
  last_error TEXT NOT NULL, sent_at FLOAT, UNIQUE (sop_instance_uid, destination));
CREATE INDEX ix_deliveries_due ON deliveries (state, next_attempt_at);
CREATE INDEX ix_deliveries_study ON deliveries (study_uid);
UPDATE about SET value = '1' WHERE key = 'schema';
INSERT INTO reports VALUES ('{study}', 1, 'findings', 110.0);
INSERT INTO objects VALUES ('{uid}', '{study}', '1.2.3', '2.25.7', 'sr', 'ab/cd.dcm', 10, NULL);
INSERT INTO report_objects VALUES ('{study}', 1, '{uid}');
INSERT INTO deliveries (sop_instance_uid, study_uid, destination, state, attempts, created_at,
  next_attempt_at, lease_until, claimed_by, last_status, last_error, sent_at)
  VALUES ('{uid}', '{study}', 'pacs', 'pending', 0, 110.0, 110.0, 0.0, '', '', '', NULL);
UPDATE studies SET state = 'concluded', revision = 1, outcome = 'findings'
"""


def make_schema_1(url: str) -> None:
    """A ledger as the program before left it: one concluded study, one delivery still owed."""
    with Ledger(url) as ledger:
        register(ledger, "one")
        finish_all(ledger)
    row = "INTEGER PRIMARY KEY" if url.startswith("sqlite") else "BIGSERIAL PRIMARY KEY"
    uid = result("sr").SOPInstanceUID
    run(url, _SCHEMA_1.format(row=row, study=study_of("one"), uid=uid))


def run(url: str, statements: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in statements.split(";"):
            connection.execute(text(statement))
    engine.dispose()


def test_an_older_ledger_keeps_its_studies_and_what_it_owes(url: str) -> None:
    make_schema_1(url)

    with Ledger(url) as ledger:
        [revision] = ledger.reports.revisions(study_of("one"))
        owed = ledger.deliveries.claim_next(lease(200.0), only=["pacs"])

    assert (revision.answer, revision.inputs) == ("", ())
    assert [item.kind for item in revision.objects] == [ObjectKind.STRUCTURED_REPORT]
    assert owed is not None
    assert owed.state is DeliveryState.PENDING


def test_what_was_refused_long_ago_is_not_all_due_at_once(url: str) -> None:
    make_schema_1(url)
    run(url, "UPDATE deliveries SET state = 'refused'")

    started_at = time.time()
    with Ledger(url) as ledger:
        due_now = ledger.deliveries.claim_next(lease(started_at + 3500.0), only=["pacs"])
        [refused] = ledger.deliveries.of_study(study_of("one"))

    assert due_now is None
    assert refused.state is DeliveryState.REFUSED
    assert 3600 <= refused.next_attempt_at - started_at <= 25 * 3600 + 60


def test_an_older_ledger_can_do_all_that_a_new_one_can(url: str) -> None:
    make_schema_1(url)

    with Ledger(url) as ledger:
        register(ledger, "two", study="one", at=200.0)
        finish_all(ledger, now=201.0)
        claim = ledger.studies.claim_due(lease(210.0), quiet_s=0)
        assert claim is not None
        made = report(study_of("one"), 2, result("sr 2"))
        assert ledger.reports.conclude(claim, made, worst_zone="positive", destinations=[PACS])
        uid = result("capture").SOPInstanceUID
        ledger.held.add([Held(study_of("one"), 2, ObjectKind.CAPTURE, uid, "why", 1.0)])

        assert len(ledger.held.of_study(study_of("one"))) == 1


def test_an_upgraded_ledger_has_every_table_column_and_index_of_a_new_one(url: str) -> None:
    make_schema_1(url)
    Ledger(url).close()

    engine = create_engine(url)
    found = inspect(engine)

    for table in tables.metadata.sorted_tables:
        assert {column["name"] for column in found.get_columns(table.name)} == {c.name for c in table.columns}
        indexes = {index["name"] for index in found.get_indexes(table.name)}
        assert {index.name for index in table.indexes} <= indexes, table.name
    engine.dispose()


def test_an_upgrade_is_made_once(url: str) -> None:
    make_schema_1(url)

    for _ in range(2):
        with Ledger(url) as ledger:
            assert len(ledger.reports.revisions(study_of("one"))) == 1


def test_a_ledger_of_a_later_program_is_left_as_it_is(url: str) -> None:
    make_schema_1(url)
    run(url, "UPDATE about SET value = '99' WHERE key = 'schema'")

    with pytest.raises(Misconfigured, match="schema 99"):
        Ledger(url)

    engine = create_engine(url)
    assert not inspect(engine).has_table("held")
    engine.dispose()
