"""Which split each image goes to; a patient stands on one side only, also across the sets of a folder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from training.adapters.groups import Twins, find_twins, held_groups, joined_groups
from training.adapters.store import Stored

TRAIN, TRAIN_WEAK, INTERNAL_TEST, EXTERNAL_TEST = "train", "train_weak", "internal_test", "external_test"


@dataclass(frozen=True, slots=True)
class Plan:
    """Of stored images, by position: their groups, their twins, and the splits of those that get a row."""

    groups: list[str]
    twins: Twins
    splits: dict[int, str]


def make_plan(
    stored: Sequence[Stored], places: dict[str, str], *, folds: int, seed: int, is_external: bool
) -> Plan:
    """Take doubles out, join the groups that share an image, and split; arguments as `plan_splits`."""
    digests = [one.digest for one in stored]
    twins = find_twins(digests, [one.film.label for one in stored])
    groups = joined_groups([one.film.group for one in stored], digests)
    kept = [index for index in range(len(stored)) if index not in twins.doubles | twins.contradictory]
    splits = plan_splits(
        [stored[index] for index in kept],
        [groups[index] for index in kept],
        places,
        folds=folds,
        seed=seed,
        is_external=is_external,
    )
    placed = {index: split for index, split in zip(kept, splits, strict=True) if split is not None}
    return Plan(groups, twins, placed)


def places_of(rows: Iterable[dict[str, str]]) -> dict[str, str]:
    """Where the groups of a manifest stand: training, strong or weak, or a test."""
    return {row["group"]: TRAIN if row["split"] == TRAIN_WEAK else row["split"] for row in rows}


def plan_splits(
    stored: Sequence[Stored],
    groups: Sequence[str],
    places: dict[str, str],
    *,
    folds: int,
    seed: int,
    is_external: bool,
) -> list[str | None]:
    """The split of each image, None for one that may stand nowhere.

    `places` are groups of other sets in the folder. One part in `folds` of the other groups becomes the
    internal test, or everything the external test.
    """
    if is_external:
        return [EXTERNAL_TEST if places.get(group, "") in ("", EXTERNAL_TEST) else None for group in groups]
    held = _held(stored, groups, places, folds=folds, seed=seed)
    return [
        _split(one, places.get(group, INTERNAL_TEST if group in held else TRAIN))
        for one, group in zip(stored, groups, strict=True)
    ]


def _held(
    stored: Sequence[Stored], groups: Sequence[str], places: dict[str, str], *, folds: int, seed: int
) -> frozenset[str]:
    free = [
        (group, one.film.label)
        for one, group in zip(stored, groups, strict=True)
        if not one.film.is_weak and group not in places
    ]
    if not free:
        return frozenset()
    names, labels = zip(*free, strict=True)
    return held_groups(names, labels, folds=folds, seed=seed)


def _split(one: Stored, place: str) -> str | None:
    if place == INTERNAL_TEST and not one.film.is_weak:
        return INTERNAL_TEST
    if place != TRAIN:
        return None
    return TRAIN_WEAK if one.film.is_weak else TRAIN
