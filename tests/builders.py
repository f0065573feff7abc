"""Radiographs for tests: small synthetic ones, and real pictures wrapped as valid DX objects.

Every UID derives from a name, so the same test sends the same objects each time it runs.
"""

from __future__ import annotations

import csv
import hashlib
import uuid
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

import cv2
import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import (
    UID,
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
)

from wetread.phantom.limb import draw_limb

STORED_MAXIMUM = 4095
_LEAST_ADULT_YEARS = 18
_NOTHING: Mapping[str, object] = MappingProxyType({})

# SNOMED CT: PS3.16 annex L (body parts), CID 4010 (views).
_REGIONS = {
    "CHEST": ("51185008", "Chest"),
    "HAND": ("85562004", "Hand"),
    "HIP": ("24136001", "Hip joint"),
    "LEG": ("30021000", "Lower leg"),
    "SHOULDER": ("16982005", "Shoulder"),
}
_VIEWS = {
    "AP": ("399067008", "antero-posterior"),
    "PA": ("399348003", "postero-anterior"),
    "LL": ("399173006", "left lateral"),
    "LLO": ("399108002", "left lateral oblique"),
}
_VIEW_OF_WORD = {"frontal": "AP", "lateral": "LL", "oblique": "LLO"}


@dataclass(frozen=True, slots=True)
class Film:
    """What a test wants one image to be. `pixels` (rows, columns) are 0..4095, dense tissue bright.

    `study` names the study, empty: one of its own. `more` overrides elements by keyword; None removes one.
    """

    name: str
    pixels: NDArray[np.uint16]
    study: str = ""
    body_part: str = "HAND"
    view: str = "AP"
    age: str = "045Y"
    sex: str = "O"
    is_cr: bool = False
    more: Mapping[str, object] = field(default_factory=lambda: _NOTHING)

    @property
    def study_uid(self) -> str:
        """The study this image belongs to."""
        return uid_of("study", self.study or self.name)

    @property
    def instance_uid(self) -> str:
        """This image."""
        return uid_of("instance", self.name)


def uid_of(*parts: str) -> str:
    """A UID derived from a name (PS3.5 B.2)."""
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, '/'.join(('wetread', 'test', *parts))).int}"


def small_film(name: str, *, rows: int = 400, columns: int = 320, **more: object) -> Film:
    """A small phantom of a limb with noise of its own: quick to send, read by the fracture model."""
    noise = np.random.default_rng(_seed(name)).normal(0, 10, (rows, columns))
    limb = cv2.resize(_limb(), (columns, rows), interpolation=cv2.INTER_AREA)
    pixels = np.clip(limb + noise, 0, STORED_MAXIMUM).astype(np.uint16)
    return Film(name=name, pixels=pixels, **more)  # type: ignore[arg-type]  # a test names any field


@cache
def _limb() -> NDArray[np.uint16]:
    return draw_limb(2, broken=False).pixels


def to_dataset(film: Film) -> FileDataset:
    """The film as a DX (or CR) object, 12 bits in 16, Explicit VR Little Endian. Source: PS3.3 A.26, A.2."""
    class_uid = ComputedRadiographyImageStorage if film.is_cr else DigitalXRayImageStorageForPresentation
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = class_uid, UID(film.instance_uid)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = class_uid, film.instance_uid
    _write_study(ds, film)
    _write_image(ds, film)
    if film.is_cr:
        ds.Laterality = "R"
    else:
        _write_dx(ds, film)
    for keyword, value in film.more.items():
        if value is not None:
            setattr(ds, keyword, value)
        elif keyword in ds:
            delattr(ds, keyword)
    return ds


def to_bytes(ds: FileDataset) -> bytes:
    """A Part 10 file."""
    buffer = BytesIO()
    pydicom.dcmwrite(buffer, ds, enforce_file_format=True)
    return buffer.getvalue()


def write(film: Film, folder: Path) -> Path:
    """The film as a file `<name>.dcm` in `folder`."""
    path = folder / f"{film.name}.dcm"
    path.write_bytes(to_bytes(to_dataset(film)))
    return path


def fracture_films(test_data: Path, *, positive: int, negative: int) -> list[Film]:
    """Real limb radiographs of the internal test set, one body part each, positive ones first."""
    rows = (
        row
        for row in _manifest(test_data / "fracture")
        if row["body_part"].upper() in _REGIONS and row["views"] in _VIEW_OF_WORD
    )
    chosen = _choose(rows, group="group", positive=positive, negative=negative)
    return [
        Film(
            name=Path(row["file"]).stem,
            pixels=_pixels_of(test_data / "fracture" / row["file"]),
            body_part=row["body_part"].upper(),
            view=_VIEW_OF_WORD[row["views"]],
        )
        for row in chosen
    ]


