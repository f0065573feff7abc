"""The files of an evaluation beside its page: `evaluation.json`, and `cases.csv` with every single answer."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

from wetread.domain import Box, OperatingPoints
from wetread.errors import Misconfigured
from wetread.evaluate.cases import Case
from wetread.evaluate.comparison import Rival
from wetread.evaluate.figures import Figures
from wetread.evaluate.hits import count_hits, match
from wetread.evaluate.reading import Answer
from wetread.evaluate.sample import rounded, to_groups

FIGURES_NAME = "evaluation.json"
CASES_NAME = "cases.csv"
PAGE_NAME = "report.html"

_OWN = (
    "file",
    "row",
    "label",
    "group",
    "reason",
    "probability",
    "zone",
    "lesions",
    "lesions_found",
    "false_boxes",
    "boxes",
    "candidates",
)


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def to_json(figures: Figures) -> str:
    """Readable, with a final newline; a number that is none would be an error."""
    return json.dumps(figures, indent=1, allow_nan=False) + "\n"


def to_csv(answers: Sequence[Answer]) -> str:
    """One row per case: truth, answer, boxes, and its other columns. Groups are numbered, not named."""
    facts = sorted({name for answer in answers for name in answer.case.facts} - set(_OWN))
    groups = to_groups([answer.case for answer in answers])
    text = StringIO()
    writer = csv.DictWriter(text, [*_OWN, *facts], restval="", lineterminator="\n")
    writer.writeheader()
    for answer, group in zip(answers, groups, strict=True):
        writer.writerow({**answer.case.facts, **_row(answer), "group": int(group)})
    return text.getvalue()


def _row(answer: Answer) -> dict[str, object]:
    case = answer.case
    row: dict[str, object] = {"file": case.name, "row": case.row, "reason": answer.reason}
    row["label"] = "" if case.label is None else case.label
    if not answer.is_evaluable:
        return row
    row |= {"probability": round(answer.probability, 6), "zone": answer.zone.value}
    row |= {"boxes": _to_text(answer.shown), "candidates": _to_text(answer.candidates)}
    if case.lesions is not None:
        hits = count_hits(match(answer.shown, case.lesions).hit)
        row |= {"lesions": hits.lesions, "lesions_found": hits.found, "false_boxes": hits.false_boxes}
    return row


def _to_text(boxes: Sequence[Box]) -> str:
    edges = [
        [*(round(edge, 1) for edge in (box.left, box.top, box.right, box.bottom)), rounded(box.probability)]
        for box in boxes
    ]
    return json.dumps(edges)


def read_rival(path: Path, cases: Sequence[Case]) -> Rival:
    """Another evaluation as a rival: its figures for the thresholds, the cases beside it for the answers.

    Raises Misconfigured when either is not what `wetread evaluate` writes, or when it did not measure
    these very `cases`: equal names do not make images equal.
    """
    try:
        figures = json.loads(path.read_text(encoding="utf-8"))
        model, data = figures["model"], figures["data"]
        place, digest = f"{data['name']} {data['split']}".strip(), data["sha256"]
        points = OperatingPoints(**model["operating_points"])
        with (path.parent / CASES_NAME).open(encoding="utf-8", newline="") as file:
            scores = {
                row["file"]: float(row["probability"]) for row in csv.DictReader(file) if not row["reason"]
            }
    except OSError as error:
        raise Misconfigured(f"--compare: {error.filename}: {error.strerror}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise Misconfigured(f"--compare: {path}: not an evaluation with its {CASES_NAME}") from error
    if digest != digest_of(cases):
        raise Misconfigured(f"--compare: {path}: measured on other images, labels or boxes ({place})")
    return Rival(f"{model['name']} {model['version']}", scores, points)


def digest_of(cases: Sequence[Case]) -> str:
    """SHA-256 over names, labels, lesions and bytes of all cases: the same digest, the same test set."""
    digest = hashlib.sha256()
    for case in sorted(cases, key=lambda one: one.name):
        lesions = None if case.lesions is None else case.lesions.tolist()
        digest.update(f"{case.name} {case.label} {lesions}\n".encode())
        with case.path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
