"""What the listener answers: one table from error class to DIMSE status (PS3.4 B.2.3, PS3.7 annex C)."""

from __future__ import annotations

from wetread.errors import Mismatch, OutOfSpace, Rejected, Transient, Unsupported

SUCCESS = 0x0000
OUT_OF_RESOURCES = 0xA700
DATA_SET_DOES_NOT_MATCH = 0xA900
CANNOT_UNDERSTAND = 0xC000
CLASS_NOT_SUPPORTED = 0x0122
PROCESSING_FAILURE = 0x0110
UNRECOGNISED_OPERATION = 0x0211

# First match wins: children stand before their families.
ANSWERS: tuple[tuple[type[Exception], int], ...] = (
    (OutOfSpace, OUT_OF_RESOURCES),
    (Transient, OUT_OF_RESOURCES),
    (Mismatch, DATA_SET_DOES_NOT_MATCH),
    (Unsupported, CLASS_NOT_SUPPORTED),
    (Rejected, CANNOT_UNDERSTAND),
)


def status_for(error: Exception) -> int:
    """The DIMSE status for an error; 0x0110 for one nobody foresaw."""
    return next((status for kind, status in ANSWERS if isinstance(error, kind)), PROCESSING_FAILURE)
