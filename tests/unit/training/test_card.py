"""The cards say what the files in their bundle say, and nothing else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from training.baselines import measure_baselines
from training.card import watt_hours, write_card
from wetread.config import load_settings
from wetread.evaluate.main import Request, evaluate
from wetread.evaluate.plots import plot_all
from wetread.infer.bundle import find_bundles, load_bundle
from wetread.infer.signature import ANYONE
from wetread.phantom.limb import draw_limb

_MODELS = Path(__file__).parents[3] / "models"
_MEASURED = sorted(path.parents[1] for path in _MODELS.glob("*/*/evaluation/internal_test.json"))
_PHANTOMS = {
    "demo": [],
    "held_out_seeds": [0, 60],
    "held_out": {"lesion_positive": [59, 60], "whole_negative": [58, 60], "strongest_box_hits": [57, 60]},
}


def write_set(folder: Path) -> None:
    """Limbs as a training set and both test sets, sixteen images each."""
    lines = ["file,split,label,boxes_xyxy,body_part,views"]
    folder.mkdir(parents=True)
    for number in range(48):
        split = ("train", "internal_test", "external_test")[number // 16]
        phantom = draw_limb(1 + number // 2, broken=bool(number % 2))
        small = cv2.resize(phantom.pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(folder / f"{number}.png"), np.round(small / 4095 * 255).astype(np.uint8))
        boxes = json.dumps([[edge / 2 for edge in box] for box in phantom.boxes])
        part = ("leg", "hand")[number // 2 % 2]
        lines.append(f'{number}.png,{split},{number % 2},"{boxes}",{part},frontal')
    for name, first, last in (("manifest.csv", 0, 32), ("external_manifest.csv", 32, 48)):
        text = "\n".join([lines[0], *lines[1 + first : 1 + last]]) + "\n"
        (folder / name).write_text(text, encoding="utf-8")


def test_a_card_tells_what_was_measured_and_its_bundle_loads(tmp_path: Path) -> None:
    shipped = next(folder for folder in find_bundles(_MODELS) if folder.parent.name == "fracture")
    bundle = tmp_path / "models" / "fracture" / shipped.name
    shutil.copytree(shipped, bundle)
    write_set(tmp_path / "fracture")
    sets = {
        "internal_test": ("manifest.csv", "internal_test"),
        "external_test": ("external_manifest.csv", "external_test"),
    }
    figures: dict[str, Any] = {}
    for kind in ("evaluation", "figures"):
        (bundle / kind).mkdir(exist_ok=True)
    for name, (manifest, split) in sets.items():
        out = tmp_path / "out" / name
        request = Request(tmp_path / "fracture" / manifest, str(shipped), split, out=out, prevalence=0.1)
        figures[name], _ = evaluate(request, load_settings(home=tmp_path))
        shutil.copy(out / "evaluation.json", bundle / "evaluation" / f"{name}.json")
        for plot, svg in plot_all(figures[name], is_inline=False).items():
            (bundle / "figures" / f"{name}-{plot}.svg").write_text(svg, encoding="utf-8")
    baselines = measure_baselines(tmp_path / "fracture", "fracture", sets)
    (bundle / "baselines.json").write_text(json.dumps(baselines), encoding="utf-8")
    (bundle / "phantoms.json").write_text(json.dumps(_PHANTOMS), encoding="utf-8")

    write_card(bundle)

    card = (bundle / "MODEL_CARD.md").read_text(encoding="utf-8")
    auc = figures["internal_test"]["all"]["auc"]
    assert f"{auc['value']:.3f} [{auc['interval'][0]:.2f}, {auc['interval'][1]:.2f}]" in card
    assert "59 of 60 lesions positive" in card
    assert "![ROC, internal_test](figures/internal_test-roc.svg)" in card
    assert str(tmp_path) not in card
    assert "None was made." in card.split("## Comparison with clinicians")[1]
    assert "MODEL_CARD.md" in load_bundle(bundle, ANYONE).manifest.files


@pytest.mark.parametrize("bundle", _MEASURED, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_shipped_card_is_the_one_that_its_files_make(bundle: Path, tmp_path: Path) -> None:
    copy = tmp_path / bundle.parent.name / bundle.name
    shutil.copytree(bundle, copy)

    write_card(copy)

    assert (copy / "MODEL_CARD.md").read_text("utf-8") == (bundle / "MODEL_CARD.md").read_text("utf-8")


def test_energy_is_power_times_time() -> None:
    assert watt_hours(3600.0, 2) == 30.0
