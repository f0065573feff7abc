"""Result objects that failed the project's own checks, with the reason."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from wetread.api.access import require_access
from wetread.api.cases import to_held_out
from wetread.api.paging import Cursor, Limit, from_cursor, to_cursor
from wetread.api.parts import Parts
from wetread.api.problems import responses
from wetread.api.schemas import HeldObjectsOut


def make_router() -> APIRouter:
    """Routes under /api/v1/held."""
    router = APIRouter(prefix="/api/v1", tags=["held"], dependencies=[Depends(require_access)])
    router.add_api_route("/held", get_held, response_model=HeldObjectsOut, responses=responses(401, 422))
    return router


def get_held(parts: Parts, limit: Limit = 50, cursor: Cursor = "") -> HeldObjectsOut:
    """Objects held back by the gate, oldest first; of each a plainer one went instead where one passed."""
    found = parts.ledger.held.page(after=from_cursor(cursor), limit=limit + 1)
    items = [to_held_out(held) for held in found[:limit]]
    return HeldObjectsOut(items=items, next_cursor=to_cursor(items[-1].id) if len(found) > limit else None)
