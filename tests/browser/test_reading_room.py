"""A reader in Debian's Chromium: logs in, finds the studies, opens one, switches the overlay."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.conftest import find_tool
from tests.system.models import find_models
from tests.system.wetread_service import Wetread, make_settings, wait_until_settled
from wetread.deliver.send import send_files
from wetread.domain import Destination
from wetread.phantom.dicom import demo_set

pytestmark = pytest.mark.browser

# Kept out of the repository: for a person to look at.
_SHOTS = Path(__file__).parents[1] / "out"
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


def test_a_reader_logs_in_and_finds_the_answers_on_the_worklist_and_the_study_page(tmp_path: Path) -> None:
    wetread = Wetread(tmp_path / "wetread", find_models(tmp_path / "models"), make_settings())
    with wetread.running(), _chrome(tmp_path) as browser:
        _send_phantoms(wetread, tmp_path / "sent")
        wait_until_settled(wetread, within_s=120)

        _log_in(browser, wetread)
        links = browser.find_elements(By.CSS_SELECTOR, "main a[href^='/studies/']")
        studies = list(dict.fromkeys(link.get_attribute("href") or "" for link in links))
        WebDriverWait(browser, 20).until(lambda page: page.execute_script(_ARE_ALL_LOADED))
        _shoot(browser, "worklist")
        browser.get(studies[0])
        picture = WebDriverWait(browser, 20).until(
            lambda page: page.find_element(By.CSS_SELECTOR, "main img")
        )
        WebDriverWait(browser, 20).until(lambda page: page.execute_script(_IS_LOADED, picture))
        _shoot(browser, "study")

        assert len(studies) == 6
        assert "research use only" in browser.find_element(By.TAG_NAME, "body").text
        assert not [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
        _shoot_page(browser, f"http://127.0.0.1:{wetread.http_port}/operations", "operations")
        _shoot_page(browser, f"http://127.0.0.1:{wetread.http_port}/models", "models")


_ARE_ALL_LOADED = "return [...document.images].every(image => image.complete && image.naturalWidth > 0)"
_IS_LOADED = "return arguments[0].complete && arguments[0].naturalWidth > 0"


@contextmanager
def _chrome(folder: Path) -> Iterator[Chrome]:
    options = ChromeOptions()
    options.binary_location = find_tool("chromium")
    for flag in (*_FLAGS, f"--user-data-dir={folder / 'chrome'}", "--window-size=1400,1000"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = Chrome(options, ChromeService(find_tool("chromedriver")))
    try:
        yield browser
    finally:
        browser.quit()


def _send_phantoms(wetread: Wetread, folder: Path) -> None:
    folder.mkdir()
    files = []
    for number, case in enumerate(demo_set(root="browser")):
        files.append(folder / f"{number}.dcm")
        case.ds.save_as(files[-1], enforce_file_format=True)
    there = Destination("wetread", "dicom", "127.0.0.1", wetread.dicom_port, "WETREAD")
    assert all(sent.is_taken for sent in send_files(files, destination=there, calling_aet="MODALITY"))


def _log_in(browser: Chrome, wetread: Wetread) -> None:
    browser.get(f"http://127.0.0.1:{wetread.http_port}/")
    _shoot(browser, "login")
    key = (wetread.home / "admin.key").read_text().strip()
    field = browser.find_element(By.CSS_SELECTOR, "input[type=password]")
    field.send_keys(key)
    field.submit()
    WebDriverWait(browser, 20).until(
        lambda page: page.find_elements(By.CSS_SELECTOR, "main a[href^='/studies/']")
    )


def _shoot_page(browser: Chrome, url: str, name: str) -> None:
    browser.get(url)
    _shoot(browser, name)


def _shoot(browser: Chrome, name: str) -> None:
    _SHOTS.mkdir(exist_ok=True)
    browser.save_screenshot(str(_SHOTS / f"{name}.png"))
