"""Phantoms as DICOM objects, and the set of cases the demo sends."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import (
    UID,
    CTImageStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    RLELossless,
)

from wetread.phantom.chest import draw_chest
from wetread.phantom.film import STORED_MAXIMUM, Phantom
from wetread.phantom.limb import draw_limb
from wetread.phantom.slice import RESCALE_INTERCEPT, draw_ct_slice

# Anatomic regions: PS3.16 CID 4009 with annex L's defined terms. Views: PS3.16 CID 4010.
REGIONS = {
    "CHEST": ("51185008", "Chest"),
    "LEG": ("30021000", "Lower leg"),
    "FOREARM": ("14975008", "Forearm"),
    "ABDOMEN": ("818983003", "Abdomen"),
}
VIEWS = {
    "AP": ("399067008", "antero-posterior"),
    "PA": ("399348003", "postero-anterior"),
    "LL": ("399173006", "left lateral"),
    "RL": ("399198007", "right lateral"),
}
# Rows then columns run towards (PS3.3 C.7.6.1.1.1): a lateral shows the patient's front by side.
ORIENTATIONS = {"AP": ["L", "F"], "PA": ["L", "F"], "LL": ["A", "F"], "RL": ["P", "F"]}
TAKEN_AT = datetime(2026, 1, 5, 8, 30)


class Truth(StrEnum):
    """What is really on a demo image."""

    FRACTURE = "fracture"
    NO_FRACTURE = "no fracture"
    OPACITY = "opacity"
    NO_OPACITY = "no opacity"
    NOT_A_RADIOGRAPH = "not a radiograph"


class DemoCase(NamedTuple):
    """One image of the demo; images of one study share its title and StudyInstanceUID."""

    title: str
    ds: FileDataset
    expected: Truth
    phantom: Phantom


def to_dataset(
    phantom: Phantom,
    *,
    study_uid: str,
    series_uid: str,
    instance_uid: str,
    patient_id: str,
    accession: str,
    patient_name: str = "PHANTOM^QC",
    photometric: str = "MONOCHROME2",
    sop_class: str = DigitalXRayImageStorageForPresentation,
    instance_number: int = 1,
    taken_at: datetime = TAKEN_AT,
) -> FileDataset:
    """A phantom as an Explicit VR Little Endian object, 12 bits stored in 16.

    `photometric` MONOCHROME1 stores the complement, with the presentation LUT shape INVERSE.
    `sop_class` is DX for presentation, or CT for a slice. Source: PS3.3 A.26 (DX), A.3 (CT).
    """
    ds = _file(sop_class, instance_uid)
    ds.StudyInstanceUID, ds.SeriesInstanceUID = study_uid, series_uid
    ds.PatientID, ds.AccessionNumber, ds.PatientName = patient_id, accession, patient_name
    ds.InstanceNumber = instance_number
    _write_person_and_time(ds, taken_at)
    _write_equipment(ds)
    if sop_class == CTImageStorage:
        _write_ct(ds, phantom)
    else:
        _write_dx(ds, phantom, is_inverse=photometric == "MONOCHROME1")
    _write_pixels(ds, phantom, photometric)
    return ds


def _file(sop_class: str, instance_uid: str) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID(sop_class), UID(instance_uid)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class, instance_uid
    ds.SpecificCharacterSet = "ISO_IR 192"
    return ds


def _write_person_and_time(ds: Dataset, taken_at: datetime) -> None:
    ds.PatientBirthDate, ds.PatientSex = f"{taken_at.year - 45}0101", "O"
    ds.PatientAge = "045Y"
    ds.PatientComments = "Synthetic quality control phantom, no person"
    ds.StudyID, ds.SeriesNumber, ds.ReferringPhysicianName = "1", 1, ""
    ds.StudyDescription = "Synthetic QC phantom"
    for part in ("Study", "Series", "Acquisition", "Content"):
        setattr(ds, f"{part}Date", taken_at.strftime("%Y%m%d"))
        setattr(ds, f"{part}Time", taken_at.strftime("%H%M%S"))


def _write_equipment(ds: Dataset) -> None:
    ds.Manufacturer, ds.ManufacturerModelName = "Wetread", "Synthetic phantom"
    ds.DeviceSerialNumber, ds.SoftwareVersions = "0", "1"
    ds.InstitutionName = "Wetread demonstration"
    ds.QualityControlImage = "YES"
    ds.BurnedInAnnotation = "NO"


def _coded(code: tuple[str, str]) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code[0], "SCT", code[1]
    return item


def _write_dx(ds: Dataset, phantom: Phantom, *, is_inverse: bool) -> None:
    ds.Modality, ds.PresentationIntentType = "DX", "FOR PRESENTATION"
    ds.ImageType = ["ORIGINAL", "PRIMARY", ""]
    ds.BodyPartExamined, ds.ViewPosition = phantom.body_part, phantom.view
    ds.AnatomicRegionSequence = [_coded(REGIONS[phantom.body_part])]
    view = _coded(VIEWS[phantom.view])
    view.ViewModifierCodeSequence = []
    ds.ViewCodeSequence = [view]
    ds.ImageLaterality = phantom.laterality or "U"
    ds.PatientOrientation = ORIENTATIONS[phantom.view]
    ds.PositionerType, ds.AcquisitionContextSequence = "NONE", []
    ds.DetectorType, ds.DetectorConfiguration = "SCINTILLATOR", "AREA"
    ds.ImagerPixelSpacing = [round(phantom.spacing_mm, 5)] * 2
    ds.PixelIntensityRelationship = "LOG"
    ds.PixelIntensityRelationshipSign = 1 if is_inverse else -1
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = 0, 1, "US"
    ds.PresentationLUTShape = "INVERSE" if is_inverse else "IDENTITY"
    ds.LossyImageCompression = "00"
    ds.WindowCenter, ds.WindowWidth = 2048, 4096
    ds.KVP, ds.ExposureInuAs = (110, 2500) if phantom.body_part == "CHEST" else (55, 4000)


def _write_ct(ds: Dataset, phantom: Phantom) -> None:
    ds.Modality, ds.ImageType = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.BodyPartExamined = phantom.body_part
    ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = _uid(ds.SeriesInstanceUID, "frame"), ""
    ds.PatientPosition, ds.AcquisitionNumber = "HFS", 1
    ds.PixelSpacing, ds.SliceThickness, ds.KVP = [phantom.spacing_mm] * 2, 5, 120
    half_mm = round(-phantom.spacing_mm * phantom.pixels.shape[0] / 2, 3)
    ds.ImagePositionPatient, ds.ImageOrientationPatient = [half_mm, half_mm, 0], [1, 0, 0, 0, 1, 0]
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = RESCALE_INTERCEPT, 1, "HU"
    ds.WindowCenter, ds.WindowWidth = 40, 400


def _write_pixels(ds: Dataset, phantom: Phantom, photometric: str) -> None:
    stored = STORED_MAXIMUM - phantom.pixels if photometric == "MONOCHROME1" else phantom.pixels
    ds.Rows, ds.Columns = phantom.pixels.shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, photometric
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    ds.PixelData = np.ascontiguousarray(stored, dtype="<u2").tobytes()


def demo_set(root: str = "demo", *, taken_at: datetime = TAKEN_AT) -> list[DemoCase]:
    """The demo's images in the order they are sent.

    All UIDs derive from `root`: the same root gives the same studies, another root new ones.
    """
    return [_case(root, row, taken_at) for row in _plan()]


class _Row(NamedTuple):
    study: str
    image: int
    patient: str
    title: str
    expected: Truth
    draw: Callable[[], Phantom]
    photometric: str = "MONOCHROME2"
    sop_class: str = DigitalXRayImageStorageForPresentation
    is_compressed: bool = False


def _plan() -> Iterator[_Row]:
    yield _Row(
        "1",
        1,
        "LIMB BROKEN",
        "Broken lower leg, two views",
        Truth.FRACTURE,
        lambda: draw_limb(1, broken=True),
    )
    yield _Row(
        "1",
        2,
        "LIMB BROKEN",
        "Broken lower leg, two views",
        Truth.FRACTURE,
        lambda: draw_limb(1, broken=True, view="LATERAL"),
    )
    yield _Row(
        "2", 1, "LIMB INTACT", "Intact lower leg", Truth.NO_FRACTURE, lambda: draw_limb(2, broken=False)
    )
    yield _Row(
        "3",
        1,
        "LIMB COMPRESSED",
        "Broken forearm, RLE compressed",
        Truth.FRACTURE,
        lambda: draw_limb(12, broken=True),
        is_compressed=True,
    )
    yield _Row(
        "4", 1, "CHEST OPACITY", "Chest with an opacity", Truth.OPACITY, lambda: draw_chest(10, opacity=True)
    )
    yield _Row(
        "5",
        1,
        "CHEST CLEAR",
        "Clear chest, MONOCHROME1",
        Truth.NO_OPACITY,
        lambda: draw_chest(2, opacity=False),
        photometric="MONOCHROME1",
    )
    yield _Row(
        "6",
        1,
        "CT SLICE",
        "CT slice, not a radiograph",
        Truth.NOT_A_RADIOGRAPH,
        lambda: draw_ct_slice(1),
        sop_class=CTImageStorage,
    )


def _uid(*parts: str) -> str:
    """A UID derived from a name: PS3.5 B.2, 2.25 and a UUID as an integer."""
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, '/'.join(('wetread', 'phantom', *parts))).int}"


def _case(root: str, row: _Row, taken_at: datetime) -> DemoCase:
    phantom = row.draw()
    ds = to_dataset(
        phantom,
        study_uid=_uid(root, row.study),
        series_uid=_uid(root, row.study, "series"),
        instance_uid=_uid(root, row.study, "series", str(row.image)),
        patient_id=f"PHANTOM-{row.study}",
        accession=f"QC{_uid(root, row.study)[-10:]}",
        patient_name=f"PHANTOM^{row.patient}",
        photometric=row.photometric,
        sop_class=row.sop_class,
        instance_number=row.image,
        taken_at=taken_at,
    )
    if row.is_compressed:
        ds.compress(RLELossless, generate_instance_uid=False)
    return DemoCase(row.title, ds, row.expected, phantom)
