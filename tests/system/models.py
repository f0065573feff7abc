"""The models a test runs: those of the repository, or stand-ins of the same names until there are some."""

from __future__ import annotations

import shutil
from pathlib import Path

_REPOSITORY = Path(__file__).parents[2]
_TINY = _REPOSITORY / "tests" / "unit" / "infer" / "assets" / "tiny" / "1.0.0"
_READS = {
    "fracture": '["HAND", "LEG", "HIP", "SHOULDER", "EXTREMITY"]',
    "pneumonia": '["CHEST"]\nleast_age_years = 18',
}


def find_models(folder: Path) -> Path:
    """A copy in `folder` of the shipped bundles; made from the tiny network where one is not shipped."""
    for name, body_parts in _READS.items():
        manifests = sorted((_REPOSITORY / "models" / name).glob("*/model.toml"))
        if manifests:
            shutil.copytree(manifests[-1].parent, folder / name / manifests[-1].parent.name)
        else:
            _make_stand_in(folder / name / "1.0.0", name=name, body_parts=body_parts)
    return folder


def _make_stand_in(folder: Path, *, name: str, body_parts: str) -> None:
    shutil.copytree(_TINY, folder)
    manifest = (folder / "model.toml").read_text(encoding="utf-8")
    for old, new in (
        ('name = "tiny"', f'name = "{name}"'),
        ('body_parts = ["HAND", "CHEST"]', f"body_parts = {body_parts}"),
        ("least_rows = 16", "least_rows = 200"),
        ("least_columns = 16", "least_columns = 150"),
        ('"1.2.840.10008.5.1.4.1.1.1.1"]', '"1.2.840.10008.5.1.4.1.1.1.1", "1.2.840.10008.5.1.4.1.1.7"]'),
    ):
        manifest = manifest.replace(old, new)
    (folder / "model.toml").write_text(manifest, encoding="utf-8")
