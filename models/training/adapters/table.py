"""The manifest: one row per image, in the columns that training and `wetread evaluate` read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from training.adapters.film import PublicSet
from training.adapters.splits import EXTERNAL_TEST
from training.adapters.store import Stored

Row = dict[str, str]


def manifest_of(out: Path, *, is_external: bool) -> Path:
    """External tests have a manifest of their own."""
    return out / ("external_manifest.csv" if is_external else "manifest.csv")


def rows_of_other_sets(out: Path, public: PublicSet) -> list[Row]:
    """What the folder's manifests, internal and external, already hold of other sets."""
    rows = [row for is_external in (False, True) for row in _read(manifest_of(out, is_external=is_external))]
    return [row for row in rows if row.get("origin_dataset") != public.title]


def _read(path: Path) -> list[Row]:
    if not path.is_file():
        return []
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def to_row(stored: Stored, public: PublicSet, *, split: str, group: str) -> Row:
    """One row; boxes are left, top, right, bottom in pixels of the stored file, empty where nobody drew any.

    `[]` says that there is no lesion.
    """
    film = stored.film
    boxes = [list(box) for box in stored.boxes]
    return {
        "file": stored.file,
        "split": split,
        "label": str(film.label),
        "label_name": public.positive if film.label else public.negative,
        "label_quality": film.quality,
        "boxes_xyxy": str(boxes) if boxes or not film.label else "",
        "width": str(stored.width),
        "height": str(stored.height),
        "orig_width": str(stored.orig_width),
        "orig_height": str(stored.orig_height),
        "group": group,
        **film.facts,
        "origin_dataset": public.title,
        "original_path": stored.published,
        "licence": public.licence,
    }


def write(rows: Sequence[Row], out: Path) -> None:
    """Write both manifests, each whole or not at all; one without rows is taken away."""
    for is_external in (False, True):
        path = manifest_of(out, is_external=is_external)
        chosen = [row for row in rows if (row["split"] == EXTERNAL_TEST) == is_external]
        if not chosen:
            path.unlink(missing_ok=True)
            continue
        partial = path.with_suffix(".part")
        pd.DataFrame(chosen).fillna("").to_csv(partial, index=False)
        partial.replace(path)
