"""Finding one's way in the content tree of a report that was made, or read back."""

from __future__ import annotations

from collections.abc import Iterator

from pydicom.dataset import Dataset

from wetread.domain import Code


def walk(ds: Dataset) -> Iterator[Dataset]:
    """Every content item below, parents first."""
    for item in ds.get("ContentSequence") or []:
        yield item
        yield from walk(item)


def name_of(item: Dataset) -> str:
    """The value of the code that names an item; '' where it has none."""
    return coded(item, "ConceptNameCodeSequence")[0]


def code_of(item: Dataset) -> str:
    """The value of the code that is a CODE item's answer; '' where it has none."""
    return coded(item, "ConceptCodeSequence")[0]


def coded(item: Dataset, keyword: str) -> tuple[str, str, str]:
    """Value, scheme and meaning of the first code in a sequence; empty where there is none.

    A value over 16 characters stands in the long form (PS3.3 table 8.8-1).
    """
    held = (item[keyword].value if keyword in item else None) or [Dataset()]
    code = held[0]
    value = code.get("CodeValue") or code.get("LongCodeValue") or code.get("URNCodeValue") or ""
    return str(value), str(code.get("CodingSchemeDesignator", "")), str(code.get("CodeMeaning", ""))


def by_name(parent: Dataset) -> dict[str, list[Dataset]]:
    """The children by the value of the code that names them, read once: elements are slow to read."""
    made: dict[str, list[Dataset]] = {}
    for item in parent.get("ContentSequence") or []:
        made.setdefault(name_of(item), []).append(item)
    return made


def named(parent: Dataset, name: Code) -> Dataset:
    """The first child of that name; an empty data set where there is none."""
    items = parent.get("ContentSequence") or []
    return next((item for item in items if name_of(item) == name.value), Dataset())


def of_type(parent: Dataset, value_type: str) -> list[Dataset]:
    """The children of that value type."""
    return [item for item in parent.get("ContentSequence") or [] if item.get("ValueType") == value_type]
