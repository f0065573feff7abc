"""Measures the guard on pictures that it was not made from: `python -m training.picture.check --help`.

Every picture goes the service's road: exposure, network, decision. Writes evaluation.json into the bundle,
and contact sheets of what was turned away wrongly and of what slipped through into the run's folder.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from statsmodels.stats.proportion import proportion_confint

from training.manifest import write_json
from training.picture.drawn import Plane
from training.picture.films import CHEST, LIMB
from training.picture.test_pictures import Shown, in_scope, out_of_scope
from wetread.errors import Rejected
from wetread.infer.bundle import Bundle
from wetread.infer.engine import Engine
from wetread.infer.exposure import check_exposure
from wetread.infer.manifest import PictureSpec
from wetread.infer.picture import check_picture
from wetread.infer.seal import seal

MODELS = {CHEST: "pneumonia", LIMB: "fracture"}
_TILE, _ACROSS = 140, 10
_WARM_UP, _TIMED = 5, 50


@dataclass(slots=True)
class Tally:
    """What became of one set of pictures: how many were let pass, and the reasons of the others."""

    passed: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def figures(self) -> dict[str, object]:
        """Counts, the share turned away and its Wilson interval at 95 %."""
        away, shown = self.reasons.total(), self.reasons.total() + self.passed
        interval = proportion_confint(away, shown, method="wilson")
        return {
            "shown": shown,
            "turned_away": away,
            "rate": round(away / shown, 4),
            "interval": [round(float(edge), 4) for edge in interval],
            "reasons": dict(sorted(self.reasons.items())),
        }


def reason(engine: Engine, name: str, plane: Plane, allowed: str) -> str:
    """Why the model that reads `allowed` does not read this picture; '' when it does."""
    try:
        check_exposure(plane)
        check_picture(engine.picture(name, plane), (allowed,))
    except Rejected as error:
        return error.code
    return ""


def tally(
    engine: Engine, bundle: Bundle, pictures: Iterable[Shown], wrong: list[tuple[Plane, str]]
) -> dict[str, Tally]:
    """Show every picture to the models that it is offered to; `wrong` collects the mistakes."""
    tallies: dict[str, Tally] = {}
    for shown in pictures:
        entry = tallies.setdefault(shown.name, Tally())
        for allowed in shown.offered_to:
            why = reason(engine, bundle.id.name, shown.plane, allowed)
            if why:
                entry.reasons[why] += 1
            else:
                entry.passed += 1
            if bool(why) == shown.is_in_scope:
                wrong.append(
                    (shown.plane, f"{shown.name}>{MODELS[allowed][:4]} {why.removeprefix('picture_')}")
                )
    return tallies


def summed(tallies: Iterable[Tally]) -> Tally:
    """All sets as one."""
    total = Tally()
    for entry in tallies:
        total.passed += entry.passed
        total.reasons.update(entry.reasons)
    return total


def measure(bundle: Bundle, *, data: Path, pictures: Path, run: Path) -> dict[str, object]:
    """Everything the card tells."""
    facts: dict[str, object] = {}
    with Engine([bundle], threads=1) as engine:
        for name, shown in (
            ("in_scope", in_scope(data)),
            ("out_of_scope", out_of_scope(data, pictures)),
        ):
            wrong: list[tuple[Plane, str]] = []
            tallies = tally(engine, bundle, shown, wrong)
            facts[name] = {key: entry.figures() for key, entry in tallies.items()}
            facts[f"{name}_total"] = summed(tallies.values()).figures()
            if name == "in_scope":
                internal = [entry for key, entry in tallies.items() if "internal" in key]
                facts["in_scope_internal"] = summed(internal).figures()
            write_sheet(run / f"{name}-wrong.png", wrong)
        facts["milliseconds"] = _milliseconds(engine, bundle)
    return facts


def _milliseconds(engine: Engine, bundle: Bundle) -> dict[str, float]:
    """Median processor time on one thread, for a film of 2048 x 2500 pixels."""
    plane = np.random.default_rng(1).random((2500, 2048), dtype=np.float32)
    times: dict[str, list[float]] = {"exposure": [], "network": []}
    for turn in range(_WARM_UP + _TIMED):
        started = time.process_time()
        check_exposure(plane)
        looked = time.process_time()
        engine.picture(bundle.id.name, plane)
        if turn >= _WARM_UP:
            times["exposure"].append(looked - started)
            times["network"].append(time.process_time() - looked)
    return {name: round(1e3 * float(np.median(taken)), 1) for name, taken in times.items()}


def write_sheet(path: Path, wrong: list[tuple[Plane, str]]) -> None:
    """Every mistake as a small picture with its name."""
    rows = max(1, -(-len(wrong) // _ACROSS))
    sheet = np.full((rows * (_TILE + 14), _ACROSS * _TILE), 40, np.uint8)
    for number, (plane, title) in enumerate(wrong):
        scale = (_TILE - 4) / max(plane.shape)
        size = (max(1, round(plane.shape[1] * scale)), max(1, round(plane.shape[0] * scale)))
        tile = np.round(255 * cv2.resize(plane, size, interpolation=cv2.INTER_AREA)).astype(np.uint8)
        top, left = (number // _ACROSS) * (_TILE + 14), (number % _ACROSS) * _TILE
        sheet[top : top + size[1], left : left + size[0]] = tile
        at = (left, top + _TILE + 8)
        cv2.putText(sheet, title[:30], at, cv2.FONT_HERSHEY_SIMPLEX, 0.3, 255, 1, cv2.LINE_AA)
    cv2.imwrite(str(path), sheet)


def check(folder: Path, *, data: Path, pictures: Path, run: Path) -> None:
    """Measure a bundle, write evaluation.json and seal it again; it has to be signed anew."""
    bundle = seal(folder)
    assert isinstance(bundle.manifest.output, PictureSpec), "not a guard"
    write_json(folder / "evaluation.json", measure(bundle, data=data, pictures=pictures, run=run))
    seal(folder)


def main() -> None:
    """Measure a bundle that is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, required=True, help="models/picture/<version>")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True, help="outside the repository: it shows images")
    given = parser.parse_args()
    check(given.bundle, data=given.data, pictures=given.pictures, run=given.run)


if __name__ == "__main__":
    main()
