"""What was not taken, with its reason."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from wetread.api.access import require_access
from wetread.api.cases import to_time
from wetread.api.paging import Cursor, Limit, from_cursor, to_cursor
from wetread.api.parts import Parts
from wetread.api.problems import responses
from wetread.api.schemas import QuarantinedOut, QuarantineOut, ReasonOut
from wetread.ledger.quarantine import Quarantined


def make_router() -> APIRouter:
    """Routes under /api/v1/quarantine."""
    router = APIRouter(prefix="/api/v1", tags=["quarantine"], dependencies=[Depends(require_access)])
    router.add_api_route(
        "/quarantine", get_quarantine, response_model=QuarantineOut, responses=responses(401, 422)
    )
    return router


def get_quarantine(parts: Parts, limit: Limit = 50, cursor: Cursor = "") -> QuarantineOut:
    """Refused objects, oldest first."""
    found = parts.ledger.quarantine.page(after=from_cursor(cursor), limit=limit + 1)
    items = [to_quarantined_out(entry) for entry in found[:limit]]
    return QuarantineOut(items=items, next_cursor=to_cursor(items[-1].id) if len(found) > limit else None)


def to_quarantined_out(entry: Quarantined) -> QuarantinedOut:
    """One refusal."""
    return QuarantinedOut(
        id=entry.id,
        at=to_time(entry.at),
        reason=ReasonOut(code=entry.reason, text=entry.reason_text),
        size_bytes=entry.size_bytes,
        SOPInstanceUID=entry.sop_instance_uid,
        calling_aet=entry.calling_aet,
        peer=entry.peer,
        door=entry.door,
        is_kept=entry.spool_key is not None,
    )
