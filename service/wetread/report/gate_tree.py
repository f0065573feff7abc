"""Which items a document may have, container by container, and which codes: nothing else may be said.

People read every item, also one that no check asks for: "Fracture = Absent" beside the true answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from wetread.domain import SOFTWARE_VERSION, Code
from wetread.report import codes, identity
from wetread.report.content import CodeTexts, coded, first_code, named, values_by_tag

# Value and scheme of the name, value type, relationship: what an item is, whatever it says.
Row: TypeAlias = tuple[str, str, str, str]
# How often at least and at most; None: any number.
Rows: TypeAlias = Mapping[Row, tuple[int, int | None]]

# What the templates bring: TID 1204, TID 1001 to 1004, TID 1500, TID 1410, TID 1419.
_LANGUAGE: Final = Code("121049", "DCM", "Language of Content Item and Descendants")
_ENGLISH: Final = Code("en-US", "RFC5646", "English (United States)")
_OBSERVER_MANUFACTURER: Final = Code("121014", "DCM", "Device Observer Manufacturer")
_OBSERVER_MODEL: Final = Code("121015", "DCM", "Device Observer Model Name")
_PROCEDURE: Final = Code("121058", "DCM", "Procedure reported")
_SOURCE: Final = Code("260753009", "SCT", "Source")
_OF_TEMPLATES: Final = (
    _LANGUAGE, _ENGLISH, _OBSERVER_MANUFACTURER, _OBSERVER_MODEL, _PROCEDURE, _SOURCE,
)  # fmt: skip
_NAME, _ANSWER, _NUMBERS, _CHILDREN = 0x0040A043, 0x0040A168, 0x0040A300, 0x0040A730
_VALUE_TYPE, _RELATIONSHIP, _CONTINUITY = 0x0040A040, 0x0040A010, 0x0040A050
_CONTAINS, _MODIFIES, _OBSERVES = "CONTAINS", "HAS CONCEPT MOD", "HAS OBS CONTEXT"
_ONCE, _AT_MOST_ONCE, _ANY = (1, 1), (0, 1), (0, None)


@dataclass(frozen=True, slots=True)
class Item:
    """A content item, read once. `codes`: its name, its answer, the units of its numbers."""

    row: Row
    codes: tuple[CodeTexts, ...]
    is_separate: bool
    children: tuple[Item, ...]

    def below(self) -> Iterator[Item]:
        """Every item below, parents first."""
        for child in self.children:
            yield child
            yield from child.below()


def read_item(ds: Dataset) -> Item:
    """A document's root or one of its items, with all below."""
    held = values_by_tag(ds)
    name, answer = first_code(held.get(_NAME)), first_code(held.get(_ANSWER))
    units = [coded(number, "MeasurementUnitsCodeSequence") for number in _items(held.get(_NUMBERS))]
    return Item(
        (*name[:2], str(held.get(_VALUE_TYPE) or ""), str(held.get(_RELATIONSHIP) or "")),
        (name, answer, *units),
        held.get(_CONTINUITY) == "SEPARATE",
        tuple(read_item(item) for item in _items(held.get(_CHILDREN))),
    )


def _items(value: object) -> Iterable[Dataset]:
    return value if isinstance(value, Sequence) else ()


def row(name: Code, value_type: str, relationship: str = _CONTAINS) -> Row:
    """The row of a template for items of that name."""
    return name.value, name.scheme, value_type, relationship


_OBSERVER: Final = MappingProxyType(
    {
        row(codes.OBSERVER_TYPE, "CODE", _OBSERVES): _ONCE,
        row(codes.OBSERVER_UID, "UIDREF", _OBSERVES): _ONCE,
        row(codes.OBSERVER_NAME, "TEXT", _OBSERVES): _ONCE,
        row(_OBSERVER_MANUFACTURER, "TEXT", _OBSERVES): _ONCE,
        row(_OBSERVER_MODEL, "TEXT", _OBSERVES): _ONCE,
    }
)
_REPORT: Final[Rows] = MappingProxyType(
    {
        **_OBSERVER,
        row(_LANGUAGE, "CODE", _MODIFIES): _ONCE,
        row(_PROCEDURE, "CODE", _MODIFIES): _ONCE,
        row(codes.IMAGING_MEASUREMENTS, "CONTAINER"): _ONCE,
        row(codes.QUALITATIVE_EVALUATIONS, "CONTAINER"): _ONCE,
    }
)
_GROUP: Final[Rows] = MappingProxyType(
    {
        row(codes.TRACKING_IDENTIFIER, "TEXT", _OBSERVES): _ONCE,
        row(codes.TRACKING_UID, "UIDREF", _OBSERVES): _ONCE,
        row(codes.FINDING, "CODE"): _ONCE,
        row(codes.FINDING_SITE, "CODE", _MODIFIES): _AT_MOST_ONCE,
        row(codes.ALGORITHM_NAME, "TEXT", _MODIFIES): _ONCE,
        row(codes.ALGORITHM_VERSION, "TEXT", _MODIFIES): _ONCE,
        row(codes.ALGORITHM_PARAMETERS, "TEXT", _MODIFIES): _ANY,
        row(codes.ALGORITHM_FAMILY, "CODE", _MODIFIES): _ONCE,
        row(codes.PROBABILITY, "NUM"): _AT_MOST_ONCE,
        row(codes.CAD_SUMMARY, "CODE"): _AT_MOST_ONCE,
        row(codes.IMAGE_QUALITY, "CODE"): _AT_MOST_ONCE,
        row(codes.GEOMETRIC_PURPOSE, "CODE"): _ONCE,
        row(codes.IMAGE_REGION, "SCOORD"): _ONCE,
    }
)
# Below these items stand others; below any other, none.
_INSIDE: Final[Mapping[str, Rows]] = MappingProxyType(
    {
        codes.IMAGING_MEASUREMENTS.value: {row(codes.MEASUREMENT_GROUP, "CONTAINER"): _ANY},
        codes.FINDING_SITE.value: {row(codes.LATERALITY, "CODE", _MODIFIES): _AT_MOST_ONCE},
        codes.IMAGE_REGION.value: {row(_SOURCE, "IMAGE", "SELECTED FROM"): _ONCE},
    }
)
KEY_OBJECT: Final[Rows] = MappingProxyType(
    {
        **_OBSERVER,
        row(codes.KEY_OBJECT_DESCRIPTION, "TEXT"): _ONCE,
        ("", "", "IMAGE", _CONTAINS): (1, None),
    }
)


