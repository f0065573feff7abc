"""From pictures to a sealed guard: `python -m training.picture.make --help`.

Views, features, head and distance, thresholds, ONNX, golden cases, measurements, card: one after the other.
The features are kept in the run's folder, and not made again.
"""

from __future__ import annotations

import argparse
import hashlib
import time
import uuid
from pathlib import Path

import cv2
import numpy as np
import tomli_w
import torch

from training.manifest import MANIFEST_NAME, seal, write_json
from training.picture.card import write_card
from training.picture.check import check
from training.picture.films import KINDS
from training.picture.fit import Lessons, Thresholds, answers, choose, fit
from training.picture.golden import write_golden
from training.picture.lessons import View, gather, views
from training.picture.network import SPEC, Backbone, Exported, Extractor, export_onnx
from training.picture.settings import Facts, Settings, load
from wetread.infer.seal import sign
from wetread.infer.signature import read_key

# The held-out fold needs fewer drawings than learning does.
_HELD_SHARE = 0.2


def collect(data: Path, pictures: Path, run: Path, settings: Settings) -> tuple[Lessons, Lessons]:
    """Features of all views, to learn from and held out."""
    paths = [run / f"{name}.npz" for name in ("learn", "held")]
    if not all(path.exists() for path in paths):
        export_onnx(Backbone(), run / "backbone.onnx", ("features",))
        extractor = Extractor(run / "backbone.onnx")
        shares = (1.0, _HELD_SHARE)
        for number, material in enumerate(gather(data, pictures, settings)):
            rng = np.random.default_rng([settings.seed, number])
            shown = views(material, settings, rng, share=shares[number])
            _keep(paths[number], [_described(view, extractor) for view in shown])
    return _load(paths[0]), _load(paths[1])


def _described(view: View, extractor: Extractor) -> tuple[np.ndarray, str, str]:
    return extractor([view.plane])[0][0], view.kind, view.source


def _keep(path: Path, rows: list[tuple[np.ndarray, str, str]]) -> None:
    features, kinds, sources = zip(*rows, strict=True)
    np.savez(path, features=np.array(features), kinds=np.array(kinds), sources=np.array(sources))
    print(f"{path.name}: {len(rows)} views", flush=True)


def _load(path: Path) -> Lessons:
    with np.load(path) as kept:
        return Lessons(kept["features"], kept["kinds"], kept["sources"])


def write_manifest(bundle: Path, facts: Facts, thresholds: Thresholds) -> None:
    """Write model.toml."""
    digest = hashlib.sha256((bundle / "model.onnx").read_bytes()).digest()
    table: dict[str, object] = {
        "schema": 2,
        "name": bundle.parent.name,
        "version": facts.version,
        "title": facts.title,
        "intended_use": facts.intended_use,
        "licence": facts.licence,
        # From the weights (PS3.5 B.2): a retraining gets another Device UID without anyone's care.
        "device_uid": f"2.25.{uuid.UUID(bytes=digest[:16], version=4).int}",
        "input": {key: value for key, value in SPEC.model_dump().items() if key not in ("scale", "polarity")},
        "output": {
            "kind": "picture",
            "logits": "logits",
            "kinds": list(KINDS),
            "least_probability": thresholds.least_probability,
            "distance": "distance",
            "most_distance": thresholds.most_distance,
        },
    }
    (bundle / MANIFEST_NAME).write_text(tomli_w.dumps(table), encoding="utf-8")


def write_record(
    bundle: Path, settings: Settings, learn: Lessons, held: Lessons, *, guard: torch.nn.Module, seconds: float
) -> None:
    """Write training.json: what it was made of, and the held-out fold's figures by source."""
    probabilities, distances = answers(guard, held)  # type: ignore[arg-type]  # a Guard
    said = probabilities.argmax(1)
    fold = {
        str(source): {
            "views": len(at),
            "right_kind": round(float(np.mean([KINDS[said[i]] == held.kinds[i] for i in at])), 4),
            "median_distance": round(float(np.median(distances[at])), 3),
        }
        for source in sorted(set(held.sources))
        for at in [np.flatnonzero(held.sources == source)]
    }
    digest = hashlib.sha256(learn.features.tobytes() + held.features.tobytes()).hexdigest()
    record = {
        "views_learnt_from": len(learn.kinds),
        "views_by_kind": {kind: int(np.sum(learn.kinds == kind)) for kind in KINDS},
        "views_held_out": len(held.kinds),
        "features_sha256": digest,
        "fit_seconds": round(seconds),
        "seed": settings.seed,
        "versions": {"torch": torch.__version__, "opencv": cv2.__version__, "numpy": np.__version__},
        "held_out_fold": fold,
    }
    write_json(bundle / "training.json", record)


def make(data: Path, pictures: Path, run: Path, bundle: Path, settings: Settings, facts: Facts) -> None:
    """Everything up to the sealed bundle."""
    run.mkdir(parents=True, exist_ok=True)
    bundle.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    learn, held = collect(data, pictures, run, settings)
    guard = fit(learn, settings)
    thresholds = choose(guard, held, settings)
    print(thresholds, flush=True)
    export_onnx(Exported(Backbone(), guard), bundle / "model.onnx", ("logits", "distance"))
    write_record(bundle, settings, learn, held, guard=guard, seconds=time.perf_counter() - started)
    write_manifest(bundle, facts, thresholds)
    (bundle / "MODEL_CARD.md").write_text(f"# {facts.title}\n\nNot measured yet.\n", encoding="utf-8")
    seal(bundle)
    write_golden(bundle)
    check(bundle, data=data, pictures=pictures, run=run)
    write_card(bundle)


def main() -> None:
    """Make the guard."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of `chest`, `fracture` and `dicom`")
    parser.add_argument("--pictures", type=Path, required=True, help="unpacked packages of other pictures")
    parser.add_argument("--run", type=Path, required=True, help="outside the repository: features, sheets")
    parser.add_argument("--models", type=Path, required=True, help="where bundles stand: <name>/<version>")
    parser.add_argument(
        "--key", type=Path, help="private key to sign with; without it the bundle is sealed only"
    )
    given = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    settings, facts = load()
    bundle = given.models / "picture" / facts.version
    make(given.data, given.pictures, given.run, bundle, settings, facts)
    if given.key:
        sign(bundle, read_key(given.key))


if __name__ == "__main__":
    main()
