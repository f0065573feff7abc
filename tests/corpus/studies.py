"""From test images and real files to concluded studies, as the service would hold them."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import ImplicitVRLittleEndian

from tests.builders import (
    STORED_MAXIMUM,
    Film,
    chest_films,
    fracture_films,
    to_bytes,
    to_dataset,
    with_own_identity,
)
from tests.corpus.answers import Subject, answered, evidence_of
from tests.corpus.images import IMAGES, ORDERED, Image
from tests.unit.report.studies import CONCLUDED_AT, a_study, declined, failed
from wetread.domain import Analysis, ImageHeader, Instance, InstanceId, SopInstanceUid, SpoolKey
from wetread.errors import Rejected, Unreadable
from wetread.infer.decode import read_image
from wetread.infer.prepare import to_display
from wetread.report.answer import study_answer
from wetread.report.results import Evidence, ImageResult, Predecessor, StudyResult
from wetread.report.source import quiet
from wetread.report.structured_report import build_report
from wetread.route.header import read_header
from wetread.route.part10 import FileParts, make_prefix, parse_data_set, split_file

_LIMIT_BYTES = 1 << 30
# What routing says of itself before anything is tried.
_DECLINES = frozenset({"pixels_missing", "colour", "multi_frame"})
_REAL_ANSWERS = ("one box", "two boxes", "no finding", "one doubtful", "two findings", "three boxes")


@dataclass(frozen=True, slots=True)
class Case:
    """One concluded study with what its objects need beside the result, by SOP Instance UID.

    `displays` holds the picture as shown (rows, columns), 0..1; None where it cannot be shown.
    """

    name: str
    result: StudyResult
    displays: Mapping[SopInstanceUid, NDArray[np.float32] | None]
    evidence: Mapping[SopInstanceUid, tuple[Evidence, ...]]


def wrapped_cases(test_data: Path, folder: Path, *, names: Sequence[str] = ()) -> Iterator[Case]:
    """The studies of the 50 test images, sources written to `folder`; `names` picks some of them.

    The studies of several views come twice: with their last view missing, then as the second revision.
    """
    limbs = fracture_films(test_data, positive=20, negative=20)
    chests = chest_films(test_data, positive=6, negative=6)
    stock = {False: limbs, True: chests}
    for study, images in groupby(IMAGES, key=lambda image: image.study or image.name):
        if names and study not in names:
            continue
        members = [_write(image, stock[image.is_chest], folder) for image in images]
        yield from _revisions(study, members)


def film_case(images: Sequence[Image], pixels: NDArray[np.uint16], folder: Path) -> Case:
    """One study of these images, all of the same picture (rows, columns), 0..4095, dense tissue bright."""
    film = Film(name="film", pixels=pixels)
    return _case(images[0].study, [_write(image, [film], folder) for image in images])


def real_cases(test_data: Path, folder: Path) -> Iterator[Case]:
    """A study of every real file that the door takes; each file under a UID of its own.

    Every file that decodes is answered as if a network had read it; the others with their reason.
    """
    for number, path in enumerate(sorted((test_data / "dicom").glob("*.dcm"))):
        kept = _kept(_on_its_own(path))
        if kept is None:
            continue
        header, data = kept
        source = folder / f"real-{path.name}"
        source.write_bytes(data)
        answer = _REAL_ANSWERS[number % len(_REAL_ANSWERS)]
        subject = Subject(path.name, header.Rows, header.Columns, is_chest="chest" in path.name)
        member = _member(source, header, subject, _real_analyses(source, subject, answer))
        yield _case(f"real-{path.stem}", [member])


def _on_its_own(path: Path) -> bytes:
    """The file under study, series and instance UIDs of its own: versions of one image share them."""
    data = path.read_bytes()
    with quiet():
        ds = pydicom.dcmread(path, force=True, specific_tags=["SeriesInstanceUID"])
    series = str(ds.get("SeriesInstanceUID", ""))
    if series:
        number = str(zlib.crc32(path.name.encode()))
        own = (series[: -len(number)].rstrip(".0") + number).rjust(len(series), "1")
        data = data.replace(series.encode(), own.encode())
    return with_own_identity(data, path.name)


@dataclass(frozen=True, slots=True)
class _Member:
    image: ImageResult
    display: NDArray[np.float32] | None
    evidence: tuple[Evidence, ...]


def _revisions(study: str, members: list[_Member]) -> Iterator[Case]:
    if len(members) == 1:
        yield _case(study, members)
        return
    first = _case(f"{study}-revision-1", members[:-1])
    yield first
    report = build_report(first.result).ds
    earlier = Predecessor(
        report.SOPClassUID,
        report.SOPInstanceUID,
        report.SeriesInstanceUID,
        images=frozenset(image.instance.header.SOPInstanceUID for image in first.result.images),
        answer=study_answer(first.result).text,
    )
    yield _case(f"{study}-revision-2", members, revision=2, predecessor=earlier)


def _case(name: str, members: list[_Member], **more: object) -> Case:
    images = [member.image for member in members]
    uids = [image.instance.header.SOPInstanceUID for image in images]
    return Case(
        name=name,
        result=a_study(*images, **more),  # type: ignore[arg-type]  # a test overrides any field by name
        displays=dict(zip(uids, (member.display for member in members), strict=True)),
        evidence=dict(zip(uids, (member.evidence for member in members), strict=True)),
    )


def _write(image: Image, stock: Sequence[Film], folder: Path) -> _Member:
    film = stock[zlib.crc32(image.name.encode()) % len(stock)]
    kept = _kept(to_bytes(_encoded(image, film)))
    assert kept is not None, f"{image.name} is not taken at the door"
    header, data = kept
    path = folder / f"{image.name}.dcm"
    path.write_bytes(data)
    subject = Subject(image.name, header.Rows, header.Columns, image.is_chest)
    return _member(path, header, subject, answered(subject, image.answer))


def _member(path: Path, header: ImageHeader, subject: Subject, analyses: tuple[Analysis, ...]) -> _Member:
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    instance = Instance(
        id=InstanceId(1),
        header=header,
        digest=digest,
        spool_key=SpoolKey(f"{digest[:2]}/{digest}.dcm"),
        size_bytes=len(data),
        received_at=CONCLUDED_AT - 5,
        calling_aet="TEST",
    )
    evidence = evidence_of(subject, analyses)
    return _Member(ImageResult(instance, path, analyses), _display(path), evidence)


def _display(path: Path) -> NDArray[np.float32] | None:
    try:
        return to_display(read_image(path))
    except Rejected:
        return None


def _real_analyses(path: Path, subject: Subject, answer: str) -> tuple[Analysis, ...]:
    try:
        read_image(path)
    except Rejected as error:
        say = declined if error.code in _DECLINES else failed
        return (say(error.code, str(error), model=subject.model),)
    return answered(subject, answer)


def _kept(data: bytes) -> tuple[ImageHeader, bytes] | None:
    """The header and the file as the spool keeps it; None where the door refuses."""
    try:
        parts = split_file(data)
    except Unreadable:
        # Without file meta the sender says the transfer syntax; such files are in the oldest one.
        parts = FileParts("", "", str(ImplicitVRLittleEndian), memoryview(data))
    try:
        ds = parse_data_set(
            parts.data_set, transfer_syntax_uid=parts.transfer_syntax_uid, limit_bytes=_LIMIT_BYTES
        )
        header = read_header(ds, transfer_syntax_uid=parts.transfer_syntax_uid)
    except Unreadable:
        return None
    prefix = make_prefix(
        sop_class_uid=header.SOPClassUID,
        sop_instance_uid=header.SOPInstanceUID,
        transfer_syntax_uid=parts.transfer_syntax_uid,
    )
    return header, prefix + bytes(parts.data_set)


def _encoded(image: Image, film: Film) -> FileDataset:
    pixels = film.pixels
    if image.is_landscape != (pixels.shape[1] > pixels.shape[0]):
        pixels = np.ascontiguousarray(np.rot90(pixels))
    if image.size:
        pixels = cv2.resize(pixels, image.size[::-1], interpolation=cv2.INTER_CUBIC)
        pixels = np.clip(pixels, 0, STORED_MAXIMUM)
    side = {"Laterality" if image.is_cr else "ImageLaterality": "LR"[len(image.name) % 2]}
    more = ({} if image.is_chest else side) | dict(image.more)
    named = replace(film, name=image.name, study=image.study, pixels=pixels, is_cr=image.is_cr, more=more)
    ds = to_dataset(named)
    if image.is_chest and image.is_cr:
        del ds.Laterality
    if image.more is ORDERED:
        ds.RequestAttributesSequence = [_request()]
    _store(ds, pixels, image)
    return ds


def _request() -> Dataset:
    item = Dataset()
    item.RequestedProcedureID, item.ScheduledProcedureStepID = "RP-7", "SPS-7"
    item.RequestedProcedureDescription = "Wrist in two planes"
    return item


def _store(ds: FileDataset, pixels: NDArray[np.uint16], image: Image) -> None:
    """Scale to the image's depth, turn and shift as it asks, with a window over all of it."""
    most = (1 << image.bits) - 1
    values = pixels.astype(np.int64) * most // STORED_MAXIMUM
    if image.is_negative:
        values = most - values
        ds.PhotometricInterpretation = "MONOCHROME1"
        if "PresentationLUTShape" in ds:
            ds.PresentationLUTShape, ds.PixelIntensityRelationshipSign = "INVERSE", 1
    shift = (1 << (image.bits - 1)) if image.is_signed else 0
    ds.WindowCenter, ds.WindowWidth = (most + 1) // 2 - shift, most + 1
    ds.BitsAllocated = 8 if image.bits <= 8 else 16
    ds.BitsStored, ds.HighBit, ds.PixelRepresentation = image.bits, image.bits - 1, int(image.is_signed)
    kind = "<i2" if image.is_signed else "<u2"
    if image.answer == "undecodable":
        values = values[:-8]
    data = (values - shift).astype(kind if ds.BitsAllocated == 16 else "u1").tobytes()
    ds.PixelData = data + b"\x00" * (len(data) % 2)
    ds["PixelData"].VR = "OW" if ds.BitsAllocated == 16 else "OB"
