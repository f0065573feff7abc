"""A source image's header, made fit to lend its patient and study to a result object."""

from __future__ import annotations

import errno
import math
import re
import struct
import warnings
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Final, TypeAlias

import pydicom
from pydicom.datadict import dictionary_VM, dictionary_VR
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence

from wetread.domain import agreed_side
from wetread.errors import Transient, Unreadable
from wetread.report.results import ImageResult

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
IDENTITY: Final = (*_IDENTITY_TYPE_2, *_IDENTITY_TYPE_3)
# Of these the ledger keeps the header's text.
_NOTED: Final = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime",
    "AccessionNumber", "StudyDescription",
)  # fmt: skip
_REQUEST: Final = (
    "RequestedProcedureID", "RequestedProcedureDescription", "AccessionNumber",
    "ReasonForTheRequestedProcedure",
)  # fmt: skip
_CODE_FILLED: Final = ("CodeValue", "CodingSchemeDesignator", "CodeMeaning")
_CODE: Final = (*_CODE_FILLED, "CodingSchemeVersion")

# Longest value in characters by value representation (PS3.5 table 6.2-1).
_LONGEST: Final = {"LO": 64, "SH": 16, "CS": 16, "LT": 10240, "ST": 1024, "PN": 64, "DS": 16, "IS": 12}
_TIME: Final = re.compile(r"([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?", re.ASCII)
_DATE: Final = re.compile(r"\d{8}", re.ASCII)
_AGE: Final = re.compile(r"\d{3}[DWMY]", re.ASCII)
_OFFSET: Final = re.compile(r"[+-]\d{4}", re.ASCII)
_NUMBER: Final = {
    "DS": re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([Ee][+-]?\d+)?", re.ASCII),
    "IS": re.compile(r"[+-]?\d+", re.ASCII),
}
_DAY: Final = timedelta(hours=24)
# What pydicom raises on bytes that their representation does not allow: it converts on first access.
_ODD: Final = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, NotImplementedError)
UNREADABLE: Final = (*_ODD, OSError, EOFError, RecursionError, struct.error, zlib.error)
# Image Laterality: left, right, both, of a part that is not paired (PS3.3 C.7.6.1).
_SIDES: Final = ("L", "R", "B", "U")
_SEXES: Final = ("M", "F", "O")
# Only these characters may stand in a code string (PS3.5 table 6.2-1).
_CODE_STRING: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _")


Sources: TypeAlias = Callable[[ImageResult], Dataset]


def quiet() -> warnings.catch_warnings[None]:
    """A block in which pydicom and highdicom do not warn: they quote values, which are patient data."""
    return warnings.catch_warnings(action="ignore")


def raise_if_away(error: BaseException) -> None:
    """Raise Transient where the disk failed, not the file: what it holds may be read later.

    A file that is lost and bytes that ask for a place no file has are the file's own fault.
    """
    # pydicom raises OSError too, without a number, on bytes that are cut short.
    if isinstance(error, OSError) and error.errno not in (None, errno.ENOENT, errno.EINVAL):
        raise Transient(f"the disk of the sources is away: {type(error).__name__}") from error


def read_source(path: Path) -> Dataset:
    """The header of one source image as a fresh data set, in UTF-8 and valid by value.

    Holds the patient and study attributes, type 2 ones empty where the source lacks them, and what the
    builders need of the image. A value that its representation forbids is dropped (a type 2 one
    emptied), never cut: half an accession number is somebody else's. So is one of more values than the
    attribute may have (PS3.6) or one that does not convert. UIDs stand as they are.
    Text is decoded by the source's character sets, any script, and the result says ISO_IR 192.
    Raises Unreadable, Transient when the disk is away.
    """
    try:
        with quiet():
            ds = pydicom.dcmread(path, stop_before_pixels=True, force=True)
            made = _normalise(ds)
    except UNREADABLE as error:
        raise_if_away(error)
        raise Unreadable(f"the source header cannot be read: {type(error).__name__}") from error
    if "SOPInstanceUID" not in ds:
        # Forced reading takes an empty or foreign file for a data set.
        raise Unreadable("the source header cannot be read: it names no object")
    return made


