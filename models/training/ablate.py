"""The ablation table: `python -m training.ablate fracture --data F --run F [--only ROW]`.

Trains every row of ablations.toml at its reduced budget, scores it on the held-out group fold, and writes
ablations.json and ABLATIONS.md after each, beside this file; with another budget (--steps, --size), into RUN.
Stopped at any moment, the same command goes on: rows that were run with the same settings are kept, one that
was cut off resumes from its checkpoint. RUN must lie outside the repository: it holds per-image scores.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from training.ablation_table import AblationTable
from training.boxes import input_spec, to_grey
from training.dataset import hold_out, load_split
from training.export import load_network
from training.intervals import auc_interval, auc_of, difference_interval
from training.record import describe_surroundings
from training.scoring import peak_in_box, read
from training.settings import TrainingSettings, load_settings
from training.train import train
from training.variants import Budget, Variant, digest_of, load_plan, vary
from wetread.errors import Misconfigured
from wetread.infer.prepare import to_input

HERE = Path(__file__).parent
SCORES = "held_out.csv"
EXIT_MISCONFIGURED = 2
Row = dict[str, object]


def score_held_out(settings: TrainingSettings, data: Path, run: Path) -> pd.DataFrame:
    """One row per image of the held-out fold: label, group, logit, `hit`: the map's peak lies in a box."""
    network = load_network(settings, run)
    samples = load_split(data / settings.task, settings.task, "train", stored_size=settings.stored_size)
    spec = input_spec(settings)
    rows = []
    for sample in hold_out(samples, folds=settings.folds, seed=settings.seed)[1]:
        logit, cells = read(network, to_input(to_grey(sample.image), spec))
        hit = float(peak_in_box(cells, sample, settings)) if sample.label == 1 else float("nan")
        rows.append({"label": sample.label, "group": sample.group, "logit": logit, "hit": hit})
    return pd.DataFrame(rows)


def run_row(variant: Variant, settings: TrainingSettings, *, data: Path, run: Path, first: Path) -> Row:
    """Train and score one row; `first` is the folder of the row that the others are compared with."""
    train(settings, data, run)
    scores = score_held_out(settings, data, run)
    scores.to_csv(run / SCORES, index=False)
    record = json.loads((run / "record.json").read_text(encoding="utf-8"))
    labels, groups = scores["label"].to_numpy(np.int64), list(scores["group"])
    logits = scores["logit"].to_numpy(np.float64)
    row: Row = {
        "name": variant.name,
        "why": variant.why,
        "settings_sha256": digest_of(settings),
        "set": variant.set,
        "phases": variant.phases,
        "auc": round(auc_of(labels, logits), 4),
        "auc_interval": auc_interval(labels, logits, groups),
        "difference": None,
        "difference_interval": None,
        "peak_in_box": round(float(scores["hit"].mean()), 4),
        "seconds": record["seconds"],
        "data_sha256": record["data_sha256"],
        **describe_surroundings(),
    }
    if run != first:
        others = pd.read_csv(first / SCORES)["logit"].to_numpy(np.float64)
        row["difference"] = round(auc_of(labels, logits) - auc_of(labels, others), 4)
        row["difference_interval"] = difference_interval(labels, logits, others, groups)
    return row


def ablate(model: str, *, data: Path, run: Path, only: str | None, budget: Budget | None) -> None:
    """Run the rows that are not there yet; another `budget` than that of ablations.toml is a trial."""
    folder = HERE if budget is None else run
    planned, variants = load_plan(HERE / "ablations.toml", model)
    budget = budget or planned
    settings = load_settings(HERE / f"{model}.toml")
    # All rows are made before the first is trained: a wrong name is told now, not after an hour.
    rows = {variant.name: (variant, vary(settings, variant, budget)) for variant in variants}
    if only is not None and only not in rows:
        raise Misconfigured(f"no row is called '{only}'; there are: {', '.join(rows)}")
    digests = {name: digest_of(varied) for name, (_, varied) in rows.items()}
    results = AblationTable(folder, model, budget, digests)
    first = run / f"{variants[0].slug}-{digests[variants[0].name][:8]}"
    for name, (variant, varied) in rows.items():
        is_wanted = only is None or name in (only, variants[0].name)
        if not is_wanted or results.has(name):
            continue
        print(f"{model}: {name}", flush=True)
        place = run / f"{variant.slug}-{digests[name][:8]}"
        row = run_row(variant, varied, data=data, run=place, first=first)
        results.add(row, pd.read_csv(place / SCORES))


def main() -> int:
    parser = argparse.ArgumentParser(prog="training.ablate", description=__doc__)
    parser.add_argument("model", help="settings file beside this one, without .toml: fracture or pneumonia")
    parser.add_argument("--data", type=Path, required=True, help="folder that holds `chest` and `fracture`")
    parser.add_argument("--run", type=Path, required=True, help="folder of the rows' runs")
    parser.add_argument("--only", metavar="ROW", help="this row alone, after the first if that is not there")
    parser.add_argument("--steps", type=int, help="instead of the budget in ablations.toml")
    parser.add_argument("--size", type=int, help="instead of the budget in ablations.toml")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    try:
        ablate(given.model, data=given.data, run=given.run, only=given.only, budget=_budget(given))
    except Misconfigured as error:
        print(f"ablate: {error}", file=sys.stderr)
        return EXIT_MISCONFIGURED
    return 0


def _budget(given: argparse.Namespace) -> Budget | None:
    if given.steps is None and given.size is None:
        return None
    planned = load_plan(HERE / "ablations.toml", given.model)[0]
    return Budget(given.steps or planned.steps, given.size or planned.size)


if __name__ == "__main__":
    sys.exit(main())
