from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from tests.builders import small_film, to_bytes, to_dataset
from tests.unit.deliver.pacs import pacs
from tests.unit.deliver.stalling import Stall, stalling
from tests.unit.deliver.web_pacs import Reply, web_pacs
from wetread.deliver.classes import SOP_CLASS_OF
from wetread.deliver.dicom import DicomSender
from wetread.deliver.dicomweb import DicomwebSender
from wetread.domain import Destination, ObjectKind
from wetread.errors import Unreachable

CAPTURE = SOP_CLASS_OF[ObjectKind.CAPTURE]
SILENT_IN_ANSWER_TO_OPENING = Stall(answers=0, more=1)
SILENT_IN_ANSWER_TO_OBJECT = Stall(answers=1, more=4)
READS_NO_MORE = Stall(answers=1, reads_on=False)
TRICKLES_AS_IT_OPENS = Stall(answers=0, trickles=True)
TRICKLES_AS_IT_STORES = Stall(answers=1, trickles=True)


def capture_in(folder: Path, *, side: int) -> Path:
    ds = to_dataset(small_film("capture", rows=side, columns=side, more={"SOPClassUID": CAPTURE}))
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    path = folder / "capture.dcm"
    path.write_bytes(to_bytes(ds))
    return path


def send_to(destination: Destination, path: Path, *, timeout_s: float) -> None:
    sender = DicomSender(destination, calling_aet="WETREAD", timeout_s=timeout_s)
    try:
        sender.send(path)
    finally:
        sender.close()


@pytest.mark.parametrize(
    ("stall", "side"),
    [
        pytest.param(SILENT_IN_ANSWER_TO_OPENING, 32, id="silent within its answer to the opening"),
        pytest.param(SILENT_IN_ANSWER_TO_OBJECT, 32, id="silent within its answer to the object"),
        pytest.param(READS_NO_MORE, 3000, id="reads no more"),
        pytest.param(TRICKLES_AS_IT_OPENS, 32, id="trickles as it opens"),
        pytest.param(TRICKLES_AS_IT_STORES, 32, id="trickles as it stores"),
    ],
)
@pytest.mark.timeout(60)
def test_a_destination_that_stalls_is_left_after_a_while(tmp_path: Path, stall: Stall, side: int) -> None:
    path = capture_in(tmp_path, side=side)

    with pacs() as there, stalling(there.port, stall) as port, pytest.raises(Unreachable):
        send_to(replace(there.destination, port=port), path, timeout_s=0.5)


def test_a_sender_that_waits_is_cut_from_outside(tmp_path: Path) -> None:
    path = capture_in(tmp_path, side=32)
    failures: list[Exception] = []

    def send(sender: DicomSender) -> None:
        try:
            sender.send(path)
        except Unreachable as error:
            failures.append(error)

    with pacs() as there, stalling(there.port, SILENT_IN_ANSWER_TO_OBJECT) as port:
        sender = DicomSender(replace(there.destination, port=port), calling_aet="WETREAD")
        sending = threading.Thread(target=send, args=(sender,))
        sending.start()
        while not there.received:
            sending.join(0.01)
        sender.cut()
        sending.join(10)
        sender.close()

    assert not sending.is_alive()
    assert len(failures) == 1


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param((b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b" "), id="its answer"),
        pytest.param((b"HTTP/1.1 200 OK\r\n\r\n", b" "), id="an answer of no known length"),
        pytest.param((b"HTTP/1.1 200 OK\r\nX: ", b"a"), id="a line of its header"),
        pytest.param((b"", b"HTTP/1.1 100 Continue\r\n\r\n"), id="a word to go on"),
    ],
)
@pytest.mark.timeout(60)
def test_a_web_destination_that_trickles_is_left_after_a_while(
    tmp_path: Path, pieces: tuple[bytes, bytes]
) -> None:
    path = capture_in(tmp_path, side=32)

    with web_pacs(Reply(trickles=pieces), Reply()) as there:
        sender = DicomwebSender(there.destination(), timeout_s=0.5)
        with pytest.raises(Unreachable) as raised:
            sender.send(path)
        status = sender.send(path)
        sender.close()

    assert (raised.value.code, status) == ("timeout", "200")
