"""Fixtures every test may use."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

IN_CI = os.environ.get("CI") == "true"


def need(is_there: bool, what: str) -> None:
    """Skip by name when something a test needs is missing; in CI that is a failure."""
    if is_there:
        return
    if IN_CI:
        pytest.fail(f"CI must have {what}")
    pytest.skip(f"needs {what}")


def find_tool(name: str) -> str:
    """The path of a peer's program from Debian, such as `storescu`."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin:/usr/local/sbin")
    need(found is not None, f"{name} on the PATH (see `make tools`)")
    assert found is not None
    return found


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real radiographs, outside the repository."""
    folder = Path(os.environ.get("WETREAD_TEST_DATA", "no-such-folder"))
    need(folder.is_dir(), "real radiographs in WETREAD_TEST_DATA")
    return folder
