"""What a reader sees in DICOMscope, the reference viewer for presentation states, on a virtual display."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.browser.film_studies import EDGE, INVERSE, Lesion, film_with_lesion, write_films
from tests.browser.ohif import SHOTS
from tests.conftest import find_tool
from tests.system.child import child
from tests.system.deadline import wait_until
from tests.unit.report.studies import a_finding, a_study, an_image, done
from wetread.domain import Box
from wetread.report.encode import to_part10
from wetread.report.gate import check
from wetread.report.presentation_state import build_presentation_state

# A viewer in Java under Xvfb: 15 s an image.
pytestmark = [pytest.mark.browser, pytest.mark.long]

_START_S = 60.0
_LIMIT_S = 30
# Of the window at 1400 x 1000: the root of the tree, the button that loads what is chosen, the picture.
_ROOT, _LOAD = (90, 72), (54, 14)
_PICTURE = slice(75, 900), slice(8, 1090)
_LESION = Box(90, 260, 190, 330, 0.9)
_AROUND_PX = 20
_SHIFT_PX, _TOLERANCE_PX = 1.5, 1.0
_LIGHT = 60
_NUMBER = re.compile(r"^(\d+)$", re.M)

Grey = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Desk:
    """A running DICOMscope on a display of its own."""

    display: str

    def press(self, *keys: str) -> None:
        """Keys, one after the other."""
        self._say("xdotool", "key", "--delay", "400", *keys)

    def click(self, place: tuple[int, int]) -> None:
        """The left button at x, y."""
        self._say("xdotool", "mousemove", *map(str, place), "click", "1")

    def screen(self) -> Grey:
        """The whole display, (rows, columns), grey."""
        png = np.frombuffer(self._say("import", "-window", "root", "png:-"), np.uint8)
        return np.asarray(cv2.imdecode(png, cv2.IMREAD_GRAYSCALE), np.uint8)

    def _say(self, program: str, *arguments: str) -> bytes:
        command = [find_tool(program), *arguments]
        env = os.environ | {"DISPLAY": self.display}
        return subprocess.run(command, env=env, capture_output=True, timeout=_LIMIT_S, check=True).stdout


@contextmanager
def dicomscope(folder: Path) -> Iterator[Desk]:
    """Run it on the index in `folder` while the context is open."""
    log = folder.parent / f"{folder.name}-display.log"
    screen = ["-screen", "0", "1400x1000x24", "-nolisten", "tcp", "-displayfd", "1"]
    with child([find_tool("Xvfb"), *screen], log=log):
        number = wait_until(
            lambda: _NUMBER.search(log.read_text()), within_s=_START_S, what=f"Xvfb up, see {log}"
        )
        desk = Desk(f":{number[1]}")
        env = os.environ | {"DISPLAY": desk.display, "HOME": str(folder)}
        command = ["env", "--chdir", str(folder), find_tool("dicomscope")]
        with child(command, log=log, env=env):
            # Its window is light, the empty display black.
            wait_until(
                lambda: desk.screen().mean() > _LIGHT, within_s=_START_S, what=f"DICOMscope up, see {log}"
            )
            yield desk


@pytest.mark.parametrize("photometric", ["MONOCHROME2", "MONOCHROME1"])
def test_presentation_state_shows_the_image_right_way_round_with_its_box_round_the_lesion(
    tmp_path: Path, photometric: str
) -> None:
    more = INVERSE if photometric == "MONOCHROME1" else {}
    lesion = film_with_lesion("scope", _LESION, rows=480, columns=360, study="scope", **more)
    _write_index(tmp_path, lesion)

    with dicomscope(tmp_path) as desk:
        desk.click(_ROOT)
        desk.press("End", "Right", "End", "Right", "End")
        desk.click(_LOAD)
        place = wait_until(lambda: _block_on(desk.screen()[_PICTURE]), within_s=_START_S, what="the film")
        picture = desk.screen()[_PICTURE]
    _keep(picture, f"dicomscope-{photometric.lower()}")

    pixel = (place.right - place.left) / (_LESION.right - _LESION.left)
    left, top, right, bottom = (gap / pixel for gap in _gaps(picture, place))
    assert [(left + right) / 2, (top + bottom) / 2] == pytest.approx([_AROUND_PX] * 2, abs=_TOLERANCE_PX)
    # DICOMscope counts pixels from 1, where the standard has the first one's edge at 0 (PS3.3 C.10.5.1).
    assert [(left - right) / 2, (top - bottom) / 2] == pytest.approx([_SHIFT_PX] * 2, abs=_TOLERANCE_PX)


def _write_index(folder: Path, lesion: Lesion) -> None:
    """The film, and the presentation state that draws a box round its lesion, as DICOMscope's database."""
    [film] = write_films(folder, [lesion])
    box = lesion.box
    around = Box(
        box.left - _AROUND_PX, box.top - _AROUND_PX, box.right + _AROUND_PX, box.bottom + _AROUND_PX, 0.9
    )
    image = an_image(film, done(a_finding(0.87, around)))
    study = a_study(image)
    built = build_presentation_state(image, study)
    check(built, study)
    (folder / "gsps.dcm").write_bytes(to_part10(built.ds))
    command = [find_tool("dcmqridx"), "--print", str(folder), str(film), str(folder / "gsps.dcm")]
    subprocess.run(command, capture_output=True, timeout=_LIMIT_S, check=True)


def _block_on(picture: Grey) -> Box | None:
    """The largest white thing, as the lesion is; None while it reaches the edge, as the empty page does."""
    _, _, found, _ = cv2.connectedComponentsWithStats((picture > EDGE).astype(np.uint8))
    if len(found) < 2:
        return None
    left, top, columns, rows, _ = max(found[1:], key=lambda one: one[cv2.CC_STAT_AREA])
    is_inside = left > 0 and top > 0 and left + columns < picture.shape[1] and top + rows < picture.shape[0]
    return Box(left, top, left + columns, top + rows, 1.0) if is_inside else None


def _gaps(picture: Grey, block: Box) -> list[float]:
    """From the block to the next white line at its left, top, right, bottom, in pixels of the screen."""
    row, column = int(block.top + block.bottom) // 2, int(block.left + block.right) // 2
    ways = (
        picture[row, : int(block.left)][::-1],
        picture[: int(block.top), column][::-1],
        picture[row, int(block.right) :],
        picture[int(block.bottom) :, column],
    )
    return [float(np.argmax(way > EDGE)) for way in ways]


def _keep(picture: Grey, name: str) -> None:
    SHOTS.mkdir(exist_ok=True)
    cv2.imwrite(str(SHOTS / f"{name}.png"), picture)
