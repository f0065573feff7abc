"""Which coded concepts the results use: the report room's own, its templates', the models' findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from wetread.conformance.document import Row, Section, Table
from wetread.domain import Code
from wetread.infer.bundle import Bundle
from wetread.report import codes

_HEAD = ("Code", "Scheme", "Meaning", "Used as")
# What PS3.16 TID 1001-1004, 1204, 1410, 1500 and 4019 name themselves; highdicom writes them.
_TEMPLATES: Final = (
    Code("111000", "DCM", "Algorithm Family"),
    Code("111001", "DCM", "Algorithm Name"),
    Code("111002", "DCM", "Algorithm Parameters"),
    Code("111003", "DCM", "Algorithm Version"),
    Code("111030", "DCM", "Image Region"),
    Code("121005", "DCM", "Observer Type"),
    Code("121012", "DCM", "Device Observer UID"),
    Code("121013", "DCM", "Device Observer Name"),
    Code("121014", "DCM", "Device Observer Manufacturer"),
    Code("121015", "DCM", "Device Observer Model Name"),
    Code("121049", "DCM", "Language of Content Item and Descendants"),
    Code("121058", "DCM", "Procedure reported"),
    Code("126010", "DCM", "Imaging Measurements"),
    Code("130400", "DCM", "Geometric purpose of region"),
    Code("246205007", "SCT", "Quantity"),
    Code("260753009", "SCT", "Source"),
    Code("272741003", "SCT", "Laterality"),
    Code("363698007", "SCT", "Finding Site"),
    Code("en-US", "RFC5646", "English (United States)"),
)


def codes_section(bundles: Sequence[Bundle]) -> Section:
    """All codes by scheme and value, each once."""
    used = (*_constants(), *((code, "template") for code in _TEMPLATES), *_findings(bundles))
    rows = {(code.scheme, code.value): _row(code, use) for code, use in used}
    text = "No coding scheme of our own. What has no standard code is said in text."
    return Section("Coded concepts", (text, Table(_HEAD, tuple(rows[key] for key in sorted(rows)))))


def _constants() -> Iterator[tuple[Code, str]]:
    """Every code of `wetread.report.codes`, with its name there as words."""
    for name, value in vars(codes).items():
        use = name.lower().replace("_", " ")
        if isinstance(value, Code):
            yield value, use
        elif isinstance(value, Mapping):
            yield from ((code, use.removesuffix(" of")) for code in value.values() if isinstance(code, Code))


def _findings(bundles: Sequence[Bundle]) -> Iterator[tuple[Code, str]]:
    for bundle in bundles:
        for finding in bundle.manifest.findings:
            yield finding.code.to_code(), f"finding of {bundle.id.name} {bundle.id.version}"


def _row(code: Code, use: str) -> Row:
    return code.value, code.scheme, code.meaning, use
