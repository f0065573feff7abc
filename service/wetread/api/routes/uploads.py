"""DICOM files that come over HTTP."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from typing import Final

import anyio.to_thread
from fastapi import APIRouter, Depends, Request
from pydantic import Field
from starlette.datastructures import UploadFile
from starlette.responses import JSONResponse, Response

from wetread.api.access import require_access
from wetread.api.bodies import open_form, read_body
from wetread.api.parts import ApiParts, Parts
from wetread.api.problems import MEDIA_TYPE, Problem, describe, headers_of, responses
from wetread.api.schemas import UploadedFile, UploadOut
from wetread.errors import Rejected, Unsupported, WetreadError
from wetread.pipeline.admit import Admission, Source

_BINARY: Final = {"type": "string", "format": "binary"}
_REQUEST_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "application/dicom": {"schema": _BINARY},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"file": {"type": "array", "items": _BINARY}},
                    "required": ["file"],
                }
            },
        },
    }
}

logger = logging.getLogger(__name__)


class UploadProblem(Problem):
    """None of the files was taken; `files` says of each why."""

    files: list[UploadedFile] = Field(default_factory=list)


def make_router() -> APIRouter:
    """POST /api/v1/studies."""
    router = APIRouter(prefix="/api/v1", tags=["studies"], dependencies=[Depends(require_access)])
    router.add_api_route(
        "/studies",
        upload_files,
        methods=["POST"],
        status_code=202,
        response_model=UploadOut,
        openapi_extra=_REQUEST_BODY,
        responses=responses(401, 413, 415, 422, 503, 507),
    )
    return router


async def upload_files(request: Request, parts: Parts) -> Response:
    """Take one DICOM file, or several as a form.

    On 202 every file whose status is 202 is durable and will be answered. The same file again changes
    nothing. When none is taken the answer is a problem with the reason of each in `files`.
    """
    source = Source(calling_aet="", peer=request.client.host if request.client else "", door="http")
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    limit_bytes = parts.settings.http.max_upload_bytes
    if media_type == "application/dicom":
        data = await read_body(request, limit_bytes=limit_bytes)
        return _answer([await _take(parts, data, name="", source=source)])
    if media_type != "multipart/form-data":
        raise Unsupported("send application/dicom, or multipart/form-data with files", code="media_type")
    taken = []
    async with open_form(request, limit_bytes=limit_bytes) as form:
        for _, value in form.multi_items():
            if isinstance(value, UploadFile):
                taken.append(await _take(parts, await value.read(), name=value.filename or "", source=source))
    return _answer(taken)


async def _take(parts: ApiParts, data: bytes, *, name: str, source: Source) -> UploadedFile:
    receive = partial(parts.admitter.receive_file, data, source=source)
    try:
        admission = await anyio.to_thread.run_sync(receive)
    except WetreadError as error:
        problem = describe(error)
        logger.warning("upload not taken", extra={"code": problem.code, "bytes": len(data)})
        return UploadedFile(name=name, status=problem.status, problem=problem)
    return _to_taken(name, admission)


def _to_taken(name: str, admission: Admission) -> UploadedFile:
    header = admission.header
    logger.info("uploaded", extra={"study": header.StudyInstanceUID, "instance": header.SOPInstanceUID})
    return UploadedFile(
        name=name,
        status=int(HTTPStatus.ACCEPTED),
        StudyInstanceUID=header.StudyInstanceUID,
        SOPInstanceUID=header.SOPInstanceUID,
        is_new=admission.is_new,
        is_conflicting=admission.is_conflicting,
        analyses=len(admission.analyses),
    )


def _answer(files: Sequence[UploadedFile]) -> Response:
    if not files:
        raise Rejected("the form holds no file", code="no_files")
    if any(file.problem is None for file in files):
        content = UploadOut(files=list(files)).model_dump(mode="json", exclude_none=True)
        return JSONResponse(content, status_code=HTTPStatus.ACCEPTED)
    problem = _join_problems(files)
    content = problem.model_dump(mode="json", exclude_none=True)
    return JSONResponse(content, problem.status, media_type=MEDIA_TYPE, headers=headers_of(problem))


def _join_problems(files: Sequence[UploadedFile]) -> UploadProblem:
    """The problem they share, or that there are several."""
    problems = [file.problem for file in files if file.problem is not None]
    first = problems[0]
    if all(problem.status == first.status for problem in problems):
        detail = first.detail if len(files) == 1 else f"none of {len(files)} files was taken"
        return UploadProblem(**dict(first) | {"detail": detail, "files": list(files)})
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    return UploadProblem(
        title=status.phrase,
        status=int(status),
        code="rejected",
        detail=f"none of {len(files)} files was taken",
        files=list(files),
    )
