"""Which part of the body a radiograph shows, from the header alone, as a DICOM defined term."""

from __future__ import annotations

import re

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from wetread.route.element import read_value

# Vendors' spellings to the defined terms of PS3.16 annex L.
_SPELLINGS = {
    "ABDOMEN": ("ABD", "ABDO", "KUB"),
    "ANKLE": ("ANKLES", "TALUS"),
    "CALCANEUS": ("HEEL", "OS CALCIS"),
    "CHEST": ("THORAX", "LUNG", "LUNGS", "CXR", "TORAX", "THORAX PA"),
    "CLAVICLE": ("CLAVICULA",),
    "CSPINE": ("C SPINE", "CERVICAL SPINE", "CERVICAL"),
    "ELBOW": ("ELBOWS",),
    "EXTREMITY": ("LIMB", "EXTREMITIES", "UPPER EXTREMITY", "LOWER EXTREMITY"),
    "FEMUR": ("THIGH", "UPPER LEG"),
    "FINGER": ("FINGERS",),
    "FOOT": ("FEET", "METATARSUS"),
    "FOREARM": ("FORE ARM", "RADIUS", "ULNA", "LOWER ARM", "RADIUS ULNA"),
    "HAND": ("HANDS", "METACARPUS"),
    "HIP": ("HIPS", "HIP JOINT"),
    "HUMERUS": ("UPPER ARM", "ARM"),
    "KNEE": ("KNEES", "PATELLA"),
    "LEG": ("LOWER LEG", "TIBIA", "FIBULA", "TIBIA FIBULA", "TIB FIB"),
    "LSPINE": ("L SPINE", "LUMBAR SPINE", "LUMBAR"),
    "PELVIS": ("PELVIC",),
    "RIB": ("RIBS",),
    "SCAPULA": (),
    "SHOULDER": ("SHOULDERS",),
    "SKULL": ("HEAD", "CRANIUM"),
    "THUMB": (),
    "TOE": ("TOES",),
    "TSPINE": ("T SPINE", "THORACIC SPINE"),
    "WRIST": ("WRISTS", "CARPUS"),
}
_TERMS = {spelling: term for term, spellings in _SPELLINGS.items() for spelling in (term, *spellings)}
# Longest first: "upper arm" names the humerus before "arm" can.
_PATTERN = re.compile("|".join(rf"\b{spelling}\b" for spelling in sorted(_TERMS, key=len, reverse=True)))
_DESCRIPTIONS = (
    "ProtocolName",
    "SeriesDescription",
    "StudyDescription",
    "AcquisitionDeviceProcessingDescription",
)


def find_body_part(ds: Dataset) -> str:
    """Body Part Examined, else the anatomic region, else a term found in a description; '' when unknown.

    A description that names two different parts names none; a stated part nobody knows comes back as it is.
    """
    stated = _normalise(_value(ds, "BodyPartExamined"))
    if stated:
        # Vendors add sides and views, as in "LEFT HAND" or "CHEST PA".
        named = _named_in(stated)
        return named.pop() if len(named) == 1 else stated
    region = _normalise(_region(ds))
    if region in _TERMS:
        return _TERMS[region]
    for keyword in _DESCRIPTIONS:
        named = _named_in(_normalise(_value(ds, keyword)))
        if len(named) == 1:
            return named.pop()
    return ""


def _value(ds: Dataset, keyword: str) -> str:
    return str(read_value(ds, keyword) or "")


def _region(ds: Dataset) -> str:
    sequence = read_value(ds, "AnatomicRegionSequence")
    return _value(sequence[0], "CodeMeaning") if isinstance(sequence, Sequence) and sequence else ""


def _normalise(text: str) -> str:
    return " ".join(re.sub(r"[^A-Z0-9]+", " ", text.upper()).split())[:64]


def _named_in(text: str) -> set[str]:
    return {_TERMS[spelling] for spelling in _PATTERN.findall(text)}
