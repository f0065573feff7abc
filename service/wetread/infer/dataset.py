"""Open a file as a DICOM data set, within bounds, whatever the bytes are."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path

from pydicom import Dataset, dcmread
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filereader import read_dataset, read_file_meta_info

from wetread.errors import Undecodable, Unreadable

IMPLICIT_LE = "1.2.840.10008.1.2"
EXPLICIT_LE = "1.2.840.10008.1.2.1"
DEFLATED_LE = "1.2.840.10008.1.2.1.99"
EXPLICIT_BE = "1.2.840.10008.1.2.2"

# pydicom answers hostile bytes with any of these, and with OSError, which the disk may mean as well.
PARSER_ERRORS = (
    ArithmeticError,
    AttributeError,
    BytesLengthException,
    EOFError,
    InvalidDicomError,
    LookupError,
    MemoryError,
    NameError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)

_HEAD_BYTES = 1024
_PREAMBLE_BYTES = 132  # PS3.10 7.1: 128 of preamble, then DICM
_GROUP_LENGTH_BYTES = 12  # the element (0002,0000) itself


def open_data_set(path: Path, *, most_inflated_bytes: int) -> Dataset:
    """Parse a Part 10 file, or a bare data set in a guessed encoding.

    Raises Unreadable when the bytes do not parse or a deflated data set is cut short or inflates
    past `most_inflated_bytes`.
    """
    try:
        ds = _parse(path, most_inflated_bytes=most_inflated_bytes)
        is_empty = "SOPClassUID" not in ds and "PixelData" not in ds
    except PARSER_ERRORS as error:
        raise Unreadable(f"not a DICOM object ({type(error).__name__})") from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise Unreadable("not a DICOM object (cut short)") from error
    if is_empty:
        raise Unreadable("no DICOM data set in the file")
    return ds


def transfer_syntax_of(ds: Dataset) -> str:
    """The transfer syntax of the file meta, or what the parser guessed of a bare data set.

    Raises Undecodable `transfer_syntax` for compressed pixels of an unnamed syntax.
    """
    meta = getattr(ds, "file_meta", None)
    if meta is not None and meta.get("TransferSyntaxUID"):
        return str(meta.TransferSyntaxUID)
    if ds["PixelData"].is_undefined_length:
        raise Undecodable("compressed pixels without a transfer syntax", code="transfer_syntax")
    is_implicit, is_little = ds.original_encoding
    if is_implicit:
        return IMPLICIT_LE
    return EXPLICIT_LE if is_little else EXPLICIT_BE


def _parse(path: Path, *, most_inflated_bytes: int) -> Dataset:
    with path.open("rb") as file:
        is_deflated = DEFLATED_LE.encode() in file.read(_HEAD_BYTES)
        file.seek(0)
        if not is_deflated:
            return dcmread(file, force=True)
        meta = read_file_meta_info(path)
        file.seek(_PREAMBLE_BYTES + _GROUP_LENGTH_BYTES + int(meta.FileMetaInformationGroupLength))
        inflated = _inflate(file.read(), most_bytes=most_inflated_bytes)
    ds = read_dataset(BytesIO(inflated), is_implicit_VR=False, is_little_endian=True)
    ds.file_meta = meta
    return ds


def _inflate(data: bytes, *, most_bytes: int) -> bytes:
    """Half a megabyte can inflate to gigabytes: stop at `most_bytes` (PS3.5 A.5: raw deflate)."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    inflated = inflater.decompress(data, most_bytes)
    if inflater.unconsumed_tail:
        raise ValueError("the deflated data set is too large")
    if not inflater.eof:
        raise EOFError("the deflated data set is cut short")
    return inflated
