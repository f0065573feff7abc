"""Finding tables and images in the folder of a public set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from wetread.errors import Misconfigured

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".dcm"})
OLDEST_YEARS = 120


class NotAsPublished(Misconfigured):
    """The folder is not the set as its makers publish it; the message says what is amiss."""

    code = "not_as_published"


def read_table(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a published CSV as text, which must have these columns; others are kept."""
    if not path.is_file():
        raise NotAsPublished(f"{path} is missing")
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (ValueError, UnicodeDecodeError) as error:
        raise NotAsPublished(f"{path} is not a CSV table: {error}") from error
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise NotAsPublished(f"{path} has no column {', '.join(missing)}; it has {', '.join(table.columns)}")
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def first_that_is(candidates: Iterable[Path]) -> Path | None:
    """The first of these paths that exists."""
    return next((path for path in candidates if path.exists()), None)


def images_below(folder: Path, patterns: Sequence[str]) -> dict[str, Path]:
    """Every image under the folders that match, by file name; a name must not come twice."""
    found: dict[str, Path] = {}
    for pattern in patterns:
        for path in sorted(folder.glob(pattern)):
            if path.suffix.lower() not in IMAGE_SUFFIXES:
                continue
            if path.name in found:
                raise NotAsPublished(f"{path.name} is there twice: {found[path.name]} and {path}")
            found[path.name] = path
    return found


def is_yes(value: str) -> bool:
    """Whether a flag is set: 1, 1.0; empty, 0 and 0.0 are no."""
    return value.strip() not in ("", "0", "0.0")


def to_years(text: str) -> str:
    """An age such as 58, 058Y, 5.6 or 007M in years as text; empty when unknown or impossible."""
    digits, unit = text.strip().rstrip("YyMmDdWw"), text.strip()[-1:].upper()
    try:
        number = float(digits)
    except ValueError:
        return ""
    years = number / {"M": 12, "W": 52, "D": 365}.get(unit, 1)
    return f"{years:g}" if 0 <= years <= OLDEST_YEARS else ""
