from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest
from pydicom.filereader import read_file_meta_info

from tests.builders import small_film, to_bytes, to_dataset
from tests.unit.ledger.rows import finish_all, register, study_of
from tests.unit.ledger.rows import report as report_of
from tests.unit.pipeline.outgoing import ScriptedSender
from tests.unit.report.studies import SourceImage, a_finding, a_study, an_image, done, write_source
from wetread.deliver import Sender
from wetread.deliver.classes import SOP_CLASS_OF, classes_for
from wetread.domain import (
    Delivery,
    DeliveryState,
    Destination,
    ObjectKind,
    Profile,
    ResultObject,
    SopInstanceUid,
)
from wetread.errors import ClassNotTaken, Refused
from wetread.ledger import Ledger
from wetread.ledger.held import Held
from wetread.ledger.studies import Claim
from wetread.pipeline.degrade import Degrader
from wetread.pipeline.publish import Publisher
from wetread.report.encode import to_part10
from wetread.report.structured_report import build_report
from wetread.spool.objects import Spool

SR, COMPREHENSIVE = ObjectKind.STRUCTURED_REPORT, ObjectKind.COMPREHENSIVE_REPORT
CAPTURE, GSPS = ObjectKind.CAPTURE, ObjectKind.PRESENTATION_STATE
DEGRADED, REFUSED, SENT = DeliveryState.DEGRADED, DeliveryState.REFUSED, DeliveryState.SENT


class OlderPacs(ScriptedSender):
    """A destination that takes only these kinds of object."""

    def __init__(self, destination: Destination, *kinds: ObjectKind) -> None:
        super().__init__("0x0000")
        taken = {SOP_CLASS_OF[kind] for kind in kinds}
        self._untaken = frozenset(classes_for(destination)) - taken

    def send(self, path: Path) -> str:
        if str(read_file_meta_info(path).MediaStorageSOPClassUID) in self._untaken:
            raise ClassNotTaken("the destination takes no such class", untaken=self._untaken)
        return super().send(path)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as opened:
        yield opened


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


@pytest.fixture
def report(tmp_path: Path, spool: Spool) -> ResultObject:
    """A Comprehensive 3D SR with one finding, in the spool."""
    image = an_image(write_source(tmp_path, SourceImage()), done(a_finding(0.1)))
    ds = build_report(a_study(image)).ds
    return keep(spool, SR, str(ds.SOPInstanceUID), to_part10(ds))


def keep(spool: Spool, kind: ObjectKind, uid: str, data: bytes) -> ResultObject:
    key = spool.put([data], suffix="dcm")
    return ResultObject(SopInstanceUid(uid), SOP_CLASS_OF[kind], "1.2", kind, key, len(data))


def other(spool: Spool, kind: ObjectKind) -> ResultObject:
    """An object of another kind: only its class is looked at."""
    ds = to_dataset(small_film(kind, rows=8, columns=8, more={"SOPClassUID": SOP_CLASS_OF[kind]}))
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    return keep(spool, kind, str(ds.SOPInstanceUID), to_bytes(ds))


def other_of(spool: Spool, kind: ObjectKind, source: str) -> ResultObject:
    """One of several objects of a kind, about the image of this name."""
    ds = to_dataset(
        small_film(f"{kind} {source}", rows=8, columns=8, more={"SOPClassUID": SOP_CLASS_OF[kind]})
    )
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    return replace(keep(spool, kind, str(ds.SOPInstanceUID), to_bytes(ds)), source=SopInstanceUid(source))


def owe(ledger: Ledger, to: Collection[Destination], *objects: ResultObject) -> None:
    register(ledger, "one")
    finish_all(ledger)
    revision = report_of(study_of("one"), 1, *objects, at=time.time() - 1)
    ledger.reports.conclude(Claim(study_of("one"), 1, 1, 1), revision, worst_zone="", destinations=tuple(to))


def destination(*kinds: ObjectKind, name: str = "pacs") -> Destination:
    return Destination(name, "dicom", objects=kinds)


