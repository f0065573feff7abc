"""Which split each image goes to; a patient stands on one side only, also across the sets of a folder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from training.adapters.groups import held_groups
from training.adapters.store import Stored

TRAIN, TRAIN_WEAK, INTERNAL_TEST, EXTERNAL_TEST = "train", "train_weak", "internal_test", "external_test"


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
    # A positive without a box would teach the map that nothing is there: side tasks only.
    is_boxless = one.film.label == 1 and not one.boxes
    return TRAIN_WEAK if one.film.is_weak or is_boxless else TRAIN
