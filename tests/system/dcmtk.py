"""DCMTK's senders, as a modality would use them."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import find_tool

_LIMIT_S = 120
_NO_ANSWER = -1
_REPORTED = re.compile(r"^Filename +: (.+?)\n(?:.+\n)*?DIMSE Status +: 0x([0-9a-fA-F]{4})", re.M)


@dataclass(frozen=True, slots=True)
class Modality:
    """Who sends, and to whom."""

    port: int
    calling_aet: str = "MODALITY"
    called_aet: str = "WETREAD"


@dataclass(frozen=True, slots=True)
class Sent:
    """One file and the DIMSE status it got; -1 when it got none."""

    path: Path
    status: int


@dataclass(frozen=True, slots=True)
class Encoding:
    """A transfer syntax: DCMTK's program that makes it, and storescu's option that proposes it."""

    uid: str
    program: str
    options: tuple[str, ...]
    proposal: str

    def apply(self, path: Path) -> None:
        """Write the file anew in this syntax, under the same UIDs."""
        command = [find_tool(self.program), *self.options, str(path), str(path)]
        subprocess.run(command, capture_output=True, timeout=_LIMIT_S, check=True)


ENCODINGS = (
    Encoding("1.2.840.10008.1.2.1", "dcmconv", ("+te",), "-xe"),
    Encoding("1.2.840.10008.1.2", "dcmconv", ("+ti",), "-xi"),
    Encoding("1.2.840.10008.1.2.1.99", "dcmconv", ("+td",), "-xd"),
    Encoding("1.2.840.10008.1.2.4.70", "dcmcjpeg", ("+e1", "--uid-never"), "-xs"),
    Encoding("1.2.840.10008.1.2.4.80", "dcmcjpls", ("+el", "--uid-never"), "-xt"),
    Encoding("1.2.840.10008.1.2.5", "dcmcrle", (), "-xr"),
)


def dcmsend(modality: Modality, files: Sequence[Path], *, report: Path) -> list[Sent]:
    """Send every file as it is, in this order, never decompressed, malformed ones included."""
    lenient = ["--read-file", "--no-uid-checks", "--no-halt", "--decompress-never"]
    names = ["--aetitle", modality.calling_aet, "--call", modality.called_aet]
    command = [find_tool("dcmsend"), *lenient, *names, "--create-report-file", str(report)]
    report.unlink(missing_ok=True)
    _run([*command, "127.0.0.1", str(modality.port), *map(str, files)])
    text = report.read_text() if report.exists() else ""
    statuses = dict(_REPORTED.findall(text))
    return [Sent(path, int(statuses.get(str(path), "-1"), 16)) for path in files]


def storescu(modality: Modality, *files: Path, options: Sequence[str] = ()) -> list[Sent]:
    """Send files over one association with the transfer syntaxes that `options` propose."""
    names = ["--aetitle", modality.calling_aet, "--call", modality.called_aet]
    command = [find_tool("storescu"), "--verbose", "--no-halt", "--required", *options, *names]
    output = _run([*command, "127.0.0.1", str(modality.port), *map(str, files)])
    answers = [int(status, 16) for status in _statuses(output)]
    return [
        Sent(path, answers[place] if place < len(answers) else _NO_ANSWER) for place, path in enumerate(files)
    ]


def echo(modality: Modality) -> bool:
    """C-ECHO: whether the association is accepted and answered."""
    names = ["--aetitle", modality.calling_aet, "--call", modality.called_aet]
    command = [find_tool("echoscu"), *names, "127.0.0.1", str(modality.port)]
    return subprocess.run(command, capture_output=True, timeout=_LIMIT_S, check=False).returncode == 0


def _statuses(output: str) -> list[str]:
    """DCMTK prints `Received Store Response (Success)`, other statuses as `(0xA900: ...)` or by name."""
    found = re.findall(r"Received Store Response \((.+)\)", output)
    return ["0000" if text.startswith("Success") else _hexadecimal(text) for text in found]


def _hexadecimal(text: str) -> str:
    match = re.search(r"0x([0-9a-fA-F]{4})", text)
    return match[1] if match else "FFFF"


def _run(command: Sequence[str]) -> str:
    # Without TCP_NODELAY each C-STORE waits about 40 ms for a delayed acknowledgement.
    done = subprocess.run(
        list(command),
        env=os.environ | {"TCP_NODELAY": "1"},
        capture_output=True,
        timeout=_LIMIT_S,
        check=False,
    )
    return (done.stdout + done.stderr).decode(errors="replace")
