"""Settings are read in a home of the test's own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home; nothing of the developer's own environment counts."""
    for name in list(os.environ):
        if name.startswith("WETREAD_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("WETREAD_HOME", str(tmp_path))
    return tmp_path
