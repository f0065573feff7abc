from __future__ import annotations

import pytest

from wetread.deliver.classes import (
    SOP_CLASS_OF,
    class_name,
    classes_for,
    effective_profile,
    plainer_kinds,
    taken_kinds,
)
from wetread.domain import Destination, ObjectKind, Profile

SR, COMPREHENSIVE = ObjectKind.STRUCTURED_REPORT, ObjectKind.COMPREHENSIVE_REPORT
CAPTURE, GSPS, KO = ObjectKind.CAPTURE, ObjectKind.PRESENTATION_STATE, ObjectKind.KEY_OBJECT


def getting(*kinds: ObjectKind) -> Destination:
    return Destination("pacs", "dicom", objects=kinds)


def test_every_kind_of_object_has_its_sop_class() -> None:
    assert set(SOP_CLASS_OF) == set(ObjectKind)
    assert all(class_name(uid).endswith("Storage") for uid in SOP_CLASS_OF.values())


def test_only_the_classes_of_what_a_destination_gets_are_proposed_and_the_substitute_of_its_report() -> None:
    assert classes_for(getting(CAPTURE)) == (SOP_CLASS_OF[CAPTURE],)
    assert classes_for(getting(CAPTURE, SR)) == tuple(
        SOP_CLASS_OF[kind] for kind in (CAPTURE, SR, COMPREHENSIVE)
    )


def test_two_kinds_of_one_class_are_proposed_once() -> None:
    assert len(classes_for(getting(CAPTURE, ObjectKind.HEAT_MAP_CAPTURE))) == 1


@pytest.mark.parametrize("profile", list(Profile))
def test_who_takes_everything_of_a_profile_gets_it(profile: Profile) -> None:
    assert effective_profile(taken_kinds(getting(*profile.kinds), ())) is profile


@pytest.mark.parametrize(
    ("wanted", "untaken", "gets"),
    [
        (Profile.REPORTS, [SR], Profile.REPORTS),
        (Profile.REPORTS, [SR, COMPREHENSIVE], Profile.CAPTURES),
        (Profile.REPORTS, [CAPTURE], None),
        (Profile.EVERYTHING, [ObjectKind.HEAT_MAP], Profile.PRESENTATION),
        (Profile.EVERYTHING, [KO], Profile.REPORTS),
        (Profile.EVERYTHING, [CAPTURE], None),
    ],
)
def test_who_does_not_gets_the_largest_profile_that_it_takes_all_of(
    wanted: Profile, untaken: list[ObjectKind], gets: Profile | None
) -> None:
    taken = taken_kinds(getting(*wanted.kinds), [SOP_CLASS_OF[kind] for kind in untaken])

    assert effective_profile(taken) is gets


def test_a_plainer_kind_is_one_of_a_smaller_profile() -> None:
    assert plainer_kinds(CAPTURE) == frozenset()
    assert plainer_kinds(SR) == plainer_kinds(COMPREHENSIVE) == {CAPTURE}
    assert plainer_kinds(GSPS) == plainer_kinds(KO) == {CAPTURE, SR, COMPREHENSIVE}
    assert plainer_kinds(ObjectKind.HEAT_MAP) == {CAPTURE, SR, COMPREHENSIVE, GSPS, KO}
