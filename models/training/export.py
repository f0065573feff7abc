"""Export a finished run as a bundle: `python -m training.export SETTINGS.toml --data F --run F --bundle F`.

Writes model.onnx, the training record, calibration and thresholds from the held-out fold, and a
manifest.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import onnx
import torch

from training.calibrate import Choice
from training.curves import CURVE_NAME, write_curve
from training.dataset import side_size
from training.fold import choose_on_fold, held_out_fold, read_fold
from training.manifest import BundleFacts, load_facts, write_json, write_manifest
from training.network import LesionNet
from training.readout import Exported
from training.settings import TrainingSettings, load_settings
from training.train import Run

OPSET = 18
OUTPUTS = ("logits", "heat_map", "boxes", "scores")
# Until the fold has been read: the network's own numbers, every place, all zones open.
PLAIN = Choice(a=1.0, b=0.0, sensitive=0.0, specific=1.0)
LEAST_SCORE = 0.01


def load_network(settings: TrainingSettings, run_folder: Path) -> LesionNet:
    """The averaged weights of a run."""
    run = Run(settings, run_folder)
    run.resume()
    network = LesionNet(backbone=settings.backbone, side_targets=side_size(settings.task))
    network.load_state_dict(run.averaged.module.state_dict())
    return network.eval()


def export_onnx(network: LesionNet, settings: TrainingSettings, path: Path) -> None:
    """Write one self-contained ONNX file with a free batch axis."""
    example = torch.rand(2, 1, settings.size, settings.size)
    torch.onnx.export(
        Exported(network, flips=settings.flips, image_share=settings.image_share).eval(),
        (example,),
        str(path),
        input_names=["image"],
        output_names=list(OUTPUTS),
        dynamic_axes={name: {0: "batch"} for name in ("image", *OUTPUTS)},
        opset_version=OPSET,
        dynamo=False,
    )
    onnx.checker.check_model(onnx.load(str(path)), full_check=True)


def export(
    settings: TrainingSettings, facts: BundleFacts, *, data: Path, run_folder: Path, bundle: Path
) -> None:
    """Export, calibrate, choose thresholds, write the manifest."""
    bundle.mkdir(parents=True, exist_ok=True)
    export_onnx(load_network(settings, run_folder), settings, bundle / "model.onnx")
    if (run_folder / "record.json").exists():
        shutil.copy(run_folder / "record.json", bundle / "training.json")
        write_curve(bundle / "training.json", bundle / CURVE_NAME)
    if not (bundle / "MODEL_CARD.md").exists():
        (bundle / "MODEL_CARD.md").write_text(f"# {facts.title}\n\nNot evaluated yet.\n", encoding="utf-8")
    write_manifest(bundle, facts, settings, choice=PLAIN, box_threshold=LEAST_SCORE)
    held = held_out_fold(settings, data)
    choice, threshold, record = choose_on_fold(facts, held, read_fold(bundle, held))
    record |= {"flips": settings.flips, "image_share": settings.image_share}
    write_json(bundle / "calibration.json", record)
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
