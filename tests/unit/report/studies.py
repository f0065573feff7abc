"""Studies for the report's tests: a source file on disk, and what the networks said about it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian

from wetread.domain import (
    Analysis,
    AnalysisId,
    AnalysisState,
    Box,
    Code,
    Finding,
    ImageHeader,
    Instance,
    InstanceId,
    ModelId,
    OperatingPoints,
    Outcome,
    SopInstanceUid,
    SpoolKey,
    StudyUid,
    Zone,
)
from wetread.report.identity import derive_uid
from wetread.report.results import ImageResult, StudyResult

FRACTURE = Code("125605004", "SCT", "Fracture of bone")
PNEUMONIA = Code("233604007", "SCT", "Pneumonia")
POINTS = OperatingPoints(sensitive=0.2, specific=0.6)
FRACTURE_MODEL = ModelId("fracture", "1.0.0", hashlib.sha256(b"fracture").hexdigest())
PNEUMONIA_MODEL = ModelId("pneumonia", "1.0.0", hashlib.sha256(b"pneumonia").hexdigest())
CONCLUDED_AT = 1_767_225_600.0  # 2026-01-01 00:00:00 UTC


@dataclass(frozen=True)
class SourceImage:
    """What a test wants its radiograph to be."""

    name: str = "source"
    rows: int = 600
    columns: int = 480
    body_part: str = "WRIST"
    laterality: str = "L"
    patient_name: str = "Phantom^Quality"
    character_set: str | list[str] = "ISO_IR 192"
    study: str = "study"
    more: dict[str, object] = field(default_factory=dict)
    without: tuple[str, ...] = ()


def a_display(rows: int = 600, columns: int = 480) -> NDArray[np.float32]:
    """A limb-like bright bar on dark, float32 0..1."""
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    bar: NDArray[np.float32] = np.exp(-(((x - columns / 2) / (columns / 6)) ** 2))
    return np.asarray(0.1 + 0.75 * bar * (0.85 + 0.15 * np.sin(y / 23)), dtype=np.float32)


def a_heat_map() -> NDArray[np.float16]:
    """Evidence 0.9 in the upper left quarter, fading out before its border; (20, 16), as a network gives."""
    y, x = np.mgrid[0:20, 0:16].astype(np.float32)
    distance = ((y - 5.5) / 2.0) ** 2 + ((x - 4.3) / 1.6) ** 2
    return np.asarray(0.9 * np.exp(-distance), dtype=np.float16)


def write_source(folder: Path, image: SourceImage) -> Path:
    """A small CR image as a modality would send it."""
    ds = Dataset()
    ds.SpecificCharacterSet = image.character_set
    ds.SOPClassUID = ComputedRadiographyImageStorage
    ds.SOPInstanceUID = derive_uid("test", image.study, image.name)
    ds.StudyInstanceUID = derive_uid("test", image.study)
    ds.SeriesInstanceUID = derive_uid("test", image.study, "series")
    ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = (
        image.patient_name,
        "QC-1",
        "19700101",
        "O",
    )
    ds.StudyDate, ds.StudyTime, ds.StudyID, ds.AccessionNumber = "20260101", "101500", "1", "A1"
    ds.ReferringPhysicianName = ""
    ds.Modality, ds.SeriesNumber, ds.InstanceNumber, ds.Manufacturer = "CR", 1, 1, "Phantom works"
    ds.BodyPartExamined, ds.ViewPosition, ds.Laterality = image.body_part, "PA", image.laterality
    ds.PatientOrientation = ["L", "F"]
    ds.ImageType = ["ORIGINAL", "PRIMARY"]
    ds.ImagerPixelSpacing = ["0.15", "0.15"]
    ds.PixelSpacing = ["0.14", "0.14"]
    ds.PixelSpacingCalibrationType = "GEOMETRY"
    ds.PixelSpacingCalibrationDescription = "test"
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = image.rows, image.columns
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    ds.PixelData = (a_display(image.rows, image.columns) * 4095).astype("<u2").tobytes()
    for keyword, value in image.more.items():
        setattr(ds, keyword, value)
    for keyword in image.without:
        delattr(ds, keyword)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    path = folder / f"{image.study}-{image.name}.dcm"
    pydicom.dcmwrite(path, ds, enforce_file_format=True)
    return path


def a_finding(probability: float, *boxes: Box, code: Code = FRACTURE, label: str = "Fracture") -> Finding:
    """A finding in the zone that its probability asks."""
    return Finding(
        code=code,
        label=label,
        probability=probability,
        zone=POINTS.zone(probability),
        operating_points=POINTS,
        boxes=boxes if POINTS.zone(probability) is not Zone.NEGATIVE else (),
    )


def done(*findings: Finding, model: ModelId = FRACTURE_MODEL) -> Analysis:
    """An analysis with its findings."""
    return Analysis(
        AnalysisId(1),
        InstanceId(1),
        model,
        AnalysisState.DONE,
        provider="CPUExecutionProvider",
        findings=findings,
    )


def declined(reason: str, text: str, *, model: ModelId = FRACTURE_MODEL) -> Analysis:
    """An analysis that routing did not plan."""
    return Analysis(
        AnalysisId(2), InstanceId(1), model, AnalysisState.DECLINED, reason=reason, reason_text=text
    )


def failed(reason: str, text: str, *, model: ModelId = FRACTURE_MODEL) -> Analysis:
    """An analysis that broke."""
    return replace(declined(reason, text, model=model), state=AnalysisState.FAILED)


def an_image(path: Path, *analyses: Analysis) -> ImageResult:
    """The source as the ledger knows it, with its analyses."""
    ds = pydicom.dcmread(path, stop_before_pixels=True, force=True)
    data = path.read_bytes()
    header = ImageHeader(
        SOPClassUID=str(ds.SOPClassUID),
        SOPInstanceUID=SopInstanceUid(str(ds.SOPInstanceUID)),
        StudyInstanceUID=StudyUid(str(ds.StudyInstanceUID)),
        SeriesInstanceUID=str(ds.SeriesInstanceUID),
        TransferSyntaxUID="",
        Modality=str(ds.get("Modality", "")),
        body_part=str(ds.get("BodyPartExamined", "") or "").upper(),
        view="",
        laterality=str(ds.get("Laterality", "") or ds.get("ImageLaterality", "") or ""),
        age_years=None,
        PhotometricInterpretation=str(ds.get("PhotometricInterpretation", "")),
        Rows=int(ds.get("Rows") or 0),
        Columns=int(ds.get("Columns") or 0),
        BitsStored=int(ds.get("BitsStored") or 0),
        SamplesPerPixel=int(ds.get("SamplesPerPixel") or 1),
        frames=1,
        has_pixel_data=True,
        is_presentation=True,
        is_human=True,
        is_urgent=False,
        Manufacturer="",
        StudyDate="",
        StudyTime="",
        StudyDescription="",
        AccessionNumber="",
        PatientID="",
        PatientName="",
        PatientBirthDate="",
        PatientSex="",
    )
    digest = hashlib.sha256(data).hexdigest()
    instance = Instance(
        id=InstanceId(1),
        header=header,
        digest=digest,
        spool_key=SpoolKey("aa/test.dcm"),
        size_bytes=len(data),
        received_at=CONCLUDED_AT - 5,
        calling_aet="TEST",
    )
    return ImageResult(instance, path, analyses)


def a_study(*images: ImageResult, revision: int = 1, **more: object) -> StudyResult:
    """A concluded study; its outcome follows from the analyses."""
    finished = [a for image in images for a in image.analyses if a.state is AnalysisState.DONE]
    is_positive = any(f.zone is not Zone.NEGATIVE for a in finished for f in a.findings)
    outcome = Outcome.FINDINGS if is_positive else Outcome.NO_FINDINGS
    result = StudyResult(
        study=images[0].instance.header.StudyInstanceUID,
        revision=revision,
        outcome=outcome if finished else Outcome.NOT_EVALUABLE,
        images=images,
        concluded_at=CONCLUDED_AT,
    )
    return replace(result, **more)  # type: ignore[arg-type]  # a test overrides any field by name
