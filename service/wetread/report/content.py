"""Finding one's way in the content tree of a report that was made, or read back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from wetread.domain import Code

# Value, scheme, meaning.
CodeTexts: TypeAlias = tuple[str, str, str]
# CodeValue, LongCodeValue, URNCodeValue.
_CODE_VALUES: Final = (0x00080100, 0x00080119, 0x00080120)
_SCHEME: Final = 0x00080102
_MEANING: Final = 0x00080104


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


def values_by_tag(ds: Dataset) -> dict[int, object]:
    """The values of all elements: a hundred times faster than asking for one after the other by keyword."""
    return {
        int(tag): (element if isinstance(element, DataElement) else ds[tag]).value
        for tag, element in ds.items()
    }


def coded(item: Dataset, keyword: str) -> CodeTexts:
    """Value, scheme and meaning of the first code in a sequence; empty where there is none."""
    return first_code(values_by_tag(item).get(tag_for_keyword(keyword) or 0))


def first_code(items: object) -> CodeTexts:
    """The same of the sequence's items. A value over 16 characters stands in the long form (PS3.3 8.8)."""
    if not (isinstance(items, Sequence) and items):
        return "", "", ""
    held = values_by_tag(items[0])
    value = next((held[tag] for tag in _CODE_VALUES if held.get(tag)), "")
    return str(value), str(held.get(_SCHEME) or ""), str(held.get(_MEANING) or "")


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
