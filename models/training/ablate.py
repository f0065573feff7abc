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
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from training.ablation_table import AblationTable
from training.export import load_network
from training.fold import held_out_fold, to_grey
from training.intervals import auc_interval, auc_of, difference_interval
from training.manifest import input_spec
from training.readout import Exported
from training.record import describe_surroundings
from training.scoring import peak_in_box
from training.settings import TrainingSettings, load_settings
from training.train import train
from training.variants import Budget, Variant, digest_of, load_plan, vary
from wetread.errors import Misconfigured
from wetread.infer.prepare import to_input

HERE = Path(__file__).parent
EXIT_MISCONFIGURED = 2
Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Place:
    """Where images lie, where runs are kept, and what trains them: cpu or cuda."""

    data: Path
    run: Path
    device: str


@torch.no_grad()
def score_held_out(settings: TrainingSettings, data: Path, run: Path) -> pd.DataFrame:
    """One row per image of the held-out fold, read by the graph that the service gets.

    Columns: label, group, logit, and `hit`, whether the map's peak lies in a box (NaN without boxes).
    """
    graph = Exported(
        load_network(settings, run), flips=settings.flips, image_share=settings.image_share
    ).eval()
    spec = input_spec(settings)
    rows = []
    for sample in held_out_fold(settings, data, stored_size=settings.stored_size):
        image = torch.tensor(to_input(to_grey(sample.image), spec))
        logits, heat_map = graph(image)[:2]
        has_boxes = len(sample.boxes) > 0
        hit = float(peak_in_box(heat_map[0, 0].numpy(), sample, settings)) if has_boxes else float("nan")
        rows.append({"label": sample.label, "group": sample.group, "logit": float(logits[0, 0]), "hit": hit})
    return pd.DataFrame(rows)


def folder_of(settings: TrainingSettings, run: Path) -> Path:
    """Where weights with these settings are trained; the mirror image needs none of its own."""
    return run / digest_of(replace(settings, flips=False))[:12]


def scores_of(settings: TrainingSettings, run: Path) -> Path:
    """The per-image scores of one row."""
    return run / f"{digest_of(settings)[:12]}.csv"


def run_row(
    variant: Variant, settings: TrainingSettings, first: TrainingSettings, *, place: Place
) -> tuple[Row, pd.DataFrame]:
    """Train and score one row; `first` are the settings of the row that the others are compared with."""
    run = folder_of(settings, place.run)
    train(settings, place.data, run, device=place.device)
    scores = score_held_out(settings, place.data, run)
    scores.to_csv(scores_of(settings, place.run), index=False)
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
    if settings != first:
        others = pd.read_csv(scores_of(first, place.run))["logit"].to_numpy(np.float64)
        row["difference"] = round(auc_of(labels, logits) - auc_of(labels, others), 4)
        row["difference_interval"] = difference_interval(labels, logits, others, groups)
    return row, scores


def ablate(model: str, place: Place, *, only: str | None, budget: Budget | None) -> None:
    """Run the rows that are not there yet; another `budget` than that of ablations.toml is a trial."""
    planned, variants = load_plan(HERE / "ablations.toml", model)
    settings = load_settings(HERE / f"{model}.toml")
    # All rows are made before the first is trained: a wrong name is told now, not after an hour.
    rows = {variant.name: (variant, vary(settings, variant, budget or planned)) for variant in variants}
    if only is not None and only not in rows:
        raise Misconfigured(f"no row is called '{only}'; there are: {', '.join(rows)}")
    place.run.mkdir(parents=True, exist_ok=True)
    digests = {name: digest_of(varied) for name, (_, varied) in rows.items()}
    table = AblationTable(HERE if budget is None else place.run, model, budget or planned, digests)
    first = variants[0].name
    for name, (variant, varied) in rows.items():
        if table.has(name) or (only is not None and name not in (first, only)):
            continue
        print(f"{model}: {name}", flush=True)
        table.add(*run_row(variant, varied, rows[first][1], place=place))


def main() -> int:
    parser = argparse.ArgumentParser(prog="training.ablate", description=__doc__)
    parser.add_argument("model", help="settings file beside this one, without .toml: fracture or pneumonia")
    parser.add_argument("--data", type=Path, required=True, help="folder that holds `chest` and `fracture`")
    parser.add_argument("--run", type=Path, required=True, help="folder of the rows' runs")
    parser.add_argument("--only", metavar="ROW", help="this row alone, after the first if that is not there")
    parser.add_argument("--steps", type=int, help="instead of the budget in ablations.toml")
    parser.add_argument("--size", type=int, help="instead of the budget in ablations.toml")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu", help="cpu (default) or cuda")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    try:
        place = Place(given.data, given.run, given.device)
        ablate(given.model, place, only=given.only, budget=_budget(given))
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
