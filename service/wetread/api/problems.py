"""Every error as RFC 9457 says it, by one table from error class to status."""

from __future__ import annotations

from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from wetread.errors import (
    InvalidObject,
    Mismatch,
    NotFound,
    OutOfSpace,
    Refused,
    Rejected,
    Transient,
    Undecodable,
    Unreachable,
    Unreadable,
    Unsupported,
    WetreadError,
)

MEDIA_TYPE: Final = "application/problem+json"
_RETRY_S: Final = "10"


class TooLarge(Rejected):
    """The request holds more than is taken here."""

    code = "too_large"


class NotAuthorised(Rejected):
    """No key or session came with the request, or one that is not known."""

    code = "not_authorised"


class Forbidden(Rejected):
    """Whoever asks, it is not done this way."""

    code = "forbidden"


class Conflict(Rejected):
    """What is asked does not fit the state things are in."""

    code = "conflict"


STATUS_OF: Final = MappingProxyType(
    {
        NotFound: HTTPStatus.NOT_FOUND,
        NotAuthorised: HTTPStatus.UNAUTHORIZED,
        Forbidden: HTTPStatus.FORBIDDEN,
        Conflict: HTTPStatus.CONFLICT,
        TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        Unsupported: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        Unreadable: HTTPStatus.UNPROCESSABLE_ENTITY,
        Undecodable: HTTPStatus.UNPROCESSABLE_ENTITY,
        Mismatch: HTTPStatus.UNPROCESSABLE_ENTITY,
        InvalidObject: HTTPStatus.UNPROCESSABLE_ENTITY,
        Refused: HTTPStatus.UNPROCESSABLE_ENTITY,
        Rejected: HTTPStatus.UNPROCESSABLE_ENTITY,
        OutOfSpace: HTTPStatus.INSUFFICIENT_STORAGE,
        Unreachable: HTTPStatus.SERVICE_UNAVAILABLE,
        Transient: HTTPStatus.SERVICE_UNAVAILABLE,
        WetreadError: HTTPStatus.INTERNAL_SERVER_ERROR,
    }
)


class Place(BaseModel):
    """One part of a request that does not hold, and why."""

    where: str = Field(examples=["query.limit"])
    why: str = Field(examples=["Input should be less than or equal to 100"])


class Problem(BaseModel):
    """RFC 9457 problem details. `code` is stable; `detail` is for people and names no patient."""

    type: str = "about:blank"
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    code: str = Field(examples=["not_found"])
    detail: str = Field(examples=["no such study"])
    errors: list[Place] | None = None


def status_of(error: WetreadError) -> HTTPStatus:
    """The status of the nearest class in the table."""
    classes = (kind for kind in type(error).__mro__ if issubclass(kind, WetreadError))
    return next(STATUS_OF[kind] for kind in classes if kind in STATUS_OF)


def describe(error: Exception) -> Problem:
    """What a peer is told of an error: never a trace, never what an unforeseen error says."""
    if isinstance(error, WetreadError):
        return _problem(status_of(error), error.code, str(error))
    if isinstance(error, RequestValidationError):
        return _describe_validation(error)
    if isinstance(error, HTTPException):
        status = HTTPStatus(error.status_code)
        return _problem(status, status.name.lower(), str(error.detail))
    return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, "fault", "the service met a fault; it is in its log")


def to_response(problem: Problem) -> Response:
    """As application/problem+json."""
    content = problem.model_dump_json(exclude_none=True)
    return Response(content, status_code=problem.status, media_type=MEDIA_TYPE, headers=headers_of(problem))


def headers_of(problem: Problem) -> dict[str, str]:
    """What a status owes its reader (RFC 9110 11.6.1, 10.2.3)."""
    if problem.status == HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": 'Bearer realm="wetread"'}
    return {"Retry-After": _RETRY_S} if problem.status == HTTPStatus.SERVICE_UNAVAILABLE else {}


def responses(*statuses: int) -> dict[int | str, dict[str, object]]:
    """OpenAPI entries for the problems that a route may answer with."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status in statuses
    }


def _problem(status: HTTPStatus, code: str, detail: str) -> Problem:
    return Problem(title=status.phrase, status=int(status), code=code, detail=detail)


def _describe_validation(error: RequestValidationError) -> Problem:
    problem = _problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", "the request does not hold")
    # What was sent is not repeated: it may name a patient.
    problem.errors = [
        Place(where=".".join(str(part) for part in item["loc"]), why=str(item["msg"]))
        for item in error.errors()
    ]
    return problem