def publish_all(ledger: Ledger, spool: Spool, to: Collection[Destination], **senders: Sender) -> None:
    publisher = Publisher(
        ledger=ledger,
        spool=spool,
        senders=senders,
        degrader=Degrader(ledger=ledger, spool=spool, destinations=list(to)),
        holder="publisher",
        lease_s=60.0,
    )
    while publisher.publish_next():
        pass


def deliveries(ledger: Ledger, to: str = "pacs") -> dict[ObjectKind, Delivery]:
    found = ledger.deliveries.of_study(study_of("one"))
    return {item.object.kind: item for item in found if item.destination == to}


def states(ledger: Ledger, to: str = "pacs") -> dict[ObjectKind, DeliveryState]:
    return {kind: item.state for kind, item in deliveries(ledger, to).items()}


def test_a_report_goes_as_comprehensive_sr_to_who_does_not_take_the_3d_class(
    ledger: Ledger, spool: Spool, report: ResultObject
) -> None:
    to = destination(SR, CAPTURE)
    owe(ledger, [to], report, other(spool, CAPTURE))

    publish_all(ledger, spool, [to], pacs=OlderPacs(to, COMPREHENSIVE, CAPTURE))

    assert states(ledger) == {SR: DEGRADED, COMPREHENSIVE: SENT, CAPTURE: SENT}
    made = deliveries(ledger)[COMPREHENSIVE].object
    ds = pydicom.dcmread(spool.path(made.spool_key))
    assert (ds.SOPClassUID, ds.SOPInstanceUID) == (SOP_CLASS_OF[COMPREHENSIVE], made.SOPInstanceUID)
    assert "in effect it gets the profile sc+sr, the report as Comprehensive SR" in (
        deliveries(ledger)[SR].last_error
    )
    assert made in ledger.reports.revisions(study_of("one"))[0].objects


def test_a_report_that_goes_in_neither_class_leaves_the_captures(
    ledger: Ledger, spool: Spool, report: ResultObject
) -> None:
    to = destination(SR, CAPTURE)
    owe(ledger, [to], report, other(spool, CAPTURE))

    publish_all(ledger, spool, [to], pacs=OlderPacs(to, CAPTURE))

    assert states(ledger) == {SR: DEGRADED, CAPTURE: SENT}
    assert "in effect it gets the profile sc-only" in deliveries(ledger)[SR].last_error


def test_a_substitute_that_is_refused_only_when_it_is_sent_leaves_the_captures_too(
    ledger: Ledger, spool: Spool, report: ResultObject
) -> None:
    to = destination(SR, CAPTURE)
    owe(ledger, [to], report, other(spool, CAPTURE))
    # Each refusal is known only once it is met, as with 0x0122 on an accepted context.
    steps = [ClassNotTaken("no", untaken=frozenset()), "0x0000", ClassNotTaken("no", untaken=frozenset())]

    publish_all(ledger, spool, [to], pacs=ScriptedSender(*steps))

    assert states(ledger) == {SR: DEGRADED, CAPTURE: SENT, COMPREHENSIVE: DEGRADED}


def test_a_report_is_refused_for_a_person_when_nothing_plainer_is_taken(
    ledger: Ledger, spool: Spool, report: ResultObject
) -> None:
    to = destination(SR, CAPTURE)
    owe(ledger, [to], report, other(spool, CAPTURE))

    publish_all(ledger, spool, [to], pacs=OlderPacs(to))

    assert states(ledger) == {SR: REFUSED, CAPTURE: REFUSED}
    assert deliveries(ledger)[SR].last_error == "the destination takes no such class"


def test_a_report_is_refused_when_no_capture_of_its_study_goes_there(
    ledger: Ledger, spool: Spool, report: ResultObject
) -> None:
    to = destination(SR, CAPTURE)
    owe(ledger, [to], report)

    publish_all(ledger, spool, [to], pacs=OlderPacs(to, CAPTURE))

    assert states(ledger) == {SR: REFUSED}


