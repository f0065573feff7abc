"""The SOP class of every kind of result object."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from wetread.domain import ObjectKind

SOP_CLASS_OF: Final = MappingProxyType(
    {
        ObjectKind.STRUCTURED_REPORT: "1.2.840.10008.5.1.4.1.1.88.34",
        ObjectKind.COMPREHENSIVE_REPORT: "1.2.840.10008.5.1.4.1.1.88.33",
        ObjectKind.CAPTURE: "1.2.840.10008.5.1.4.1.1.7",
        ObjectKind.HEAT_MAP_CAPTURE: "1.2.840.10008.5.1.4.1.1.7",
        ObjectKind.PRESENTATION_STATE: "1.2.840.10008.5.1.4.1.1.11.1",
        ObjectKind.KEY_OBJECT: "1.2.840.10008.5.1.4.1.1.88.59",
        ObjectKind.HEAT_MAP: "1.2.840.10008.5.1.4.1.1.30",
    }
)
