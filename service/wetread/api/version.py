"""Which release this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def version_here() -> str:
    """The installed release; `unreleased` when run from a source tree that is not installed."""
    try:
        return version("wetread")
    except PackageNotFoundError:
        return "unreleased"
