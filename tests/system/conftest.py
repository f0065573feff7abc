"""Fixtures of the system tests: real peers, started per test and gone after it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.system.models import find_models
from tests.system.wetread_service import Wetread

MakeWetread = Callable[[dict[str, str]], Wetread]


@pytest.fixture(scope="session")
def models_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundles that the service under test loads."""
    return find_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
def make_wetread(tmp_path: Path, models_folder: Path) -> MakeWetread:
    """An installation in the test's own folder, not yet running."""
    return lambda settings: Wetread(tmp_path / "wetread", models_folder, settings)
