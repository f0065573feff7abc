from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from tests.builders import small_film, to_bytes, to_dataset
from tests.system.child import free_port
from tests.unit.deliver.pacs import Pacs, pacs
from wetread.deliver.classes import SOP_CLASS_OF
from wetread.deliver.dicom import DicomSender
from wetread.domain import Destination, ObjectKind
from wetread.errors import ClassNotTaken, Refused, Unreachable

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"  # pynetdicom leaves a refused socket to the collector
)
CAPTURE, SR, COMPREHENSIVE = (
    ObjectKind.CAPTURE,
    ObjectKind.STRUCTURED_REPORT,
    ObjectKind.COMPREHENSIVE_REPORT,
)
SECONDARY_CAPTURE = SOP_CLASS_OF[CAPTURE]
DX = "1.2.840.10008.5.1.4.1.1.1.1"


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """A result object: a Secondary Capture in Explicit VR Little Endian."""
    ds = to_dataset(small_film("capture", rows=32, columns=32, more={"SOPClassUID": SECONDARY_CAPTURE}))
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    path = tmp_path / "capture.dcm"
    path.write_bytes(to_bytes(ds))
    return path


@contextmanager
def sender_to(destination: Destination) -> Iterator[DicomSender]:
    sender = DicomSender(destination, calling_aet="WETREAD", timeout_s=10)
    try:
        yield sender
    finally:
        sender.close()


def send_to(there: Pacs, path: Path) -> str:
    with sender_to(there.destination) as sender:
        return sender.send(path)


@pytest.mark.parametrize("status", [0x0000, 0xB000, 0xB006, 0xB007, 0x0111])
def test_success_warnings_and_duplicates_are_delivered(capture: Path, status: int) -> None:
    with pacs(status) as there:
        assert send_to(there, capture) == f"0x{status:04X}"

    assert there.received[0].SOPClassUID == SECONDARY_CAPTURE


@pytest.mark.parametrize("status", [0x0124, 0xA900, 0xC000, 0xC123])
def test_a_refusal_of_the_object_is_refused(capture: Path, status: int) -> None:
    with pacs(status) as there, pytest.raises(Refused) as raised:
        send_to(there, capture)

    assert raised.value.code == f"0x{status:04X}"


@pytest.mark.parametrize("status", [0xA700, 0xA702])
def test_a_destination_out_of_resources_may_take_it_later(capture: Path, status: int) -> None:
    with pacs(status) as there, pytest.raises(Unreachable) as raised:
        send_to(there, capture)

    assert raised.value.code == f"0x{status:04X}"


def test_a_class_that_the_destination_does_not_accept_is_told_from_a_refusal(capture: Path) -> None:
    with pacs(classes=[SOP_CLASS_OF[SR]]) as there, pytest.raises(ClassNotTaken) as raised:
        send_to(there, capture)

    assert raised.value.code == "no_context"
    assert raised.value.untaken == {SECONDARY_CAPTURE, SOP_CLASS_OF[COMPREHENSIVE]}
    assert "takes no Secondary Capture Image Storage" in str(raised.value)


def test_a_destination_that_accepts_none_of_the_classes_is_not_unreachable(capture: Path) -> None:
    with pacs(classes=[DX]) as there, pytest.raises(ClassNotTaken) as raised:
        send_to(there, capture)

    assert raised.value.untaken == {SECONDARY_CAPTURE, SOP_CLASS_OF[SR], SOP_CLASS_OF[COMPREHENSIVE]}


def test_a_class_that_is_accepted_and_refused_all_the_same_is_not_offered_again(capture: Path) -> None:
    with pacs(0x0122) as there, sender_to(there.destination) as sender:
        for code in ("0x0122", "no_context"):
            with pytest.raises(ClassNotTaken) as raised:
                sender.send(capture)
            assert (raised.value.code, raised.value.untaken) == (code, {SECONDARY_CAPTURE})

    assert len(there.received) == 1


