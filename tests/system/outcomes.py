"""The table of outcomes as a page for people: `python -m tests.system.outcomes` writes it."""

from __future__ import annotations

import tomllib
from pathlib import Path

from tests.system.road import TABLE

PAGE = Path(__file__).parent / "OUTCOMES.md"
_HEAD = """# What becomes of 40 real DICOM files

DCMTK sends every file as it is to a running service, in order of name; results come back to an Orthanc.
`tests/system/test_road.py` holds each line against what happened. This page is written from
`outcomes.toml` by `python -m tests.system.outcomes`.

- **C-STORE**: the status that the sender got. Refused files are in quarantine with the reason shown.
- **kept**: `other bytes` means that an instance of the same UID and other bytes was there before: both
  are kept, the first stands, the second is flagged and not read. Its answer in the other columns is the
  one it gets when sent again under a UID of its own.
- **answer**: what the Structured Report says of the image: `answered` is a probability with findings or
  without (which of the two is for the models' own tests), `not evaluable` carries the reasons beside it.

| file | C-STORE | kept | answer | fracture model | pneumonia model | why this is proper |
|---|---|---|---|---|---|---|
"""


def render() -> str:
    """The page."""
    rows = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return _HEAD + "".join(_line(name, row) for name, row in rows.items())


def _line(name: str, row: dict[str, str]) -> str:
    kept = row["kept"] if row["status"] == "0x0000" else f"quarantine: `{row['kept']}`"
    cells = [f"`{name.removesuffix('.dcm')}`", row["status"], kept.replace("_", " ")]
    cells.append(row.get("outcome", "").replace("_", " "))
    cells += [_code(row.get("fracture", "")), _code(row.get("pneumonia", "")), row["because"]]
    return f"| {' | '.join(cells)} |\n"


def _code(text: str) -> str:
    return f"`{text}`" if "_" in text else text


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
