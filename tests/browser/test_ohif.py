"""What a reader sees in OHIF, in front of Orthanc, in Debian's Chromium."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest

from tests.browser.film_studies import (
    EDGE,
    INVERSE,
    Lesion,
    film_with_lesion,
    write_answers,
    write_films,
)
from tests.browser.ohif import Ohif, Points, Rgb, extent, ohif
from tests.browser.viewer_site import viewer_site
from tests.system.dcmtk import Modality, dcmsend
from tests.system.orthanc import Orthanc, find_dicomweb_plugin, new_orthanc, running_orthanc
from tests.unit.report.studies import a_finding, a_study, an_image, declined, done
from wetread.domain import Box

pytestmark = pytest.mark.browser

_TOLERANCE_PX = 2.5
# The band's share of a capture's height, and of its pixels what the viewer's own scaling must leave alike.
_BAND, _SAME = 0.1, 0.97


@pytest.fixture(scope="module")
def pacs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    """An Orthanc that takes objects of anybody and speaks DICOMweb."""
    folder = tmp_path_factory.mktemp("pacs")
    settings: dict[str, object] = {"Plugins": [find_dicomweb_plugin()], "DicomAlwaysAllowStore": True}
    with running_orthanc(folder / "orthanc", new_orthanc(), **settings) as orthanc:
        yield orthanc


@pytest.fixture(scope="module")
def viewer(pacs: Orthanc, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ohif]:
    """OHIF, open at no study yet."""
    with viewer_site(pacs.http_port) as site, ohif(tmp_path_factory.mktemp("reader"), site) as opened:
        yield opened


def store(pacs: Orthanc, folder: Path, files: Sequence[Path]) -> None:
    """Send files to the PACS; it takes them all."""
    sent = dcmsend(Modality(pacs.dicom_port, called_aet=pacs.ae_title), files, report=folder / "sent.txt")
    assert [one.status for one in sent] == [0] * len(files)


def test_report_of_three_views_puts_each_box_on_its_lesion(
    pacs: Orthanc, viewer: Ohif, tmp_path: Path
) -> None:
    lesions = [
        film_with_lesion("portrait", Box(90, 260, 190, 330, 0.9), rows=480, columns=360, study="views"),
        film_with_lesion(
            "landscape", Box(310, 40, 400, 160, 0.8), rows=300, columns=520, study="views", **INVERSE
        ),
        film_with_lesion(
            "unscaled",
            Box(40, 60, 90, 200, 0.7),
            rows=400,
            columns=200,
            study="views",
            ImagerPixelSpacing=None,
        ),
    ]
    files = write_films(tmp_path, lesions)
    images = [
        an_image(path, done(a_finding(0.87, lesion.box))) for path, lesion in zip(files, lesions, strict=True)
    ]
    store(pacs, tmp_path, [*files, *write_answers(tmp_path, a_study(*images))])

    viewer.open(lesions[0].film.study_uid)
    viewer.show_report()

    for lesion in lesions:
        viewer.bring(lesion.film.instance_uid)
        viewer.wait_for_outlines()
        viewer.shoot(f"ohif-report-{lesion.film.name}")
        screen, outlines = viewer.screen(), viewer.outlines()
        assert len(outlines) == 1
        assert_drawn(screen, outlines[0])
        np.testing.assert_allclose(extent(outlines[0]), lesion_on(screen), atol=_TOLERANCE_PX)
        assert_box(viewer, outlines[0], lesion)


def test_three_answers_are_legible_as_captures(pacs: Orthanc, viewer: Ohif, tmp_path: Path) -> None:
    lesions = [
        film_with_lesion(name, Box(90, 260, 190, 330, 0.9), rows=480, columns=360, study="answers")
        for name in ("positive", "negative", "unread")
    ]
    files = write_films(tmp_path, lesions)
    analyses = [
        done(a_finding(0.87, lesions[0].box)),
        done(a_finding(0.04)),
        declined("body_part", "no model reads this body part"),
    ]
    images = [an_image(path, analysis) for path, analysis in zip(files, analyses, strict=True)]
    answers = write_answers(tmp_path, a_study(*images))
    store(pacs, tmp_path, [*files, *answers])
    captures = {str(ds.SOPInstanceUID): ds for ds in map(pydicom.dcmread, answers) if "PixelData" in ds}

    viewer.open(lesions[0].film.study_uid)
    viewer.show_picture(viewer.pictures()[-1])

    assert len(captures) == 3
    for number, (instance, ds) in enumerate(captures.items()):
        viewer.bring(instance)
        viewer.close_player()
        viewer.shoot(f"ohif-capture-{number}")
        picture = np.asarray(ds.pixel_array, np.uint8)
        assert_shown(viewer, picture)


def test_report_of_an_image_that_nothing_could_read_leaves_the_picture(
    pacs: Orthanc, viewer: Ohif, tmp_path: Path
) -> None:
    lesion = film_with_lesion("alone", Box(90, 260, 190, 330, 0.9), rows=480, columns=360, study="alone")
    files = write_films(tmp_path, [lesion])
    image = an_image(files[0], declined("body_part", "no model reads this body part"))
    store(pacs, tmp_path, [*files, *write_answers(tmp_path, a_study(image))])

    viewer.open(lesion.film.study_uid)
    viewer.show_report()
    viewer.shoot("ohif-report-unread")

    assert viewer.shown() == lesion.film.instance_uid
    [outline] = viewer.outlines()
    rows, columns = lesion.film.pixels.shape
    np.testing.assert_allclose(
        extent(viewer.to_image(outline, rows=rows, columns=columns)), [0, 0, columns, rows], atol=0.5
    )
    assert_picture(viewer.screen())


def assert_picture(screen: Rgb) -> None:
    """No black viewport: a good part of it is neither black nor one grey."""
    assert np.count_nonzero(screen.max(axis=2) > 8) > 0.2 * screen.shape[0] * screen.shape[1]
    assert screen.std() > 10


def assert_shown(viewer: Ohif, picture: Rgb) -> None:
    """The capture is on the screen as it was made, its band unhidden."""
    rows, columns = picture.shape[:2]
    left, top, right, bottom = viewer.place(rows=rows, columns=columns)
    shown = viewer.screen()[top:bottom, left:right].astype(int)
    made = cv2.resize(picture, (right - left, bottom - top), interpolation=cv2.INTER_AREA).astype(int)
    is_same = np.abs(shown - made).max(axis=2) < 64
    band = round(_BAND * len(made))
    assert min(is_same[:band].mean(), is_same.mean()) > _SAME


def lesion_on(screen: Rgb) -> list[float]:
    """Left, top, right, bottom of the largest white thing on the screen."""
    is_white = (screen.min(axis=2) > EDGE).astype(np.uint8)
    _, _, found, _ = cv2.connectedComponentsWithStats(is_white)
    left, top, columns, rows, _ = max(found[1:], key=lambda one: one[cv2.CC_STAT_AREA])
    return [float(left), float(top), float(left + columns), float(top + rows)]


def assert_drawn(screen: Rgb, outline: Points) -> None:
    """The outline is on the screen, dashed in green or yellow, not in the page's structure alone."""
    left, top, right, bottom = (round(edge) for edge in extent(outline))
    around = screen[max(top - 2, 0) : bottom + 3, max(left - 2, 0) : right + 3].astype(int)
    is_coloured = (around[..., 1] > 150) & (around[..., 1] - around[..., 2] > 60)
    assert np.count_nonzero(is_coloured) > 0.5 * (right - left + bottom - top)


def assert_box(viewer: Ohif, outline: Points, lesion: Lesion) -> None:
    """The outline in image coordinates is the box of the answer."""
    rows, columns = lesion.film.pixels.shape
    drawn = extent(viewer.to_image(outline, rows=rows, columns=columns))
    box = lesion.box
    np.testing.assert_allclose(drawn, [box.left, box.top, box.right, box.bottom], atol=0.5)
