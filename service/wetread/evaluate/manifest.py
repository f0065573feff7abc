"""A CSV of labelled images becomes cases. The columns are described in the README beside this file."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from wetread.errors import Misconfigured
from wetread.evaluate.cases import Case, CaseSet, Exclusion, Rectangles

BOX_COLUMNS = ("boxes_xyxy", "boxes")
_OWN = frozenset({"file", "label", "split", "group", *BOX_COLUMNS})
# Bytes. Whatever has a longer first line is no table; csv takes fields of twice that length.
_LONGEST_HEADER = 65_536
_LABELS = {"0": 0, "1": 1, "0.0": 0, "1.0": 1}

Row = Mapping[str, str]


def read_manifest(path: Path, *, split: str | None) -> CaseSet:
    """The cases of one split; files are relative to the manifest.

    A row without label, with a file that is not there, or listed before is left out and said so.
    Raises Misconfigured, in one line with the row, for what cannot be meant: a label that is neither 0
    nor 1, boxes that are none, no such split or column.
    """
    columns, rows = read_table(path)
    for needed in ("file", "label"):
        if needed not in columns:
            raise Misconfigured(f"{path.name}: no column {needed!r} (there are: {', '.join(columns)})")
    chosen = _of_split(path, columns, rows, split)
    cases, exclusions, seen = [], [], dict[str, int]()
    for number, row in chosen:
        case = to_case(path, number, row, name=row["file"], file=path.parent / row["file"])
        if reason := _why_left_out(case, seen):
            exclusions.append(Exclusion(number, case.name, reason))
            continue
        seen[case.name] = number
        cases.append(case)
    facts = tuple(column for column in columns if column not in _OWN)
    return CaseSet(
        f"{path.resolve().parent.name}/{path.name}", split or "", tuple(cases), tuple(exclusions), facts
    )


def read_table(path: Path) -> tuple[list[str], list[tuple[int, Row]]]:
    """The columns, and every row with its line number. Raises Misconfigured when it is no CSV table."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restkey="", restval="")
            columns = [name.strip() for name in reader.fieldnames or ()]
            rows = [(reader.line_num, _stripped(row)) for row in reader]
    except UnicodeDecodeError as error:
        raise Misconfigured(f"{path.name}: not UTF-8 text") from error
    except (csv.Error, OSError) as error:
        raise Misconfigured(f"{path.name}: {error}") from error
    if not rows:
        raise Misconfigured(f"{path.name}: no rows")
    return columns, rows


def read_columns(path: Path) -> tuple[str, ...]:
    """The first line as column names; none when it is no UTF-8 text.

    Raises Misconfigured when the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            line = file.readline(_LONGEST_HEADER).decode("utf-8-sig")
    except UnicodeDecodeError:
        return ()
    except OSError as error:
        raise Misconfigured(f"{path.name}: {error.strerror}") from error
    return tuple(name.strip() for name in next(csv.reader([line]), ()))


def to_case(path: Path, number: int, row: Row, *, name: str, file: Path) -> Case:
    """One row as a case. Raises Misconfigured as `read_manifest` does."""
    label = row["label"]
    if label and label not in _LABELS:
        raise Misconfigured(f"{path.name}, row {number}: label is {label[:20]!r}, not 0 or 1")
    marks = next((column for column in BOX_COLUMNS if column in row), None)
    lesions = None if marks is None else _to_boxes(row[marks], f"{path.name}, row {number}: {marks}")
    facts = {column: value for column, value in row.items() if column not in _OWN}
    return Case(name, file, number, _LABELS.get(label), lesions, row.get("group", ""), facts)


def _stripped(row: Mapping[str, str | Sequence[str]]) -> Row:
    return {name.strip(): value.strip() for name, value in row.items() if isinstance(value, str)}


def _of_split(
    path: Path, columns: Sequence[str], rows: list[tuple[int, Row]], split: str | None
) -> list[tuple[int, Row]]:
    """The rows asked for. Several splits and none chosen is a mistake: one of them was trained on."""
    if "split" not in columns:
        if split:
            raise Misconfigured(f"{path.name}: no column 'split'")
        return rows
    known = sorted({row["split"] for _, row in rows})
    if split is None and len(known) > 1:
        raise Misconfigured(f"{path.name}: holds the splits {', '.join(known)}: choose one with --split")
    chosen = [(number, row) for number, row in rows if split is None or row["split"] == split]
    if not chosen:
        raise Misconfigured(f"{path.name}: no row of split {split!r} (there are: {', '.join(known)})")
    return chosen


def _why_left_out(case: Case, seen: Mapping[str, int]) -> str:
    if case.label is None:
        return "no label"
    if case.name in seen:
        return f"the same file as row {seen[case.name]}"
    return "" if case.path.is_file() else "no such file"


def _to_boxes(text: str, place: str) -> Rectangles:
    try:
        boxes = np.asarray(json.loads(text or "[]"), dtype=np.float64).reshape(-1, 4)
    except (TypeError, ValueError) as error:
        raise Misconfigured(f"{place}: not a list of [left, top, right, bottom]") from error
    if not np.isfinite(boxes).all() or (boxes[:, 2:] <= boxes[:, :2]).any():
        raise Misconfigured(f"{place}: a box must have left < right and top < bottom")
    return boxes