def tree_defects(ds: Dataset, *, sentences: Iterable[Code], findings: Iterable[Code]) -> Iterator[str]:
    """Every item and code of a report that nobody asked for; `sentences` names the texts of its summary."""
    summary: Rows = {row(codes.CAD_SUMMARY, "CODE"): _ONCE} | {row(name, "TEXT"): _ANY for name in sentences}
    root = read_item(ds)
    yield from row_defects(root, _REPORT, where="the root")
    for item in root.below():
        name = item.row[0]
        if name == codes.MEASUREMENT_GROUP.value:
            yield from row_defects(item, _group_rows(item), where="a measurement group")
        elif name == codes.QUALITATIVE_EVALUATIONS.value:
            yield from row_defects(item, summary, where="the summary")
        else:
            yield from row_defects(item, _INSIDE.get(name, {}), where=f"item {name}")
        if item.row[2] == "CONTAINER" and not item.is_separate:
            yield "a container's items are not separate"
    yield from code_defects(root, findings=findings)


def _group_rows(group: Item) -> Rows:
    """The finding itself is the question that presence answers; of an image that was not read, none is."""
    found = (item.codes[1][:2] for item in group.children if item.row[0] == codes.FINDING.value)
    value, scheme = next(found, ("", ""))
    is_unread = value in (codes.FAILED.value, codes.NOT_ATTEMPTED.value)
    asked = (codes.PRESENCE.value, codes.PRESENCE.scheme) if is_unread else (value, scheme)
    return {**_GROUP, (*asked, "CODE", _CONTAINS): _ONCE}


def row_defects(parent: Item, rows: Rows, *, where: str) -> Iterator[str]:
    """Compare the children of one item with the rows of its template."""
    if not parent.children and not rows:
        return
    said = Counter(item.row for item in parent.children)
    for found in said:
        if found not in rows:
            yield f"{where} has an item {' '.join(found).strip()} that no template row asks for"
    for asked, (least, most) in rows.items():
        if not least <= said[asked] <= (said[asked] if most is None else most):
            yield f"{where} has {said[asked]} items {' '.join(asked).strip()}"


def observer_defects(ds: Dataset) -> Iterator[str]:
    """The observer is this software, and no person (PS3.16 TID 1002, TID 1004)."""
    if coded(named(ds, codes.OBSERVER_TYPE), "ConceptCodeSequence")[0] != codes.DEVICE.value:
        yield "the observer is not a device"
    if named(ds, codes.OBSERVER_UID).get("UID") != identity.OBSERVER_UID:
        yield "the device observer's UID is not this software's"
    for name, text in (
        (codes.OBSERVER_NAME, identity.MODEL_NAME),
        (_OBSERVER_MANUFACTURER, identity.MANUFACTURER),
        (_OBSERVER_MODEL, f"{identity.MODEL_NAME} {SOFTWARE_VERSION}"),
    ):
        if named(ds, name).get("TextValue") != text:
            yield f"{name.meaning} is not this software's"


def context_defects(ds: Dataset) -> Iterator[str]:
    """What kind of report it is, in which language, of which procedure."""
    title = coded(ds, "ConceptNameCodeSequence")[:2]
    if title != (codes.IMAGING_MEASUREMENT_REPORT.value, codes.IMAGING_MEASUREMENT_REPORT.scheme):
        yield "the title is not Imaging Measurement Report"
    for name, value in ((_LANGUAGE, _ENGLISH), (_PROCEDURE, codes.RADIOGRAPHY_PROCEDURE)):
        if coded(named(ds, name), "ConceptCodeSequence")[:2] != (value.value, value.scheme):
            yield f"{name.meaning} is not {value.meaning}"


def code_defects(root: Item, *, findings: Iterable[Code]) -> Iterator[str]:
    """Every code of a document is one of ours, and its words are that code's: people read the words."""
    known: dict[tuple[str, str], set[str]] = {}
    for code in (*_ours(), *_OF_TEMPLATES, *findings):
        known.setdefault((code.value, code.scheme), set()).add(code.meaning)
    for item in (root, *root.below()):
        for value, scheme, meaning in filter(any, item.codes):
            if (value, scheme) not in known:
                yield f"code {value} of {scheme} is none that a result uses"
            elif meaning not in known[value, scheme]:
                yield f"the meaning of code {value} is another"


def _ours() -> Iterator[Code]:
    for value in vars(codes).values():
        if isinstance(value, Code):
            yield value
        elif isinstance(value, MappingProxyType):
            yield from (code for code in value.values() if isinstance(code, Code))
