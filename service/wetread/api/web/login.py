"""The login: the key for a session, and back again."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from wetread.api.access import has_session
from wetread.api.auth import SESSION_COOKIE, SESSION_S
from wetread.api.bodies import open_form
from wetread.api.parts import Parts
from wetread.api.problems import Forbidden, NotAuthorised
from wetread.api.web.templating import Templates

_FORM_BYTES: Final = 8192
_LOCAL_PATH: Final = re.compile(r"/([A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*)?")


def make_router() -> APIRouter:
    """/login and /logout; who is not logged in may see them."""
    router = APIRouter(include_in_schema=False)
    own = [Depends(require_same_site)]
    router.add_api_route("/login", show_login, methods=["GET"])
    router.add_api_route("/login", log_in, methods=["POST"], dependencies=own)
    router.add_api_route("/logout", log_out, methods=["POST"], dependencies=own)
    return router


def require_same_site(request: Request) -> None:
    """Let a form come from our own pages only. Raises Forbidden.

    The cookie's SameSite says the same; two locks are better.
    """
    is_foreign = request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
    origin = request.headers.get("origin", "")
    if is_foreign or (origin and urlsplit(origin).netloc != request.headers.get("host", "")):
        raise Forbidden("this form was sent from another site")


def require_session(request: Request, parts: Parts) -> None:
    """Let in a browser that logged in. Raises NotAuthorised."""
    if not has_session(request, parts):
        raise NotAuthorised("log in first")


def show_login(templates: Templates, next: str = "/") -> Response:
    """The form for the key."""
    return templates.render("login.html", here="", onward=local_path(next), is_wrong=False)


async def log_in(request: Request, parts: Parts, templates: Templates) -> Response:
    """Give a session for the key."""
    async with open_form(request, limit_bytes=_FORM_BYTES) as form:
        key, onward = str(form.get("key", "")), local_path(str(form.get("next", "/")))
    if not parts.gate.knows_key(key):
        return templates.render("login.html", here="", status=401, onward=onward, is_wrong=True)
    response = RedirectResponse(onward, status_code=303)
    response.set_cookie(
        SESSION_COOKIE,
        parts.gate.open_session(),
        max_age=SESSION_S,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return response


def log_out() -> Response:
    """Forget the session."""
    response = RedirectResponse("/login", status_code=303)
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict")
    return response


def local_path(path: str) -> str:
    """A path of our own to go on to, whatever was asked for."""
    return path if _LOCAL_PATH.fullmatch(path) else "/"