def test_only_what_a_destination_gets_is_proposed(capture: Path) -> None:
    with pacs() as there, sender_to(replace(there.destination, objects=(CAPTURE,))) as sender:
        sender.send(capture)

    assert there.proposed == {SECONDARY_CAPTURE}


def test_an_object_of_a_kind_that_a_destination_is_not_set_to_get_is_refused(capture: Path) -> None:
    with (
        pacs() as there,
        sender_to(replace(there.destination, objects=(SR,))) as sender,
        pytest.raises(Refused) as raised,
    ):
        sender.send(capture)

    assert (raised.value.code, there.associations) == ("not_proposed", 0)


def test_a_destination_may_know_us_by_a_title_of_its_own(capture: Path) -> None:
    with (
        pacs(callers=["AI_READER"]) as there,
        sender_to(replace(there.destination, calling_aet="AI_READER")) as sender,
    ):
        assert sender.send(capture) == "0x0000"


def test_a_destination_that_takes_only_the_default_syntax_gets_it(capture: Path) -> None:
    with pacs(syntaxes=[ImplicitVRLittleEndian]) as there:
        assert send_to(there, capture) == "0x0000"

    assert there.received[0].file_meta.TransferSyntaxUID == ImplicitVRLittleEndian


def test_a_destination_that_takes_both_syntaxes_gets_the_bytes_as_they_are(capture: Path) -> None:
    with pacs(syntaxes=[ImplicitVRLittleEndian, ExplicitVRLittleEndian]) as there:
        send_to(there, capture)

    assert there.received[0].file_meta.TransferSyntaxUID == ExplicitVRLittleEndian


def test_nobody_at_the_address_is_unreachable(capture: Path) -> None:
    nobody = Destination("pacs", "dicom", "127.0.0.1", free_port(), "PACS")

    with sender_to(nobody) as sender, pytest.raises(Unreachable):
        sender.send(capture)


@pytest.mark.filterwarnings(  # pynetdicom's acceptor may be told to abort while it closes (Evt15 in Sta13)
    "ignore::pytest.PytestUnhandledThreadExceptionWarning"
)
@pytest.mark.parametrize("fault", ["called", "calling"])
def test_a_rejected_association_may_pass_later_when_somebody_enters_the_title(
    capture: Path, fault: str
) -> None:
    with pacs(callers=["SOMEONE"] if fault == "calling" else []) as there:
        to = replace(there.destination, ae_title="WRONG" if fault == "called" else "PACS")
        with sender_to(to) as sender, pytest.raises(Unreachable, match="rejected") as raised:
            sender.send(capture)

    assert raised.value.code == "association_rejected"


def test_objects_go_over_one_kept_association(capture: Path) -> None:
    with pacs() as there, sender_to(there.destination) as sender:
        for _ in range(5):
            sender.send(capture)
            sender.rest()

    assert (len(there.received), there.associations) == (5, 1)


def test_an_association_that_the_peer_aborts_is_unreachable_and_the_next_try_opens_another(
    capture: Path,
) -> None:
    with pacs() as there, sender_to(there.destination) as sender:
        there.aborts_next = True
        with pytest.raises(Unreachable):
            sender.send(capture)

        assert sender.send(capture) == "0x0000"

    assert there.associations == 2


def test_a_destination_that_comes_back_is_reached_again(capture: Path) -> None:
    with pacs() as there, sender_to(there.destination) as sender:
        sender.send(capture)
        sender.close()
        sender.close()

        assert sender.send(capture) == "0x0000"


def test_a_file_that_is_damaged_is_refused(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.dcm"
    damaged.write_bytes(bytes(1000))

    with pacs() as there, pytest.raises(Refused) as raised:
        send_to(there, damaged)

    assert raised.value.code == "unsendable"


def test_a_name_that_no_host_can_have_is_unreachable(capture: Path) -> None:
    nowhere = Destination("pacs", "dicom", "pacs..local", 104, "PACS")

    with sender_to(nowhere) as sender, pytest.raises(Unreachable, match="not the name of a host"):
        sender.send(capture)
