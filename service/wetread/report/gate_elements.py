"""Every element of an object, at every depth: may it stand there, is its value of the right form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from wetread.domain import ObjectKind
from wetread.report.gate_tags import ITEM_TAGS, OF_SEVERAL, ROOT_TAGS

# Characters at most, by value representation (PS3.5 table 6.2-1).
_LONGEST: Final = {
    "AE": 16,
    "CS": 16,
    "SH": 16,
    "LO": 64,
    "DS": 16,
    "IS": 12,
    "UI": 64,
    "ST": 1024,
    "LT": 10240,
}
_FORM: Final = {
    # Components with leading zeros are not allowed, yet sources have them, and a reference must match.
    "UI": re.compile(r"\d+(\.\d+)+"),
    "DA": re.compile(r"\d{8}"),
    "TM": re.compile(r"([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?"),
    "CS": re.compile(r"[A-Z0-9 _]+"),
}
_FORMED: Final = _LONGEST.keys() | _FORM.keys()


def element_defects(ds: Dataset, kind: ObjectKind) -> Iterator[str]:
    """What does not belong in this kind, and what is too long or misshapen; values are never quoted."""
    yield from _walk(ds, ROOT_TAGS[kind], where="an object of this kind")


def _walk(ds: Dataset, allowed: frozenset[int], *, where: str) -> Iterator[str]:
    for tag, held in ds.items():
        element = held if isinstance(held, DataElement) else ds[tag]
        if int(tag) not in allowed:
            # A private attribute has no keyword.
            yield f"{element.keyword or tag} does not belong in {where}"
        elif element.VR == "SQ":
            yield from _item_defects(element)
        elif element.VR in _FORMED:
            yield from _value_defects(element)


def _item_defects(element: DataElement) -> Iterator[str]:
    tag, items = int(element.tag), element.value or ()
    if len(items) > 1 and tag not in OF_SEVERAL:
        yield f"{element.keyword} has several items"
    for item in items:
        yield from _walk(item, ITEM_TAGS[tag], where=keyword_for_tag(tag))


def _value_defects(element: DataElement) -> Iterator[str]:
    longest, form = _LONGEST.get(element.VR), _FORM.get(element.VR)
    for value in element.value if element.VM > 1 else [element.value]:
        text = "" if value is None else str(value)
        if longest is not None and len(text) > longest:
            yield f"{element.keyword} is longer than {longest} characters"
        if text and form is not None and not form.fullmatch(text):
            yield f"{element.keyword} is not a valid {element.VR}"
