from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydicom.uid import JPEG2000Lossless, JPEGLosslessSV1, RLELossless
from pynetdicom.presentation import build_context

from tests.builders import Film, small_film, to_bytes, to_dataset
from tests.system.child import free_port
from tests.unit.pipeline.parts import FirstStep, first_step
from tests.unit.receive.scu import CR, DX, associated, store
from wetread.config import DicomSettings
from wetread.domain import AnalysisId, Lane, StudyUid
from wetread.errors import Misconfigured
from wetread.pipeline.commit import Registrar
from wetread.receive.handlers import Handlers
from wetread.receive.listener import listening
from wetread.route.part10 import FileParts, split_file

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom's, about UIDs that are none


@dataclass(frozen=True, slots=True)
class Door:
    """A listener on loopback and the first step behind it."""

    port: int
    step: FirstStep


def settings(port: int, **more: object) -> DicomSettings:
    return DicomSettings(port=port, network_timeout_s=10, **more)


def handlers(step: FirstStep) -> Handlers:
    return Handlers(admitter=step.admitter, registrar=Registrar(ledger=step.ledger, destinations=()))


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    port = free_port()
    with first_step(tmp_path) as step, listening(settings(port), handlers(step)):
        yield Door(port, step)


def parts_of(name: str, **more: object) -> FileParts:
    return split_file(to_bytes(to_dataset(small_film(name, rows=40, columns=30, more=more))))


def send(port: int, film: Film, *, caller: str = "MODALITY") -> int:
    with associated(port, caller=caller) as assoc:
        return int(assoc.send_c_store(to_dataset(film)).Status)


def test_an_echo_is_answered(door: Door) -> None:
    with associated(door.port) as assoc:
        assert assoc.send_c_echo().Status == 0x0000


def test_success_means_that_the_file_and_its_rows_are_there(door: Door) -> None:
    film = small_film("one")

    status = send(door.port, film)

    [instance] = door.step.ledger.instances.of_study(StudyUid(film.study_uid))
    assert status == 0x0000
    assert door.step.spool.path(instance.spool_key).stat().st_size == instance.size_bytes
    assert instance.calling_aet == "MODALITY"


def test_the_data_set_is_kept_byte_for_byte(door: Door) -> None:
    parts = parts_of("bytes", PatientComments="odd  spacing ")

    with associated(door.port) as assoc:
        store(assoc, parts.data_set, sop_class=DX, instance=parts.sop_instance_uid)

    [path] = door.step.files()
    assert path.read_bytes().endswith(bytes(parts.data_set))


def test_the_same_image_again_is_a_success_and_no_second_job(door: Door) -> None:
    film = small_film("one")

    statuses = [send(door.port, film), send(door.port, film)]

    assert statuses == [0x0000, 0x0000]
    assert len(door.step.ledger.analyses.waiting(now=2e12)) == 1


@pytest.mark.parametrize(
    "syntax", [JPEGLosslessSV1, JPEG2000Lossless, RLELossless], ids=lambda uid: uid.keyword
)
def test_a_compressed_image_is_taken_as_it_is(door: Door, syntax: str) -> None:
    fragments = b"\xfe\xff\x00\xe0\0\0\0\0" + b"\xfe\xff\x00\xe0\x04\0\0\0abcd" + b"\xfe\xff\xdd\xe0\0\0\0\0"
    parts = parts_of("compressed", PixelData=None)
    data_set = bytes(parts.data_set) + b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff" + fragments

    with associated(door.port, contexts=[build_context(DX, [syntax])]) as assoc:
        status = store(assoc, data_set, sop_class=DX, instance=parts.sop_instance_uid)

    [path] = door.step.files()
    assert status == 0x0000
    assert path.read_bytes().endswith(fragments)


