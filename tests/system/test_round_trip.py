"""Every kind of object through a PACS and back, each way that it can be fetched: nothing is changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from tests.corpus.images import JAPANESE, Image
from tests.corpus.objects import write_all
from tests.corpus.studies import film_case
from tests.system.archive_user import (
    CALLING_AET,
    MOVE_AET,
    Committee,
    find_instances,
    move_study,
    qido_instances,
    wado_study,
)
from tests.system.child import free_port
from tests.system.orthanc import Orthanc, find_dicomweb_plugin, new_orthanc, running_orthanc
from tests.system.storescp import StoreScp, running_storescp
from wetread.deliver.send import send_files
from wetread.domain import Destination, ObjectKind
from wetread.phantom.limb import draw_limb

# Both polarities, two findings on one view, a patient whose name is written in three scripts.
IMAGES = (
    Image("round-front", "two boxes", study="round", more=JAPANESE),
    Image("round-side", "one doubtful", study="round", more=JAPANESE, is_negative=True),
)


@dataclass(frozen=True, slots=True)
class Stored:
    """A PACS that holds one study's objects; `files` are what it was sent."""

    orthanc: Orthanc
    files: dict[Path, ObjectKind]
    study: str
    moved_to: StoreScp
    report_port: int

    def sent(self) -> dict[str, Dataset]:
        """What it was sent, by SOP instance."""
        return by_instance(map(pydicom.dcmread, self.files))

    def classes(self) -> dict[str, str]:
        """SOP class by SOP instance."""
        return {uid: str(ds.SOPClassUID) for uid, ds in self.sent().items()}


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    """Every kind of object of a study of two views, built and sent as the service does."""
    folder = tmp_path_factory.mktemp("round-trip")
    case = film_case(IMAGES, draw_limb(2, broken=True).pixels, folder)
    files = {exhibit.path: exhibit.kind for exhibit in write_all([case], folder)}
    orthanc, target, port = new_orthanc(), StoreScp(folder / "moved"), free_port()
    known = {
        "wetread": [CALLING_AET, "127.0.0.1", port],
        "target": [MOVE_AET, "127.0.0.1", target.port],
    }
    settings: dict[str, object] = {
        "Plugins": [find_dicomweb_plugin()],
        "DicomModalities": known,
        "DicomAssociationCloseDelay": 0,
    }
    with running_storescp(target), running_orthanc(folder / "orthanc", orthanc, **settings):
        there = Destination("orthanc", "dicom", "127.0.0.1", orthanc.dicom_port, orthanc.ae_title)
        assert all(
            sent.is_taken for sent in send_files(list(files), destination=there, calling_aet=CALLING_AET)
        )
        yield Stored(orthanc, files, case.result.study, target, port)


def test_every_kind_of_object_makes_the_trip(stored: Stored) -> None:
    assert set(stored.files.values()) == set(ObjectKind)


def test_pacs_commits_itself_to_every_object(stored: Stored) -> None:
    committee = Committee()
    with committee.listening(stored.report_port):
        kept, lost = committee.ask(stored.orthanc, stored.files)

    assert kept == set(stored.sent())
    assert not lost


def test_queries_find_every_object_under_its_class(stored: Stored, tmp_path: Path) -> None:
    assert find_instances(stored.orthanc, stored.study, tmp_path / "found") == stored.classes()
    assert qido_instances(stored.orthanc, stored.study) == stored.classes()


def test_objects_that_are_moved_on_are_those_that_were_sent(stored: Stored) -> None:
    move_study(stored.orthanc, stored.study)

    assert differences(stored.sent(), by_instance(stored.moved_to.held())) == []


def test_objects_that_are_fetched_over_the_web_are_those_that_were_sent(stored: Stored) -> None:
    fetched = wado_study(stored.orthanc, stored.study)

    assert differences(stored.sent(), by_instance(fetched)) == []


def test_comparison_sees_a_changed_word_and_a_changed_pixel(stored: Stored) -> None:
    changed = by_instance(map(pydicom.dcmread, stored.files))
    report = next(ds for ds in changed.values() if ds.Modality == "SR")
    report.ContentSequence[0].ConceptNameCodeSequence[0].CodeMeaning += "."
    capture = next(ds for ds in changed.values() if "PixelData" in ds)
    capture.PixelData = bytes([capture.PixelData[0] ^ 1]) + capture.PixelData[1:]

    assert sorted(differences(stored.sent(), changed)) == ["OT PixelData", "SR ContentSequence"]


def by_instance(objects: Iterable[Dataset]) -> dict[str, Dataset]:
    """Data sets by SOP instance."""
    return {str(ds.SOPInstanceUID): ds for ds in objects}


def differences(sent: dict[str, Dataset], received: dict[str, Dataset]) -> list[str]:
    """Every element, at any depth, pixels too, that is not the same on both sides; objects that miss."""
    missing = [f"{uid} is on one side only" for uid in sent.keys() ^ received.keys()]
    return missing + [
        f"{sent[uid].Modality} {sent[uid][tag].keyword if tag in sent[uid] else tag}"
        for uid in sent.keys() & received.keys()
        for tag in sent[uid].keys() | received[uid].keys()
        if not _is_same(sent[uid], received[uid], tag)
    ]


def _is_same(one: Dataset, other: Dataset, tag: pydicom.tag.BaseTag) -> bool:
    return tag in one and tag in other and one[tag] == other[tag]
