"""A data set as the bytes of a Part 10 file."""

from __future__ import annotations

from io import BytesIO

import pydicom
from pydicom.dataset import Dataset

from wetread.report.source import quiet


def to_part10(ds: Dataset) -> bytes:
    """Explicit VR little endian with file meta information; the same data set gives the same bytes.

    The preamble is 128 zero bytes of our own: one copied from elsewhere can make the file an
    executable (CVE-2019-11687).
    """
    buffer = BytesIO()
    with quiet():
        pydicom.dcmwrite(buffer, ds, enforce_file_format=True)
    return b"\x00" * 128 + buffer.getvalue()[128:]
