"""Which SOP class each kind of object goes out in, and what the destination gets when it takes only some."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

from pydicom.uid import UID

from wetread.domain import Destination, ObjectKind, Profile

# PS3.4 table B.5-1.
SOP_CLASS_OF: Final[Mapping[ObjectKind, str]] = MappingProxyType(
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
# The same content in a class that older PACS take.
SUBSTITUTES: Final[Mapping[ObjectKind, ObjectKind]] = MappingProxyType(
    {ObjectKind.STRUCTURED_REPORT: ObjectKind.COMPREHENSIVE_REPORT}
)


def classes_for(destination: Destination) -> tuple[str, ...]:
    """The SOP classes that this destination may be sent, substitutes included, each once."""
    kinds = [kind for wanted in destination.objects for kind in (wanted, SUBSTITUTES.get(wanted, wanted))]
    return tuple(dict.fromkeys(SOP_CLASS_OF[kind] for kind in kinds))


def class_name(sop_class_uid: str) -> str:
    """A SOP class as the standard calls it, such as `Comprehensive 3D SR Storage`."""
    return UID(sop_class_uid).name


def taken_kinds(destination: Destination, untaken: Collection[str]) -> frozenset[ObjectKind]:
    """The kinds that it wants and takes. The substitute of one is a kind of its own."""
    wanted = {kind for want in destination.objects for kind in (want, SUBSTITUTES.get(want, want))}
    return frozenset(kind for kind in wanted if SOP_CLASS_OF[kind] not in untaken)


def effective_profile(taken: Collection[ObjectKind]) -> Profile | None:
    """The largest profile of which every kind is taken, a substitute for the kind it stands for; or None."""
    found = None
    for profile in Profile:
        if all(kind in taken or SUBSTITUTES.get(kind) in taken for kind in profile.kinds):
            found = profile
    return found


def plainer_kinds(kind: ObjectKind) -> frozenset[ObjectKind]:
    """The kinds of the profiles below the one that adds this kind: what still says it when it cannot go."""
    reports = frozenset(SUBSTITUTES.values())
    base = next((want for want, form in SUBSTITUTES.items() if form is kind), kind)
    below: frozenset[ObjectKind] = frozenset()
    for profile in Profile:
        if base in profile.kinds:
            break
        below = frozenset(profile.kinds)
    return below | reports if below & frozenset(SUBSTITUTES) else below
