"""What a model must beat: readers that know next to nothing, measured on the same test sets.

A logistic regression on images of 48 x 48 pixels, and one on a single column of the manifest (the view of a
chest, the body part of a limb). Both learn on the training split.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from wetread.evaluate.cases import Case
from wetread.evaluate.figures import Figures, area_under_curve
from wetread.evaluate.manifest import read_manifest
from wetread.evaluate.picture import open_display
from wetread.evaluate.sample import Sample, to_groups

SIDE = 48
# Fixed beforehand, not searched for: 2,304 pixels for some thousand images need a strong hand.
STRENGTH = 1e-3
COLUMNS = {"chest": "view", "fracture": "body_part"}


def measure_baselines(folder: Path, task: str, test_sets: dict[str, tuple[str, str]]) -> Figures:
    """AUCs by test set; `test_sets` has the manifest's file and the split for each name."""
    train = read_manifest(folder / "manifest.csv", split="train").cases
    pixels = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=500))
    pixels.fit(_pixels(train), _labels(train))
    column = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression())
    column.fit(_column(train, task), _labels(train))
    found: Figures = {"train_images": len(train), "column": COLUMNS[task], "side": SIDE}
    for name, (manifest, split) in test_sets.items():
        cases = read_manifest(folder / manifest, split=split).cases
        values = _column(cases, task)
        found[name] = {
            "pixels": _auc(cases, pixels.predict_proba(_pixels(cases))[:, 1]),
            # The same view everywhere says nothing.
            "column": _auc(cases, column.predict_proba(values)[:, 1]) if len(np.unique(values)) > 1 else None,
        }
    return found


def _pixels(cases: tuple[Case, ...]) -> NDArray[np.float64]:
    small = [
        cv2.resize(open_display(case.path), (SIDE, SIDE), interpolation=cv2.INTER_AREA) for case in cases
    ]
    return np.stack(small).reshape(len(cases), -1).astype(np.float64)


def _column(cases: tuple[Case, ...], task: str) -> NDArray[np.str_]:
    return np.array([[case.facts.get(COLUMNS[task], "").upper()] for case in cases], dtype=str)


def _labels(cases: tuple[Case, ...]) -> NDArray[np.int64]:
    return np.array([case.label for case in cases], dtype=np.int64)


def _auc(cases: tuple[Case, ...], scores: NDArray[np.float64]) -> Figures | None:
    return area_under_curve(Sample(cases, _labels(cases), scores, to_groups(cases)))
