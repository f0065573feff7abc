"""The engine under the ledger: SQLite in WAL mode by default, PostgreSQL by URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, func, select
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
    TimeoutError,
)
from sqlalchemy.pool import ConnectionPoolEntry

from wetread.errors import Misconfigured, Transient
from wetread.ledger.upgrade import prepare

# Busy, away, or every connection of the pool in use.
_AWAY = (InterfaceError, OperationalError, TimeoutError)


@dataclass(frozen=True, slots=True)
class Lease:
    """Who takes something, when and for how long; a holder that dies loses it when it lapses."""

    holder: str
    now: float
    length_s: float

    @property
    def until(self) -> float:
        """When it lapses, epoch seconds."""
        return self.now + self.length_s


class Store:
    """Opens transactions. `write` is durable on commit; `read` sees one consistent snapshot."""

    def __init__(self, url: str) -> None:
        self._engine = _make_engine(url)
        self._writer = self._engine.execution_options(wetread_writes=True)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction, committed on leaving. Raises Transient when the database is busy or away."""
        try:
            with self._writer.begin() as connection:
                yield connection
        except _AWAY as error:
            raise Transient("the ledger cannot be written") from error

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One read-only snapshot. Raises Transient when the database is away."""
        try:
            with self._engine.connect() as connection:
                yield connection
        except _AWAY as error:
            raise Transient("the ledger cannot be read") from error

    def create_tables(self) -> None:
        """Create what is missing. Raises Misconfigured when the tables are of a version not known here."""
        try:
            with self._writer.begin() as connection:
                serialise(connection, "schema")
                prepare(connection)
        except DBAPIError as error:
            is_remote = self._engine.dialect.name != "sqlite"
            if "locked" in str(error.orig) or (is_remote and isinstance(error, OperationalError)):
                raise Transient("the ledger's database is busy or does not answer") from error
            raise Misconfigured(f"setting ledger.url: cannot open the ledger: {error.orig}") from error

    def close(self) -> None:
        """Release every connection."""
        self._engine.dispose()


def serialise(connection: Connection, *keys: str) -> None:
    """Let one transaction at a time pass that names the same key; held until it ends.

    SQLite has one writer anyway; PostgreSQL would let two insert the same row and fail one of them.
    """
    if connection.dialect.name == "postgresql":
        for key in keys:
            connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))


def _make_engine(url: str) -> Engine:
    try:
        engine = create_engine(
            url,
            pool_pre_ping=not url.startswith("sqlite"),
            # The parameters of a failed statement are patients' names: they stay out of errors and logs.
            hide_parameters=True,
        )
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise Misconfigured("setting ledger.url: not a database URL that can be used here") from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: ConnectionPoolEntry) -> None:
    # The driver's own BEGIN would come too late for the locks below: we send it ourselves.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout=15000")
    cursor.execute("PRAGMA journal_mode=WAL")
    # FULL: a commit survives a power cut; NORMAL would lose the last ones (sqlite.org/pragma.html).
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A reader that turns writer inside a transaction fails at once instead of waiting: lock first.
    writes = connection.get_execution_options().get("wetread_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
