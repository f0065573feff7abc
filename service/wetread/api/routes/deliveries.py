"""What destinations are still owed, and another try."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from wetread.api.access import require_access
from wetread.api.cases import to_delivery_out
from wetread.api.paging import Cursor, Limit, from_cursor, to_cursor
from wetread.api.parts import Parts
from wetread.api.problems import Conflict, responses
from wetread.api.schemas import DeliveriesOut
from wetread.domain import DeliveryId, DeliveryState

State = Annotated[DeliveryState | None, Query(description="Only deliveries in this state.")]
Number = Annotated[int, Path(ge=1, le=2**53, examples=[17])]


def make_router() -> APIRouter:
    """Routes under /api/v1/deliveries."""
    router = APIRouter(prefix="/api/v1", tags=["deliveries"], dependencies=[Depends(require_access)])
    router.add_api_route(
        "/deliveries", get_deliveries, response_model=DeliveriesOut, responses=responses(401, 422)
    )
    router.add_api_route(
        "/deliveries/{delivery_id}/retry",
        retry_delivery,
        methods=["POST"],
        status_code=202,
        response_model=None,
        responses=responses(401, 409, 422),
    )
    return router


def get_deliveries(
    parts: Parts, limit: Limit = 50, cursor: Cursor = "", state: State = None
) -> DeliveriesOut:
    """Deliveries, oldest first."""
    found = parts.ledger.deliveries.page(state=state, after=from_cursor(cursor), limit=limit + 1)
    items = [to_delivery_out(delivery) for delivery in found[:limit]]
    return DeliveriesOut(items=items, next_cursor=to_cursor(items[-1].id) if len(found) > limit else None)


def retry_delivery(parts: Parts, delivery_id: Number) -> None:
    """Try a delivery that is pending, refused, degraded or sent and not confirmed again, now."""
    if not parts.ledger.deliveries.retry(DeliveryId(delivery_id), now=time.time()):
        raise Conflict("no delivery of this number that is pending, refused, degraded or unconfirmed")
