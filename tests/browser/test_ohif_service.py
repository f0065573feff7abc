"""What the service itself answered, seen in OHIF: every box where the ledger has it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.browser.ohif import Ohif, extent, ohif
from tests.browser.viewer_site import viewer_site
from tests.builders import Film, fracture_films, write
from tests.system.dcmtk import Modality, dcmsend
from tests.system.models import find_models
from tests.system.orthanc import find_dicomweb_plugin, new_orthanc, running_orthanc
from tests.system.wetread_service import Wetread, make_settings, wait_until_settled
from wetread.domain import Box, StudyUid

pytestmark = [pytest.mark.browser, pytest.mark.long]

_LEAST = 2


@dataclass(frozen=True, slots=True)
class Read:
    """An open viewer in front of the answers to these films."""

    viewer: Ohif
    wetread: Wetread
    films: list[Film]

    def boxes(self, film: Film) -> list[Box]:
        """What the ledger has on a film, whatever the network."""
        with self.wetread.ledger() as ledger:
            analyses = ledger.analyses.of_study(StudyUid(film.study_uid))
        return [box for of_one in analyses.values() for a in of_one for f in a.findings for box in f.boxes]


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory, test_data: Path) -> Iterator[Read]:
    """Films with fractures, read by the shipped models, in the PACS together with their answers."""
    folder = tmp_path_factory.mktemp("read")
    films, orthanc = fracture_films(test_data, positive=6, negative=0), new_orthanc()
    settings: dict[str, object] = {"Plugins": [find_dicomweb_plugin()], "DicomAlwaysAllowStore": True}
    wetread = Wetread(folder / "wetread", find_models(folder / "models"), make_settings(orthanc.destination))
    with ExitStack() as stack:
        stack.enter_context(running_orthanc(folder / "orthanc", orthanc, **settings))
        stack.enter_context(wetread.running())
        files = [write(film, folder) for film in films]
        for there in (Modality(orthanc.dicom_port, called_aet=orthanc.ae_title), wetread.modality):
            sent = dcmsend(there, files, report=folder / "sent.txt")
            assert [one.status for one in sent] == [0] * len(files)
        wait_until_settled(wetread, within_s=180)
        site = stack.enter_context(viewer_site(orthanc.http_port))
        yield Read(stack.enter_context(ohif(folder, site)), wetread, films)


def test_boxes_of_the_shipped_models_are_drawn_where_the_ledger_has_them(read: Read) -> None:
    located = [film for film in read.films if read.boxes(film)]

    assert len(located) >= _LEAST
    for film in located:
        rows, columns = film.pixels.shape
        read.viewer.open(film.study_uid)
        read.viewer.show_report()
        drawn = [extent(read.viewer.to_image(o, rows=rows, columns=columns)) for o in read.viewer.outlines()]
        read.viewer.shoot(f"ohif-read-{film.body_part.lower()}")
        for box in read.boxes(film):
            wanted = [max(box.left, 0), max(box.top, 0), min(box.right, columns), min(box.bottom, rows)]
            assert min(np.abs(np.subtract(one, wanted)).max() for one in drawn) < 0.5
