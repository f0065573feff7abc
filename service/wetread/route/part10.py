"""DICOM files as bytes: our own preamble and file meta in front of the data set as it was received."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from io import BytesIO

from pydicom.charset import convert_encodings
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import data_element_generator, read_dataset
from pydicom.filewriter import write_file_meta_info
from pydicom.tag import BaseTag
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from wetread.domain import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from wetread.errors import Unreadable
from wetread.route.element import is_uid

_PREAMBLE_BYTES = 132
_PIXEL_TAGS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_UNDEFINED = 0xFFFFFFFF
# Item and sequence delimitation item, as little endian bytes (PS3.5 A.4).
_ITEM, _DELIMITER = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
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
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
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
        uids = (meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID, meta.TransferSyntaxUID)
        sop_class, sop_instance, syntax = (str(uid) for uid in uids)
    except _PARSE_ERRORS as error:
        raise Unreadable("the file meta information cannot be parsed", code="meta_unreadable") from error
    if not all(is_uid(uid) for uid in (sop_class, sop_instance, syntax)):
        raise Unreadable("a UID of the file meta information is malformed", code="uid_malformed")
    return FileParts(sop_class, sop_instance, syntax, memoryview(data)[stream.tell() :])


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
    if inflater.eof:
        return plain
    if len(plain) >= limit_bytes:
        raise Unreadable("the deflated data set is larger than is taken here", code="too_large")
    raise Unreadable("the deflated data set ends early", code="truncated")


def _parse(data: Bytes, transfer_syntax_uid: str) -> Dataset:
    stream = BytesIO(data)
    is_implicit = transfer_syntax_uid == ImplicitVRLittleEndian
    is_little = transfer_syntax_uid != ExplicitVRBigEndian
    tail = _Tail(stream, len(data))
    # Not `read_dataset`: that one takes an object that ends early for a whole one, with a warning.
    elements = {
        element.tag: element
        for element in data_element_generator(stream, is_implicit, is_little, stop_when=tail.is_pixel_data)
    }
    ds = Dataset(elements)
    ds.set_original_encoding(is_implicit, is_little, convert_encodings(ds.get("SpecificCharacterSet")))
    if tail.has_pixel_data:
        ds.add_new(0x7FE00010, "OW", b"")
    tail.check(memoryview(data))
    return ds


class _Tail:
    """Follows the parser from element to element, to know where the last one should end."""

    def __init__(self, stream: BytesIO, size_bytes: int) -> None:
        self._stream = stream
        self._size_bytes = size_bytes
        self._value_at = 0
        self._length = 0
        self.has_pixel_data = False

    def is_pixel_data(self, tag: BaseTag, _vr: str | None, length: int) -> bool:
        """pydicom's `stop_when`: called with the stream where the value begins."""
        self._value_at, self._length = self._stream.tell(), length
        self.has_pixel_data = tag in _PIXEL_TAGS
        return self.has_pixel_data

    def check(self, data: memoryview) -> None:
        """Raises Unreadable when the object ends before its last element does."""
        if self._length == _UNDEFINED:
            # pydicom itself has seen the end of a sequence; pixel data it has not read.
            is_whole = not self.has_pixel_data or _ends_well(data, self._value_at)
        elif self.has_pixel_data:
            is_whole = self._value_at + self._length <= self._size_bytes
        else:
            is_whole = self._value_at + self._length == self._size_bytes
        if not is_whole:
            raise Unreadable("the object ends early", code="truncated")


def _ends_well(data: memoryview, at: int) -> bool:
    """Whether the fragments of encapsulated pixel data lead to their delimiter (PS3.5 A.4)."""
    while bytes(data[at : at + 4]) == _ITEM and at + 8 <= len(data):
        at += 8 + int.from_bytes(data[at + 4 : at + 8], "little")
    return bytes(data[at : at + 4]) == _DELIMITER
