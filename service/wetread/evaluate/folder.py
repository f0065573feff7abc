"""A folder of DICOM files becomes cases, with labels from a CSV in it where there is one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pydicom import dcmread
from pydicom.errors import InvalidDicomError

from wetread.deliver.send import find_files
from wetread.errors import Misconfigured
from wetread.evaluate.cases import Case, CaseSet, Exclusion
from wetread.evaluate.manifest import Row, read_columns, read_table, to_case

_UID = "SOPInstanceUID"
# PS3.10 7.1. A file without it may still be a bare data set, if its name does not say otherwise.
_MAGIC_AT, _MAGIC = 128, b"DICM"
_DICOM_SUFFIXES = frozenset({"", ".dcm", ".dic", ".dicom", ".ima"})


def read_folder(folder: Path) -> CaseSet:
    """Every DICOM file under `folder`; a CSV there with `label` and `file` or `SOPInstanceUID` labels them.

    Once some are labelled, files that are not are left out, and so are rows without their file.
    Raises Misconfigured when there is no file, or when two CSVs hold labels.
    """
    table = _find_labels(folder)
    there = [path for path in find_files([folder]) if path.suffix.lower() != ".csv"]
    files = [path for path in there if _may_be_dicom(path)]
    if not files:
        raise Misconfigured(f"{folder}: no DICOM file in this folder")
    chosen = set(files)
    others = tuple(
        Exclusion(0, path.relative_to(folder).as_posix(), "not a DICOM file")
        for path in there
        if path not in chosen
    )
    cases = _unlabelled(folder, files) if table is None else _labelled(folder, files, table)
    return replace(cases, exclusions=(*cases.exclusions, *others))


def _may_be_dicom(path: Path) -> bool:
    if path.suffix.lower() in _DICOM_SUFFIXES:
        return True
    with path.open("rb") as file:
        return file.read(_MAGIC_AT + len(_MAGIC)).endswith(_MAGIC)


def _unlabelled(folder: Path, files: list[Path]) -> CaseSet:
    cases = [Case(path.relative_to(folder).as_posix(), path, number) for number, path in enumerate(files, 1)]
    return CaseSet(folder.name, "", tuple(cases))


def _find_labels(folder: Path) -> Path | None:
    tables = [path for path in sorted(folder.glob("*.csv")) if path.is_file() and _holds_labels(path)]
    if len(tables) > 1:
        names = ", ".join(path.name for path in tables)
        raise Misconfigured(f"{folder.name}: several CSV files hold labels: {names}")
    return tables[0] if tables else None


def _holds_labels(path: Path) -> bool:
    columns = read_columns(path)
    return "label" in columns and ("file" in columns or _UID in columns)


def _labelled(folder: Path, files: list[Path], table: Path) -> CaseSet:
    columns, rows = read_table(table)
    is_by_file = "file" in columns
    places = {
        path.relative_to(folder).as_posix() if is_by_file else _uid_of(path): path for path in reversed(files)
    }
    cases, exclusions = [], []
    for number, row in rows:
        key = row["file" if is_by_file else _UID]
        case = _case(table, number, row, file=places.pop(key, None))
        if case is None or case.label is None:
            reason = "no such file, or listed before" if case is None else "no label"
            exclusions.append(Exclusion(number, row.get("file") or f"row {number}", reason))
        else:
            cases.append(case)
    listed = {case.path for case in cases}
    exclusions += [
        Exclusion(0, path.relative_to(folder).as_posix(), "not in the list of labels")
        for path in places.values()
        if path not in listed
    ]
    facts = tuple(column for column in columns if column not in ("file", "label", "group", _UID))
    return CaseSet(folder.name, "", tuple(cases), tuple(exclusions), facts)


def _case(table: Path, number: int, row: Row, *, file: Path | None) -> Case | None:
    """Named by its place in the folder: files of several series are often named alike."""
    if file is None:
        return None
    return to_case(table, number, row, name=file.relative_to(table.parent).as_posix(), file=file)


def _uid_of(path: Path) -> str:
    try:
        ds = dcmread(path, stop_before_pixels=True, specific_tags=[_UID], force=True)
        return str(ds.get(_UID) or path.name).strip()
    except (InvalidDicomError, AttributeError, EOFError, LookupError, OSError, ValueError):
        return path.name
