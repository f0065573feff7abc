"""Cursors: opaque to who uses them, a position to us."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Final

from fastapi import Query

from wetread.errors import Rejected

_LONGEST: Final = 24
_LARGEST: Final = 2**53

Limit = Annotated[int, Query(ge=1, le=100, description="How many at most.")]
Cursor = Annotated[str, Query(max_length=_LONGEST, description="`next_cursor` of the page before.")]


def to_cursor(position: int) -> str:
    """A position as a cursor."""
    return base64.urlsafe_b64encode(str(position).encode()).decode().rstrip("=")


def from_cursor(cursor: str) -> int:
    """A cursor as a position, 0 for ''. Raises Rejected when it is not one of ours."""
    if not cursor:
        return 0
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise Rejected("the cursor is not one that was given out", code="cursor") from error
    if not text.isdecimal() or int(text) > _LARGEST:
        raise Rejected("the cursor is not one that was given out", code="cursor")
    return int(text)
