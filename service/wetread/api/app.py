"""The HTTP door as an ASGI application."""

from __future__ import annotations

from http import HTTPStatus

import anyio
from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from wetread.api.parts import ApiParts
from wetread.api.problems import Problem, describe, to_response
from wetread.api.routes import deliveries, health, held, models, quarantine, studies, uploads
from wetread.api.security import HEADERS, SecurityHeaders
from wetread.api.web import pages, templating
from wetread.domain import SOFTWARE_VERSION
from wetread.errors import WetreadError

# Decoding a radiograph keeps a core busy: models come first, and health must always find a thread.
_RENDERINGS_AT_ONCE = 2

_DESCRIPTION = (
    "Automatic wet reads of radiographs. Research use only, not for primary diagnosis. "
    "Every error is application/problem+json (RFC 9457)."
)


def create_app(parts: ApiParts) -> FastAPI:
    """Put the door together from its parts. Opens nothing and starts nothing."""
    app = FastAPI(
        title="Wetread",
        version=SOFTWARE_VERSION,
        description=_DESCRIPTION,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
    )
    app.state.parts = parts
    app.state.pages = templating.make_pages()
    app.state.renderings = anyio.CapacityLimiter(_RENDERINGS_AT_ONCE)
    for router in _make_routers():
        app.include_router(router)
    app.include_router(pages.make_router())
    app.mount("/static", StaticFiles(directory=templating.STATIC), name="static")
    for kind in (WetreadError, HTTPException, RequestValidationError, ClientDisconnect, Exception):
        app.add_exception_handler(kind, _answer_error)
    app.add_middleware(SecurityHeaders)
    return app


def _make_routers() -> list[APIRouter]:
    nouns = (health, studies, uploads, models, deliveries, held, quarantine)
    return [noun.make_router() for noun in nouns]


def _operation_id(route: APIRoute) -> str:
    """The function's name: it stays when paths move."""
    return route.name


async def _answer_error(request: Request, error: Exception) -> Response:
    if isinstance(error, ClientDisconnect):
        error = HTTPException(HTTPStatus.BAD_REQUEST, "the request ended too early")
    problem: Problem = describe(error)
    response = pages.answer_error(request, problem) if pages.wants_page(request) else to_response(problem)
    # The answer to an unforeseen error passes no middleware.
    response.headers.update(HEADERS)
    return response