@pytest.mark.parametrize(
    ("instance", "status"),
    [
        ("../../../../tmp/wetread-traversal", 0xA900),
        ("/etc/passwd", 0xA900),
        ("1.2.3\r\nX-Evil: 1", 0xA900),
        ("1.2.3.4.5", 0xA900),
    ],
)
def test_a_uid_that_is_not_the_objects_own_is_refused_and_leaves_nothing_outside_the_spool(
    door: Door, instance: str, status: int, tmp_path: Path
) -> None:
    with associated(door.port) as assoc:
        answer = store(assoc, parts_of("attack").data_set, sop_class=DX, instance=instance)

    outside = [path for path in tmp_path.rglob("*") if path.is_file() and "spool" not in path.parts]
    assert answer == status
    assert {path.suffix for path in outside} <= {".db", ".db-wal", ".db-shm"}
    assert not Path("/tmp/wetread-traversal").exists()
    assert [entry.reason for entry in door.step.ledger.quarantine.page()] == ["mismatch"]


@pytest.mark.parametrize("instance", ["../../../../tmp/x", "/etc/passwd", "1.2.3\r\nX-Evil: 1", ""])
def test_a_malformed_uid_in_the_object_is_refused_whatever_the_request_says(
    door: Door, instance: str
) -> None:
    good = parts_of("attack")
    uid = good.sop_instance_uid.encode()
    evil = bytes(good.data_set).replace(uid, instance.encode().ljust(len(uid), b"\0"))

    with associated(door.port) as assoc:
        answer = store(assoc, evil, sop_class=DX, instance=instance or "1.2.3")

    assert answer == 0xC000
    assert door.step.ledger.views.counts()["instances"] == {}


@pytest.mark.parametrize("data_set", [b"\x01", b"garbage that is no data set", b"\0" * 64])
def test_what_cannot_be_parsed_is_answered_c000_and_quarantined(door: Door, data_set: bytes) -> None:
    with associated(door.port) as assoc:
        answer = store(assoc, data_set, sop_class=DX, instance="1.2.3")

    assert answer == 0xC000
    assert len(door.step.ledger.quarantine.page()) == 1


def test_a_truncated_image_is_answered_c000(door: Door) -> None:
    parts = parts_of("short")

    with associated(door.port) as assoc:
        answer = store(assoc, parts.data_set[:-100], sop_class=DX, instance=parts.sop_instance_uid)

    assert answer == 0xC000
    assert [entry.reason for entry in door.step.ledger.quarantine.page()] == ["truncated"]


def test_a_class_that_differs_from_its_context_is_answered_a900(door: Door) -> None:
    parts = parts_of("context")

    with associated(door.port) as assoc:
        answer = store(assoc, parts.data_set, sop_class=CR, instance=parts.sop_instance_uid, context_of=DX)

    assert answer == 0xA900


def test_a_store_without_a_data_set_is_aborted_at_once_and_the_next_sender_is_served(door: Door) -> None:
    parts = parts_of("nothing")

    with associated(door.port) as assoc:
        status = store(assoc, None, sop_class=parts.sop_class_uid, instance=parts.sop_instance_uid)
        assoc.join(timeout=5)
        assert (status, assoc.is_aborted) == (-1, True)

    assert send(door.port, small_film("after", rows=40, columns=30)) == 0x0000


def test_an_association_goes_on_after_a_refusal(door: Door) -> None:
    with associated(door.port) as assoc:
        refused = store(assoc, b"garbage", sop_class=DX, instance="1.2.3")
        taken = assoc.send_c_store(to_dataset(small_film("after"))).Status

    assert (refused, taken) == (0xC000, 0x0000)


def test_a_full_disk_is_answered_a700(tmp_path: Path) -> None:
    port = free_port()
    with (
        first_step(tmp_path, watermark_bytes=2**60) as step,
        listening(settings(port), handlers(step)),
    ):
        assert send(port, small_film("one")) == 0xA700


