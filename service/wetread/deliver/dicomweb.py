"""STOW-RS and QIDO-RS as a client: stores objects at a DICOMweb service, and asks whether they are there."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from pydicom.filereader import read_file_meta_info

from wetread.deliver import Commitment
from wetread.deliver.classes import class_name
from wetread.deliver.statuses import judge
from wetread.deliver.store_answer import read_store_answer
from wetread.deliver.web_connection import Answer, WebConnection
from wetread.domain import Delivery, Destination
from wetread.errors import ClassNotTaken, NotOffered, NotTakenYet, Refused, Unreachable

_IDLE_S = 5.0
_TIMEOUT_S = 30.0
_PIECE_BYTES = 2**20
# Asked again every few seconds with a wrong password, some services lock the account.
_ACCESS_WAIT_S = 60.0
_JSON = "application/dicom+json"
_INSTANCE_UID = "00080018"
# Microsoft's DICOM service says so where others say 0x0111 (its conformance statement, store, 45070).
_ALREADY_STORED = 0xB00E
# The object was judged, and a person has to look (PS3.18 table 10.5.3-1, 8.5).
_REFUSALS = MappingProxyType(
    {
        400: "the destination cannot read the request",
        409: "the destination refused the object",
        413: "the object is too large for the destination",
        415: "the destination does not take this media type or transfer syntax",
        422: "the destination cannot process the object",
    }
)
# No object was judged: what is wrong can be mended, and then it is taken.
_OBSTACLES = MappingProxyType(
    {
        401: "the destination does not accept our credentials: see its setting authorization",
        403: "the destination does not let us do this: our credentials lack the right",
        404: "the destination has no DICOMweb service at this url",
        407: "a proxy before the destination wants credentials",
        429: "the destination asks us to wait",
        503: "the destination is out of service for now",
    }
)


class DicomwebSender:
    """Sends objects to one DICOMweb service. Raises Misconfigured when its TLS files are wrong."""

    def __init__(self, destination: Destination, *, timeout_s: float = _TIMEOUT_S) -> None:
        self._there = WebConnection(destination, timeout_s=timeout_s)
        self._untaken: frozenset[str] = frozenset()
        self._used_at = 0.0

    def send(self, path: Path) -> str:
        """Store one file; `200`, or the warning it was stored with as `0xB000`.

        Raises ClassNotTaken, Refused or Unreachable. Source: PS3.18 10.5.
        """
        try:
            return _judge_store(self._store(path))
        except ClassNotTaken as error:
            sop_class_uid = str(read_file_meta_info(path).MediaStorageSOPClassUID)
            self._untaken |= {sop_class_uid}
            what = f"the destination takes no {class_name(sop_class_uid)}"
            raise ClassNotTaken(what, code=error.code, untaken=self._untaken) from error

    def _store(self, path: Path) -> Answer:
        boundary = secrets.token_hex(16)
        head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        tail = f"\r\n--{boundary}--\r\n".encode()
        with path.open("rb") as file:
            size_bytes = os.fstat(file.fileno()).st_size
            answer = self._there.ask(
                "POST",
                "/studies",
                headers={
                    "Accept": _JSON,
                    "Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary}',
                    "Content-Length": str(len(head) + size_bytes + len(tail)),
                },
                body=_pieces(head, file, tail),
                size_bytes=size_bytes,
            )
        self._used_at = time.monotonic()
        return answer

    def request_commitment(self, deliveries: Sequence[Delivery], *, transaction_uid: str) -> Commitment:
        """Ask at once which of the objects are there. `transaction_uid` is not needed.

        Raises NotOffered when the service takes no queries, Unreachable when it may later.
        Source: PS3.18 10.6.
        """
        kept = frozenset(
            delivery.object.SOPInstanceUID for delivery in deliveries if self._is_there(delivery)
        )
        asked = frozenset(delivery.object.SOPInstanceUID for delivery in deliveries)
        return Commitment(kept, asked - kept)

    def rest(self) -> None:
        """Close a connection that has been idle: the service would, perhaps as we send."""
        if self._used_at and time.monotonic() - self._used_at > _IDLE_S:
            self.close()

    def cut(self) -> None:
        """End a request from another thread."""
        self._there.cut()

    def close(self) -> None:
        """Close the connection; with the next one, all classes are tried anew."""
        self._there.close()
        self._untaken = frozenset()
        self._used_at = 0.0

    def _is_there(self, delivery: Delivery) -> bool:
        uid = delivery.object.SOPInstanceUID
        path = f"/studies/{delivery.study}/instances?SOPInstanceUID={uid}"
        answer = self._there.ask("GET", path, headers={"Accept": _JSON})
        self._used_at = time.monotonic()
        # PS3.18 10.6.3.1 and 8.5: nothing found, or no such study.
        if answer.status in {204, 404}:
            return False
        _check_judged(answer)
        if answer.status in _REFUSALS:
            raise NotOffered("the destination does not tell what it holds", code=f"http_{answer.status}")
        return uid in _instances_in(answer)


def _pieces(head: bytes, file: BinaryIO, tail: bytes) -> Iterator[bytes]:
    """The multipart body, never whole in memory."""
    yield head
    while piece := file.read(_PIECE_BYTES):
        yield piece
    yield tail


def _judge_store(answer: Answer) -> str:
    _check_judged(answer)
    said = read_store_answer(answer.body or b"", answer.content_type)
    if said is not None and said.failure is not None:
        return _judge_failure(said.failure)
    if answer.status in _REFUSALS:
        raise Refused(f"{_REFUSALS[answer.status]} (HTTP {answer.status})", code=f"http_{answer.status}")
    if said is None and answer.body != b"":
        raise _not_dicomweb()
    return str(answer.status) if said is None or said.warning is None else f"0x{said.warning:04X}"


def _judge_failure(reason: int) -> str:
    if reason & 0xF000 == 0xB000 and reason != _ALREADY_STORED:
        # A warning's number, and yet the object was not stored: a resend finds out.
        raise NotTakenYet(
            f"the destination did not store the object (0x{reason:04X})", code=f"0x{reason:04X}"
        )
    return judge(reason)


def _check_judged(answer: Answer) -> None:
    """Raise Unreachable unless the answer is about the object."""
    status = answer.status
    if 200 <= status < 300 or status in _REFUSALS:
        return
    if 300 <= status < 400:
        # Not followed: the next host would get the credentials and the patient's data.
        words = "the destination sends us to another address: enter that one as its url"
    else:
        words = _OBSTACLES.get(status, "the destination cannot take anything now")
    wait_s = max(answer.wait_s, _ACCESS_WAIT_S if status in {401, 403, 407} else 0.0)
    # Beyond those it is an error of the service, perhaps with this object alone.
    kind = Unreachable if status < 500 or status in _OBSTACLES else NotTakenYet
    raise kind(f"{words} (HTTP {status})", code=f"http_{status}", wait_s=wait_s)


def _instances_in(answer: Answer) -> set[str]:
    try:
        found = json.loads(answer.body or b"")
        return {str(uid) for item in found for uid in item[_INSTANCE_UID]["Value"]}
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _not_dicomweb() from error


def _not_dicomweb() -> Unreachable:
    return Unreachable("the answer is not DICOMweb's: is the url right?", code="not_dicomweb")
