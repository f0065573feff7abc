"""What a STOW-RS answer says of the one object that was sent (PS3.18 10.5.3.3 and annex I)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.parsers import expat

_FAILED_SEQUENCE = "00081198"
_OTHER_FAILURES_SEQUENCE = "0008119A"
_REFERENCED_SEQUENCE = "00081199"
_SEQUENCES = (_FAILED_SEQUENCE, _OTHER_FAILURES_SEQUENCE, _REFERENCED_SEQUENCE)
_WARNING_REASON = "00081196"
_FAILURE_REASON = "00081197"
# PS3.7 annex C: processing failure; for an object that failed without a reason.
_NO_REASON = 0x0110
_LONGEST_TEXT = 64

Items = Sequence[dict[str, str]]


@dataclass(frozen=True, slots=True)
class StoreAnswer:
    """Why the object was not stored, or what is odd about it: statuses, None when there is nothing to say."""

    failure: int | None = None
    warning: int | None = None


def read_store_answer(body: bytes, content_type: str) -> StoreAnswer | None:
    """Read the Store Instances Response Module, as DICOM JSON or native XML; None when it is neither."""
    try:
        if "json" in content_type:
            return _to_answer(_read_json(body))
        if "xml" in content_type and "html" not in content_type:
            return _to_answer(_read_xml(body))
    except (ValueError, TypeError, AttributeError, KeyError, IndexError, RecursionError, expat.ExpatError):
        # A peer's text of any shape: not the module, whatever else it is.
        return None
    return None


def _to_answer(sequences: dict[str, Items]) -> StoreAnswer:
    failed = [*sequences.get(_FAILED_SEQUENCE, ()), *sequences.get(_OTHER_FAILURES_SEQUENCE, ())]
    odd = [item for item in sequences.get(_REFERENCED_SEQUENCE, ()) if _WARNING_REASON in item]
    return StoreAnswer(
        failure=_to_status(failed[0].get(_FAILURE_REASON, "0")) or _NO_REASON if failed else None,
        warning=_to_status(odd[0][_WARNING_REASON]) if odd else None,
    )


def _to_status(text: str) -> int:
    status = int(text)
    if not 0 <= status <= 0xFFFF:
        raise ValueError("not an unsigned short (PS3.5 table 6.2-1)")
    return status


def _read_json(body: bytes) -> dict[str, Items]:
    """PS3.18 annex F: the module's sequences by tag, each item with the first value of its elements."""
    module = json.loads(body)
    if isinstance(module, list):
        [module] = module
    return {
        tag.upper(): [_first_values(item) for item in element.get("Value", ())]
        for tag, element in module.items()
        if tag.upper() in _SEQUENCES
    }


def _first_values(item: dict[str, dict[str, list[object]]]) -> dict[str, str]:
    return {tag.upper(): str(element["Value"][0]) for tag, element in item.items() if element.get("Value")}


def _read_xml(body: bytes) -> dict[str, Items]:
    """PS3.19 annex A.1: the same of the native DICOM model."""
    walk = _Walk()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = walk.start
    parser.EndElementHandler = walk.end
    parser.CharacterDataHandler = walk.characters
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.Parse(body, True)
    return dict(walk.sequences)


def _refuse_doctype(*_: object) -> None:
    # Entities that grow: nothing that DICOM writes has a document type.
    raise ValueError("a document type in a DICOM answer")


@dataclass(slots=True)
class _Walk:
    """Where the parser is: the tags above it, and what was found of each sequence of the module."""

    sequences: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    text: str = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element opens."""
        match name.rpartition(" ")[2]:
            case "DicomAttribute":
                self.tags.append(attributes["tag"].upper())
            case "Item" if len(self.tags) == 1:
                self.sequences.setdefault(self.tags[0], []).append({})
            case "Value":
                self.text = ""

    def characters(self, text: str) -> None:
        """Some text; no more of it than a status or a UID is long."""
        if len(self.text) < _LONGEST_TEXT:
            self.text += text

    def end(self, name: str) -> None:
        """An element closes."""
        match name.rpartition(" ")[2]:
            case "DicomAttribute":
                self.tags.pop()
            case "Value" if len(self.tags) == 2 and self.tags[0] in self.sequences:
                self.sequences[self.tags[0]][-1].setdefault(self.tags[1], self.text.strip())
