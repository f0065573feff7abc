"""What an adapter makes of a public set: labelled films, not yet read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

Corners = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Film:
    """One published image with its label.

    `boxes` are left, top, right, bottom in pixels of the published image; with `is_relative` they are
    shares of its width and height. `group` names the patient; where the set names none, whatever comes
    nearest to one, and `is_patient_known` is False. `facts` are further columns of the manifest. A weak
    label (mined from reports, say) never becomes truth.
    """

    path: Path
    label: int
    group: str
    boxes: tuple[Corners, ...] = ()
    is_relative: bool = False
    is_weak: bool = False
    is_patient_known: bool = True
    quality: str = ""
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PublicSet:
    """A public set: `name` in file names, `title` in the manifest, and what its two labels are called.

    `read` takes the folder as published and raises NotAsPublished, in one line, when it is not.
    """

    name: str
    title: str
    licence: str
    negative: str
    positive: str
    read: Callable[[Path], list[Film]]
