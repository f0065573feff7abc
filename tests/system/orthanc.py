"""A real Orthanc as the hospital's PACS."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from tests.conftest import find_tool, need
from tests.system.child import child, free_port
from tests.system.deadline import wait_until

SR_CLASS = "1.2.840.10008.5.1.4.1.1.88.34"
CAPTURE_CLASS = "1.2.840.10008.5.1.4.1.1.7"


@dataclass(frozen=True, slots=True)
class Held:
    """One object that the PACS holds; `orthanc_id` is its key there."""

    orthanc_id: str
    SOPInstanceUID: str
    SOPClassUID: str
    StudyInstanceUID: str
    PatientID: str


@dataclass(frozen=True, slots=True)
class Orthanc:
    """Where a running Orthanc is reached."""

    dicom_port: int
    http_port: int
    ae_title: str = "ORTHANC"
    # Name and password, where it lets in nobody without.
    user: tuple[str, str] = ("", "")

    @property
    def destination(self) -> dict[str, object]:
        """The entry of Wetread's `destinations`."""
        return {"name": "orthanc", "port": self.dicom_port, "ae_title": self.ae_title}

    @property
    def web_url(self) -> str:
        """Where its DICOMweb service is, when it runs with the plugin."""
        return f"http://127.0.0.1:{self.http_port}/dicom-web"

    def held(self) -> list[Held]:
        """Every object in the PACS."""
        query = {"Level": "Instance", "Expand": True, "Query": {}, "RequestedTags": []}
        found = json.loads(self._ask("/tools/find", query))
        return [self._to_held(item["ID"]) for item in found]

    def of_study(self, study: str) -> list[Held]:
        """The objects of one study."""
        query = {"Level": "Instance", "Expand": False, "Query": {"StudyInstanceUID": study}}
        return [self._to_held(key) for key in json.loads(self._ask("/tools/find", query))]

    def count(self) -> int:
        """How many objects the PACS holds."""
        return int(json.loads(self._ask("/statistics"))["CountInstances"])

    def file(self, held: Held) -> bytes:
        """One object as the PACS has it."""
        return self._ask(f"/instances/{held.orthanc_id}/file")

    def is_up(self) -> bool:
        """Whether it answers."""
        try:
            return b"Version" in self._ask("/system")
        except (URLError, ConnectionError):
            return False

    def _to_held(self, key: str) -> Held:
        tags: dict[str, Any] = json.loads(self._ask(f"/instances/{key}/simplified-tags"))
        names = ("SOPInstanceUID", "SOPClassUID", "StudyInstanceUID", "PatientID")
        return Held(key, *(str(tags.get(name) or "") for name in names))

    def _ask(self, path: str, query: dict[str, object] | None = None) -> bytes:
        data = None if query is None else json.dumps(query).encode()
        address = f"http://127.0.0.1:{self.http_port}{path}"
        headers = {"Authorization": basic(*self.user)} if self.user[0] else {}
        with urlopen(Request(address, data=data, headers=headers), timeout=20) as answer:
            body: bytes = answer.read()
            return body


def new_orthanc(user: tuple[str, str] = ("", "")) -> Orthanc:
    """Ports for an Orthanc that is yet to be started, so that it can be down first."""
    return Orthanc(dicom_port=free_port(), http_port=free_port(), user=user)


def basic(name: str, password: str) -> str:
    """The header value of HTTP's basic authorization (RFC 7617)."""
    return f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"


def find_dicomweb_plugin() -> str:
    """Debian's DICOMweb plugin, for the setting `Plugins`."""
    found = sorted(Path("/usr/lib/orthanc").glob("libOrthancDicomWeb.so*"))
    need(bool(found), "the package orthanc-dicomweb (see `make tools`)")
    return str(found[-1])


@contextmanager
def running_orthanc(
    folder: Path, orthanc: Orthanc, *, wetread_port: int | None = None, **settings: object
) -> Iterator[Orthanc]:
    """Run it while the context is open; `folder` keeps its storage. `settings` override its configuration."""
    folder.mkdir(exist_ok=True)
    configuration = folder / "orthanc.json"
    configuration.write_text(json.dumps(_configuration(folder, orthanc, wetread_port) | settings))
    log = folder / "orthanc.log"
    with child([find_tool("Orthanc"), str(configuration)], log=log) as process:
        wait_until(
            lambda: process.poll() is None and orthanc.is_up(), within_s=30, what=f"Orthanc up, see {log}"
        )
        yield orthanc


def _configuration(folder: Path, orthanc: Orthanc, wetread_port: int | None) -> dict[str, object]:
    modalities = {"wetread": ["WETREAD", "127.0.0.1", wetread_port]} if wetread_port else {}
    return {
        "Name": "Test PACS",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "StorageCompression": False,
        # Orthanc binds every interface: nobody but this machine is let in.
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": bool(orthanc.user[0]),
        "RegisteredUsers": dict([orthanc.user]) if orthanc.user[0] else {},
        "HttpPort": orthanc.http_port,
        "DicomPort": orthanc.dicom_port,
        "DicomAet": orthanc.ae_title,
        "DicomCheckCalledAet": True,
        "DicomAlwaysAllowStore": False,
        "DicomAlwaysAllowEcho": True,
        "DicomModalities": modalities or {"wetread": ["WETREAD", "127.0.0.1", 104]},
        "OverwriteInstances": False,
        "StableAge": 1,
        "Plugins": [],
    }
