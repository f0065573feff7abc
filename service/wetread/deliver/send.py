"""`wetread send`: C-STORE files to a listener, as a modality would."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_file_meta_info
from pynetdicom.presentation import build_context

from wetread.deliver.dicom import DicomSender
from wetread.domain import Destination
from wetread.errors import Misconfigured, WetreadError

# PS3.8 9.3.2.2: context ids are the odd numbers up to 255.
_MOST_CONTEXTS = 128
_ADDRESS = re.compile(r"(?P<aet>[^@]{1,16})@(?P<host>[^:]+):(?P<port>\d{1,5})")


@dataclass(frozen=True, slots=True)
class Sent:
    """One file and what became of it: `status` as `0x0000`, or the reason it was not taken."""

    path: Path
    status: str
    is_taken: bool


def run(paths: Sequence[Path], *, to: str, caller: str) -> int:
    """Send, print one line a file; 0 when all were taken."""
    match = _ADDRESS.fullmatch(to)
    if match is None:
        raise Misconfigured("--to: write it as AET@HOST:PORT")
    there = Destination("there", "dicom", match["host"], int(match["port"]), match["aet"])
    files = find_files(paths)
    taken = 0
    for sent in send_files(files, destination=there, calling_aet=caller):
        print(f"{sent.status:<8} {sent.path}")  # noqa: T201  # this is the verb's output
        taken += sent.is_taken
    return 0 if files and taken == len(files) else 1


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
            yield _send(sender, path) if path in pairs else Sent(path, "not DICOM", is_taken=False)
    finally:
        sender.close()


def _send(sender: DicomSender, path: Path) -> Sent:
    try:
        return Sent(path, sender.send(path), is_taken=True)
    except WetreadError as error:
        return Sent(path, error.code, is_taken=False)


def _class_and_syntax(path: Path) -> tuple[str, str] | None:
    try:
        meta = read_file_meta_info(path)
        return str(meta.MediaStorageSOPClassUID), str(meta.TransferSyntaxUID)
    except (InvalidDicomError, AttributeError, OSError, ValueError):
        return None
