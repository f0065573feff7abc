"""The map holds: imports point down, one library has one room, and a door loads only what it runs."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "service" / "wetread"
HOME_OF = {
    "pynetdicom": {"receive", "deliver"},
    "onnxruntime": {"infer"},
    "highdicom": {"report"},
    "celery": {"jobqueue", "worker"},
    "kombu": {"jobqueue", "worker"},
    "redis": {"jobqueue"},
    "fastapi": {"api"},
    "starlette": {"api"},
    "uvicorn": {"api"},
    "jinja2": {"api", "evaluate"},
    "matplotlib": {"evaluate"},
    "scipy": {"evaluate"},
    "sklearn": {"evaluate"},
    "statsmodels": {"evaluate"},
    "sqlalchemy": {"ledger"},
    "urllib3": {"deliver"},
    "pydantic_settings": {"config"},
    "prometheus_client": {"metrics", "api"},
}
HEAVY = ("onnxruntime", "highdicom", "fastapi", "celery", "torch", "matplotlib", "uvicorn")


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def imported_by(path: Path) -> set[str]:
    """The top-level packages that a module names, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def loaded_after(statement: str) -> set[str]:
    """The top-level modules of a fresh interpreter after one statement."""
    code = (
        f"{statement}\nimport json, sys\nprint(json.dumps(sorted({{n.split('.')[0] for n in sys.modules}})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_import_contract_is_kept() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=PACKAGE.parents[1],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("library", HOME_OF)
def test_one_library_has_one_room(library: str) -> None:
    users = {room_of(path) for path in modules() if library in imported_by(path)}

    assert users <= HOME_OF[library]


def test_rooms_import_no_other_room() -> None:
    rooms = {"spool", "route", "jobqueue", "infer", "report", "deliver", "ledger"}
    strays = [
        f"{path.relative_to(PACKAGE)} imports {room}"
        for path in modules()
        if room_of(path) in rooms
        for room in rooms - {room_of(path)}
        if f"wetread.{room}" in path.read_text(encoding="utf-8")
    ]

    assert strays == []


def test_the_listener_loads_neither_models_nor_reports_nor_web() -> None:
    loaded = loaded_after("import wetread.receive.main")

    assert loaded.isdisjoint(HEAVY)
    assert "pynetdicom" in loaded


def test_help_loads_nothing_but_the_standard_library() -> None:
    loaded = loaded_after(
        "import contextlib, wetread.cli\nwith contextlib.suppress(SystemExit): wetread.cli.main(['--help'])"
    )

    assert loaded.isdisjoint({*HEAVY, "pydicom", "pynetdicom", "numpy", "sqlalchemy", "pydantic", "cv2"})


def test_nothing_reads_the_environment_but_the_settings() -> None:
    readers = {
        room_of(path)
        for path in modules()
        if "os.environ" in path.read_text(encoding="utf-8") or "getenv" in path.read_text(encoding="utf-8")
    }

    assert readers <= {"config", "demo", "serve"}


def test_no_module_hides_a_vague_name() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}

    assert [str(path) for path in modules() if path.stem in vague or path.parent.name in vague] == []