def test_a_report_does_not_rest_on_the_capture_of_an_earlier_revision(
    ledger: Ledger, spool: Spool, report: ResultObject
) -> None:
    to = destination(SR, CAPTURE)
    owe(ledger, [to], other_of(spool, CAPTURE, "1.2.1"))
    register(ledger, "two", study="one", at=time.time())
    finish_all(ledger)
    revision = report_of(study_of("one"), 2, report, at=time.time() - 1)
    ledger.reports.conclude(Claim(study_of("one"), 2, 2, 1), revision, worst_zone="", destinations=(to,))

    publish_all(ledger, spool, [to], pacs=OlderPacs(to, CAPTURE))

    assert states(ledger) == {SR: REFUSED, CAPTURE: SENT}


def test_a_report_is_refused_when_the_capture_of_one_of_its_images_was_held_back(
    ledger: Ledger, spool: Spool, report: ResultObject
) -> None:
    to = destination(SR, CAPTURE)
    owe(ledger, [to], report, other_of(spool, CAPTURE, "1.2.1"))
    lost = SopInstanceUid("2.25.4")
    ledger.held.add([Held(study_of("one"), 1, CAPTURE, lost, "why", 1.0, SopInstanceUid("1.2.2"))])

    publish_all(ledger, spool, [to], pacs=OlderPacs(to, CAPTURE))

    assert states(ledger) == {SR: REFUSED, CAPTURE: SENT}


@pytest.mark.parametrize("is_report_first", [True, False])
def test_a_report_is_refused_when_the_capture_of_one_of_its_images_is(
    ledger: Ledger, spool: Spool, report: ResultObject, *, is_report_first: bool
) -> None:
    to = destination(SR, CAPTURE)
    captures = [other_of(spool, CAPTURE, name) for name in ("1.2.1", "1.2.2")]
    owe(ledger, [to], *([report, *captures] if is_report_first else [*captures, report]))
    untaken = ClassNotTaken("no", untaken=frozenset({SOP_CLASS_OF[SR], SOP_CLASS_OF[COMPREHENSIVE]}))
    full = Refused("the destination is out of resources", code="0xA700")
    steps = [untaken, full, "0x0000"] if is_report_first else [full, "0x0000", untaken]

    publish_all(ledger, spool, [to], pacs=ScriptedSender(*steps))

    assert states(ledger)[SR] is REFUSED
    found = [item.state for item in ledger.deliveries.of_study(study_of("one"))]
    assert sorted(found) == [REFUSED, REFUSED, SENT]


def test_key_objects_rest_on_the_captures_where_the_report_is_not_taken_either(
    ledger: Ledger, spool: Spool, report: ResultObject
) -> None:
    to = destination(SR, CAPTURE, ObjectKind.KEY_OBJECT)
    owe(ledger, [to], report, other_of(spool, CAPTURE, "1.2.1"), other(spool, ObjectKind.KEY_OBJECT))
    reports = frozenset({SOP_CLASS_OF[SR], SOP_CLASS_OF[COMPREHENSIVE]})
    # The second refusal is known only once it is met.
    steps = [ClassNotTaken("no", untaken=reports), "0x0000", ClassNotTaken("no", untaken=frozenset())]

    publish_all(ledger, spool, [to], pacs=ScriptedSender(*steps))

    assert states(ledger) == {SR: DEGRADED, CAPTURE: SENT, ObjectKind.KEY_OBJECT: DEGRADED}


def test_a_layer_does_not_rest_on_the_capture_of_another_image(ledger: Ledger, spool: Spool) -> None:
    to = destination(CAPTURE, GSPS)
    owe(ledger, [to], other_of(spool, CAPTURE, "1.2.1"), other_of(spool, GSPS, "1.2.2"))

    publish_all(ledger, spool, [to], pacs=OlderPacs(to, CAPTURE))

    assert states(ledger) == {CAPTURE: SENT, GSPS: REFUSED}


