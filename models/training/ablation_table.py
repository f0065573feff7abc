"""ablations.json and the page made from it, ABLATIONS.md. No PyTorch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from training.variants import Budget

Row = dict[str, object]

_HEAD = """# What helped

Each row is one training run with one thing changed, at a reduced budget that is the same for all rows, scored
on the group fold that is held out of training; the test sets are never read. AUC per image with its 95 %
interval from a bootstrap over groups; the difference to the first row is paired, on the same images. One run
a row: an interval that holds zero shows no difference, and at the full budget things may stand differently.

Written by `python -m training.ablate`; settings and versions of each row are in `ablations.json`.
"""
_TABLE_HEAD = """| row | why | AUC | difference | peak in a box | seconds |
|---|---|---|---|---|---|
"""


class AblationTable:
    """Both files, kept in `folder`.

    `digests` are those of the settings planned for each row; a row run with others is dropped.
    """

    def __init__(self, folder: Path, model: str, budget: Budget, digests: Mapping[str, str]) -> None:
        self._json, self._page, self._model = folder / "ablations.json", folder / "ABLATIONS.md", model
        self._all = json.loads(self._json.read_text(encoding="utf-8")) if self._json.exists() else {}
        old = self._all.get(model, {"fold": {}, "rows": []})
        rows = [row for row in old["rows"] if digests.get(row["name"]) == row["settings_sha256"]]
        self._all[model] = {"budget": asdict(budget), "fold": old["fold"], "rows": rows}

    def has(self, name: str) -> bool:
        """Whether the row is there."""
        return any(row["name"] == name for row in self._all[self._model]["rows"])

    def add(self, row: Row, scores: pd.DataFrame) -> None:
        """Take a row in and write both files; `scores` has `label` and `group` of the held-out fold."""
        facts = self._all[self._model]
        facts["rows"] = [old for old in facts["rows"] if old["name"] != row["name"]] + [row]
        facts["fold"] = {
            "images": len(scores),
            "positives": int(scores["label"].sum()),
            "groups": int(scores["group"].nunique()),
        }
        # The other model's rows may have been written by another run since.
        written = json.loads(self._json.read_text(encoding="utf-8")) if self._json.exists() else {}
        self._all = written | {self._model: facts}
        self._json.write_text(json.dumps(self._all, indent=1) + "\n", encoding="utf-8")
        self._page.write_text(page_of(self._all), encoding="utf-8")


def page_of(results: Mapping[str, dict[str, object]]) -> str:
    """ABLATIONS.md: one table per model; the first row, then the others, best first."""
    parts = [_HEAD]
    for model, facts in sorted(results.items()):
        fold, budget, rows = facts["fold"], facts["budget"], facts["rows"]
        assert isinstance(fold, dict)
        assert isinstance(budget, dict)
        assert isinstance(rows, list)
        parts.append(
            f"\n## {model}\n\n{budget['steps']} steps, {budget['size']} pixels. Held-out fold: "
            f"{fold['images']} images, {fold['positives']} positive, {fold['groups']} groups.\n\n"
        )
        parts.append(_TABLE_HEAD)
        parts += [_line(row) for row in sorted(rows, key=_rank)]
    return "".join(parts)


def _rank(row: Row) -> tuple[bool, float]:
    return row["difference"] is not None, -float(str(row["auc"]))


def _line(row: Row) -> str:
    cells = (
        row["name"],
        row["why"],
        _with_interval(row["auc"], row["auc_interval"]),
        _with_interval(row["difference"], row["difference_interval"], sign="+"),
        f"{row['peak_in_box']:.3f}",
        f"{row['seconds']:.0f}",
    )
    return "| " + " | ".join(str(cell) for cell in cells) + " |\n"


def _with_interval(value: object, interval: object, *, sign: str = "") -> str:
    if not isinstance(value, float) or not isinstance(interval, list):
        return "-"
    return f"{value:{sign}.3f} [{interval[0]:{sign}.3f}, {interval[1]:{sign}.3f}]"
