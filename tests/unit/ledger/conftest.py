from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.child import free_port
from wetread.ledger import Ledger


def find_postgres() -> Path | None:
    """The folder of PostgreSQL's programs."""
    found = shutil.which("postgres")
    return Path(found).resolve().parent if found else None


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real PostgreSQL on a loopback port, owned by an ordinary user as it demands."""
    programs = find_postgres()
    if programs is None or importlib.util.find_spec("psycopg") is None:
        # An option of the service, not a part of its embedded default.
        pytest.skip("needs PostgreSQL and psycopg")
    folder, port = tmp_path_factory.mktemp("postgres"), free_port()
    as_user = (
        ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    )
    if as_user:
        for parent in (folder, *folder.parents[:3]):
            parent.chmod(0o755)
        shutil.chown(folder, "postgres", "postgres")
    data, options = str(folder / "data"), f"-p {port} -h 127.0.0.1 -k {folder} -c fsync=off"
    run = {"check": True, "stdout": subprocess.DEVNULL, "cwd": "/"}
    subprocess.run([*as_user, str(programs / "initdb"), "-D", data, "-A", "trust", "-U", "wetread"], **run)  # type: ignore[call-overload]
    control = [*as_user, str(programs / "pg_ctl"), "-D", data, "-l", str(folder / "log"), "-w"]
    subprocess.run([*control, "-o", options, "start"], **run)  # type: ignore[call-overload]
    yield f"postgresql+psycopg://wetread@127.0.0.1:{port}/postgres"
    subprocess.run([*control, "-m", "immediate", "stop"], **run)  # type: ignore[call-overload]


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