def test_a_report_that_went_in_its_older_form_stays_so_when_a_capture_is_refused(
    ledger: Ledger, spool: Spool, report: ResultObject
) -> None:
    to = destination(SR, CAPTURE)
    owe(ledger, [to], report, other_of(spool, CAPTURE, "1.2.1"))
    untaken = ClassNotTaken("no", untaken=frozenset({SOP_CLASS_OF[SR]}))

    publish_all(ledger, spool, [to], pacs=ScriptedSender(untaken, Refused("full", code="0xA700"), "0x0000"))

    assert states(ledger) == {SR: DEGRADED, CAPTURE: REFUSED, COMPREHENSIVE: SENT}


def test_only_the_object_that_is_not_taken_is_degraded(
    ledger: Ledger, spool: Spool, report: ResultObject
) -> None:
    to = destination(*Profile.PRESENTATION.kinds)
    owe(ledger, [to], report, other(spool, CAPTURE), other(spool, GSPS))

    publish_all(ledger, spool, [to], pacs=OlderPacs(to, SR, CAPTURE))

    assert states(ledger) == {SR: SENT, CAPTURE: SENT, GSPS: DEGRADED}
    assert "in effect it gets the profile sc+sr" in deliveries(ledger)[GSPS].last_error


def test_a_second_run_doubles_nothing(ledger: Ledger, spool: Spool, report: ResultObject) -> None:
    to = destination(SR, CAPTURE)
    owe(ledger, [to], report, other(spool, CAPTURE))
    pacs = OlderPacs(to, COMPREHENSIVE, CAPTURE)
    publish_all(ledger, spool, [to], pacs=pacs)
    before = states(ledger)

    ledger.deliveries.retry(deliveries(ledger)[SR].id, now=time.time())
    publish_all(ledger, spool, [to], pacs=pacs)

    assert states(ledger) == before
    assert len(pacs.sent) == 2
    assert len(ledger.reports.revisions(study_of("one"))[0].objects) == 3


def test_two_older_destinations_get_the_same_object(
    ledger: Ledger, spool: Spool, report: ResultObject
) -> None:
    to = [destination(SR, name="first"), destination(SR, name="second")]
    owe(ledger, to, report)

    publish_all(
        ledger, spool, to, first=OlderPacs(to[0], COMPREHENSIVE), second=OlderPacs(to[1], COMPREHENSIVE)
    )

    first, second = (deliveries(ledger, name)[COMPREHENSIVE] for name in ("first", "second"))
    assert first.object == second.object
    assert first.state is second.state is SENT


def test_a_destination_that_has_learned_the_class_gets_the_object_when_a_person_asks(
    ledger: Ledger, spool: Spool, report: ResultObject
) -> None:
    to = destination(SR, CAPTURE)
    owe(ledger, [to], report, other(spool, CAPTURE))
    publish_all(ledger, spool, [to], pacs=OlderPacs(to, COMPREHENSIVE, CAPTURE))

    ledger.deliveries.retry(deliveries(ledger)[SR].id, now=time.time())
    publish_all(ledger, spool, [to], pacs=OlderPacs(to, SR, COMPREHENSIVE, CAPTURE))

    assert states(ledger) == {SR: SENT, COMPREHENSIVE: SENT, CAPTURE: SENT}


def test_a_report_that_is_another_one_in_the_spool_is_refused_and_makes_none(
    ledger: Ledger, spool: Spool, report: ResultObject
) -> None:
    to = destination(SR)
    owe(ledger, [to], replace(report, SOPInstanceUID=SopInstanceUid("2.25.9")))

    publish_all(ledger, spool, [to], pacs=OlderPacs(to, COMPREHENSIVE))

    assert states(ledger) == {SR: REFUSED}
    assert deliveries(ledger)[SR].last_status == "invalid_object"


def test_a_report_that_is_gone_from_the_spool_is_refused_with_its_reason(
    ledger: Ledger, spool: Spool, report: ResultObject
) -> None:
    to = destination(SR, CAPTURE)
    owe(ledger, [to], report)
    spool.path(report.spool_key).unlink()

    publish_all(ledger, spool, [to], pacs=OlderPacs(to, COMPREHENSIVE, CAPTURE))

    assert deliveries(ledger)[SR].last_status == "not_found"
