"""The head of a result object: its study, and a series of our own."""

from __future__ import annotations

from typing import Final

from pydicom.dataset import Dataset

from wetread.domain import ObjectKind
from wetread.report import identity
from wetread.report.results import ImageResult, StudyResult
from wetread.report.source import side_of

# Laterality must not stand on these, and must on all others, perhaps empty (PS3.3 C.7.3.1, type 2C).
_UNPAIRED: Final = frozenset(
    {
        "ABDOMEN", "CHEST", "COCCYX", "CSPINE", "HEAD", "HEART", "JAW", "LSPINE", "NECK", "PELVIS", "SKULL",
        "SPINE", "SSPINE", "STERNUM", "TSPINE", "WHOLEBODY",
    }
)  # fmt: skip
_MOST: Final = 2**31


def heading(study: StudyResult, kind: ObjectKind, *, modality: str) -> Dataset:
    """Study and series of an object of this kind (PS3.3 C.7.3.1); `stamp` adds the patient."""
    ds = Dataset()
    ds.StudyInstanceUID = study.study
    ds.SeriesInstanceUID = identity.series_uid(study.study, kind)
    ds.SeriesNumber = identity.SERIES_NUMBER[kind]
    ds.SeriesDescription = identity.SERIES_DESCRIPTION
    ds.Modality = modality
    return ds


def add_series(ds: Dataset, image: ImageResult, kind: ObjectKind, *, source: Dataset) -> None:
    """The series of an object about one image, with its body part and side (PS3.3 C.7.3.1).

    What is an image itself says its side itself, as a capture does.
    """
    ds.SeriesInstanceUID = identity.image_series_uid(kind, image)
    part, side = source.get("BodyPartExamined"), side_of(source)
    if part:
        ds.BodyPartExamined = part
    if kind is ObjectKind.HEAT_MAP:
        ds.ImageLaterality = side
    elif part not in _UNPAIRED:
        ds.Laterality = side if side in ("L", "R") else ""


def instance_number(source: Dataset, *, place: int = 0) -> int:
    """The source's own number, so that an object is the same in every revision.

    Where an image has several objects, each has its `place`, 1 to 99, as the last two digits.
    """
    text = str(source.get("InstanceNumber") or "1")
    number = int(text) if text.isdecimal() and 0 < int(text) < _MOST else 1
    if not place:
        return number
    return 100 * number + place if 100 * number + place < _MOST else place


def reference_to(image: ImageResult) -> Dataset:
    """An item that names a source image by class and instance (PS3.3 table 10-11)."""
    item = Dataset()
    item.ReferencedSOPClassUID = image.instance.header.SOPClassUID
    item.ReferencedSOPInstanceUID = image.instance.header.SOPInstanceUID
    return item
