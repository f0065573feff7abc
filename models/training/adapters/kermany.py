"""Chest radiographs of children of Kermany et al. (Cell 172:1122, 2018), as in Mendeley rscbjbr9sj.

Folders `train`, `test` and, on Kaggle, `val`, each with `NORMAL` and `PNEUMONIA`, in the folder given or in
`chest_xray` below it. The published split is not kept; it is in the column `official_split`.

Patients are known by file name alone. Kaggle's copy: `person12_bacteria_47.jpeg`, `IM-0115-0001.jpeg`,
`NORMAL2-IM-0527-0001.jpeg`; there numbers begin again in other folders and for viruses, and whoever shares a
number shares a group, which can only make groups too large. Mendeley's edition: `BACTERIA-30629-0001.jpeg`,
`VIRUS-...` and `NORMAL-...`, disease, patient, running number.
"""

from __future__ import annotations

import re
from pathlib import Path

from training.adapters.film import Film, PublicSet
from training.adapters.published import IMAGE_SUFFIXES, NotAsPublished

SPLITS = ("train", "test", "val")
CLASSES = ("NORMAL", "PNEUMONIA")
PERSON = re.compile(r"person(?P<patient>\d+)_(?P<kind>bacteria|virus)_\d+")
NORMAL = re.compile(r"(?:NORMAL\d*-)?IM-(?P<patient>\d+)-.*")
RANDOMISED = re.compile(r"(?P<kind>BACTERIA|VIRUS|NORMAL)-(?P<patient>\d+)-\d+")


def read(source: Path) -> list[Film]:
    """One film per image; the kind of pneumonia, bacteria or virus, is in `sublabel`."""
    root = source / "chest_xray" if (source / "chest_xray").is_dir() else source
    folders = [root / split / name for split in SPLITS for name in CLASSES]
    missing = [folder for folder in folders if not folder.is_dir() and folder.parent.name != "val"]
    if missing:
        raise NotAsPublished(f"{missing[0]} is missing")
    return [
        _film(path)
        for folder in folders
        for path in sorted(folder.glob("*"))
        # The archive of a Mac leaves ._ twins.
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith("._")
    ]


def _film(path: Path) -> Film:
    label = int(path.parent.name == "PNEUMONIA")
    group, kind = _patient(path, label)
    return Film(
        path=path,
        label=label,
        group=f"kermany_{group}",
        quality="2 physicians, checked by a third",
        facts={
            "sublabel": kind,
            "age": "paediatric (1-5 y)",
            "view": "AP",
            "official_split": path.parent.parent.name,
            "subset": "kermany",
        },
    )


def _patient(path: Path, label: int) -> tuple[str, str]:
    """The patient and the kind of pneumonia, or `normal`, as the file name tells them."""
    if found := RANDOMISED.fullmatch(path.stem):
        return f"R_{found['patient']}", found["kind"].lower()
    if found := (PERSON if label else NORMAL).fullmatch(path.stem):
        return f"{'P' if label else 'N'}_{int(found['patient'])}", found["kind"] if label else "normal"
    raise NotAsPublished(f"{path} does not name its patient as the published files do")


SET = PublicSet(
    name="kermany",
    title="Kermany/Guangzhou paediatric CXR",
    licence="Kermany et al. 2018, Mendeley rscbjbr9sj: CC BY 4.0",
    negative="no_pneumonia",
    positive="pneumonia",
    read=read,
)
