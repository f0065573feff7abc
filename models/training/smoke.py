"""Does training still run, end to end? `python -m training.smoke`: no data, a minute or two, no good model.

Draws QC phantoms as a data set, takes two steps of each model's last phase, exports, writes golden cases, and
lets the service load and run the bundle. What it gives is thrown away.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch

from training.export import export
from training.golden import write_golden
from training.manifest import load_facts
from training.phantoms import draw_case, to_sample
from training.settings import TrainingSettings, load_settings
from training.train import train
from wetread.infer.bundle import load_bundle
from wetread.infer.engine import Engine
from wetread.infer.signature import ANYONE

HERE = Path(__file__).parent
STEPS, BATCH, PHANTOMS = 2, 4, 2
# Enough groups for every fold to hold both labels.
GROUPS = 12
FIRST_SEED = 20_000


def draw_set(folder: Path, settings: TrainingSettings) -> None:
    """A manifest of phantoms, each whole and with its lesion, in the columns of the model's task."""
    rows = []
    (folder / "images").mkdir(parents=True)
    for seed in range(FIRST_SEED, FIRST_SEED + GROUPS):
        for lesion in (False, True):
            phantom = draw_case(settings.task, seed, lesion=lesion)
            sample = to_sample(phantom, settings.task, seed, stored_size=settings.stored_size)
            file = f"images/{sample.name}.jpg"
            cv2.imwrite(str(folder / file), sample.image)
            boxes = [[round(float(edge), 1) for edge in box] for box in sample.boxes]
            facts = {"body_part": "leg", "views": "frontal", "hardware": "0", "sex": "", "view": "PA"}
            group = f"phantom-{seed}"
            rows.append(
                {"file": file, "split": "train", "label": sample.label, "boxes_xyxy": boxes, "group": group}
                | facts
            )
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file_out:
        writer = csv.DictWriter(file_out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def shorten(settings: TrainingSettings) -> TrainingSettings:
    """Two small steps of the last phase, which sees whole frames."""
    phase = replace(settings.phases[-1], steps=STEPS, batch=BATCH)
    return replace(settings, phases=(phase,), phantoms=PHANTOMS, weak_share=0.0)


def smoke(name: str, folder: Path) -> None:
    """One model through all stations; whatever breaks raises."""
    path = HERE / f"{name}.toml"
    settings, facts = shorten(load_settings(path)), load_facts(path)
    data, run, bundle = folder / "data", folder / "run" / name, folder / "models" / name / facts.version
    draw_set(data / settings.task, settings)
    train(settings, data, run)
    export(settings, facts, data=data, run_folder=run, bundle=bundle)
    write_golden(settings, bundle)
    with Engine([load_bundle(bundle, ANYONE)], threads=1) as engine:
        phantom = draw_case(settings.task, FIRST_SEED, lesion=True)
        reading = engine.read(name, phantom.pixels.astype(np.float32) / np.float32(4095.0))
    probability = reading.findings[0].finding.probability
    assert 0.0 <= probability <= 1.0
    print(f"{name}: trained, exported, loaded and run; probability {probability:.3f} of an untrained network")


def main() -> None:
    parser = argparse.ArgumentParser(prog="training.smoke", description=__doc__)
    parser.add_argument("models", nargs="*", default=["fracture", "pneumonia"])
    given = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        for name in given.models:
            smoke(name, Path(folder))


if __name__ == "__main__":
    main()
