"""A source image's header, made fit to lend its patient and study to a result object."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Final

import pydicom
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from wetread.errors import Unreadable

# Patient, General Study and Patient Study modules (PS3.3 C.7.1.1, C.7.2.1, C.7.2.2). Type 2 stay, empty.
_IDENTITY_TYPE_2: Final = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime",
    "AccessionNumber", "ReferringPhysicianName", "StudyID",
)  # fmt: skip
_IDENTITY_TYPE_3: Final = (
    "IssuerOfPatientID", "PatientBirthTime", "OtherPatientNames", "EthnicGroup", "PatientComments",
    "StudyDescription", "PhysiciansOfRecord", "NameOfPhysiciansReadingStudy", "AdmittingDiagnosesDescription",
    "PatientAge", "PatientSize", "PatientWeight", "Occupation", "AdditionalPatientHistory",
    "PatientIdentityRemoved", "DeidentificationMethod",
)  # fmt: skip
_IMAGE: Final = (
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Rows", "Columns",
    "InstanceNumber", "BodyPartExamined", "Laterality", "ImageLaterality", "PatientOrientation",
    "PixelSpacing", "PixelSpacingCalibrationType", "PixelSpacingCalibrationDescription", "ImagerPixelSpacing",
    "PixelAspectRatio", "LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod",
    "TimezoneOffsetFromUTC",
)  # fmt: skip
_REQUEST: Final = ("RequestedProcedureID", "RequestedProcedureDescription", "AccessionNumber")

# Longest value in characters by value representation (PS3.5 table 6.2-1).
_LONGEST: Final = {"LO": 64, "SH": 16, "CS": 16, "LT": 10240, "ST": 1024, "PN": 64, "DS": 16, "IS": 12}
_TIME: Final = re.compile(r"([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?")
_SEXES: Final = ("M", "F", "O")
# Only these characters may stand in a code string (PS3.5 table 6.2-1).
_CODE_STRING: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _")


def quiet() -> warnings.catch_warnings[None]:
    """A block in which pydicom and highdicom do not warn: they quote values, which are patient data."""
    return warnings.catch_warnings(action="ignore")


def read_source(path: Path) -> Dataset:
    """The header of one source image as a fresh data set, in UTF-8 and valid by value.

    Holds the patient and study attributes, type 2 ones empty where the source lacks them, and what the
    builders need of the image. A value that its representation forbids is dropped (a type 2 one
    emptied), never cut: half an accession number is somebody else's. UIDs stand as they are.
    Text is decoded by the source's character sets, any script, and the result says ISO_IR 192.
    Raises Unreadable.
    """
    try:
        with quiet():
            return _normalise(pydicom.dcmread(path, stop_before_pixels=True, force=True))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, NotImplementedError) as error:
        raise Unreadable(f"the source header cannot be read: {type(error).__name__}") from error


def local_zone(source: Dataset) -> tzinfo | None:
    """The time zone the source states; None where it states none (then: this machine's)."""
    text = str(source.get("TimezoneOffsetFromUTC", ""))
    if len(text) != 5 or text[0] not in "+-" or not text[1:].isdigit():
        return None
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[3:5]))
    return timezone(offset if text[0] == "+" else -offset)


def local_time(epoch_s: float, source: Dataset) -> datetime:
    """A moment in the source's time zone, so that all times of an object share one (PS3.3 C.12.1.1.8)."""
    return datetime.fromtimestamp(epoch_s, tz=local_zone(source)).astimezone(local_zone(source))


def pixel_aspect(source: Dataset) -> float:
    """Height of one pixel over its width, 1.0 where the source does not say (PS3.3 C.7.6.3.1.7)."""
    for keyword in ("PixelSpacing", "ImagerPixelSpacing", "PixelAspectRatio"):
        pair = _positive_pair(source.get(keyword))
        if pair:
            return pair[0] / pair[1]
    return 1.0


def pixel_spacing_mm(source: Dataset) -> tuple[float, float] | None:
    """Rows' and columns' spacing in the patient (calibrated), or None. Zero is not a spacing."""
    return _positive_pair(source.get("PixelSpacing"))


def _normalise(ds: Dataset) -> Dataset:
    made = Dataset()
    made.SpecificCharacterSet = "ISO_IR 192"
    for keyword in _IDENTITY_TYPE_2:
        setattr(made, keyword, _valid(ds, keyword) or "")
    for keyword in (*_IDENTITY_TYPE_3, *_IMAGE):
        value = _valid(ds, keyword)
        if value is not None:
            setattr(made, keyword, value)
    if made.PatientSex not in _SEXES:
        made.PatientSex = ""
    if "DeidentificationMethod" not in made:
        # Without its method the flag is not allowed to stand (PS3.3 table C.7-1, type 1C).
        made.pop("PatientIdentityRemoved", None)
    requests = [_request(item) for item in ds.get("RequestAttributesSequence") or ()]
    if any("RequestedProcedureID" in item for item in requests):
        made.RequestAttributesSequence = requests
    return made


def _request(item: Dataset) -> Dataset:
    made = Dataset()
    for keyword in _REQUEST:
        value = _valid(item, keyword)
        if value is not None:
            setattr(made, keyword, value)
    return made


def _valid(ds: Dataset, keyword: str) -> object | None:
    """The value where its representation allows it; None where absent, empty or not allowed."""
    value = ds.get(keyword)
    if value is None or value == "":
        return None
    vr = dictionary_VR(keyword)
    if isinstance(value, MultiValue):
        return _valid_list(value, vr)
    if vr in ("US", "UI"):
        return value if vr == "UI" or isinstance(value, int) else None
    text = _printable(str(value))
    return text if text and _is_allowed(text, vr) else None


def _valid_list(values: Iterable[object], vr: str) -> object | None:
    if vr == "DS":
        return [float(str(value)) for value in values]
    texts = [_printable(str(value)) for value in values]
    return texts if all(text and _is_allowed(text, vr) for text in texts) else None


def _is_allowed(text: str, vr: str) -> bool:
    if vr == "DA":
        return _is_date(text)
    if vr == "TM":
        return _TIME.fullmatch(text) is not None
    if vr == "PN":
        return text.count("=") <= 2 and all(len(group) <= _LONGEST["PN"] for group in text.split("="))
    if vr == "CS" and not _CODE_STRING.issuperset(text):
        return False
    if vr in ("DS", "IS") and not text.lstrip("+-").replace(".", "", 1).isdigit():
        return False
    if vr == "AS":
        return len(text) == 4 and text[:3].isdigit() and text[3] in "DWMY"
    return len(text) <= _LONGEST.get(vr, 64)


def _is_date(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y%m%d")
    except ValueError:
        return False
    return len(text) == 8


def _printable(text: str) -> str:
    """Without control characters and the spaces around."""
    return "".join(letter for letter in text if letter.isprintable()).strip()


def _positive_pair(value: object) -> tuple[float, float] | None:
    if not isinstance(value, list | MultiValue) or len(value) != 2:
        return None
    first, second = float(value[0]), float(value[1])
    # Spacings under a micrometre are a vendor's way of writing "unknown" (seen: 0.000\\0.000).
    return (first, second) if min(first, second) > 1e-3 else None
