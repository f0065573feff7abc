"""A published image as the manifest's readers want it: 8 bits, grey, dense tissue bright, shrunk."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wetread.errors import Rejected, Undecodable
from wetread.infer.decode import read_image
from wetread.infer.greyscale import ROBUST_PERCENTILES
from wetread.infer.prepare import to_display

Grey = NDArray[np.uint8]
JPEG_QUALITY = 95
DICOM_SUFFIX = ".dcm"


def read_grey(path: Path) -> Grey:
    """One image, (rows, columns). DICOM is displayed as the service displays it.

    PNG of 16 bits holds no window: as in the service, the grey scale spans `ROBUST_PERCENTILES`.
    Raises Rejected when the file cannot be decoded to its end.
    """
    if path.suffix.lower() == DICOM_SUFFIX:
        return _to_8_bits(to_display(read_image(path)))
    try:
        with Image.open(path) as picture:
            picture.load()
            if picture.mode.startswith(("I", "F")):
                return _to_8_bits(_stretched(np.asarray(picture, np.float32)))
            return np.asarray(picture.convert("L"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise Undecodable(f"{path.name} cannot be decoded: {error}") from error


def _stretched(stored: NDArray[np.float32]) -> NDArray[np.float32]:
    low, high = np.percentile(stored, ROBUST_PERCENTILES)
    if high <= low:
        return np.zeros_like(stored)
    return np.asarray(np.clip((stored - low) / (high - low), 0.0, 1.0), np.float32)


def _to_8_bits(display: NDArray[np.float32]) -> Grey:
    return np.asarray(np.round(display * 255.0), np.uint8)


def shrink(image: Grey, longest: int) -> Grey:
    """At most `longest` pixels on the longest side; a smaller image stays as it is."""
    scale = longest / max(image.shape)
    if scale >= 1.0:
        return image
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def content_digest(image: Grey) -> str:
    """The same for two files that show the same pixels, whatever their names and headers."""
    return hashlib.sha256(f"{image.shape}".encode() + image.tobytes()).hexdigest()


def write_jpeg(image: Grey, path: Path) -> None:
    """Write as JPEG; raises Rejected when the codec will not."""
    is_done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not is_done:
        raise Rejected(f"{path.name} cannot be written as JPEG")
    path.write_bytes(data.tobytes())
