"""The check in front of every route that shows or changes anything."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from wetread.api.auth import SESSION_COOKIE
from wetread.api.parts import Parts
from wetread.api.problems import NotAuthorised

_bearer: Final = HTTPBearer(
    auto_error=False,
    scheme_name="key",
    description="The administrator's key, from admin.key in WETREAD_HOME.",
)
_SAFE_METHODS: Final = frozenset({"GET", "HEAD"})


def has_session(request: Request, parts: Parts) -> bool:
    """Whether a browser that logged in sent this request."""
    return parts.gate.knows_session(request.cookies.get(SESSION_COOKIE, ""))


def require_access(
    request: Request,
    parts: Parts,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> None:
    """Let the key in, and a logged-in browser where nothing is changed. Raises NotAuthorised.

    A cookie is no proof that a person meant to change something: for that the key is asked for.
    """
    if credentials is not None and parts.gate.knows_key(credentials.credentials):
        return
    if credentials is None and request.method in _SAFE_METHODS and has_session(request, parts):
        return
    raise NotAuthorised("send the key as `Authorization: Bearer <key>`")
