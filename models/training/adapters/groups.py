"""Which images are one image, which are one patient, and which patients are held out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import StratifiedGroupKFold

from wetread.errors import Rejected


class Twins(NamedTuple):
    """Positions: images to leave out, since another is the same; and twins whose labels disagree."""

    doubles: frozenset[int]
    contradictory: frozenset[int]


def find_twins(digests: Sequence[str], labels: Sequence[int]) -> Twins:
    """Of equal images the first stays; of those with both labels none does."""
    alike: dict[str, list[int]] = defaultdict(list)
    for position, digest in enumerate(digests):
        alike[digest].append(position)
    doubles: set[int] = set()
    contradictory: set[int] = set()
    for positions in alike.values():
        if len({labels[position] for position in positions}) > 1:
            contradictory.update(positions)
        else:
            doubles.update(positions[1:])
    return Twins(frozenset(doubles), frozenset(contradictory))


def joined_groups(groups: Sequence[str], digests: Sequence[str]) -> list[str]:
    """Groups with an image in common become one, under the name that sorts first."""
    nodes = {name: index for index, name in enumerate(sorted(set(groups)))}
    first: dict[str, int] = {}
    edges = [
        (nodes[group], first.setdefault(digest, nodes[group]))
        for group, digest in zip(groups, digests, strict=True)
    ]
    ends = np.array(edges).reshape(-1, 2).T
    graph = coo_array((np.ones(len(edges)), (ends[0], ends[1])), shape=(len(nodes), len(nodes)))
    parts = connected_components(graph, directed=False)[1]
    names: dict[int, str] = {}
    for name, index in nodes.items():
        names.setdefault(int(parts[index]), name)
    return [names[int(parts[nodes[group]])] for group in groups]


def held_groups(groups: Sequence[str], labels: Sequence[int], *, folds: int, seed: int) -> frozenset[str]:
    """The groups of one of `folds` parts, positives spread evenly; the same seed gives the same part.

    Raises Rejected when there are fewer groups, of either label, than parts.
    """
    of_label: dict[int, set[str]] = defaultdict(set)
    for group, label in zip(groups, labels, strict=True):
        of_label[label].add(group)
    scarce = min((len(members) for members in of_label.values()), default=0)
    if scarce < folds:
        raise Rejected(f"{scarce} groups cannot be split into {folds} parts; ask for fewer (--folds)")
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    held = next(iter(splitter.split(labels, labels, groups)))[1]
    return frozenset(groups[position] for position in held)