def source_of(image: ImageResult) -> Dataset:
    """`read_source` of the image's file, with the UIDs by which the ledger knows it.

    They are the file's own, save where that states several: references must name what was answered.
    Raises Unreadable, also where the file holds no image or another one than was answered.
    """
    source, header = read_source(image.path), image.instance.header
    for keyword in ("StudyInstanceUID", "SOPInstanceUID"):
        if source.get(keyword, "") not in ("", str(getattr(header, keyword))):
            raise Unreadable(f"the source file is of another {keyword}")
    return _with_uids(source, image)


def reading_once() -> Sources:
    """`source_of` that reads each file once. For those who only look: all get the same data set."""
    known: dict[str, Dataset] = {}

    def lend(image: ImageResult) -> Dataset:
        uid = str(image.instance.header.SOPInstanceUID)
        if uid not in known:
            known[uid] = source_of(image)
        return known[uid]

    return lend


def ledger_source(image: ImageResult) -> Dataset:
    """What `source_of` gives, of the ledger's header alone: for a file whose own cannot be used.

    Holds only what was noted on receipt of patient and study; no spacing, no time zone. Never raises.
    """
    header, noted = image.instance.header, Dataset()
    with quiet():
        for keyword in _NOTED:
            _put(noted, keyword, getattr(header, keyword))
        if len(header.PatientID) >= _LONGEST["LO"]:
            # The ledger keeps this many characters: it may be the half of a longer one.
            noted.PatientID = ""
        return _with_uids(_normalise(noted), image)


def _with_uids(source: Dataset, image: ImageResult) -> Dataset:
    for keyword in ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        setattr(source, keyword, str(getattr(image.instance.header, keyword)))
    return source


def lend_identity(ds: Dataset, source: Dataset) -> None:
    """Write patient and study of a source that `read_source` made, all of it: objects of a study agree."""
    for keyword in IDENTITY:
        if keyword in source:
            setattr(ds, keyword, source[keyword].value)


def local_zone(source: Dataset) -> tzinfo | None:
    """The time zone the source states; None where it states none or nonsense (then: this machine's)."""
    text = str(source.get("TimezoneOffsetFromUTC", ""))
    if not _OFFSET.fullmatch(text):
        return None
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[3:5]))
    if offset >= _DAY:
        return None
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


def side_of(source: Dataset) -> str:
    """The image's side, '' where the source does not say.

    Where the image states its own, the series' Laterality, else asked of every paired part, need not stand
    (PS3.3 C.7.3.1).
    """
    side = agreed_side(str(source.get("ImageLaterality") or ""), str(source.get("Laterality") or ""))
    return side if side in _SIDES else ""


def pixel_spacing_mm(source: Dataset) -> tuple[float, float] | None:
    """Rows' and columns' spacing in the patient (calibrated), or None. Zero is not a spacing."""
    return _positive_pair(source.get("PixelSpacing"))


def _normalise(ds: Dataset) -> Dataset:
    made = Dataset()
    made.SpecificCharacterSet = "ISO_IR 192"
    for keyword in _IDENTITY_TYPE_2:
        setattr(made, keyword, "")
    for keyword in _empty(ds):
        _put(made, keyword, "")
    for keyword in (*IDENTITY, *_IMAGE):
        _put(made, keyword, valid_value(ds, keyword))
    if made.PatientSex not in _SEXES:
        made.PatientSex = ""
    if made.get("LossyImageCompression") not in ("00", "01"):
        made.pop("LossyImageCompression", None)
    if not made.get("DeidentificationMethod"):
        # Without its method the flag is not allowed to stand (PS3.3 table C.7-1, type 1C).
        made.pop("PatientIdentityRemoved", None)
    requests = [_request(item) for item in values_of(ds, "RequestAttributesSequence")]
    if any("RequestedProcedureID" in item for item in requests):
        made.RequestAttributesSequence = requests
    return made


