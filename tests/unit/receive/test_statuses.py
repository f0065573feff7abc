from __future__ import annotations

import pytest

from wetread.errors import (
    Mismatch,
    NotFound,
    OutOfSpace,
    Rejected,
    Transient,
    Undecodable,
    Unreachable,
    Unreadable,
    Unsupported,
)
from wetread.receive.statuses import status_for


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (OutOfSpace, 0xA700),
        (Transient, 0xA700),
        (Unreachable, 0xA700),
        (Mismatch, 0xA900),
        (Unsupported, 0x0122),
        (Unreadable, 0xC000),
        (Undecodable, 0xC000),
        (NotFound, 0xC000),
        (Rejected, 0xC000),
    ],
)
def test_each_family_of_errors_has_its_status(error: type[Exception], status: int) -> None:
    assert status_for(error("why")) == status


def test_a_fault_that_nobody_foresaw_is_a_processing_failure() -> None:
    assert status_for(ZeroDivisionError()) == 0x0110
