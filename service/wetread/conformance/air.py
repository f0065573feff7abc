"""What of IHE Radiology's profile AI Results (AIR) is there: the capability document."""

from __future__ import annotations

from typing import Final

from wetread.conformance.document import Document, Row, Section, Table
from wetread.domain import SOFTWARE_VERSION

_PRIMITIVES: Final[tuple[Row, ...]] = (
    ("Qualitative findings", "yes", "Finding (121071, DCM) and its presence in every group; negatives too"),
    ("Measurements", "yes", "Probability (122157, DCM), percent, with algorithm and image"),
    ("Locations (points)", "no", "the networks give regions"),
    ("Regions", "yes", "closed 2D polyline per finding, on the image it was found on"),
    ("Segmentations", "no", "the networks draw no contours"),
    ("Parametric maps", "yes", "Parametric Map, surrogate geometry stated; profile everything"),
    ("Tracking identifiers", "yes", "identifier and UID in every group, stable over revisions"),
    ("Key images", "yes", "Key Object Selection on images with a positive finding; from sc+sr+gsps+ko"),
    ("Presentation states", "yes", "graphic layer with boxes and text; profiles from sc+sr+gsps+ko"),
)  # fmt: skip
_REQUIREMENTS: Final[tuple[Row, ...]] = (
    ("Report root TID 1500 in Comprehensive 3D SR", "yes; Comprehensive SR for archives that take no other"),
    ("Results in the study of the input images", "yes, in series of their own"),
    ("Inputs listed as evidence", "yes, also those that could not be evaluated"),
    ("Algorithm identification", "TID 4019 in every group: name, version, parameters"),
    ("Contributing Equipment, one item per algorithm", "yes: manufacturer, model, version, Device UID"),
    ("Explicit answer without findings", "yes: Absent per finding, and the summary (111241, DCM)"),
    ("Explicit answer when processing failed", "yes: Undetermined, the reason, and (111245, DCM)"),
    ("Superseding results", "Predecessor Documents Sequence; what changed stands in the summary"),
)  # fmt: skip
_TRANSACTIONS: Final[tuple[Row, ...]] = (
    ("Creator Images Stored", "RAD-18", "C-STORE of captures, parametric maps"),
    ("Creator Presentation State Stored", "RAD-19", "C-STORE of presentation states"),
    ("Key Image Note Stored", "RAD-29", "C-STORE of key object selections"),
    ("Evidence Document Stored", "RAD-43", "C-STORE of Structured Reports"),
    ("Storage Commitment", "RAD-10", "Push Model, per destination"),
    ("Store Instances over the Web", "RAD-108", "STOW-RS, per destination"),
)
_LIMITS: Final[tuple[Row, ...]] = (
    ("Connectathon", "not taken part in: this is a self-declaration, held against public validators in CI"),
    ("Purpose of Contributing Equipment", "see the code of that purpose in the conformance statement's list"),
    ("Workflow (AIW-I)", "not claimed: studies are pushed to the listener"),
    ("Verification of results by a person", "not done: reports are UNVERIFIED"),
)


def air_document() -> Document:
    """The actor, its transactions, what it encodes and what not."""
    return Document(
        "AIR_CAPABILITIES",
        f"Wetread {SOFTWARE_VERSION}: IHE AI Results (AIR) capabilities",
        "Actor: Evidence Creator. Research use only; results are not for primary diagnosis.",
        (
            Section("Transactions", (Table(("Transaction", "Number", "How"), _TRANSACTIONS),)),
            Section("Result primitives", (Table(("Primitive", "Created", "How"), _PRIMITIVES),)),
            Section("Requirements on the Evidence Creator", (Table(("Requirement", "Met"), _REQUIREMENTS),)),
            Section("Limits", (Table(("Subject", "State"), _LIMITS),)),
        ),
    )
