"""Content items and code sequence items, from our own nouns to highdicom's."""

from __future__ import annotations

from highdicom import sr

from wetread.domain import Code


def concept(code: Code) -> sr.CodedConcept:
    """A code sequence item (PS3.3 table 8.8-1); a value over 16 characters goes into the long form."""
    return sr.CodedConcept(value=code.value, scheme_designator=code.scheme, meaning=code.meaning)


def text_item(name: Code, text: str) -> sr.TextContentItem:
    """A TEXT item that its parent contains."""
    return sr.TextContentItem(
        name=concept(name), value=text, relationship_type=sr.RelationshipTypeValues.CONTAINS
    )


def code_item(name: Code, value: Code) -> sr.CodeContentItem:
    """A CODE item that its parent contains."""
    return sr.CodeContentItem(
        name=concept(name), value=concept(value), relationship_type=sr.RelationshipTypeValues.CONTAINS
    )


def evaluation(name: Code, value: Code) -> sr.QualitativeEvaluation:
    """A question and its answer in a measurement group (TID 1501)."""
    return sr.QualitativeEvaluation(name=concept(name), value=concept(value))
