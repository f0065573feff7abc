"""One element's value as the wire left it: odd values are the rule, and none may stop the reading."""

from __future__ import annotations

import re
import struct

from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException

# PS3.5 9.1: digits and dots, no leading zeros.
_UID = re.compile(r"[0-2](\.(0|[1-9][0-9]*))+")
_LONGEST_UID = 64
# What pydicom raises when it converts a malformed value.
_CONVERSION_ERRORS = (
    ArithmeticError,
    AttributeError,
    BytesLengthException,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)


def read_value(ds: Dataset, keyword: str) -> object:
    """An element's value; None when it is absent, empty or cannot be converted."""
    try:
        return ds.get(keyword)
    except _CONVERSION_ERRORS:
        return None


def is_uid(text: str) -> bool:
    """Whether this is a well-formed UID: what is not may be an attack on a path or a log."""
    return len(text) <= _LONGEST_UID and _UID.fullmatch(text) is not None
