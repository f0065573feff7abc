"""A DICOMweb service on loopback that answers as a test says, also badly."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase

from tests.unit.deliver.authority import Authority
from wetread.domain import Destination, Tls

JSON = "application/dicom+json"
STORED = json.dumps({"00081199": {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": ["1.2"]}}]}})


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. `declared_bytes` lies about the length; `is_silent` answers nothing, `hangs` never.

    `trickles` begins with it, and goes on with it piece by piece without an end.
    """

    status: int = 200
    body: bytes = STORED.encode()
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    declared_bytes: int | None = None
    is_silent: bool = False
    hangs: bool = False
    trickles: tuple[bytes, bytes] = (b"", b"")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


CLASS_NOT_TAKEN = Reply(
    409,
    json.dumps({"00081198": {"vr": "SQ", "Value": [{"00081197": {"vr": "US", "Value": [0x0122]}}]}}).encode(),
)


@dataclass(slots=True)
class WebPacs:
    """What it was asked, and what it answers; the last reply repeats. It takes no class `untaken`."""

    url: str
    replies: list[Reply]
    untaken: str = ""
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def destination(self, *, authorization: str = "", tls: Tls | None = None) -> Destination:
        """How Wetread knows it."""
        return Destination("web", "dicomweb", url=self.url, authorization=authorization, tls=tls)

    def next_reply(self) -> Reply:
        """The answer to the request that has just come."""
        if self.untaken and self.untaken.encode() in self.asked[-1].body:
            return CLASS_NOT_TAKEN
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


@contextmanager
def web_pacs(
    *replies: Reply,
    untaken: str = "",
    authority: Authority | None = None,
    wants_certificate: bool = False,
) -> Iterator[WebPacs]:
    """Serve on a free port while the context is open, with TLS when there is an authority."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    # A handshake that fails in the test's own server is not the test's matter.
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    scheme = "http"
    if authority is not None:
        scheme = "https"
        server.socket = _server_context(authority, wants_certificate).wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    there = WebPacs(
        f"{scheme}://127.0.0.1:{server.server_port}/dicom-web", list(replies) or [Reply()], untaken
    )
    server.RequestHandlerClass = _handler_of(there)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield there
    finally:
        there.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _server_context(authority: Authority, wants_certificate: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate, authority.key)
    if wants_certificate:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(authority.ca)
    return context


def _handler_of(there: WebPacs) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            there.connections += 1

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            there.asked.append(Asked(self.command, self.path, dict(self.headers), body))
            self._answer(there.next_reply())

        do_GET = do_POST

        def _answer(self, reply: Reply) -> None:
            if reply.hangs:
                there.over.wait()
            _trickle(self.wfile, *reply.trickles, over=there.over)
            if reply.hangs or reply.is_silent or any(reply.trickles):
                self.close_connection = True
                return
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.content_type)
            declared_bytes = len(reply.body) if reply.declared_bytes is None else reply.declared_bytes
            self.send_header("Content-Length", str(declared_bytes))
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)
            self.close_connection = declared_bytes != len(reply.body)

        def log_message(self, *_: object) -> None:
            """A test prints nothing."""

    return Handler


def _trickle(sink: BufferedIOBase, start: bytes, piece: bytes, *, over: threading.Event) -> None:
    with suppress(OSError):
        sink.write(start)
        while piece and not over.wait(0.02):
            sink.write(piece)
