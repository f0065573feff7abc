"""A reader at OHIF in Debian's Chromium: opens a study, a report, a picture, and looks at the screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from selenium.common.exceptions import TimeoutException
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from tests.conftest import find_tool

# Kept out of the repository: for a person to look at.
SHOTS = Path(__file__).parents[1] / "out"
# OHIF draws with WebGL, which Chromium has here in software only.
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--window-size=1400,1000",
)
_PATIENCE_S, _TRIES = 60.0, 3
_REPORT = "[data-cy='study-browser-thumbnail-no-image']"
_PICTURE = "[data-cy='study-browser-thumbnail']"
_PANE = "[data-cy='viewport-pane']"
_LAYER = "svg.svg-layer"
_NO = "//button[text()='No']"
_SHOWN = "return window.cornerstone?.getEnabledElements()[0]?.viewport?.getCurrentImageId() ?? ''"
_OUTLINES = """return [...document.querySelectorAll('svg.svg-layer polyline')].map(
  line => line.getAttribute('points').trim().split(/[ ,]+/).map(Number))"""
_BRING = """const [instance, done] = arguments;
const images = services.displaySetService.getActiveDisplaySets().flatMap(set => set.images ?? []);
const image = images.find(image => image.SOPInstanceUID === instance);
cornerstone.getEnabledElements()[0].viewport.setStack([image.imageId]).then(() => done(), done)"""
# Where image coordinates lie on the screen, as the viewer itself reckons.
_CORNERS = """const viewport = cornerstone.getEnabledElements()[0].viewport;
const place = point => viewport.worldToCanvas(
  cornerstone.utilities.imageToWorldCoords(viewport.getCurrentImageId(), point));
