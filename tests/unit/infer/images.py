"""Small synthetic images and the DICOM files that hold them, in every transfer syntax."""

from __future__ import annotations

from pathlib import Path

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)

from wetread.infer.decode import DecodedImage, read_image

NATIVE = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
)
LOSSLESS = (JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless, HTJ2KLossless, RLELossless)
LOSSY = (JPEGBaseline8Bit, JPEGExtended12Bit)


def limb(rows: int = 96, columns: int = 64, *, bits: int = 12, seed: int = 7) -> NDArray[np.uint16]:
    """A bright shaft on a dark ground with noise: `bits` bits, some values at either end."""
    rng = np.random.default_rng(seed)
    across = np.abs(np.linspace(-1, 1, columns))[None, :] * np.ones((rows, 1))
    shaft = np.exp(-((across / 0.4) ** 4)) * 0.7 + 0.15 + rng.normal(0, 0.01, (rows, columns))
    values = np.clip(np.rint(shaft * (2**bits - 1)), 0, 2**bits - 1).astype(np.uint16)
    values[0, 0], values[-1, -1] = 0, 2**bits - 1
    return values


def header(stored: NDArray[np.generic], *, bits: int, syntax: str, **attributes: object) -> FileDataset:
    """A CR header for `stored`, without pixels; `attributes` replace or, if None, remove elements."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1"
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["wetread", syntax, str(bits)])
    meta.TransferSyntaxUID = syntax
    uid = meta.TransferSyntaxUID
    ds = FileDataset(
        "",
        {},
        file_meta=meta,
        preamble=b"\0" * 128,
        is_implicit_VR=uid == ImplicitVRLittleEndian,
        is_little_endian=uid != ExplicitVRBigEndian,
    )
    ds.SOPClassUID = meta.MediaStorageSOPClassUID
    ds.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    ds.Modality = "CR"
    ds.Rows, ds.Columns = stored.shape[:2]
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.BitsAllocated = stored.dtype.itemsize * 8
    ds.BitsStored, ds.HighBit = bits, bits - 1
    ds.PixelRepresentation = int(stored.dtype.kind == "i")
    for keyword, value in attributes.items():
        if value is None:
            del ds[keyword]
        else:
            setattr(ds, keyword, value)
    return ds


def write(path: Path, ds: Dataset, pixels: bytes) -> Path:
    """Write `ds` with `pixels`: native bytes, or a code stream to be wrapped as one frame."""
    syntax = ds.file_meta.TransferSyntaxUID
    ds.PixelData = encapsulate([pixels]) if syntax.is_compressed and syntax.is_encapsulated else pixels
    ds["PixelData"].VR = "OB" if syntax.is_encapsulated else "OW"
    ds.save_as(path, enforce_file_format=True)
    return path


def write_native(path: Path, stored: NDArray[np.generic], *, bits: int = 12, **attributes: object) -> Path:
    """An uncompressed explicit little endian file."""
    ds = header(stored, bits=bits, syntax=ExplicitVRLittleEndian, **attributes)
    return write(path, ds, stored.astype(stored.dtype.newbyteorder("<")).tobytes())


def encode(stored: NDArray[np.generic], syntax: str, *, bits: int) -> bytes:
    """The code stream of `stored` in a compressed transfer syntax."""
    if syntax == RLELossless:
        return rle(stored)
    if syntax == JPEGLSLossless:
        return bytes(imagecodecs.jpegls_encode(stored))
    if syntax == JPEG2000Lossless:
        return bytes(
            imagecodecs.jpeg2k_encode(stored, codecformat="J2K", reversible=True, bitspersample=bits)
        )
    if syntax == HTJ2KLossless:
        return bytes(imagecodecs.htj2k_encode(stored, reversible=True))
    lossless = syntax == JPEGLosslessSV1
    return bytes(
        imagecodecs.jpeg8_encode(
            stored, 95, lossless=lossless, predictor=1 if lossless else None, bitspersample=bits
        )
    )


def rle(stored: NDArray[np.generic]) -> bytes:
    """An RLE frame of literal runs alone (PS3.5 annex G)."""
    planes = stored.astype(stored.dtype.newbyteorder(">")).reshape(-1).view(np.uint8)
    planes = planes.reshape(-1, stored.dtype.itemsize)
    segments = [_packed(planes[:, plane].tobytes()) for plane in range(planes.shape[1])]
    offsets = [64 + sum(len(s) for s in segments[:i]) for i in range(len(segments))]
    table = np.zeros(16, dtype="<u4")
    table[: len(segments) + 1] = [len(segments), *offsets]
    return table.tobytes() + b"".join(segments)


def _packed(data: bytes) -> bytes:
    runs = [data[start : start + 128] for start in range(0, len(data), 128)]
    packed = b"".join(bytes([len(run) - 1]) + run for run in runs)
    return packed + b"\0" * (len(packed) % 2)


def decoded(path: Path, stored: NDArray[np.generic], *, bits: int = 12, **attributes: object) -> DecodedImage:
    """Write `stored` uncompressed and read it back."""
    return read_image(write_native(path, stored, bits=bits, **attributes))
