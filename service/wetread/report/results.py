"""What the builders are given and what they hand back."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from wetread.domain import Analysis, Finding, Instance, ModelId, ObjectKind, Outcome, SopInstanceUid, StudyUid


@dataclass(frozen=True, slots=True)
class Predecessor:
    """The report that a new revision replaces: its object, the images it was made of, its conclusion.

    `has_comprehensive`: it was made as a Comprehensive SR too, so that one may name the other.
    """

    SOPClassUID: str
    SOPInstanceUID: str
    SeriesInstanceUID: str
    images: frozenset[str] = frozenset()
    answer: str = ""
    has_comprehensive: bool = True


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a network saw what it saw: `heat_map` is (rows, columns), 0..1, spread over the whole image."""

    model: ModelId
    finding: Finding
    heat_map: NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class ImageResult:
    """One input image and every analysis planned for it, all in a terminal state.

    `path` is the source as received, a Part 10 file.
    """

    instance: Instance
    path: Path
    analyses: tuple[Analysis, ...]


@dataclass(frozen=True, slots=True)
class StudyResult:
    """A concluded study revision. `concluded_at` is when the last it is made of was known, epoch seconds.

    The first image lends its patient and study attributes to the study's report.
    """

    study: StudyUid
    revision: int
    outcome: Outcome
    images: tuple[ImageResult, ...]
    concluded_at: float
    predecessor: Predecessor | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """What the gate holds a picture or a map against, beside the object and never sent.

    `film` is the radiograph of a capture, (rows, columns), output pixels, before anything is drawn on it;
    None: the capture is a card and shows none. `stored` are the source's values as `source_pixels` samples
    them, for a source that is not to be read again without decoding it. `window`: the modality
    values that the display shows, where they are the image's own range and no window of the source.
    """

    film: NDArray[np.uint8] | None = None
    stored: NDArray[np.int64] | None = None
    evidence: Evidence | None = None
    window: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class BuiltObject:
    """A result object not yet encoded. `source` is the one image it shows, if it shows one.

    `is_plain`: patient and study come from the ledger, because the source's header could not be used.
    """

    ds: Dataset
    kind: ObjectKind
    source: SopInstanceUid | None
    is_plain: bool = False
    proof: Proof = field(default=Proof(), compare=False, repr=False)
