"""Measure bundles on their test sets and write their cards: `python -m training.evaluate --help`.

`make evaluate` runs it. Every figure comes from `wetread evaluate`; nothing is chosen here. Into each bundle
go `evaluation/<split>.json`, `figures/*.svg` (curves, no patient's pixel), phantoms.json, baselines.json and
MODEL_CARD.md; then it is sealed again, and signed when a key is given. Pages with images, and every single
answer, go to the work folder, outside the repository.
"""

from __future__ import annotations

import argparse
import csv
import json
import tomllib
from pathlib import Path

from training.baselines import measure_baselines
from training.card import write_card
from training.phantom_check import check_phantoms
from wetread.config import ModelSettings, WorkerSettings, load_settings
from wetread.errors import Misconfigured
from wetread.evaluate.figures import Figures
from wetread.evaluate.main import Request
from wetread.evaluate.main import evaluate as measure
from wetread.evaluate.plots import plot_all
from wetread.evaluate.records import to_json, write_text
from wetread.evaluate.words import headline
from wetread.infer.bundle import MANIFEST_NAME, find_bundles, load_bundle
from wetread.infer.seal import seal, sign
from wetread.infer.signature import ANYONE, SIGNATURE_NAME, read_key

TEST_SETS = {
    "internal_test": ("manifest.csv", "internal_test"),
    "external_test": ("external_manifest.csv", "external_test"),
}
# Another reader's scores of the same images.
REFERENCE = "ref_"
BY = ("rsna_class",)
PREVALENCE = 0.1


def task_of(name: str) -> str | None:
    """The data folder of a model made here, from its settings file; None for a model from elsewhere."""
    path = Path(__file__).parent / f"{name}.toml"
    if not path.is_file():
        return None
    task: str = tomllib.loads(path.read_text(encoding="utf-8"))["training"]["task"]
    return task


def evaluate_bundle(folder: Path, *, data: Path, work: Path, limit: int | None = None) -> None:
    """Measure one bundle, write everything that its card is made of, and the card; then seal it.

    `folder` is <models>/<name>/<version>; the guard, and older versions to compare with, stand beside it.
    """
    folder = folder.resolve()
    # Not signed yet; one thread, as a card's times are told.
    settings = load_settings(
        models=ModelSettings(path=str(folder.parents[1]), allow_unsigned=True),
        worker=WorkerSettings(threads=1),
    )
    # What stopped half-way before left files that are not listed.
    seal(folder)
    bundle = load_bundle(folder, ANYONE)
    task = task_of(bundle.id.name)
    if task is None:
        raise Misconfigured(f"{bundle.id.name}: no training settings, so no test set")
    measured = {}
    for name, (manifest, split) in TEST_SETS.items():
        out = work / folder.parent.name / name
        figures, page = measure(
            _request(folder, data / task / manifest, split, out=out, limit=limit), settings
        )
        print(*headline(figures), f"page: {page}", sep="\n", flush=True)
        measured[name] = figures
    # Written at the end: until it is sealed again, the bundle does not load.
    for name, figures in measured.items():
        _keep(folder, name, figures)
    write_text(folder / "phantoms.json", to_json(check_phantoms(task, bundle)))
    write_text(folder / "baselines.json", to_json(measure_baselines(data / task, task, TEST_SETS)))
    # An earlier release kept its figures there.
    (folder / "evaluation.json").unlink(missing_ok=True)
    seal(folder)
    write_card(folder)


def _request(folder: Path, manifest: Path, split: str, *, out: Path, limit: int | None) -> Request:
    with manifest.open(encoding="utf-8", newline="") as file:
        columns = csv.DictReader(file).fieldnames or ()
    rivals = [column for column in columns if column.startswith(REFERENCE)]
    older = [path for path in sorted(folder.parent.glob(f"*/{MANIFEST_NAME}")) if path.parent != folder]
    return Request(
        source=manifest,
        model=str(folder),
        split=split,
        out=out,
        prevalence=PREVALENCE,
        compare=(*rivals, *(str(path.parent) for path in older)),
        by=tuple(column for column in BY if column in columns),
        limit=limit,
    )


def _keep(folder: Path, name: str, figures: Figures) -> None:
    """Figures and curves into the bundle; a set of one label has no curves."""
    for kind in ("evaluation", "figures"):
        (folder / kind).mkdir(exist_ok=True)
    write_text(folder / "evaluation" / f"{name}.json", to_json(figures))
    for old in (folder / "figures").glob(f"{name}-*.svg"):
        old.unlink()
    for plot, svg in plot_all(json.loads(to_json(figures)), is_inline=False).items():
        write_text(folder / "figures" / f"{name}-{plot}.svg", svg)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds `chest` and `fracture`")
    parser.add_argument("--models", type=Path, default=Path(__file__).parents[1])
    parser.add_argument("--only", help="one model's name")
    parser.add_argument("--work", type=Path, required=True, help="outside the repository: pages with images")
    parser.add_argument("--key", type=Path, help="private key to sign with: `wetread models keygen`")
    parser.add_argument("--unsigned", action="store_true", help="leave signed bundles without a signature")
    parser.add_argument("--limit", type=int, help="so many images of each set: to try it out, not for a card")
    given = parser.parse_args()
    if not given.data.is_dir():
        parser.exit(2, f"no such folder: {given.data}\n")
    key = read_key(given.key) if given.key else None
    chosen = [
        folder
        for folder in find_bundles(given.models)
        if given.only in (None, folder.parent.name) and task_of(folder.parent.name)
    ]
    # Figures and card are part of what is signed: written anew, the old signature is gone.
    if key is None and not given.unsigned and any((folder / SIGNATURE_NAME).exists() for folder in chosen):
        parser.exit(2, "signed bundles stay so with SIGNING_KEY=file; UNSIGNED=1 goes without\n")
    for folder in chosen:
        evaluate_bundle(folder, data=given.data, work=given.work, limit=given.limit)
        if key is not None:
            sign(folder, key)


if __name__ == "__main__":
    main()
