"""Read what routing needs from a header, normalised; never fails on an odd value, only on a missing UID."""

from __future__ import annotations

import re
from datetime import date

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence

from wetread.domain import ImageHeader, SopInstanceUid, StudyUid, agreed_side
from wetread.errors import Unreadable
from wetread.route.anatomy import find_body_part
from wetread.route.element import is_uid, read_value

_AGE = re.compile(r"([0-9]{1,3})([DWMY])")
_YEARS = {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1.0}
# DX, mammography, intra-oral for processing: raw detector data, not made for eyes (PS3.3 A.26 to A.28).
_FOR_PROCESSING = {
    "1.2.840.10008.5.1.4.1.1.1.1.1",
    "1.2.840.10008.5.1.4.1.1.1.2.1",
    "1.2.840.10008.5.1.4.1.1.1.3.1",
}
_ANIMAL_TAGS = (
    "PatientSpeciesDescription",
    "PatientSpeciesCodeSequence",
    "PatientBreedDescription",
    "PatientBreedCodeSequence",
)
# PS3.16 CID 7454: Homo sapiens, in SNOMED CT and in the older SNOMED RT.
_HUMAN_CODES = {"337915000", "L-85B00"}
_ANIMAL_MAKERS = ("IDEXX", "VETRAY", "SOUND TECHNOLOGIES", "ANTECH")


def read_header(ds: Dataset, *, transfer_syntax_uid: str) -> ImageHeader:
    """Turn a data set, pixels not needed, into the header that rules and people see.

    Raises Unreadable when the study, series or instance UID is missing or malformed.
    """
    return ImageHeader(
        SOPClassUID=_uid(ds, "SOPClassUID"),
        SOPInstanceUID=SopInstanceUid(_uid(ds, "SOPInstanceUID")),
        StudyInstanceUID=StudyUid(_uid(ds, "StudyInstanceUID")),
        SeriesInstanceUID=_uid(ds, "SeriesInstanceUID"),
        TransferSyntaxUID=transfer_syntax_uid,
        Modality=_text(ds, "Modality").upper(),
        body_part=find_body_part(ds),
        view=_find_view(ds),
        laterality=agreed_side(_text(ds, "ImageLaterality").upper()[:1], _text(ds, "Laterality").upper()[:1]),
        age_years=_find_age(ds),
        PhotometricInterpretation=_text(ds, "PhotometricInterpretation").upper(),
        Rows=_number(ds, "Rows", 0),
        Columns=_number(ds, "Columns", 0),
        BitsStored=_number(ds, "BitsStored", 0),
        SamplesPerPixel=_number(ds, "SamplesPerPixel", 1),
        frames=_number(ds, "NumberOfFrames", 1),
        has_pixel_data="PixelData" in ds or "FloatPixelData" in ds,
        is_presentation=_text(ds, "SOPClassUID") not in _FOR_PROCESSING
        and _text(ds, "PresentationIntentType").upper() != "FOR PROCESSING",
        is_human=_is_human(ds),
        is_urgent=_text(ds, "RequestedProcedurePriority").upper() in {"STAT", "HIGH"},
        Manufacturer=_text(ds, "Manufacturer")[:64],
        StudyDate=_text(ds, "StudyDate")[:8],
        StudyTime=_text(ds, "StudyTime")[:14],
        StudyDescription=_text(ds, "StudyDescription")[:64],
        AccessionNumber=_text(ds, "AccessionNumber")[:64],
        PatientID=_text(ds, "PatientID")[:64],
        PatientName=_text(ds, "PatientName")[:324],
        PatientBirthDate=_text(ds, "PatientBirthDate")[:8],
        PatientSex=_text(ds, "PatientSex")[:16],
    )


def _text(ds: Dataset, keyword: str) -> str:
    """The first value as stripped text without control characters; '' when absent or unreadable."""
    value = read_value(ds, keyword)
    if isinstance(value, (MultiValue, list, tuple)):
        value = value[0] if value else ""
    text = "" if value is None else str(value)
    return "".join(character for character in text if character.isprintable()).strip()


def _uid(ds: Dataset, keyword: str) -> str:
    value = _text(ds, keyword)
    if not is_uid(value):
        # The value is not repeated: it may be an attack on whoever reads the log.
        raise Unreadable(f"{keyword} is missing or malformed", code="uid_malformed")
    return value


def _number(ds: Dataset, keyword: str, default: int) -> int:
    try:
        return max(0, int(_text(ds, keyword) or default))
    except ValueError:
        return 0


def _find_view(ds: Dataset) -> str:
    return _text(ds, "ViewPosition").upper()[:16]


def _find_age(ds: Dataset) -> float | None:
    match = _AGE.fullmatch(_text(ds, "PatientAge").upper())
    if match:
        return int(match[1]) * _YEARS[match[2]]
    born, taken = _date(_text(ds, "PatientBirthDate")), _date(_text(ds, "StudyDate"))
    if born and taken and taken >= born:
        return (taken - born).days / 365.25
    return None


def _date(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return None


def _is_human(ds: Dataset) -> bool:
    if _text(ds, "PatientSpeciesDescription").upper() in {"HOMO SAPIENS", "HUMAN"}:
        return True
    species = read_value(ds, "PatientSpeciesCodeSequence")
    if isinstance(species, Sequence) and any(_text(item, "CodeValue") in _HUMAN_CODES for item in species):
        return True
    maker = _text(ds, "Manufacturer").upper()
    return not any(tag in ds for tag in _ANIMAL_TAGS) and not maker.startswith(_ANIMAL_MAKERS)