def test_an_unknown_called_title_is_rejected(door: Door) -> None:
    with associated(door.port, called="SOMEONE") as assoc:
        assert assoc.is_rejected
        # PS3.8 table 9-21: permanent, by the service user, called AE title not recognised.
        answer = assoc.acceptor.primitive
        assert answer is not None
        assert (answer.result, answer.result_source, answer.diagnostic) == (1, 1, 7)


def test_only_known_callers_are_let_in(tmp_path: Path) -> None:
    port = free_port()
    known = settings(port, allowed_callers=("MODALITY",))
    with first_step(tmp_path) as step, listening(known, handlers(step)):
        with associated(port, caller="MODALITY") as assoc:
            assert assoc.is_established
        with associated(port, caller="STRANGER") as stranger:
            assert stranger.is_rejected


def test_no_more_associations_are_open_at_once_than_the_setting_says(tmp_path: Path) -> None:
    port = free_port()
    with ExitStack() as stack:
        step = stack.enter_context(first_step(tmp_path))
        stack.enter_context(listening(settings(port, max_associations=2), handlers(step)))

        opened = [stack.enter_context(associated(port)).is_established for _ in range(3)]

    assert opened == [True, True, False]


def test_twenty_associations_one_after_another_and_eight_at_once_lose_nothing(door: Door) -> None:
    statuses: list[int] = []
    one_after_another = [small_film(f"sequential-{number}", rows=16, columns=16) for number in range(20)]
    at_once = [small_film(f"parallel-{number}", rows=300, columns=300) for number in range(8)]

    for film in one_after_another:
        statuses.append(send(door.port, film))
    threads = [
        threading.Thread(target=lambda film=film: statuses.append(send(door.port, film))) for film in at_once
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses == [0x0000] * 28
    assert len(door.step.files()) == 28


def test_a_radiograph_of_many_pdus_is_taken(door: Door) -> None:
    film = small_film("large", rows=2000, columns=1600)

    assert send(door.port, film) == 0x0000

    [instance] = door.step.ledger.instances.of_study(StudyUid(film.study_uid))
    assert instance.size_bytes > 6_400_000


def test_a_peer_that_says_nothing_holds_nobody_up(door: Door) -> None:
    with socket.create_connection(("127.0.0.1", door.port)):
        assert send(door.port, small_film("beside")) == 0x0000


def test_a_port_in_use_is_one_clear_line(door: Door) -> None:
    with (
        pytest.raises(Misconfigured, match=r"dicom\.port"),
        listening(settings(door.port), handlers(door.step)),
    ):
        pass


def test_stopping_lets_an_idle_association_go_within_seconds(tmp_path: Path) -> None:
    port = free_port()
    short = settings(port).model_copy(update={"network_timeout_s": 1.0})
    with first_step(tmp_path) as step, ExitStack() as server:
        server.enter_context(listening(short, handlers(step)))
        with associated(port) as assoc:
            assert assoc.is_established
            started = time.monotonic()

            server.close()

            assert time.monotonic() - started < 5


class HeldQueue:
    """Lets a C-STORE go no further than its announcement until the test says so."""

    def __init__(self) -> None:
        self.reached, self.go_on = threading.Event(), threading.Event()

    def put(self, analysis_id: AnalysisId, lane: Lane) -> None:
        self.reached.set()
        assert self.go_on.wait(20)

    def depth(self) -> int:
        return 0


def test_stopping_lets_a_store_in_flight_finish(tmp_path: Path) -> None:
    port, queue, statuses = free_port(), HeldQueue(), list[int]()
    with first_step(tmp_path, queue=queue) as step, ExitStack() as server:
        server.enter_context(listening(settings(port), handlers(step)))
        sender = threading.Thread(target=lambda: statuses.append(send(port, small_film("in flight"))))
        sender.start()
        assert queue.reached.wait(20)
        stopper = threading.Thread(target=server.close)
        stopper.start()

        queue.go_on.set()
        sender.join()
        stopper.join()

    assert statuses == [0x0000]
