"""The worklist, one study, its objects and its pictures."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Final, Literal

import anyio.to_thread
from anyio import CapacityLimiter
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import FileResponse, Response

from wetread.api.access import require_access
from wetread.api.cases import find_study, list_worklist
from wetread.api.paging import Cursor, Limit, from_cursor, to_cursor
from wetread.api.parts import ApiParts, Parts
from wetread.api.problems import responses
from wetread.api.rendering import View
from wetread.api.schemas import StudyOut, Uid, WorklistOut
from wetread.domain import SopInstanceUid, StudyUid
from wetread.errors import NotFound
from wetread.report.results import ImageResult

DICOM: Final = "application/dicom"
# Patients' images are kept by nobody on the way.
PRIVATE: Final = {"Cache-Control": "no-store"}

Overlay = Annotated[Literal["boxes", "heatmap", "none"], Query(description="What is drawn on the image.")]
Size = Annotated[int | None, Query(ge=32, le=4096, description="Longer side in pixels at most.")]
Band = Annotated[bool, Query(description="Whether the answer stands above the image.")]


def make_router() -> APIRouter:
    """Routes under /api/v1."""
    router = APIRouter(prefix="/api/v1", tags=["studies"], dependencies=[Depends(require_access)])
    add = partial(router.add_api_route, methods=["GET"])
    add("/worklist", get_worklist, response_model=WorklistOut, responses=responses(401, 422))
    add("/studies/{uid}", get_study, response_model=StudyOut, responses=responses(401, 404, 422))
    add(
        "/studies/{uid}/objects/{object_uid}",
        get_object,
        response_class=Response,
        responses=responses(401, 404, 422) | _binary(DICOM),
    )
    add(
        "/studies/{uid}/instances/{instance_uid}/rendered",
        get_rendered,
        response_class=Response,
        responses=responses(401, 404, 422) | _binary("image/png"),
    )
    return router


def get_worklist(parts: Parts, limit: Limit = 25, cursor: Cursor = "") -> WorklistOut:
    """Studies in triage order: urgent and positive first, then doubtful, then the rest by arrival."""
    offset = from_cursor(cursor)
    items = list_worklist(parts.ledger, limit=limit + 1, offset=offset)
    total = sum(parts.ledger.views.counts()["studies"].values())
    following = to_cursor(offset + limit) if len(items) > limit else None
    return WorklistOut(items=items[:limit], total=total, next_cursor=following)


def get_study(parts: Parts, uid: Uid) -> StudyOut:
    """State, findings, timeline, objects and deliveries of one study."""
    return find_study(parts.ledger, uid)


def get_object(parts: Parts, uid: Uid, object_uid: Uid) -> FileResponse:
    """One result object as a DICOM file."""
    found = parts.ledger.reports.find_object(SopInstanceUid(object_uid))
    if found is None or found[0] != uid:
        raise NotFound("no such object in this study")
    path = parts.spool.path(found[1].spool_key)
    return FileResponse(path, media_type=DICOM, filename=f"{object_uid}.dcm", headers=PRIVATE)


async def get_rendered(
    request: Request,
    parts: Parts,
    uid: Uid,
    instance_uid: Uid,
    overlay: Overlay = "boxes",
    size: Size = None,
    band: Band = True,
) -> Response:
    """One image as a person sees it, with what was found drawn on it."""
    limiter: CapacityLimiter = request.app.state.renderings
    make = partial(_render, parts, uid, instance_uid, View(overlay, size, band))
    return Response(
        await anyio.to_thread.run_sync(make, limiter=limiter), media_type="image/png", headers=PRIVATE
    )


def _render(parts: ApiParts, uid: str, instance_uid: str, view: View) -> bytes:
    image = _find_image(parts, StudyUid(uid), instance_uid)
    keys = [f.heat_map for analysis in image.analyses for f in analysis.findings if f.heat_map is not None]
    paths = [parts.spool.path(key) for key in keys] if view.overlay == "heatmap" else []
    return parts.renderer.render(image, view, heat_maps=paths)


def _find_image(parts: ApiParts, study: StudyUid, instance_uid: str) -> ImageResult:
    """The image of this UID that stands: not one that came later with other bytes."""
    for instance in parts.ledger.instances.of_study(study):
        if instance.header.SOPInstanceUID == instance_uid and not instance.is_conflicting:
            analyses = parts.ledger.analyses.of_study(study).get(instance.id, [])
            return ImageResult(instance, parts.spool.path(instance.spool_key), tuple(analyses))
    raise NotFound("no such image in this study")


def _binary(media_type: str) -> dict[int | str, dict[str, object]]:
    schema = {"type": "string", "format": "binary"}
    return {200: {"description": "The bytes", "content": {media_type: {"schema": schema}}}}