def chest_films(test_data: Path, *, positive: int, negative: int) -> list[Film]:
    """Real adult chest radiographs of the internal test set, positive ones first."""
    rows = (
        row
        for row in _manifest(test_data / "chest")
        if int(row["age"]) >= _LEAST_ADULT_YEARS and row["maybe_inverted"] == "0"
    )
    chosen = _choose(rows, group="group", positive=positive, negative=negative)
    return [
        Film(
            name=Path(row["file"]).stem,
            pixels=_pixels_of(test_data / "chest" / row["file"]),
            body_part="CHEST",
            view=row["view"],
            age=f"{int(row['age']):03}Y",
            sex=row["sex"],
        )
        for row in chosen
    ]


def with_own_identity(data: bytes, name: str) -> bytes:
    """The same file under study and instance UIDs of its own, every other byte as it was.

    The new UIDs have the length of the old ones, so that nothing else in a broken file is mended.
    """
    for old in read_uids(data):
        data = data.replace(old.encode(), _uid_like(old, name).encode())
    return data


def read_uids(data: bytes) -> tuple[str, str]:
    """Study and instance UID of a file, however malformed; '' where it has none."""
    tags = ["StudyInstanceUID", "SOPInstanceUID"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds = pydicom.dcmread(BytesIO(data), stop_before_pixels=True, force=True, specific_tags=tags)
        return str(ds.get("StudyInstanceUID", "")), str(ds.get("SOPInstanceUID", ""))


def _write_study(ds: Dataset, film: Film) -> None:
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = film.study_uid, uid_of("series", film.name)
    ds.PatientName, ds.PatientID = f"Test^{film.study or film.name}", f"T-{film.study or film.name}"[:64]
    ds.PatientBirthDate, ds.PatientSex, ds.PatientAge = "", film.sex, film.age
    ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = "20260105"
    ds.StudyTime = ds.SeriesTime = ds.AcquisitionTime = ds.ContentTime = "083000"
    ds.AccessionNumber, ds.StudyID, ds.ReferringPhysicianName = f"A{_seed(film.study_uid)}", "1", ""
    ds.SeriesNumber, ds.InstanceNumber = 1, 1
    ds.Manufacturer, ds.ManufacturerModelName = "Test bench", "Wrapped image"
    ds.DeviceSerialNumber, ds.SoftwareVersions = "0", "1"


def _write_image(ds: Dataset, film: Film) -> None:
    ds.Modality = "CR" if film.is_cr else "DX"
    ds.BodyPartExamined, ds.ViewPosition = film.body_part, film.view
    ds.PatientOrientation = ["L", "F"]
    ds.ImageType = ["DERIVED", "PRIMARY", ""]
    ds.BurnedInAnnotation, ds.LossyImageCompression = "NO", "00"
    ds.WindowCenter, ds.WindowWidth = 2048, 4096
    ds.ImagerPixelSpacing = [0.4, 0.4]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = film.pixels.shape
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    ds.PixelData = film.pixels.astype("<u2").tobytes()


def _write_dx(ds: Dataset, film: Film) -> None:
    ds.PresentationIntentType, ds.ImageLaterality = "FOR PRESENTATION", "U"
    view = _coded(_VIEWS[film.view])
    view.ViewModifierCodeSequence = []
    ds.ViewCodeSequence = [view]
    if film.body_part in _REGIONS:
        ds.AnatomicRegionSequence = [_coded(_REGIONS[film.body_part])]
    ds.PositionerType, ds.AcquisitionContextSequence = "NONE", []
    ds.DetectorType, ds.DetectorConfiguration = "SCINTILLATOR", "AREA"
    ds.PixelIntensityRelationship, ds.PixelIntensityRelationshipSign = "LOG", -1
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = 0, 1, "US"
    ds.PresentationLUTShape = "IDENTITY"


def _coded(code: tuple[str, str]) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code[0], "SCT", code[1]
    return item


def _pixels_of(path: Path) -> NDArray[np.uint16]:
    """An 8-bit JPEG scaled to 12 bits."""
    grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert grey is not None, f"not an image: {path}"
    return (grey.astype(np.uint32) * STORED_MAXIMUM // 255).astype(np.uint16)


def _manifest(folder: Path) -> Iterator[dict[str, str]]:
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
        yield from (row for row in csv.DictReader(file) if row["split"] == "internal_test")


def _choose(
    rows: Iterator[dict[str, str]], *, group: str, positive: int, negative: int
) -> list[dict[str, str]]:
    """The first rows of each label, one of each group (patient)."""
    wanted, chosen = {"1": positive, "0": negative}, list[dict[str, str]]()
    seen: set[str] = set()
    for row in rows:
        if row[group] not in seen and wanted[row["label"]] > 0:
            wanted[row["label"]] -= 1
            seen.add(row[group])
            chosen.append(row)
    assert not any(wanted.values()), f"too few images: {wanted} are missing"
    return sorted(chosen, key=lambda row: row["label"], reverse=True)


def _uid_like(old: str, name: str) -> str:
    """Another UID with the dots of `old` and its first components."""
    digits = iter(str(int.from_bytes(hashlib.sha512(f"{old}/{name}".encode()).digest())).replace("0", "7"))
    parts = old.split(".")
    kept = min(3, len(parts) - 1)
    return ".".join([*parts[:kept], *("".join(next(digits) for _ in part) for part in parts[kept:])])


def _seed(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4])