def _empty(ds: Dataset) -> list[str]:
    """What is there and empty: it stays so in the results, or objects of one study disagree."""
    return [keyword for keyword in _IDENTITY_TYPE_3 if keyword in ds and not ds.get_item(keyword).value]


def _request(item: object) -> Dataset:
    made = Dataset()
    if isinstance(item, Dataset):
        for keyword in _REQUEST:
            _put(made, keyword, valid_value(item, keyword))
        codes = [_code(one) for one in values_of(item, "RequestedProcedureCodeSequence")]
        # Half a code is none (PS3.3 table 8.8-1).
        whole = [code for code in codes if all(keyword in code for keyword in _CODE_FILLED)]
        if whole:
            made.RequestedProcedureCodeSequence = whole
    return made


def _code(item: object) -> Dataset:
    made = Dataset()
    if isinstance(item, Dataset):
        for keyword in _CODE:
            _put(made, keyword, valid_value(item, keyword))
    return made


def _put(made: Dataset, keyword: str, value: object | None) -> None:
    """Set an element; None, or what pydicom refuses to hold, leaves it as it is."""
    if value is None:
        return
    try:
        setattr(made, keyword, value)
    except _ODD:
        return


def valid_value(ds: Dataset, keyword: str) -> object | None:
    """The value where its representation and multiplicity allow it; None where absent, empty or not."""
    values, vr = values_of(ds, keyword), dictionary_VR(keyword)
    if not values or not _is_count_allowed(len(values), dictionary_VM(keyword)):
        return None
    if vr == "US":
        return values[0] if isinstance(values[0], int) else None
    texts = [_printable(str(value)) for value in values]
    if not all(text and _is_allowed(text, vr) for text in texts):
        return None
    return texts[0] if len(texts) == 1 else texts


def values_of(ds: Dataset, keyword: str) -> list[object]:
    """The values one by one; none where the element is absent, empty or does not convert."""
    try:
        value = ds.get(keyword)
        if value is None or value == "":
            return []
        return list(value) if isinstance(value, MultiValue | Sequence | list) else [value]
    except _ODD:
        return []


def _is_count_allowed(count: int, multiplicity: str) -> bool:
    """Whether so many values may stand where PS3.6 writes '1', '2', '1-3', '1-n' or '2-2n'."""
    least, _, most = multiplicity.partition("-")
    if not most:
        return count == int(least)
    return count >= int(least) and (most.endswith("n") or count <= int(most))


def _is_allowed(text: str, vr: str) -> bool:
    if vr == "DA":
        return _is_date(text)
    if vr == "TM":
        return _TIME.fullmatch(text) is not None
    if vr == "PN":
        groups = text.split("=")
        return len(groups) <= 3 and all(len(g) <= _LONGEST["PN"] and g.count("^") <= 4 for g in groups)
    if vr == "CS" and not _CODE_STRING.issuperset(text):
        return False
    if vr in _NUMBER and not (_NUMBER[vr].fullmatch(text) and math.isfinite(float(text))):
        return False
    if vr == "AS":
        return _AGE.fullmatch(text) is not None
    return len(text) <= _LONGEST.get(vr, 64)


def _is_date(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y%m%d")
    except ValueError:
        return False
    return _DATE.fullmatch(text) is not None


def _printable(text: str) -> str:
    """Without control characters and the spaces around."""
    return "".join(letter for letter in text if letter.isprintable()).strip()


def _positive_pair(value: object) -> tuple[float, float] | None:
    """Two numbers that can be the sides of a pixel, or None."""
    if not isinstance(value, list | MultiValue) or len(value) != 2:
        return None
    first, second = float(value[0]), float(value[1])
    # Spacings under a micrometre are a vendor's way of writing "unknown" (seen: 0.000\\0.000), and no
    # detector's pixel is ten times as long as wide.
    is_plausible = min(first, second) > 1e-3 and max(first, second) < 1e9
    return (first, second) if is_plausible and 0.1 <= first / second <= 10 else None
