"""What peers meet at the door: who is let in, what is taken, and what each refusal says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pynetdicom.dsutils import encode

from tests.builders import Film, small_film, to_dataset, write
from tests.system.dcmtk import Modality, echo, storescu
from tests.system.deadline import wait_until
from tests.system.odd_sender import CR, DX, associated, store
from tests.system.orthanc import CAPTURE_CLASS, SR_CLASS, Orthanc, new_orthanc, running_orthanc
from tests.system.wetread_service import Wetread, make_settings, wait_for_study, wait_until_settled
from wetread.domain import StudyUid
from wetread.ledger.quarantine import Quarantined

_NO_ANSWER = -1


@dataclass(frozen=True, slots=True)
class Door:
    """A running service with its PACS; `folder` is for files to send."""

    wetread: Wetread
    orthanc: Orthanc
    folder: Path

    def quarantined(self) -> list[Quarantined]:
        """Every refusal so far."""
        with self.wetread.ledger() as ledger:
            return ledger.quarantine.page(limit=1000)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory, models_folder: Path) -> Iterator[Door]:
    """One service for every test of this file: each sends images of its own."""
    folder, orthanc = tmp_path_factory.mktemp("door"), new_orthanc()
    settings = make_settings(orthanc.destination, quiet_s=0.5, DICOM__ALLOWED_CALLERS='["MODALITY"]')
    wetread = Wetread(folder / "wetread", models_folder, settings)
    with running_orthanc(folder / "orthanc", orthanc, wetread_port=wetread.dicom_port), wetread.running():
        yield Door(wetread, orthanc, folder)


def test_known_caller_of_the_right_title_is_answered(door: Door) -> None:
    assert echo(door.wetread.modality)


def test_readyz_says_ready_and_on_what_the_models_run(door: Door) -> None:
    ready = wait_until(lambda: _get(door, "/readyz"), within_s=30, what="the HTTP door")

    assert '"status":"ready"' in ready
    assert "CPUExecutionProvider" in ready


def test_caller_that_is_not_on_the_list_is_rejected(door: Door) -> None:
    path = write(small_film("from-a-stranger"), door.folder)
    stranger = Modality(door.wetread.dicom_port, calling_aet="STRANGER")

    sent = storescu(stranger, path)

    assert not echo(stranger)
    assert [one.status for one in sent] == [_NO_ANSWER]


def test_caller_who_means_another_title_is_rejected(door: Door) -> None:
    assert not echo(Modality(door.wetread.dicom_port, called_aet="OTHER"))


def test_same_instance_again_is_acknowledged_and_not_analysed_twice(door: Door) -> None:
    film = small_film("sent-twice")
    path = write(film, door.folder)

    first = storescu(door.wetread.modality, path)
    wait_for_study(door.wetread, film.study_uid)
    again = storescu(door.wetread.modality, path)
    wait_until_settled(door.wetread, within_s=60)

    with door.wetread.ledger() as ledger:
        line = ledger.views.study(StudyUid(film.study_uid))
        instances = ledger.instances.of_study(StudyUid(film.study_uid))
    assert [first[0].status, again[0].status] == [0, 0]
    assert line is not None
    assert (line.revision, line.image_count, len(instances)) == (1, 1, 1)
    assert len(door.orthanc.of_study(film.study_uid)) == len((SR_CLASS, CAPTURE_CLASS))


def test_same_uid_with_other_bytes_is_kept_flagged_and_not_analysed(door: Door) -> None:
    film = small_film("two-versions")
    other = Film(name=film.name, pixels=film.pixels[::-1].copy())
    (door.folder / "other").mkdir()

    first = storescu(door.wetread.modality, write(film, door.folder))
    wait_for_study(door.wetread, film.study_uid)
    second = storescu(door.wetread.modality, write(other, door.folder / "other"))
    wait_until_settled(door.wetread, within_s=60)

    with door.wetread.ledger() as ledger:
        line = ledger.views.study(StudyUid(film.study_uid))
        instances = ledger.instances.of_study(StudyUid(film.study_uid))
        analysed = ledger.analyses.of_study(StudyUid(film.study_uid))
    assert [first[0].status, second[0].status] == [0, 0]
    assert [instance.is_conflicting for instance in instances] == [False, True]
    assert set(analysed) == {instances[0].id}
    assert line is not None
    assert line.revision == 1
    kept = [door.wetread.home / "spool" / "objects" / instance.spool_key for instance in instances]
    pixels = [pydicom.dcmread(path).pixel_array for path in kept]
    assert np.array_equal(pixels[0], film.pixels)
    assert np.array_equal(pixels[1], other.pixels)


def test_late_image_makes_a_second_revision_that_names_its_predecessor(door: Door) -> None:
    early, late = small_film("early", study="late-study"), small_film("late", study="late-study")

    storescu(door.wetread.modality, write(early, door.folder))
    wait_for_study(door.wetread, early.study_uid)
    storescu(door.wetread.modality, write(late, door.folder))
    wait_for_study(door.wetread, early.study_uid, revision=2)
    wait_until_settled(door.wetread, within_s=60)

    with door.wetread.ledger() as ledger:
        revisions = ledger.reports.revisions(StudyUid(early.study_uid))
    held = {one.SOPInstanceUID: one for one in door.orthanc.of_study(early.study_uid)}
    reports = [
        next(item.SOPInstanceUID for item in revision.objects if item.SOPClassUID == SR_CLASS)
        for revision in revisions
    ]
    second = pydicom.dcmread(BytesIO(door.orthanc.file(held[reports[1]])))
    assert _predecessors(second) == [reports[0]]
    captures = [one for one in held.values() if one.SOPClassUID == CAPTURE_CLASS]
    assert (len(reports), len(captures), len(held)) == (2, 2, 4)


def test_command_of_another_class_than_the_object_is_answered_a900(door: Door) -> None:
    ds = to_dataset(small_film("class-mismatch"))

    with associated(door.wetread.modality) as assoc:
        status = store(assoc, _encode(ds), sop_class=CR, sop_instance=ds.SOPInstanceUID)

    assert status == 0xA900
    assert door.quarantined()[-1].sop_instance_uid == ds.SOPInstanceUID


def test_command_of_another_class_than_its_context_is_answered_a900(door: Door) -> None:
    ds = to_dataset(small_film("context-mismatch"))

    with associated(door.wetread.modality) as assoc:
        status = store(assoc, _encode(ds), sop_class=DX, sop_instance=ds.SOPInstanceUID, context_class=CR)

    assert status == 0xA900


def test_command_of_another_instance_than_the_object_is_answered_a900(door: Door) -> None:
    ds = to_dataset(small_film("instance-mismatch"))

    with associated(door.wetread.modality) as assoc:
        status = store(assoc, _encode(ds), sop_class=DX, sop_instance="1.2.3.4")

    assert status == 0xA900
    assert door.quarantined()[-1].sop_instance_uid == "1.2.3.4"


@pytest.mark.parametrize(
    ("case", "reason"),
    [("empty", "empty"), ("garbage", "truncated"), ("cut short", "truncated")],
)
def test_bytes_that_are_no_object_are_answered_c000_and_quarantined(
    door: Door, case: str, reason: str
) -> None:
    ds = to_dataset(small_film(f"bad-{case}"))
    whole = _encode(ds)
    data = {"empty": b"", "garbage": b"\xff\xfe not DICOM at all " * 50, "cut short": whole[:-5000]}[case]

    with associated(door.wetread.modality) as assoc:
        status = store(assoc, data, sop_class=DX, sop_instance=ds.SOPInstanceUID)

    entry = door.quarantined()[-1]
    assert status == 0xC000
    assert (entry.sop_instance_uid, entry.reason, entry.size_bytes) == (ds.SOPInstanceUID, reason, len(data))
    assert (entry.spool_key is None) == (data == b"")


@pytest.mark.parametrize("uid", ["../../../../tmp/x", "/etc/passwd", "1.2\r\n3", "1.2.3.x"])
def test_instance_uid_that_is_a_path_or_worse_is_refused(door: Door, uid: str) -> None:
    ds = to_dataset(small_film("hostile"))
    data = _encode(ds).replace(ds.SOPInstanceUID.encode(), uid.ljust(len(ds.SOPInstanceUID)).encode())

    with associated(door.wetread.modality) as assoc:
        status = store(assoc, data, sop_class=DX, sop_instance=ds.SOPInstanceUID)

    assert status in {0xA900, 0xC000}
    assert door.quarantined()[-1].reason in {"uid_malformed", "mismatch"}


def test_result_that_the_pacs_routes_back_is_not_read_again(door: Door) -> None:
    film = small_film("routed-back")
    storescu(door.wetread.modality, write(film, door.folder))
    wait_for_study(door.wetread, film.study_uid)
    wait_until_settled(door.wetread, within_s=60)
    held = door.orthanc.of_study(film.study_uid)
    capture = next(one for one in held if one.SOPClassUID == CAPTURE_CLASS)
    path = door.folder / "capture.dcm"
    path.write_bytes(door.orthanc.file(capture))

    sent = storescu(door.wetread.modality, path)
    wait_until_settled(door.wetread, within_s=60)

    with door.wetread.ledger() as ledger:
        line = ledger.views.study(StudyUid(film.study_uid))
    assert sent[0].status == 0
    assert line is not None
    assert (line.revision, line.image_count) == (1, 1)


def _encode(ds: Dataset) -> bytes:
    """The data set alone, Explicit VR Little Endian."""
    encoded = encode(ds, False, True)
    assert encoded is not None
    return encoded


def _get(door: Door, path: str) -> str:
    try:
        with urlopen(f"http://127.0.0.1:{door.wetread.http_port}{path}", timeout=10) as answer:
            return str(answer.read().decode())
    except (URLError, ConnectionError):
        return ""


def _predecessors(ds: Dataset) -> list[str]:
    return [
        str(item.ReferencedSOPInstanceUID)
        for study in ds.PredecessorDocumentsSequence
        for series in study.ReferencedSeriesSequence
        for item in series.ReferencedSOPSequence
    ]
