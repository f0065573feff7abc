"""Whether the service lives, whether it can do its work, and its counts. Open to all, and of no patient."""

from __future__ import annotations

import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from wetread import metrics
from wetread.api.cases import to_time
from wetread.api.parts import ApiParts, Parts
from wetread.api.schemas import CheckOut, HealthOut, PartOut, ReadyOut
from wetread.domain import SOFTWARE_VERSION
from wetread.errors import Transient
from wetread.ledger import Ledger
from wetread.ledger.workers import Beat

# Parts beat every three seconds: five beats missed is dead.
ALIVE_S: Final = 15.0
_NEEDED: Final = {"listener": "listen", "workers": "analyse", "publisher": "publish"}


def make_router() -> APIRouter:
    """/healthz, /readyz and /metrics."""
    router = APIRouter(tags=["health"])
    router.add_api_route("/healthz", get_health, response_model=HealthOut)
    router.add_api_route(
        "/readyz",
        get_ready,
        response_model=ReadyOut,
        responses={503: {"model": ReadyOut, "description": "Not ready: `checks` says why"}},
    )
    router.add_api_route("/metrics", get_metrics, response_class=Response, responses=_METRICS)
    return router


_METRICS: Final[dict[int | str, dict[str, object]]] = {
    200: {"description": "Prometheus text", "content": {"text/plain": {"schema": {"type": "string"}}}}
}


def get_health() -> HealthOut:
    """The process lives."""
    return HealthOut()


def get_ready(parts: Parts) -> Response:
    """Whether an image that comes now would be answered: 200, or 503 with what is missing."""
    ready = make_ready(parts, now=time.time())
    is_ready = ready.status == "ready"
    status = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
    return JSONResponse(ready.model_dump(mode="json"), status_code=status)


def get_metrics(parts: Parts) -> Response:
    """Counts of the ledger at this moment, for Prometheus."""
    return Response(metrics.expose(_read_counts(parts, now=time.time())), media_type=metrics.CONTENT_TYPE)


def make_ready(parts: ApiParts, *, now: float) -> ReadyOut:
    """Every check; ready when all are well."""
    checks = {"spool": _check_spool(parts)}
    try:
        beats = parts.ledger.workers.alive(since=now - ALIVE_S)
    except Transient as error:
        checks["ledger"] = CheckOut(ok=False, detail=str(error))
        beats = []
    else:
        checks["ledger"] = CheckOut(ok=True, detail="answers")
    for name, role in _NEEDED.items():
        checks[name] = _check_role([beat for beat in beats if beat.role == role])
    is_ready = all(check.ok for check in checks.values())
    return ReadyOut(status="ready" if is_ready else "not_ready", version=SOFTWARE_VERSION, checks=checks)


def to_part_out(beat: Beat) -> PartOut:
    """A living part; without its name, which is the machine's."""
    return PartOut(
        role=beat.role,
        provider=beat.provider,
        models=list(beat.models),
        started_at=to_time(beat.started_at),
        beat_at=to_time(beat.beat_at),
    )


def _check_spool(parts: ApiParts) -> CheckOut:
    try:
        free_bytes, has_room = parts.spool.free_bytes(), parts.spool.has_room()
    except OSError:
        return CheckOut(ok=False, detail="the spool's folder cannot be read")
    watermark = parts.settings.spool.watermark_bytes
    return CheckOut(ok=has_room, detail=f"{free_bytes} bytes free, {watermark} needed")


def _check_role(beats: Sequence[Beat]) -> CheckOut:
    parts = [to_part_out(beat) for beat in beats]
    return CheckOut(ok=bool(parts), detail=f"{len(parts)} alive" if parts else "none alive", parts=parts)


def _read_counts(parts: ApiParts, *, now: float) -> metrics.Counts:
    return metrics.Counts(
        rows=parts.ledger.views.counts(),
        oldest_waiting_s=_oldest_waiting_s(parts.ledger, now=now),
        spool_free_bytes=parts.spool.free_bytes(),
        parts_alive=[(beat.role, beat.provider) for beat in parts.ledger.workers.alive(since=now - ALIVE_S)],
        version=SOFTWARE_VERSION,
    )


def _oldest_waiting_s(ledger: Ledger, *, now: float) -> float:
    at = ledger.views.oldest_waiting_at()
    return 0.0 if at is None else max(0.0, now - at)
