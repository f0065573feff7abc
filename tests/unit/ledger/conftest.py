from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.conftest import need
from tests.system.child import free_port
from wetread.ledger import Ledger


def find_postgres() -> Path | None:
    """The folder of PostgreSQL's programs."""
    places = [Path(found).resolve().parent] if (found := shutil.which("postgres")) else []
    # Debian keeps them off the PATH.
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((place for place in places if (place / "pg_ctl").exists()), None)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL on a loopback port, owned by an ordinary user as it demands."""
    programs = find_postgres()
    need(importlib.util.find_spec("psycopg") is not None, "psycopg")
    need(programs is not None, "PostgreSQL (see `make tools`)")
    assert programs is not None
    # Not pytest's own folder: that one is closed to the user who runs the server.
    with TemporaryDirectory(prefix="wetread-postgres-") as name:
        folder, port, as_user = Path(name), free_port(), list[str]()
        if os.geteuid() == 0:
            as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
            shutil.chown(folder, "postgres", "postgres")
        control = [*as_user, str(programs / "pg_ctl"), "-D", str(folder / "data"), "-w"]
        options = f"-p {port} -h 127.0.0.1 -k {folder} -c fsync=off"
        run_quietly([*control, "-o", "-A trust -U wetread", "init"])
        run_quietly([*control, "-l", str(folder / "log"), "-o", options, "start"])
        try:
            yield f"postgresql+psycopg://wetread@127.0.0.1:{port}/postgres"
        finally:
            run_quietly([*control, "-m", "immediate", "stop"])


def run_quietly(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database: a SQLite file, then PostgreSQL where it is installed."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    server: str = request.getfixturevalue("postgres_url")
    _empty(server)
    return server


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    """A ledger on that database."""
    with Ledger(url) as opened:
        yield opened


def _empty(server: str) -> None:
    import psycopg

    with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
