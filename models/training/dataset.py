"""Labelled radiographs in memory: images, boxes, labels, side tasks and group folds."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

NIH_FINDINGS = (
    "Atelectasis",
    "Cardiomegaly",
    "Consolidation",
    "Edema",
    "Effusion",
    "Emphysema",
    "Fibrosis",
    "Hernia",
    "Infiltration",
    "Mass",
    "Nodule",
    "Pleural_Thickening",
    "Pneumonia",
    "Pneumothorax",
)
LIMB_PARTS = ("hand", "leg", "hip", "shoulder", "mixed")
LIMB_VIEWS = ("frontal", "lateral", "oblique")


@dataclass(frozen=True, slots=True)
class Sample:
    """One image with what is known of it.

    `image` is (rows, columns) uint8, dense tissue bright; `boxes` are (n, 4) left, top, right,
    bottom in its pixels. `label` is 1, 0, or -1 when the image only serves the side tasks, whose
    targets `side` holds: 1, 0, or -1 for unknown. `focus` are places worth a closer look, (n, 4) as
    `boxes`: the boxes themselves, or on an image without a lesion where one might have been.
    """

    name: str
    image: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    label: int
    group: str
    side: NDArray[np.float32]
    facts: dict[str, str] = field(default_factory=dict)
    focus: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 4), np.float32))


def read_manifest(folder: Path, split: str) -> pd.DataFrame:
    """The rows of one split; the external test has its own manifest file."""
    name = "external_manifest.csv" if split == "external_test" else "manifest.csv"
    table = pd.read_csv(folder / name, dtype=str, keep_default_na=False)
    return table[table["split"] == split].reset_index(drop=True)


def load_split(folder: Path, task: str, split: str, *, stored_size: int | None) -> list[Sample]:
    """Read all images of a split; squares are shrunk to `stored_size` to save memory."""
    return [
        _sample(folder, row, task, stored_size) for row in read_manifest(folder, split).to_dict("records")
    ]


def _sample(folder: Path, row: dict[str, str], task: str, stored_size: int | None) -> Sample:
    image = cv2.imread(str(folder / row["file"]), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise FileNotFoundError(folder / row["file"])
    boxes = np.asarray(ast.literal_eval(row["boxes_xyxy"] or "[]"), np.float32).reshape(-1, 4)
    if stored_size is not None and max(image.shape) > stored_size:
        scale = stored_size / max(image.shape)
        boxes = boxes * scale
        size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    # Report-mined labels are right in fewer than half of the positives: side tasks only.
    label = -1 if row["split"] == "train_weak" else int(row["label"])
    side = _chest_side(row) if task == "chest" else _limb_side(row)
    return Sample(row["file"], np.asarray(image, np.uint8), boxes, label, row["group"], side, row, boxes)


def _chest_side(row: dict[str, str]) -> NDArray[np.float32]:
    if not row.get("nih_nlp_labels"):
        return np.full(side_size("chest"), -1.0, np.float32)
    named = row["nih_nlp_labels"].split("|")
    normal = float(row["rsna_class"] == "Normal") if row["rsna_class"] else -1.0
    facts = [float(name in named) for name in NIH_FINDINGS]
    return np.asarray([*facts, normal, _sex(row["sex"])], np.float32)


def _sex(told: str) -> float:
    return float(told == "M") if told else -1.0


def _limb_side(row: dict[str, str]) -> NDArray[np.float32]:
    parts, views = row["body_part"].split(","), row["views"].split(",")
    facts = [float(name in parts) for name in LIMB_PARTS] + [float(name in views) for name in LIMB_VIEWS]
    return np.asarray([*facts, float(row["hardware"] in ("1", "1.0"))], np.float32)


def side_size(task: str) -> int:
    """How many side targets a task has."""
    return len(NIH_FINDINGS) + 2 if task == "chest" else len(LIMB_PARTS) + len(LIMB_VIEWS) + 1


def hold_out(
    samples: list[Sample], *, folds: int, seed: int, met: Collection[str] = ()
) -> tuple[list[Sample], list[Sample]]:
    """Split into training and validation by group, positives spread evenly; the first fold is held out.

    `met` are groups that training meets by other images (report-labelled films): none of them is held out.
    """
    labels = [max(sample.label, 0) for sample in samples]
    groups = [sample.group for sample in samples]
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    kept, held = next(iter(splitter.split(samples, labels, groups)))
    return [samples[index] for index in kept], [samples[index] for index in held if groups[index] not in met]


def groups_of(folder: Path, split: str) -> frozenset[str]:
    """The groups (patients) of a split, from its manifest alone."""
    return frozenset(read_manifest(folder, split)["group"])


def data_digest(samples: list[Sample]) -> str:
    """SHA-256 over names, labels, boxes and pixels: the same digest means the same training data."""
    digest = hashlib.sha256()
    for sample in sorted(samples, key=lambda one: one.name):
        digest.update(f"{sample.name} {sample.label} {sample.group} {sample.boxes.tolist()}".encode())
        digest.update(sample.image.tobytes())
    return digest.hexdigest()
