"""DCMTK's storescp as an older PACS: takes the SOP classes it is told to, over TLS if it is told to."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset

from tests.conftest import find_tool
from tests.system.child import child, free_port
from tests.system.deadline import wait_until
from tests.unit.deliver.authority import Authority

_PROFILE = """[[TransferSyntaxes]]
[Uncompressed]
TransferSyntax1 = LittleEndianExplicit
TransferSyntax2 = LittleEndianImplicit

[[PresentationContexts]]
[Taken]
PresentationContext1 = VerificationSOPClass\\Uncompressed
{contexts}

[[Profiles]]
[Default]
PresentationContexts = Taken
"""


@dataclass(frozen=True, slots=True)
class StoreScp:
    """`folder` is where it keeps what it takes."""

    folder: Path
    port: int = field(default_factory=free_port)

    def destination(self, name: str) -> dict[str, object]:
        """The entry of Wetread's `destinations`."""
        return {"name": name, "port": self.port, "ae_title": "STORESCP"}

    def held(self) -> list[Dataset]:
        """What it holds."""
        return [pydicom.dcmread(path) for path in sorted(self.folder.iterdir()) if path.suffix != ".cfg"]


@contextmanager
def running_storescp(
    scp: StoreScp, *, classes: Sequence[str] = (), authority: Authority | None = None
) -> Iterator[StoreScp]:
    """Run it while the context is open. `classes` as DCMTK names them; none: all it knows."""
    scp.folder.mkdir(exist_ok=True)
    command = [find_tool("storescp"), "--fork", "--output-directory", str(scp.folder)]
    if classes:
        command += ["--config-file", str(_write_profile(scp.folder, classes)), "Default"]
    if authority is not None:
        command += ["--enable-tls", str(authority.key), str(authority.certificate)]
        command += ["--add-cert-file", str(authority.ca)]
    log = scp.folder.parent / f"{scp.folder.name}.log"
    with child([*command, str(scp.port)], log=log) as process:
        wait_until(
            lambda: process.poll() is None and _is_open(scp.port), within_s=20, what=f"storescp up, see {log}"
        )
        yield scp


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _write_profile(folder: Path, classes: Sequence[str]) -> Path:
    lines = [
        f"PresentationContext{number} = {name}\\Uncompressed" for number, name in enumerate(classes, start=2)
    ]
    path = folder / "profile.cfg"
    path.write_text(_PROFILE.format(contexts="\n".join(lines)))
    return path
