"""Fixtures of the HTTP door's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.api.room import Room, open_room


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """One HTTP door with nothing in it."""
    with open_room(tmp_path) as made:
        yield made
