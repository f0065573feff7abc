"""From a file to the displayed image, by the service's own road for DICOM; what its header says."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from wetread.domain import ImageHeader
from wetread.errors import Rejected, Unreadable
from wetread.infer.dataset import open_data_set, transfer_syntax_of
from wetread.infer.decode import read_image
from wetread.infer.prepare import to_display
from wetread.route.header import read_header
from wetread.route.rules import Scope, why_not

_MOST_INFLATED_BYTES = 256_000_000
_MOST = {"uint8": 255, "uint16": 65_535}
_PICTURE_STARTS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")


@dataclass(frozen=True, slots=True)
class Picture:
    """One displayed image (rows, columns), 0..1, dense tissue bright, and what its header says of it."""

    display: NDArray[np.float32]
    facts: dict[str, str]
    patient: str = ""


def open_picture(path: Path, scope: Scope) -> Picture:
    """Show one file. A DICOM file must be within the model's scope by its header, as in the service.

    JPEG and PNG carry no header to judge by: their values divided by the greatest are the display.
    Raises Rejected with the code that a report would give.
    """
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith(_PICTURE_STARTS):
        return Picture(_read_picture(path), {})
    return _read_dicom(path, scope)


def open_display(path: Path) -> NDArray[np.float32]:
    """Show one file that `open_picture` has shown before."""
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith(_PICTURE_STARTS):
        return _read_picture(path)
    return to_display(read_image(path))


def _read_picture(path: Path) -> NDArray[np.float32]:
    data = np.fromfile(path, dtype=np.uint8)
    try:
        # Not turned by EXIF: boxes are in pixels of the file as stored.
        grey = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise Unreadable("the picture does not decode") from error
    if grey is None or grey.dtype.name not in _MOST:
        raise Unreadable("the picture does not decode")
    return np.asarray(grey, dtype=np.float32) / np.float32(_MOST[grey.dtype.name])


def _read_dicom(path: Path, scope: Scope) -> Picture:
    with warnings.catch_warnings():
        # pydicom's warnings quote element values.
        warnings.simplefilter("ignore")
        ds = open_data_set(path, most_inflated_bytes=_MOST_INFLATED_BYTES)
        syntax = transfer_syntax_of(ds) if "PixelData" in ds else ""
        header = read_header(ds, transfer_syntax_uid=syntax)
    if no := why_not(header, scope):
        raise OutOfScope(no.text, code=no.reason, header=header)
    return Picture(to_display(read_image(path)), facts_of(header), header.PatientID)


class OutOfScope(Rejected):
    """The header says that the model does not read this image."""

    def __init__(self, message: str, *, code: str, header: ImageHeader) -> None:
        super().__init__(message, code=code)
        self.header = header


def facts_of(header: ImageHeader) -> dict[str, str]:
    """What subgroups may be made of, under the names that a manifest's columns have."""
    age = "" if header.age_years is None else f"{header.age_years:.4g}"
    facts = {
        "age": age,
        "sex": header.PatientSex,
        "view": header.view,
        "body_part": header.body_part,
        "vendor": header.Manufacturer,
    }
    return {name: value for name, value in facts.items() if value}
