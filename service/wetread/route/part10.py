"""DICOM files as bytes: our own preamble and file meta in front of the data set as it was received."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from io import BytesIO

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_file_meta_info
from pydicom.tag import BaseTag
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from wetread.errors import Unreadable

# A UUID-derived root (PS3.5 B.2): names this implementation, not a release.
IMPLEMENTATION_CLASS_UID = UID("2.25.280915736420134918530617824095571032641")
IMPLEMENTATION_VERSION_NAME = "WETREAD"

_PREAMBLE_BYTES = 132
_PIXEL_TAGS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_UNDEFINED = 0xFFFFFFFF
# What pydicom raises for bytes that are not what they claim to be.
_PARSE_ERRORS = (
    InvalidDicomError,
    BytesLengthException,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)

Bytes = bytes | memoryview


@dataclass(frozen=True, slots=True)
class FileParts:
    """A Part 10 file taken apart: what its meta says, and its data set bytes."""

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    data_set: memoryview


def make_prefix(*, sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str) -> bytes:
    """Preamble and file meta information; the same arguments give the same bytes.

    The preamble is 128 zeros whatever the sender's was: it may hide a program (CVE-2019-11687).
    """
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = UID(sop_class_uid)
    meta.MediaStorageSOPInstanceUID = UID(sop_instance_uid)
    meta.TransferSyntaxUID = UID(transfer_syntax_uid)
    meta.ImplementationClassUID = IMPLEMENTATION_CLASS_UID
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    buffer = DicomBytesIO()
    write_file_meta_info(buffer, meta)
    return b"\x00" * 128 + b"DICM" + buffer.getvalue()


def split_file(data: bytes) -> FileParts:
    """Take a Part 10 file apart without copying its data set. Raises Unreadable."""
    if data[128:_PREAMBLE_BYTES] != b"DICM":
        raise Unreadable("not a DICOM file: no DICM marker after the preamble", code="not_dicom")
    stream = BytesIO(data)
    stream.seek(_PREAMBLE_BYTES)
    try:
        meta = _read_meta(stream)
        return FileParts(
            sop_class_uid=str(meta.MediaStorageSOPClassUID),
            sop_instance_uid=str(meta.MediaStorageSOPInstanceUID),
            transfer_syntax_uid=str(meta.TransferSyntaxUID),
            data_set=memoryview(data)[stream.tell() :],
        )
    except _PARSE_ERRORS as error:
        raise Unreadable("the file meta information cannot be parsed", code="meta_unreadable") from error


def parse_data_set(data: Bytes, *, transfer_syntax_uid: str, limit_bytes: int) -> Dataset:
    """Parse up to the pixel data, which is left out but for an empty element that says it is there.

    Raises Unreadable when the bytes cannot be parsed, end early, or inflate beyond `limit_bytes`.
    """
    if not data:
        raise Unreadable("the data set is empty", code="empty")
    try:
        if transfer_syntax_uid == DeflatedExplicitVRLittleEndian:
            data, transfer_syntax_uid = _inflate(data, limit_bytes), str(ExplicitVRLittleEndian)
        return _parse(data, transfer_syntax_uid)
    except _PARSE_ERRORS as error:
        raise Unreadable("the data set cannot be parsed", code="data_set_unreadable") from error


def _read_meta(stream: BytesIO) -> Dataset:
    # PS3.10 7.1: group 0002 is always explicit little endian, and ends where another group begins.
    return read_dataset(
        stream,
        is_implicit_VR=False,
        is_little_endian=True,
        stop_when=lambda tag, _vr, _length: tag.group != 2,
    )


def _inflate(data: Bytes, limit_bytes: int) -> bytes:
    # PS3.5 A.5: raw deflate. The limit is what keeps a small bomb small.
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    plain = inflater.decompress(data, limit_bytes)
    if inflater.unconsumed_tail:
        raise Unreadable("the deflated data set is larger than is taken here", code="too_large")
    return plain


def _parse(data: Bytes, transfer_syntax_uid: str) -> Dataset:
    found: list[int] = []

    def at_pixels(tag: BaseTag, _vr: str | None, length: int) -> bool:
        if tag in _PIXEL_TAGS:
            found.append(length)
        return bool(found)

    stream = BytesIO(data)
    ds = read_dataset(
        stream,
        is_implicit_VR=transfer_syntax_uid == ImplicitVRLittleEndian,
        is_little_endian=transfer_syntax_uid != ExplicitVRBigEndian,
        stop_when=at_pixels,
    )
    if found:
        # PS3.5 7.1: tag and length take 8 bytes, 12 where the VR is written too.
        header_bytes = 8 if transfer_syntax_uid == ImplicitVRLittleEndian else 12
        _check_length(found[0], len(data) - stream.tell() - header_bytes)
        ds.add_new(0x7FE00010, "OW", b"")
    return ds


def _check_length(declared: int, remaining: int) -> None:
    if declared != _UNDEFINED and declared > remaining:
        raise Unreadable("the object ends before its pixel data does", code="truncated")
