"""Studies with a lesion that anybody can see: a white block on a dim limb, and the answer about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.builders import STORED_MAXIMUM, Film, write
from wetread.domain import Box
from wetread.infer.decode import read_image
from wetread.infer.prepare import to_display
from wetread.phantom.limb import draw_limb
from wetread.report.capture import build_capture
from wetread.report.encode import to_part10
from wetread.report.gate import check
from wetread.report.results import StudyResult
from wetread.report.structured_report import build_report

# Half way between the limb's brightest and the lesion: there is the lesion's edge, however it is scaled.
EDGE = 178
_DIM = 0.4
INVERSE = {"PhotometricInterpretation": "MONOCHROME1", "PresentationLUTShape": "INVERSE"}


@dataclass(frozen=True, slots=True)
class Lesion:
    """A film and where its white block lies, whole pixels."""

    film: Film
    box: Box


def film_with_lesion(name: str, box: Box, *, rows: int, columns: int, study: str, **more: object) -> Lesion:
    """A limb with a white block on `box`. `more` are elements by keyword; MONOCHROME1 is stored so."""
    limb = cv2.resize(draw_limb(2, broken=False).pixels, (columns, rows), interpolation=cv2.INTER_AREA)
    pixels = (limb * _DIM).astype(np.uint16)
    pixels[round(box.top) : round(box.bottom), round(box.left) : round(box.right)] = STORED_MAXIMUM
    if more.get("PhotometricInterpretation") == "MONOCHROME1":
        pixels = (STORED_MAXIMUM - pixels).astype(np.uint16)
    return Lesion(Film(name, pixels, study=study, more=more), box)


def write_films(folder: Path, lesions: Sequence[Lesion]) -> list[Path]:
    """The films as files."""
    return [write(lesion.film, folder) for lesion in lesions]


def write_answers(folder: Path, result: StudyResult) -> list[Path]:
    """The report and every capture as files, each past the gate."""
    built = [build_report(result)]
    built += [build_capture(image, display_of(image.path), result) for image in result.images]
    paths = []
    for one in built:
        check(one, result)
        paths.append(folder / f"{one.kind.value}-{one.ds.SOPInstanceUID}.dcm")
        paths[-1].write_bytes(to_part10(one.ds))
    return paths


def display_of(path: Path) -> NDArray[np.float32]:
    """The image as shown to a person, 0..1, dense tissue bright."""
    return to_display(read_image(path))
