"""The bundle against the QC phantoms: demo set and held-out seeds, through the service's own DICOM road."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from training.phantoms import draw_case
from wetread.domain import Box, Finding, Zone
from wetread.infer.bundle import Bundle
from wetread.infer.decode import read_image
from wetread.infer.engine import Engine
from wetread.infer.prepare import to_display
from wetread.phantom.dicom import DemoCase, Truth, demo_set
from wetread.phantom.film import Phantom

HELD_OUT_SEEDS = range(0, 60)
TRUTHS = {
    "chest": {Truth.OPACITY: True, Truth.NO_OPACITY: False},
    "fracture": {Truth.FRACTURE: True, Truth.NO_FRACTURE: False},
}


def check_phantoms(task: str, bundle: Bundle) -> dict[str, object]:
    """Answers on the demo's images and on held-out seeds."""
    with Engine([bundle], threads=1) as engine:
        demo = [_demo_row(engine, bundle, case, task) for case in demo_set() if case.expected in TRUTHS[task]]
        held = [
            _row(engine, bundle, draw_case(task, seed, lesion=lesion), lesion, f"seed {seed}")
            for seed in HELD_OUT_SEEDS
            for lesion in (False, True)
        ]
    return {
        "demo": demo,
        "held_out_seeds": [HELD_OUT_SEEDS.start, HELD_OUT_SEEDS.stop],
        "held_out": summarise(held),
    }


def _demo_row(engine: Engine, bundle: Bundle, case: DemoCase, task: str) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "case.dcm"
        case.ds.save_as(path)
        display = to_display(read_image(path))
    lesion = TRUTHS[task][case.expected]
    finding = engine.read(bundle.manifest.name, display).findings[0].finding
    return _answer(finding, case.phantom, lesion, case.title)


def _row(engine: Engine, bundle: Bundle, phantom: Phantom, lesion: bool, name: str) -> dict[str, object]:
    display = phantom.pixels.astype(np.float32) / np.float32(4095.0)
    finding = engine.read(bundle.manifest.name, display).findings[0].finding
    return _answer(finding, phantom, lesion, name)


def _answer(finding: Finding, phantom: Phantom, lesion: bool, name: str) -> dict[str, object]:
    expected = Zone.POSITIVE if lesion else Zone.NEGATIVE
    return {
        "name": name,
        "view": phantom.view,
        "lesion": lesion,
        "probability": round(finding.probability, 4),
        "zone": finding.zone.value,
        "as_expected": finding.zone is expected,
        "strongest_box_hits": bool(finding.boxes)
        and any(_overlaps(finding.boxes[0], box) for box in phantom.boxes),
    }


def _overlaps(box: Box, lesion: tuple[float, float, float, float]) -> bool:
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    return lesion[0] <= x <= lesion[2] and lesion[1] <= y <= lesion[3]


def summarise(rows: list[dict[str, object]]) -> dict[str, object]:
    """Counts over held-out phantoms, and the names of those answered wrongly."""
    lesions = [row for row in rows if row["lesion"]]
    whole = [row for row in rows if not row["lesion"]]
    return {
        "lesion_positive": [sum(row["zone"] == "positive" for row in lesions), len(lesions)],
        "whole_negative": [sum(row["zone"] == "negative" for row in whole), len(whole)],
        "strongest_box_hits": [sum(bool(row["strongest_box_hits"]) for row in lesions), len(lesions)],
        "not_as_expected": [row for row in rows if not row["as_expected"]],
    }
