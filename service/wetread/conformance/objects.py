"""What the result objects are: their classes, series, templates and identity."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from wetread.conformance.document import Row, Section, Table
from wetread.deliver.classes import SOP_CLASS_OF
from wetread.domain import ObjectKind
from wetread.report.identity import SERIES_DESCRIPTION, SERIES_NUMBER

TITLE_OF: Final = MappingProxyType(
    {
        ObjectKind.STRUCTURED_REPORT: "Comprehensive 3D SR",
        ObjectKind.COMPREHENSIVE_REPORT: "Comprehensive SR",
        ObjectKind.CAPTURE: "Secondary Capture, findings outlined",
        ObjectKind.HEAT_MAP_CAPTURE: "Secondary Capture, heat map",
        ObjectKind.PRESENTATION_STATE: "Grayscale Softcopy Presentation State",
        ObjectKind.KEY_OBJECT: "Key Object Selection",
        ObjectKind.HEAT_MAP: "Parametric Map",
    }
)
# One object of the kind for each: what a study of two views with two findings will hold.
_ONE_FOR: Final = MappingProxyType(
    {
        ObjectKind.STRUCTURED_REPORT: "study revision",
        ObjectKind.COMPREHENSIVE_REPORT: "study revision",
        ObjectKind.CAPTURE: "image that was read; the first image where none was",
        ObjectKind.HEAT_MAP_CAPTURE: "image with a finding that is not negative, and a heat map",
        ObjectKind.PRESENTATION_STATE: "image with boxes",
        ObjectKind.KEY_OBJECT: "study revision with a positive finding",
        ObjectKind.HEAT_MAP: "finding with a heat map",
    }
)


def objects_section() -> Section:
    """The annex on IODs (PS3.2 A.8.1): no private attributes, no extended or specialised class."""
    return Section(
        "Objects created",
        (
            "Standard SOP classes, no private attributes. Patient, study and request attributes are those "
            "of the source image; every object lies in a series of its own kind within the source's study "
            "and names in Contributing Equipment each network that took part, by name, version and Device "
            "UID.",
            Table(("Object", "SOP class UID", "One for each", "Series number"), _rows()),
        ),
        (_identity(), _template()),
    )


def _rows() -> tuple[Row, ...]:
    return tuple(
        (TITLE_OF[kind], SOP_CLASS_OF[kind], _ONE_FOR[kind], str(SERIES_NUMBER[kind])) for kind in ObjectKind
    )


def _identity() -> Section:
    rows: tuple[Row, ...] = (
        (
            "SOP Instance UID",
            "2.25 + SHA-256 (128 bits) of kind and form, source UIDs and bytes, networks and answers, this "
            "software's version; of reports and key objects also the revision and what it replaces",
        ),
        ("Series Instance UID", "2.25 + SHA-256 (128 bits) of study and kind"),
        (
            "Device UID",
            "2.25 + SHA-256 (128 bits) of network name, version and digest: a retraining has another",
        ),
        ("Tracking UID", "2.25 + SHA-256 (128 bits) of image, finding, network and place in the list"),
        ("Series Description", SERIES_DESCRIPTION),
        (
            "Specific Character Set",
            "ISO_IR 192; names and texts are decoded from the source's character sets",
        ),
        ("Completion, Verification Flag", "COMPLETE, UNVERIFIED"),
    )
    text = "UIDs are derived, never drawn: the same study revision gives the same objects on every machine."
    return Section("Identity", (text, Table(("Attribute", "Value"), rows)))


def _template() -> Section:
    rows: tuple[Row, ...] = (
        ("TID 1500 Measurement Report", "root; title (126000, DCM)"),
        (
            "TID 1001, 1002, 1004 Observation Context",
            "observer: device, this software, by UID, name and version",
        ),
        (
            "TID 1410 Planar ROI Measurements",
            "one group per located finding, per negative finding, per image not read",
        ),
        ("TID 1419, 1501 rows in the group", "probability (122157, DCM) in percent; presence of the finding"),
        ("TID 4019 Algorithm Identification", "network, version, operating points, provider, digest"),
        (
            "Qualitative evaluations",
            "conclusion, what changed since the earlier revision, reasons not to evaluate",
        ),
    )
    text = (
        "Regions are closed polylines in pixels of the source image, outer corner of the first pixel 0\\0. "
        "A statement about a whole image carries the rectangle of the whole image. Negative findings are "
        "written."
    )
    return Section("Structured Report templates", (text, Table(("Template", "Use"), rows)))
