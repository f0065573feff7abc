"""From labelled images to a finished bundle: `python -m training.make fracture --data F --run F --models F`.

Train, export, golden cases, speed, evaluation, card, signature: one after the other. Training resumes; the
test sets are read once, at the end.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from training.evaluate import evaluate_bundle
from training.export import export
from training.golden import write_golden
from training.manifest import load_facts
from training.settings import load_settings
from training.speed import write_speed
from training.train import train
from wetread.infer.seal import sign
from wetread.infer.signature import read_key


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="settings file beside this one, without .toml: fracture or pneumonia")
    parser.add_argument("--data", type=Path, required=True, help="folder that holds `chest` and `fracture`")
    parser.add_argument("--run", type=Path, required=True, help="folder of this run: checkpoint, predictions")
    parser.add_argument("--models", type=Path, required=True, help="where bundles stand: <name>/<version>")
    parser.add_argument("--key", type=Path, help="private key to sign with: `wetread models keygen`")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu", help="cpu (default) or cuda")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    path = Path(__file__).parent / f"{given.name}.toml"
    settings, facts = load_settings(path), load_facts(path)
    bundle = given.models / settings.name / facts.version
    train(settings, given.data, given.run, device=given.device)
    export(settings, facts, data=given.data, run_folder=given.run, bundle=bundle)
    write_golden(settings, bundle)
    write_speed(bundle)
    evaluate_bundle(bundle, data=given.data, work=given.run / "evaluation")
    if given.key is not None:
        sign(bundle, read_key(given.key))


if __name__ == "__main__":
    main()
