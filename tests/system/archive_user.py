"""Somebody who asks a PACS for what it holds, each way there is: DCMTK for DICOM, HTTP for DICOMweb."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from email.parser import BytesParser
from io import BytesIO
from pathlib import Path
from threading import Event
from urllib.request import Request, urlopen

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from pynetdicom import AE, evt
from pynetdicom.presentation import build_context

from tests.conftest import find_tool
from tests.system.orthanc import Orthanc

CALLING_AET = "WETREAD"
MOVE_AET = "STORESCP"
_COMMITMENT = "1.2.840.10008.1.20.1"
_WELL_KNOWN = "1.2.840.10008.1.20.1.1"
_LIMIT_S = 60


def find_instances(orthanc: Orthanc, study: str, folder: Path) -> dict[str, str]:
    """C-FIND at the level of images: SOP class by SOP instance. `folder` is new and takes the responses."""
    folder.mkdir()
    keys = ["QueryRetrieveLevel=IMAGE", f"StudyInstanceUID={study}", "SOPInstanceUID", "SOPClassUID"]
    _dcmtk("findscu", orthanc, ["--extract", "--output-directory", str(folder)], keys)
    found = [pydicom.dcmread(path, force=True) for path in folder.iterdir()]
    return {str(ds.SOPInstanceUID): str(ds.SOPClassUID) for ds in found}


def move_study(orthanc: Orthanc, study: str) -> None:
    """C-MOVE of a study to `MOVE_AET`."""
    _dcmtk(
        "movescu", orthanc, ["--move", MOVE_AET], ["QueryRetrieveLevel=STUDY", f"StudyInstanceUID={study}"]
    )


def qido_instances(orthanc: Orthanc, study: str) -> dict[str, str]:
    """QIDO-RS: SOP class by SOP instance."""
    body = _get(orthanc, f"studies/{study}/instances", accept="application/dicom+json")[1]
    return {item["00080018"]["Value"][0]: item["00080016"]["Value"][0] for item in json.loads(body)}


def wado_study(orthanc: Orthanc, study: str) -> list[Dataset]:
    """WADO-RS: every instance of a study, as stored."""
    accept = 'multipart/related; type="application/dicom"; transfer-syntax=*'
    kind, body = _get(orthanc, f"studies/{study}", accept=accept)
    message = BytesParser().parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
    parts = [part.get_payload(decode=True) for part in message.get_payload()]  # type: ignore[union-attr]  # multipart
    return [pydicom.dcmread(BytesIO(part)) for part in parts if isinstance(part, bytes)]


class Committee:
    """Asks for storage commitment and takes the report on an association that the PACS opens."""

    def __init__(self) -> None:
        self._reported = Event()
        self._report = Dataset()

    def ask(self, orthanc: Orthanc, files: Iterable[Path]) -> tuple[set[str], set[str]]:
        """SOP instances that the PACS commits itself to, and those that it does not."""
        heads = [pydicom.dcmread(path, stop_before_pixels=True) for path in files]
        ae = AE(CALLING_AET)
        assoc = ae.associate(
            "127.0.0.1", orthanc.dicom_port, [build_context(_COMMITMENT)], ae_title=orthanc.ae_title
        )
        assert assoc.is_established
        status, _ = assoc.send_n_action(_request(heads), 1, _COMMITMENT, _WELL_KNOWN)
        assoc.release()
        assert status.Status == 0
        assert self._reported.wait(_LIMIT_S), "no report of the storage commitment"
        kept = self._report.get("ReferencedSOPSequence") or ()
        lost = self._report.get("FailedSOPSequence") or ()
        return _instances(kept), _instances(lost)

    @contextmanager
    def listening(self, port: int) -> Iterator[None]:
        """Take reports while the context is open."""
        ae = AE(CALLING_AET)
        ae.add_supported_context(_COMMITMENT, scu_role=True, scp_role=True)
        handlers = [(evt.EVT_N_EVENT_REPORT, self._take)]
        server = ae.start_server(("127.0.0.1", port), block=False, evt_handlers=handlers)
        try:
            yield
        finally:
            server.shutdown()

    def _take(self, event: evt.Event) -> tuple[int, None]:
        self._report = event.event_information
        self._reported.set()
        return 0, None


def _request(heads: Iterable[Dataset]) -> Dataset:
    request = Dataset()
    request.TransactionUID = generate_uid()
    request.ReferencedSOPSequence = []
    for head in heads:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = head.SOPClassUID, head.SOPInstanceUID
        request.ReferencedSOPSequence.append(item)
    return request


def _instances(items: Iterable[Dataset]) -> set[str]:
    return {str(item.ReferencedSOPInstanceUID) for item in items}


def _dcmtk(program: str, orthanc: Orthanc, options: list[str], keys: list[str]) -> None:
    names = ["--aetitle", CALLING_AET, "--call", orthanc.ae_title]
    asked = [part for key in keys for part in ("-k", key)]
    command = [find_tool(program), "--study", *names, *options, *asked, "127.0.0.1", str(orthanc.dicom_port)]
    done = subprocess.run(command, capture_output=True, timeout=_LIMIT_S, check=False)
    assert done.returncode == 0, f"{program}: {done.stderr.decode(errors='replace')}"


def _get(orthanc: Orthanc, path: str, *, accept: str) -> tuple[str, bytes]:
    address = f"http://127.0.0.1:{orthanc.http_port}/dicom-web/{path}"
    with urlopen(Request(address, headers={"Accept": accept}), timeout=_LIMIT_S) as answer:
        return answer.headers["Content-Type"], answer.read()
