"""What the demo sends: synthetic QC phantoms, or the user's own files, as studies on disk."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pydicom
from pydicom.errors import InvalidDicomError

from wetread.deliver.send import find_files
from wetread.errors import Misconfigured
from wetread.phantom.dicom import demo_set


@dataclass(frozen=True, slots=True)
class Case:
    """One study to send; `truth` is what the phantom was drawn with, '' when nobody says."""

    title: str
    study: str
    files: tuple[Path, ...]
    truth: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """The user's studies, and how many files are none: not DICOM, or without a study UID."""

    cases: tuple[Case, ...]
    skipped: int


def make_phantoms(folder: Path) -> list[Case]:
    """Draw the QC phantoms into `folder`, one file an image; each call makes new studies."""
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.now()  # DICOM dates are local
    cases: dict[str, Case] = {}
    for number, case in enumerate(demo_set(root=f"demo-{time.time_ns()}", taken_at=now), start=1):
        path = folder / f"{number:02}.dcm"
        case.ds.save_as(path, enforce_file_format=True)
        study = str(case.ds.StudyInstanceUID)
        known = cases.get(study)
        files = (*known.files, path) if known else (path,)
        title = known.title if known else case.title
        cases[study] = Case(title, study, files, str(case.expected))
    return list(cases.values())


def find_cases(images: Path) -> Found:
    """A DICOM file, or a folder's, by study. Raises Misconfigured when there is none."""
    if not images.exists():
        raise Misconfigured(f"--images: no such file or folder: {images}")
    by_study: dict[str, list[Path]] = {}
    for path in find_files([images]):
        by_study.setdefault(_study_of(path), []).append(path)
    skipped = by_study.pop("", [])
    if not by_study:
        raise Misconfigured(f"--images: no DICOM file with a study UID: {images}")
    cases = tuple(Case(_title(files), study, tuple(files)) for study, files in by_study.items())
    return Found(cases, len(skipped))


def _study_of(path: Path) -> str:
    try:
        ds = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["StudyInstanceUID"])
        return str(ds.get("StudyInstanceUID") or "").strip()
    except (InvalidDicomError, AttributeError, EOFError, LookupError, OSError, ValueError):
        return ""


def _title(files: Sequence[Path]) -> str:
    return files[0].name if len(files) == 1 else f"{files[0].name} and {len(files) - 1} more"
