"""Brings the database to this program's schema: creates what is missing, also in an older one."""

from __future__ import annotations

import json
import time
from typing import Final

from sqlalchemy import Column, Connection, insert, inspect, literal, select, update
from sqlalchemy.schema import CreateColumn
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from wetread.domain import DeliveryState
from wetread.errors import Misconfigured
from wetread.ledger import tables

# Each differs from the present one only in tables, columns and indexes that it lacks.
_OLDER: Final = ("1",)
# Else all are due at once, and stand before what is new.
_FIRST_REFUSAL_S: Final = 3600.0
_REFUSALS_OVER_S: Final = 24 * 3600
# The golden section of a day, and prime to it: neighbours lie far apart, and all seconds are used.
_STRIDE_S: Final = 53_399


def prepare(connection: Connection) -> None:
    """Create the tables, or add to those of an older program what they lack; rows stay as they are.

    Raises Misconfigured, and touches nothing, when the tables are of a version that is not known here.
    """
    found, wanted = _version(connection), str(tables.SCHEMA_VERSION)
    if found not in (None, wanted, *_OLDER):
        raise Misconfigured(f"the ledger has schema {found}, this program needs {wanted}")
    tables.metadata.create_all(connection)
    if found is None:
        connection.execute(insert(tables.about).values(key="schema", value=wanted))
    elif found != wanted:
        _add_missing(connection)
        _spread_refusals(connection, now=time.time())
        connection.execute(update(tables.about).where(tables.about.c.key == "schema").values(value=wanted))


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table(tables.about.name):
        return None
    found: str | None = connection.scalar(select(tables.about.c.value).where(tables.about.c.key == "schema"))
    return found


def _add_missing(connection: Connection) -> None:
    found = inspect(connection)
    for table in tables.metadata.sorted_tables:
        columns = {column["name"] for column in found.get_columns(table.name)}
        for column in table.columns:
            if column.name not in columns:
                connection.exec_driver_sql(
                    f"ALTER TABLE {table.name} ADD COLUMN {_definition(connection, column)}"
                )
        indexes = {index["name"] for index in found.get_indexes(table.name)}
        for index in table.indexes:
            if index.name not in indexes:
                index.create(connection)


def _spread_refusals(connection: Connection, *, now: float) -> None:
    """Let old refusals come back one by one over a day: the program before tried none of them again."""
    deliveries = tables.deliveries.c
    due_at = now + _FIRST_REFUSAL_S + deliveries.id * _STRIDE_S % _REFUSALS_OVER_S
    match = deliveries.state == DeliveryState.REFUSED
    connection.execute(update(tables.deliveries).where(match).values(next_attempt_at=due_at))


def _definition(connection: Connection, column: Column[object]) -> str:
    """The column with what old rows hold in it: they have no program that fills it in."""
    text = str(CreateColumn(column).compile(dialect=connection.dialect))
    default = column.default
    if default is None:
        return text
    # A default that is made anew for each row is an empty list here.
    value = default.arg if isinstance(default, ScalarElementColumnDefault) else json.dumps([])
    shown = literal(value).compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    return f"{text} DEFAULT {shown}"
