"""`wetread send`: C-STORE files to a listener, as a modality would."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_file_meta_info
from pynetdicom.presentation import build_context

from wetread.config import check_ae_title
from wetread.deliver.dicom import DicomSender
from wetread.domain import Destination
from wetread.errors import Misconfigured, WetreadError

# PS3.8 9.3.2.2: context ids are the odd numbers up to 255.
_MOST_CONTEXTS = 128
_ADDRESS = re.compile(r"(?P<aet>[^@]{1,16})@(?P<host>[^:]+):(?P<port>[0-9]{1,9})")
# PS3.4 table B.2-1 and PS3.7 annex C, by the start of the status; below, what is known before one comes.
_MEANINGS = {
    "0xA7": "out of resources",
    "0xA9": "data set does not match SOP class",
    "0xC": "cannot understand",
    "0x0110": "processing failure",
    "0x0117": "invalid SOP instance",
    "0x0122": "SOP class not supported",
    "0x0124": "not authorised",
    "association_rejected": "the receiver does not talk with this AE title",
    "no_context": "the receiver does not take this SOP class or transfer syntax",
    "unreachable": "no answer from the receiver",
    "unsendable": "the header lacks what C-STORE has to name",
}


@dataclass(frozen=True, slots=True)
class Sent:
    """One file and what became of it: `status` as `0x0000`, or the reason it was not taken."""

    path: Path
    status: str
    is_taken: bool

    @property
    def meaning(self) -> str:
        """Why it was not taken, in words; '' when it was, or when the status says it itself."""
        if self.is_taken:
            return ""
        return next((text for start, text in _MEANINGS.items() if self.status.startswith(start)), "")


def run(paths: Sequence[Path], *, to: str, caller: str) -> int:
    """Send, print one line a file; 0 when all were taken."""
    there = _to_destination(to)
    calling_aet = _checked("--from", caller)
    files = find_files(paths)
    if not files:
        raise WetreadError("nothing to send: no file in this folder")
    taken = 0
    for sent in send_files(files, destination=there, calling_aet=calling_aet):
        meaning = f"  ({sent.meaning})" if sent.meaning else ""
        print(f"{sent.status:<8} {sent.path}{meaning}")  # noqa: T201  # this is the verb's output
        taken += sent.is_taken
    return 0 if taken == len(files) else 1


def _to_destination(to: str) -> Destination:
    match = _ADDRESS.fullmatch(to)
    if match is None:
        raise Misconfigured("--to: write it as AET@HOST:PORT")
    port = int(match["port"])
    if not 1 <= port <= 65535:
        raise Misconfigured(f"--to: a port is 1 to 65535, not {port}")
    return Destination("there", "dicom", match["host"], port, _checked("--to", match["aet"]))


def _checked(option: str, ae_title: str) -> str:
    try:
        return check_ae_title(ae_title)
    except ValueError as error:
        raise Misconfigured(f"{option}: {error}") from error


def find_files(paths: Iterable[Path]) -> list[Path]:
    """Files as given, folders by what they hold, sorted."""
    found: list[Path] = []
    for path in paths:
        found += sorted(item for item in path.rglob("*") if item.is_file()) if path.is_dir() else [path]
    return found


def send_files(files: Sequence[Path], *, destination: Destination, calling_aet: str) -> Iterator[Sent]:
    """C-STORE each Part 10 file over one association; other files are told apart by their answer."""
    pairs = {path: pair for path in files if (pair := _class_and_syntax(path)) is not None}
    contexts = [build_context(*pair) for pair in sorted(set(pairs.values()))[:_MOST_CONTEXTS]]
    sender = DicomSender(destination, calling_aet=calling_aet, contexts=contexts)
    try:
        for path in files:
            yield _send(sender, path) if path in pairs else Sent(path, _why_not(path), is_taken=False)
    finally:
        sender.close()


def _send(sender: DicomSender, path: Path) -> Sent:
    try:
        return Sent(path, sender.send(path), is_taken=True)
    except WetreadError as error:
        return Sent(path, error.code, is_taken=False)


def _why_not(path: Path) -> str:
    return "not DICOM" if path.is_file() else "no such file"


def _class_and_syntax(path: Path) -> tuple[str, str] | None:
    try:
        meta = read_file_meta_info(path)
        return str(meta.MediaStorageSOPClassUID), str(meta.TransferSyntaxUID)
    except (InvalidDicomError, AttributeError, OSError, ValueError):
        return None
