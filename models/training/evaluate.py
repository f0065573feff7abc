"""Measure a bundle on the test sets: `python -m training.evaluate SETTINGS.toml --help`.

Images are prepared, calibrated and boxed by the service's own code. Nothing is chosen here: run
it once per bundle. Writes evaluation.json into the bundle, and one row per image, for looking at
the misses, into the predictions folder.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from training.boxes import Candidate, count_hits
from training.dataset import Sample, load_split
from training.figures import describe
from training.localisation import Marked, describe_boxes
from training.manifest import seal, write_json
from training.phantom_check import check_phantoms
from training.settings import TrainingSettings, load_settings
from training.speed import measure_speed
from training.subgroups import subgroups_of
from wetread.domain import Zone
from wetread.infer.bundle import Bundle, load_bundle
from wetread.infer.interpret import calibrated, find_boxes
from wetread.infer.prepare import place
from wetread.infer.signature import ANYONE


def read_all(
    candidate: Candidate, bundle: Bundle, samples: list[Sample]
) -> tuple[pd.DataFrame, list[Marked]]:
    """One row per image (truth, probability, zone, facts of the manifest), and its boxes."""
    finding = bundle.manifest.findings[0]
    points = finding.operating_points.to_operating_points()
    answers, marks = [], []
    for sample in samples:
        reading = candidate.read(sample.image)
        probability = calibrated(reading.logit, finding.calibration)
        zone = points.zone(probability)
        rows, columns = sample.image.shape
        placement = place(rows, columns, candidate.spec)
        boxes = find_boxes(reading.heat_map, candidate.spec, placement, threshold=finding.boxes.threshold)
        hits = count_hits(boxes if zone is not Zone.NEGATIVE else (), sample.boxes)
        marks.append(Marked(probability, zone is not Zone.NEGATIVE, boxes, sample.boxes))
        facts = {"label": sample.label, "group": sample.group, "probability": probability, "zone": zone.value}
        answers.append({**sample.facts, **facts, "found": hits.found, "false_boxes": hits.false_boxes})
    return pd.DataFrame(answers), marks


def measure_set(
    settings: TrainingSettings, bundle: Bundle, *, data: Path, split: str, predictions: Path
) -> dict[str, object]:
    """Figures of one test set: all, subgroups, boxes."""
    samples = load_split(data / settings.task, settings.task, split, stored_size=None)
    table, marks = read_all(Candidate(bundle.model_path, settings), bundle, samples)
    predictions.mkdir(parents=True, exist_ok=True)
    table.to_csv(predictions / f"{settings.name}-{split}.csv", index=False)
    points = bundle.manifest.findings[0].operating_points
    facts: dict[str, object] = {"all": describe(table, sensitive=points.sensitive, specific=points.specific)}
    facts["subgroups"] = {
        name: describe(part, sensitive=points.sensitive, specific=points.specific)
        for name, part in subgroups_of(table, settings.task).items()
    }
    if any(len(mark.truth) for mark in marks):
        facts["boxes"] = describe_boxes(marks)
    return facts


def evaluate(settings: TrainingSettings, *, data: Path, folder: Path, predictions: Path) -> None:
    """Measure everything the card tells, and seal the bundle again."""
    bundle = load_bundle(folder, ANYONE)
    facts = {
        split: measure_set(settings, bundle, data=data, split=split, predictions=predictions)
        for split in ("internal_test", "external_test")
    }
    facts["phantoms"] = check_phantoms(settings, bundle)
    facts["speed"] = measure_speed(bundle.model_path, settings.size)
    write_json(folder / "evaluation.json", facts)
    seal(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("settings", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument(
        "--predictions", type=Path, required=True, help="outside the repository: it names images"
    )
    given = parser.parse_args()
    evaluate(
        load_settings(given.settings), data=given.data, folder=given.bundle, predictions=given.predictions
    )


if __name__ == "__main__":
    main()
