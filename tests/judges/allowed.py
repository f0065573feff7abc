"""Complaints that are known and let pass, each with its reason; the whole set says when one is not needed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Allowed:
    """`pattern` is searched in what `judge` says. `because` is why it says nothing against the object."""

    judge: str
    pattern: re.Pattern[str]
    because: str


INHERITED: Final = "The source's own value; the judge says the same of the source."
DROPPED: Final = "The source's value is not valid, so the judge says of the source: left out, never cut."


def _allow(judge: str, pattern: str, because: str) -> Allowed:
    return Allowed(judge, re.compile(pattern), because)


ALLOWED: Final = (
    _allow(
        "dciodvfy",
        r"DeviceUID\(0018,1002\)> - Attribute is not present in standard DICOM IOD",
        "In the standard (PS3.3 table C.12-1) and asked by IHE's profile AI Results: an older table.",
    ),
    _allow(
        "dciodvfy",
        r"Unrecognized defined term = <QUANTITY>",
        "A term of Derived Pixel Contrast (PS3.3 C.8.16.2.1.4) that the judge's older table lacks.",
    ),
    _allow(
        "dciodvfy",
        r"</Laterality\(0020,0060\)> - is only permitted to be empty when actually unknown",
        "It is unknown: the source states no side, and a presentation state has no other place for it.",
    ),
    _allow(
        "dciodvfy",
        r"/RequestedProcedureCodeSequence\(0032,1064\).*/CodingSchemeDesignator.*Unrecognized defined term",
        "The hospital's own code of its order, carried over as the source has it.",
    ),
    _allow(
        "dsrdump|dsr2xml|dcmdump",
        r"VR checker does not support this Specific Character Set: ISO_IR 192",
        "DCMTK 3.6.7 says that it does not check UTF-8, not that something is wrong with it.",
    ),
    _allow(
        "dsrdump",
        r"Check for template constraints not yet supported",
        "DCMTK says what it does not check.",
    ),
    _allow(
        "dcmpschk",
        r"Affected attribute: \w+ \(0010,0010\), Type PN Attribute value +: \[[^\]]*[^\x00-\x7f]",
        "A name beyond ASCII in UTF-8, which DCMTK 3.6.7 does not check; the value is the source's.",
    ),
    _allow(
        "dcmpschk",
        r"W: patientName absent or empty in presentation state",
        "The source gives no name, and the standard asks none (PS3.3 C.7.1.1, type 2).",
    ),
    _allow(
        "pixelmed",
        r"Code \(43468-8,LN.*not found in context group 100",
        "A code of the current context group (PS3.16 CID 100), which the judge's table of 2022 lacks.",
    ),
    _allow(
        "pixelmed",
        r"\"Measurement Group\"\)/CODE \([^)]*\): Content Item not in template",
        "Any qualitative evaluation may stand in a group (TID 1501 row 12); the judge knows those it lists.",
    ),
    _allow(
        "dcentvfy",
        r"present in one instance but not the other - Element=<PatientIdentityRemoved> IE=<Patient>",
        "Left out where the source does not say how, without which it must not stand (PS3.3 table C.7-1).",
    ),
    _allow(
        "dcentvfy",
        r"present in one instance but not the other - Element=<ReferencedPatientSequence> IE=<Patient>",
        "A reference of the modality's own to a retired kind of object; results do not repeat it.",
    ),
    _allow(
        "dcentvfy",
        r"Element=<(PatientSpecies|PatientBreed|BreedReg|Responsible)\w+> IE=<Patient>",
        "The patient is an animal: answered all the same when forced, and not worth its own code.",
    ),
    _allow(
        "dcentvfy",
        r"Element=<AccessionNumber> IE <(Series|Study)> versus <(Series|Study)>",
        "A report holds the number in its Referenced Request Sequence too, which the judge counts as series.",
    ),
)


def reason(judge: str, text: str) -> str:
    """Why a complaint is let pass; '' when it counts."""
    return next((a.because for a in ALLOWED if judge in a.judge.split("|") and a.pattern.search(text)), "")
