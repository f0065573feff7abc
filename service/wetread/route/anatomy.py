"""Which part of the body a radiograph shows, from the header alone, as a DICOM defined term."""

from __future__ import annotations

import re

from pydicom.dataset import Dataset

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
    "FOREARM": ("RADIUS", "ULNA", "LOWER ARM", "RADIUS ULNA"),
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
_DESCRIPTIONS = (
    "ProtocolName",
    "SeriesDescription",
    "StudyDescription",
    "AcquisitionDeviceProcessingDescription",
)


def find_body_part(ds: Dataset) -> str:
    """Body Part Examined, else the anatomic region, else a term found in a description; '' when unknown.

    A description that names two different parts names none.
    """
    stated = _normalise(_value(ds, "BodyPartExamined"))
    if stated:
        return _TERMS.get(stated, stated)
    region = _normalise(_region(ds))
    if region in _TERMS:
        return _TERMS[region]
    for keyword in _DESCRIPTIONS:
        named = _named_in(_normalise(_value(ds, keyword)))
        if len(named) == 1:
            return named.pop()
    return ""


def _value(ds: Dataset, keyword: str) -> str:
    try:
        return str(ds.get(keyword) or "")
    except (ValueError, TypeError, LookupError, AttributeError, NotImplementedError):
        # pydicom raises one of these when it converts a malformed value.
        return ""


def _region(ds: Dataset) -> str:
    sequence = ds.get("AnatomicRegionSequence")
    return _value(sequence[0], "CodeMeaning") if sequence else ""


def _normalise(text: str) -> str:
    return " ".join(re.sub(r"[^A-Z0-9]+", " ", text.upper()).split())[:64]


def _named_in(text: str) -> set[str]:
    padded = f" {text} "
    return {term for spelling, term in _TERMS.items() if f" {spelling} " in padded}
