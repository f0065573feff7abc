"""Export a finished run as a bundle: `python -m training.export SETTINGS.toml --data F --run F --bundle F`.

Writes model.onnx, the training record, calibration and thresholds from the held-out fold, and a
manifest. `training.evaluate` and `training.card` follow.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn

from training.boxes import Candidate, choose_threshold
from training.calibrate import choose
from training.dataset import Sample, hold_out, load_split, side_size
from training.manifest import BundleFacts, load_facts, write_manifest
from training.network import LesionNet
from training.settings import TrainingSettings, load_settings
from training.train import Run

OPSET = 18


class Exported(nn.Module):
    """What the service runs: image logits and the map as 0..1."""

    def __init__(self, network: LesionNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits (N, 1) and heat map (N, 1, h, w)."""
        evidence = self.network(image)
        return evidence.logits, torch.sigmoid(evidence.map_logits)


def load_network(settings: TrainingSettings, run_folder: Path) -> LesionNet:
    """The averaged weights of a run."""
    run = Run(settings, run_folder)
    run.resume()
    network = LesionNet(side_targets=side_size(settings.task))
    network.load_state_dict(run.averaged.module.state_dict())
    return network.eval()


def export_onnx(network: LesionNet, size: int, path: Path) -> None:
    """Write one self-contained ONNX file with a free batch axis."""
    example = torch.rand(2, 1, size, size)
    torch.onnx.export(
        Exported(network).eval(),
        (example,),
        str(path),
        input_names=["image"],
        output_names=["logits", "heat_map"],
        dynamic_axes={name: {0: "batch"} for name in ("image", "logits", "heat_map")},
        opset_version=OPSET,
        dynamo=False,
    )
    onnx.checker.check_model(onnx.load(str(path)), full_check=True)


def held_out_fold(settings: TrainingSettings, data: Path) -> list[Sample]:
    """The fold that training never saw, at stored resolution as the tests are."""
    samples = load_split(data / settings.task, settings.task, "train", stored_size=None)
    return hold_out(samples, folds=settings.folds, seed=settings.seed)[1]


def export(
    settings: TrainingSettings, facts: BundleFacts, *, data: Path, run_folder: Path, bundle: Path
) -> None:
    """Export, calibrate, choose thresholds, write the manifest."""
    bundle.mkdir(parents=True, exist_ok=True)
    export_onnx(load_network(settings, run_folder), settings.size, bundle / "model.onnx")
    if (run_folder / "record.json").exists():
        shutil.copy(run_folder / "record.json", bundle / "training.json")
    held = held_out_fold(settings, data)
    candidate = Candidate(bundle / "model.onnx", settings)
    readings = [candidate.read(sample.image) for sample in held]
    logits = np.array([reading.logit for reading in readings])
    labels = np.array([sample.label for sample in held])
    choice = choose(logits, labels, sensitivity=facts.sensitivity, specificity=facts.specificity)
    least_logit = (np.log(choice.sensitive / (1 - choice.sensitive)) - choice.b) / choice.a
    threshold, table = choose_threshold(candidate, held, readings, least_logit=float(least_logit))
    record = {
        "fold_images": len(held),
        "fold_positives": int(labels.sum()),
        "platt": [choice.a, choice.b],
        "sensitive": choice.sensitive,
        "specific": choice.specific,
        "box_threshold": threshold,
        "box_threshold_tried": table,
    }
    (bundle / "calibration.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    if not (bundle / "MODEL_CARD.md").exists():
        (bundle / "MODEL_CARD.md").write_text(f"# {facts.title}\n\nNot evaluated yet.\n", encoding="utf-8")
    write_manifest(bundle, facts, settings, choice=choice, box_threshold=threshold)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("settings", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--bundle", type=Path, required=True, help="models/<name>/<version>")
    given = parser.parse_args()
    torch.set_num_threads(1)
    export(
        load_settings(given.settings),
        load_facts(given.settings),
        data=given.data,
        run_folder=given.run,
        bundle=given.bundle,
    )


if __name__ == "__main__":
    main()
