"""Programs that judge what Wetread sends."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.conftest import find_tool

_LIMIT_S = 60


def errors_of(path: Path) -> list[str]:
    """What dicom3tools' dciodvfy calls an error; its exit status says nothing."""
    return [line for line in _say("dciodvfy", "-new", str(path)) if line.startswith(("Error", "Abort"))]


def report_text(path: Path) -> str:
    """A Structured Report as DCMTK's dsrdump reads it; fails on what it calls an error."""
    lines = _say("dsrdump", "+Pl", str(path))
    wrong = [line for line in lines if line.startswith(("E:", "F:"))]
    assert not wrong, f"{path.name}: {wrong}"
    return "\n".join(lines)


def _say(program: str, *arguments: str) -> list[str]:
    command = [find_tool(program), *arguments]
    done = subprocess.run(command, capture_output=True, timeout=_LIMIT_S, check=False)
    return (done.stdout + done.stderr).decode(errors="replace").splitlines()
