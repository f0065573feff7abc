"""A public set, as published, as manifest and small images: `python -m training.adapt SET SOURCE --out F`.

Groups are patients wherever the set names them, and no group is in two splits. Images with the same
pixels are taken once, those with contradictory labels not at all. A folder may hold several sets: run
this once per set; a patient who is in a test split already stays there. The same command again
replaces the set's rows.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from training.adapters import fracatlas, grazpedwri, kermany, nih, rsna
from training.adapters.film import Film, PublicSet
from training.adapters.published import NotAsPublished
from training.adapters.splits import Plan, make_plan, places_of
from training.adapters.store import Store, Stored
from training.adapters.table import Row, rows_of_other_sets, to_row, write
from wetread.errors import Misconfigured, WetreadError

SETS = {one.name: one for one in (fracatlas.SET, grazpedwri.SET, rsna.SET, nih.SET, kermany.SET)}
SEED = 20261121
LEAST_SIZE, LEAST_FOLDS = 64, 2
EXIT_FAILED, EXIT_MISCONFIGURED = 1, 2


@dataclass(frozen=True, slots=True)
class Choices:
    """What the user decides: longest side, split, and whether images may be absent."""

    size: int = 512
    folds: int = 5
    seed: int = SEED
    is_external: bool = False
    is_partial: bool = False

    def __post_init__(self) -> None:
        """Raises Misconfigured for what cannot be meant."""
        if self.size < LEAST_SIZE:
            raise Misconfigured(f"--size {self.size}: a film shows nothing below {LEAST_SIZE} pixels")
        if self.folds < LEAST_FOLDS:
            raise Misconfigured(f"--folds {self.folds}: a test and a training part need {LEAST_FOLDS}")


@dataclass(frozen=True, slots=True)
class Account:
    """What became of every published image."""

    listed: int
    absent: int
    undecodable: list[str]
    doubles: list[str]
    contradictory: list[str]
    patient_stands_elsewhere: int
    patients_unknown: int
    positives_without_a_box: int
    boxes_without_area: int
    taken: dict[str, dict[str, int]]


def adapt(public: PublicSet, source: Path, out: Path, choices: Choices) -> Account:
    """Read the set, store its images below `out` and write the manifest there.

    Raises NotAsPublished when the folder is not the set, Rejected when it cannot be split.
    """
    films = public.read(source)
    present = _present(films, is_partial=choices.is_partial)
    if choices.is_external and any(film.is_weak for film in present):
        raise Misconfigured(f"the labels of {public.title} are too weak for a test: not with --external")
    store = Store(source, out, public.name, choices.size)
    stored, broken = store.put_all(present)
    if not stored:
        raise NotAsPublished(f"none of the {len(present)} images can be decoded, first {present[0].path}")
    others = rows_of_other_sets(out, public)
    plan = make_plan(
        stored,
        places_of(others),
        folds=choices.folds,
        seed=choices.seed,
        is_external=choices.is_external,
    )
    rows = [
        to_row(stored[index], public, split=split, group=plan.groups[index])
        for index, split in plan.splits.items()
    ]
    store.remove(one for index, one in enumerate(stored) if index not in plan.splits)
    write([*others, *rows], out)
    account = _account(stored, plan, rows, listed=len(films), broken=[_name(film, source) for film in broken])
    facts = {"set": public.title, "choices": asdict(choices), **asdict(account)}
    (out / f"adapted-{public.name}.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return account


def _account(stored: list[Stored], plan: Plan, rows: list[Row], *, listed: int, broken: list[str]) -> Account:
    doubles, contradictory = sorted(plan.twins.doubles), sorted(plan.twins.contradictory)
    taken = [stored[index] for index in plan.splits]
    return Account(
        listed=listed,
        absent=listed - len(stored) - len(broken),
        undecodable=broken,
        doubles=[stored[index].published for index in doubles],
        contradictory=[stored[index].published for index in contradictory],
        patient_stands_elsewhere=len(stored) - len(doubles) - len(contradictory) - len(taken),
        patients_unknown=sum(not one.film.is_patient_known for one in taken),
        positives_without_a_box=sum(one.film.label == 1 and not one.boxes for one in taken),
        boxes_without_area=sum(one.lost_boxes for one in taken),
        taken=_count(rows),
    )


def _present(films: list[Film], *, is_partial: bool) -> list[Film]:
    present = [film for film in films if film.path.is_file()]
    if not present:
        raise NotAsPublished("none of the images is there" if films else "the set lists no images")
    if len(present) < len(films) and not is_partial:
        first = next(film.path for film in films if not film.path.is_file())
        raise NotAsPublished(
            f"{len(films) - len(present)} of {len(films)} images are missing, first {first}; "
            "--partial takes those that are there"
        )
    return present


def _count(rows: list[Row]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for row in rows:
        of_split = counts.setdefault(row["split"], {"positive": 0, "negative": 0})
        of_split["positive" if row["label"] == "1" else "negative"] += 1
    return dict(sorted(counts.items()))


def _name(film: Film, source: Path) -> str:
    return film.path.relative_to(source).as_posix()


def told(account: Account) -> list[str]:
    """What a user must know of it, in lines; what did not happen is not told."""
    lines = [
        f"{split}: {counts['positive']} positive, {counts['negative']} negative"
        for split, counts in account.taken.items()
    ]
    told_if_any = {
        "listed but absent": account.absent,
        "left out, cannot be decoded": len(account.undecodable),
        "left out, the same pixels as another": len(account.doubles),
        "left out, the same pixels with both labels": len(account.contradictory),
        "left out, the patient is in another set's split": account.patient_stands_elsewhere,
        "of a patient the set does not name: groups are a guess": account.patients_unknown,
        "positive without a box: they teach no place": account.positives_without_a_box,
    }
    lines += [f"{count} images {words}" for words, count in told_if_any.items() if count]
    if account.boxes_without_area:
        lines.append(f"{account.boxes_without_area} boxes dropped: no area inside their image")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; exit status as `wetread`: 0 done, 1 not done, 2 the folder or a choice is wrong."""
    given = _make_parser().parse_args(arguments)
    try:
        choices = Choices(given.size, given.folds, given.seed, given.external, given.partial)
        account = adapt(SETS[given.set], given.source, given.out, choices)
    except WetreadError as error:
        print(f"adapt: {error}", file=sys.stderr)
        return EXIT_MISCONFIGURED if isinstance(error, Misconfigured) else EXIT_FAILED
    print("\n".join(told(account)))
    print(f"names of what was left out: {given.out / f'adapted-{given.set}.json'}")
    return 0


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="training.adapt",
        description=__doc__,
        epilog="example: python -m training.adapt fracatlas FracAtlas --out data/fracture",
    )
    parser.add_argument("set", choices=sorted(SETS), help="whose form the folder has")
    parser.add_argument("source", type=Path, help="the set's folder, unpacked, as published")
    parser.add_argument("--out", type=Path, required=True, help="gets manifest.csv and images/SET")
    parser.add_argument("--size", type=int, default=512, help="longest side of a stored image in pixels")
    parser.add_argument("--folds", type=int, default=5, help="one part in so many becomes the internal test")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument(
        "--external", action="store_true", help="all of it is an external test (external_manifest.csv)"
    )
    parser.add_argument("--partial", action="store_true", help="take the images that are there")
    return parser


if __name__ == "__main__":
    sys.exit(main())
