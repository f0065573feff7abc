"""HTTP to one destination: a kept connection, no redirect followed, answers bounded.

The address is an administrator's setting, so loopback and private networks are allowed; nothing that a peer
says changes where a request goes.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, InvalidHeader, ReadTimeoutError, SSLError

from wetread.deliver.lifeline import Lifeline, upload_s
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
    """Requests below one base address, over one connection.

    A request takes `timeout_s` at the most, and what its body needs on a slow line.
    """

    def __init__(self, destination: Destination, *, timeout_s: float) -> None:
        self._url = destination.url
        self._timeout_s = timeout_s
        self._lifeline = Lifeline()
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
        self._pool.pool_classes_by_scheme = _watched_by(self._lifeline)

    def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        body: Iterable[bytes] | None = None,
        size_bytes: int = 0,
    ) -> Answer:
        """Make one request with a body of about `size_bytes`. Raises Unreachable when no answer comes."""
        limit_s = self._timeout_s + upload_s(size_bytes)
        try:
            with self._lifeline.within(limit_s):
                answer = self._ask(method, self._url + path, {**self._headers, **headers}, body)
        except HTTPError as error:
            raise self._unreachable(error, limit_s) from error
        if self._lifeline.is_cut:
            # What looks like the end of an answer is ours.
            raise self._cut_off(limit_s)
        return answer

    def _unreachable(self, error: HTTPError, limit_s: float) -> Unreachable:
        if self._lifeline.is_cut:
            return self._cut_off(limit_s)
        if isinstance(error, SSLError):
            return Unreachable(f"no trust in the TLS connection: {_tls_reason(error)}", code="tls")
        if isinstance(error, ReadTimeoutError):
            return _too_late(self._timeout_s)
        return Unreachable(f"the connection cannot be made or was lost ({_cause(error)})")

    def _cut_off(self, limit_s: float) -> Unreachable:
        if self._lifeline.is_late:
            return _too_late(limit_s)
        return Unreachable("the request was cut off: the service stops", code="cut_off")

    def _ask(self, method: str, url: str, headers: Mapping[str, str], body: Iterable[bytes] | None) -> Answer:
        response = self._pool.request(
            method, url, headers=headers, body=body, redirect=False, preload_content=False
        )
        return self._to_answer(response)

    def _to_answer(self, response: urllib3.BaseHTTPResponse) -> Answer:
        body = _read(response)
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
        self._lifeline.drop()

    def cut(self) -> None:
        """End from another thread what `ask` waits for."""
        self._lifeline.cut()


def _watched_by(lifeline: Lifeline) -> dict[str, type[urllib3.HTTPConnectionPool]]:
    """Pools of connections that the lifeline holds on to, from before their TLS handshake."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            connection = super()._new_conn()
            lifeline.watch(connection)
            return connection

    class Secured(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            connection = super()._new_conn()
            lifeline.watch(connection)
            return connection

    class PlainPool(urllib3.HTTPConnectionPool):
        ConnectionCls = Plain

    class SecuredPool(urllib3.HTTPSConnectionPool):
        ConnectionCls = Secured

    return {"http": PlainPool, "https": SecuredPool}


def _too_late(limit_s: float) -> Unreachable:
    return Unreachable(f"no answer within {limit_s:.3g} s", code="timeout")


def _read(response: urllib3.BaseHTTPResponse) -> bytes | None:
    body = bytearray()
    for piece in response.stream(_PIECE_BYTES, decode_content=False):
        body += piece
        if len(body) > _MOST_BYTES:
            return None
    return bytes(body)


def _wait_s(text: str) -> float:
    # RFC 9110 10.2.3: seconds or a date.
    try:
        wait_s = urllib3.Retry().parse_retry_after(text) if text else 0.0
    except (InvalidHeader, ValueError, OverflowError):
        # Nothing that it says, or a date or number that no clock knows.
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
