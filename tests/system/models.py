"""The models a test runs: a copy of those of the repository."""

from __future__ import annotations

import shutil
from pathlib import Path

from wetread.infer.bundle import find_bundles

_MODELS = Path(__file__).parents[2] / "models"


def find_models(folder: Path) -> Path:
    """A copy in `folder` of the shipped bundles that run."""
    for bundle in find_bundles(_MODELS):
        shutil.copytree(bundle, folder / bundle.parent.name / bundle.name)
    return folder
