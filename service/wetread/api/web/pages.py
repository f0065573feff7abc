"""The pages: worklist, study, models, operations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import RedirectResponse, Response

from wetread.api.access import require_access
from wetread.api.cases import find_study, list_deliveries, list_images, list_worklist
from wetread.api.paging import Cursor, from_cursor, to_cursor
from wetread.api.parts import ApiParts, Parts
from wetread.api.problems import Problem
from wetread.api.routes.deliveries import Number, retry_delivery
from wetread.api.routes.models import to_model_with_card
from wetread.api.schemas import ImageOut, StudyLineOut, StudyOut, Uid
from wetread.api.web import login, words
from wetread.api.web.operations import gather
from wetread.api.web.templating import Templates, pages_of
from wetread.domain import ObjectKind

_PAGE_LINES: Final = 25
_THUMBNAILS: Final = 2
_REPORTS: Final = (ObjectKind.STRUCTURED_REPORT, ObjectKind.COMPREHENSIVE_REPORT)
_PROGRAM_PATHS: Final = ("/api/", "/healthz", "/readyz", "/metrics", "/static/")

Overlay = Annotated[Literal["boxes", "heatmap", "none"], Query()]


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One line of the worklist with its pictures, what of it is delivered, and why it was not read."""

    line: StudyLineOut
    pictures: list[ImageOut]
    delivery: words.Tag | None
    reasons: list[words.Why]
    conflicts: int


@dataclass(frozen=True, slots=True)
class Answered:
    """How long an answer took from the last image on, and what is meant by it."""

    label: str
    took_ms: float


def make_router() -> APIRouter:
    """All pages but the login need a session."""
    shown = APIRouter(include_in_schema=False, dependencies=[Depends(require_access)])
    shown.add_api_route("/", show_worklist)
    shown.add_api_route("/studies/{uid}", show_study)
    shown.add_api_route("/models", show_models)
    shown.add_api_route("/operations", show_operations)
    locks = [Depends(login.require_same_site), Depends(login.require_session)]
    changed = APIRouter(include_in_schema=False, dependencies=locks)
    changed.add_api_route("/operations/deliveries/{delivery_id}/retry", retry, methods=["POST"])
    router = APIRouter()
    for part in (login.make_router(), shown, changed):
        router.include_router(part)
    return router


def wants_page(request: Request) -> bool:
    """Whether a person's browser asked, rather than a program."""
    return not request.url.path.startswith(_PROGRAM_PATHS)


def answer_error(request: Request, problem: Problem) -> Response:
    """An error as a page; who is not logged in is asked to."""
    if problem.status == 401:
        return RedirectResponse(f"/login?next={quote(request.url.path)}", status_code=303)
    return pages_of(request).render("problem.html", here="", status=problem.status, problem=problem)


def show_worklist(parts: Parts, templates: Templates, cursor: Cursor = "") -> Response:
    """Who is to be read first."""
    offset = from_cursor(cursor)
    lines = list_worklist(parts.ledger, limit=_PAGE_LINES + 1, offset=offset)
    rows = [_to_row(parts, line) for line in lines[:_PAGE_LINES]]
    return templates.render(
        "worklist.html",
        here="worklist",
        rows=rows,
        total=sum(parts.ledger.views.counts()["studies"].values()),
        first=offset + 1,
        following=to_cursor(offset + _PAGE_LINES) if len(lines) > _PAGE_LINES else None,
        previous=to_cursor(max(0, offset - _PAGE_LINES)) if offset else None,
    )


def show_study(
    parts: Parts, templates: Templates, uid: Uid, image: str = "", overlay: Overlay = "boxes"
) -> Response:
    """One study with its pictures, findings and reasons."""
    study = find_study(parts.ledger, uid)
    shown = [item for item in study.images if words.can_show(item)]
    worst = max(shown, key=words.alarm, default=None)
    chosen = next((item for item in shown if item.SOPInstanceUID == image), worst)
    if overlay == "heatmap" and not (chosen and words.has_heat_map(chosen)):
        overlay = "boxes"
    return templates.render(
        "study.html",
        here="worklist",
        study=study,
        shown=shown,
        chosen=chosen,
        overlay=overlay,
        reasons=words.reasons(study.images),
        answered=_answered(study),
    )


def show_models(parts: Parts, templates: Templates) -> Response:
    """What runs here, and its cards."""
    models = [to_model_with_card(bundle) for bundle in parts.bundles]
    return templates.render("models.html", here="models", models=models)


def show_operations(parts: Parts, templates: Templates) -> Response:
    """Parts, backlog and quarantine."""
    return templates.render("operations.html", here="operations", operations=gather(parts))


def retry(parts: Parts, delivery_id: Number) -> Response:
    """Try a delivery again, and show the list."""
    retry_delivery(parts, delivery_id)
    return RedirectResponse("/operations", status_code=303)


def _to_row(parts: ApiParts, line: StudyLineOut) -> CaseRow:
    images = list_images(parts.ledger, line.StudyInstanceUID)
    pictures = sorted(filter(words.can_show, images), key=words.alarm, reverse=True)
    return CaseRow(
        line=line,
        pictures=pictures[:_THUMBNAILS],
        delivery=words.delivery_summary(list_deliveries(parts.ledger, line.StudyInstanceUID)),
        reasons=words.reasons(images),
        conflicts=sum(image.is_conflicting for image in images),
    )


def _answered(study: StudyOut) -> Answered | None:
    """How long the last images waited for the answer in the PACS, or, before that, for its conclusion."""
    if study.concluded_at is None or study.concluded_at < study.last_image_at:
        return None
    sent = min(_reports_sent_at(study), default=None)
    waited = (sent or study.concluded_at) - study.last_image_at
    return Answered("Concluded after" if sent is None else "In the PACS after", 1000 * waited.total_seconds())


def _reports_sent_at(study: StudyOut) -> list[datetime]:
    """When destinations took the Structured Report, in either form, of the current revision."""
    current = (revision for revision in study.revisions if revision.revision == study.revision)
    reports = {
        item.SOPInstanceUID for revision in current for item in revision.objects if item.kind in _REPORTS
    }
    return [d.sent_at for d in study.deliveries if d.sent_at is not None and d.SOPInstanceUID in reports]
