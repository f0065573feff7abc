"""HTTP to one destination: a kept connection, no redirect followed, answers bounded.

The address is an administrator's setting, so loopback and private networks are allowed; nothing that a peer
says changes where a request goes.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import urllib3
from urllib3.exceptions import HTTPError, InvalidHeader, ReadTimeoutError, SSLError

from wetread.deliver.tls import client_context
from wetread.domain import Destination
from wetread.errors import Unreachable

_CONNECT_S = 5.0
_MOST_BYTES = 4 * 2**20
_PIECE_BYTES = 16 * 2**10
_LONGEST_WAIT_S = 3600.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `body` is None when it was too much to read; `wait_s` is what Retry-After asks for."""

    status: int
    content_type: str
    body: bytes | None
    wait_s: float = 0.0


class WebConnection:
    """Requests below one base address, over one connection."""

    def __init__(self, destination: Destination, *, timeout_s: float) -> None:
        self._url = destination.url
        self._timeout_s = timeout_s
        self._headers = {"User-Agent": "wetread"}
        if destination.authorization:
            self._headers["Authorization"] = destination.authorization
        checks_host = destination.tls is None or destination.tls.checks_host
        self._pool = urllib3.PoolManager(
            num_pools=1,
            retries=False,
            timeout=urllib3.Timeout(connect=min(timeout_s, _CONNECT_S), read=timeout_s),
            ssl_context=client_context(destination.tls, destination=destination.name),
            # None leaves the check to the context; without this urllib3 makes its own in its stead.
            assert_hostname=None if checks_host else False,
        )

    def ask(
        self, method: str, path: str, *, headers: Mapping[str, str], body: Iterable[bytes] | None = None
    ) -> Answer:
        """Make one request. Raises Unreachable when no answer comes."""
        try:
            response = self._pool.request(
                method,
                self._url + path,
                headers={**self._headers, **headers},
                body=body,
                redirect=False,
                preload_content=False,
            )
            return self._to_answer(response)
        except SSLError as error:
            raise Unreachable(f"no trust in the TLS connection: {_tls_reason(error)}", code="tls") from error
        except ReadTimeoutError as error:
            raise Unreachable(f"no answer within {self._timeout_s:g} s", code="timeout") from error
        except HTTPError as error:
            raise Unreachable(f"the connection cannot be made or was lost ({_cause(error)})") from error

    def _to_answer(self, response: urllib3.BaseHTTPResponse) -> Answer:
        body = _read(response, until=time.monotonic() + self._timeout_s)
        if body is None:
            # What is left unread would stand before the next answer.
            response.close()
        else:
            response.release_conn()
        return Answer(
            status=response.status,
            content_type=response.headers.get("Content-Type", "").lower(),
            body=body,
            wait_s=_wait_s(response.headers.get("Retry-After", "")),
        )

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        self._pool.clear()


def _read(response: urllib3.BaseHTTPResponse, *, until: float) -> bytes | None:
    body = bytearray()
    for piece in response.stream(_PIECE_BYTES, decode_content=False):
        body += piece
        if len(body) > _MOST_BYTES or time.monotonic() > until:
            return None
    return bytes(body)


def _wait_s(text: str) -> float:
    # RFC 9110 10.2.3: seconds or a date.
    try:
        wait_s = urllib3.Retry().parse_retry_after(text) if text else 0.0
    except InvalidHeader:
        return 0.0
    return min(max(wait_s, 0.0), _LONGEST_WAIT_S)


def _tls_reason(error: SSLError) -> str:
    cause = error.args[0] if error.args else error
    return str(getattr(cause, "verify_message", "") or getattr(cause, "reason", "") or "handshake failed")


def _cause(error: HTTPError) -> str:
    # The texts of urllib3 name objects of its own; the system's reason is at the bottom.
    cause: BaseException = error
    while (below := cause.__cause__ or cause.__context__) is not None:
        cause = below
    return str(getattr(cause, "strerror", "") or type(cause).__name__)
