"""OHIF's bundle and the PACS's DICOMweb on one origin, as a hospital's web server would offer them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tests.conftest import need

_DICOMWEB = "/dicom-web"
_BUNDLE = Path(__file__).parents[2] / ".cache" / "ohif" / "dist"
_PASSED_ON = ("Accept", "Host")
_LIMIT_S = 30
# Shared memory between OHIF's workers asks for a page that is isolated from other origins.
_ISOLATION = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}


@contextmanager
def viewer_site(orthanc_port: int) -> Iterator[str]:
    """Serve the viewer and `/dicom-web` of this Orthanc while the context is open; the site's address."""
    need((_BUNDLE / "index.html").is_file(), "OHIF's bundle (see `make viewer`)")
    handler = partial(_Handler, orthanc_port=orthanc_port, directory=str(_BUNDLE))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, *arguments: object, orthanc_port: int, **more: object) -> None:
        self._orthanc = f"http://127.0.0.1:{orthanc_port}"
        super().__init__(*arguments, **more)  # type: ignore[arg-type]  # the server's own arguments

    def do_GET(self) -> None:
        if self.path.startswith(_DICOMWEB):
            self._ask_pacs()
        elif self.path == "/app-config.js":
            self._answer(HTTPStatus.OK, "text/javascript", _configuration().encode())
        else:
            if not Path(self.translate_path(self.path)).is_file():
                self.path = "/index.html"  # an address inside the application
            super().do_GET()

    def _ask_pacs(self) -> None:
        headers = {name: self.headers[name] for name in _PASSED_ON if self.headers[name]}
        try:
            with urlopen(Request(self._orthanc + self.path, headers=headers), timeout=_LIMIT_S) as answer:
                self._answer(answer.status, answer.headers["Content-Type"], answer.read())
        except HTTPError as error:
            self._answer(error.code, "text/plain", error.read())

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def end_headers(self) -> None:
        for name, value in _ISOLATION.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing: a test's output is the test's."""


def _configuration() -> str:
    source = {
        "namespace": "@ohif/extension-default.dataSourcesModule.dicomweb",
        "sourceName": "pacs",
        "configuration": {
            "friendlyName": "Test PACS",
            "name": "pacs",
            **dict.fromkeys(("wadoUriRoot", "qidoRoot", "wadoRoot"), _DICOMWEB),
            "qidoSupportsIncludeField": False,
            "imageRendering": "wadors",
            "thumbnailRendering": "wadors",
            "enableStudyLazyLoad": True,
            "supportsFuzzyMatching": False,
            "supportsWildcard": True,
        },
    }
    settings = {
        "routerBasename": "/",
        "extensions": [],
        "modes": [],
        "customizationService": {},
        "showStudyList": True,
        "maxNumberOfWebWorkers": 1,
        "defaultDataSourceName": "pacs",
        "dataSources": [source],
        # The notice that a viewer is no medical device would lie over the picture.
        "investigationalUseDialog": {"option": "never"},
    }
    # A tour of the viewer would lie over the picture.
    no_tour = """localStorage.setItem("shownTours", '["basicViewerTour"]');"""
    return f"{no_tour} window.config = {json.dumps(settings)};"