return [place([0, 0]), place(arguments[0])]"""

Rgb = NDArray[np.uint8]
Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ohif:
    """An open viewer. Pixels and points are those of its one viewport, x right and y down."""

    browser: Chrome
    site: str

    def open(self, study: str) -> None:
        """The study as a reader first sees it: the first image, and thumbnails beside it."""
        self.browser.get(f"{self.site}/viewer?StudyInstanceUIDs={study}")
        self._wait(lambda: bool(self.shown()), "the first image")

    def pictures(self) -> list[WebElement]:
        """The thumbnails of series that have pictures, in the viewer's order."""
        return self.browser.find_elements(By.CSS_SELECTOR, _PICTURE)

    def show_report(self) -> None:
        """Open the study's one report, as by a double click on its line."""
        self._wait(lambda: len(self.browser.find_elements(By.CSS_SELECTOR, _REPORT)) == 1, "one report")
        for _ in range(_TRIES):
            self._double_click(self.browser.find_element(By.CSS_SELECTOR, _REPORT))
            if self._comes(self._has_outlines, within_s=_PATIENCE_S / _TRIES):
                break
            # On a slow machine OHIF at times opens a report and never draws it: look elsewhere, come back.
            self._double_click(self.pictures()[0])
        else:
            self._give_up("regions of the report")
        # Asked whether to take the regions over as measurements of one's own.
        self._wait(lambda: bool(self.browser.find_elements(By.XPATH, _NO)), "its question")
        self.browser.find_element(By.XPATH, _NO).click()

    def show_picture(self, thumbnail: WebElement) -> None:
        """Open a series of pictures."""
        before = self.shown()
        self._double_click(thumbnail)
        self._wait(lambda: self.shown() not in ("", before), "another picture")

    def close_player(self) -> None:
        """Close the film player that OHIF lays over every series of modality OT."""
        self.browser.execute_script("services.cineService.setIsCineEnabled(false)")
        self._wait(
            lambda: "FPS" not in self.browser.find_element(By.CSS_SELECTOR, _PANE).text, "the picture bare"
        )

    def bring(self, instance: str) -> None:
        """Bring another image of the study into the viewport; an open report stays open over it.

        OHIF 3.13's own arrows stay among the images of one stack, and each radiograph is a stack of its own.
        """
        self.browser.execute_async_script(_BRING, instance)
        self._wait(lambda: self.shown() == instance, f"image {instance}")

    def shown(self) -> str:
        """The SOPInstanceUID of the image on the screen, '' before there is one."""
        path = str(self.browser.execute_script(_SHOWN))
        return path.partition("/instances/")[2].partition("/")[0]

    def wait_for_outlines(self) -> None:
        """Until the report's regions on this image are drawn."""
        self._wait(self._has_outlines, "regions of the report")

    def outlines(self) -> list[Points]:
        """Every outline that is drawn, (points, 2) each."""
        return [np.reshape(flat, (-1, 2)) for flat in self.browser.execute_script(_OUTLINES)]

    def to_image(self, points: Points, *, rows: int, columns: int) -> Points:
        """Points of the viewport as coordinates of the image on it, by the corners of the picture."""
        first, last = np.array(self.browser.execute_script(_CORNERS, [columns, rows]))
        return np.asarray((points - first) / (last - first) * (columns, rows))

    def place(self, *, rows: int, columns: int) -> tuple[int, int, int, int]:
        """Left, top, right, bottom of the picture in the viewport, whole pixels."""
        (left, top), (right, bottom) = self.browser.execute_script(_CORNERS, [columns, rows])
        return round(left), round(top), round(right), round(bottom)

    def screen(self) -> Rgb:
        """What the viewport shows, (rows, columns, RGB), with everything drawn on top."""
        png = np.frombuffer(self.browser.get_screenshot_as_png(), np.uint8)
        whole = cv2.cvtColor(cv2.imdecode(png, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        layer = self.browser.find_element(By.CSS_SELECTOR, _LAYER).rect
        left, top = round(layer["x"]), round(layer["y"])
        shown = whole[top : top + round(layer["height"]), left : left + round(layer["width"])]
        return np.asarray(shown, np.uint8)

    def shoot(self, name: str) -> None:
        """Keep the whole window for a person to look at."""
        SHOTS.mkdir(exist_ok=True)
        self.browser.save_screenshot(str(SHOTS / f"{name}.png"))

    def _double_click(self, element: WebElement) -> None:
        ActionChains(self.browser).double_click(element).perform()

    def _has_outlines(self) -> bool:
        # OHIF draws a report's regions only once something makes it draw again.
        pane = self.browser.find_element(By.CSS_SELECTOR, _PANE)
        ActionChains(self.browser).move_to_element(pane).move_by_offset(3, 3).perform()
        return bool(self.outlines())

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        if not self._comes(condition, within_s=_PATIENCE_S):
            self._give_up(what)

    def _comes(self, condition: Callable[[], bool], *, within_s: float) -> bool:
        def holds(_: Chrome) -> bool:
            return condition()

        try:
            WebDriverWait(self.browser, within_s, 0.2).until(holds)
        except TimeoutException:
            return False
        return True

    def _give_up(self, what: str) -> NoReturn:
        self.shoot("ohif-failed")
        pytest.fail(f"OHIF never showed {what}, see ohif-failed.png in {SHOTS}")


@contextmanager
def ohif(folder: Path, site: str) -> Iterator[Ohif]:
    """Chromium with a profile in `folder`, for a viewer served at `site`, while the context is open."""
    options = ChromeOptions()
    options.binary_location = find_tool("chromium")
    for flag in (*_FLAGS, f"--user-data-dir={folder / 'chrome'}"):
        options.add_argument(flag)
    browser = Chrome(options, ChromeService(find_tool("chromedriver")))
    try:
        yield Ohif(browser, site)
    finally:
        browser.quit()


def extent(outline: Points) -> list[float]:
    """Left, top, right, bottom of an outline."""
    return [*outline.min(axis=0), *outline.max(axis=0)]
