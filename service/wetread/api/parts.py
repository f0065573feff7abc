"""What the HTTP door is built from: made in its main, handed to every route."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import HTTPConnection

from wetread.api.auth import Gate
from wetread.api.rendering import Renderer
from wetread.config import Settings
from wetread.infer.bundle import Bundle
from wetread.ledger import Ledger
from wetread.pipeline.admit import Admitter
from wetread.spool.objects import Spool


@dataclass(frozen=True, slots=True)
class ApiParts:
    """The parts of the HTTP door. `gate` knows the administrator's key."""

    settings: Settings
    ledger: Ledger
    spool: Spool
    bundles: tuple[Bundle, ...]
    admitter: Admitter
    gate: Gate = field(repr=False)
    renderer: Renderer = field(default_factory=Renderer)


def parts_of(connection: HTTPConnection) -> ApiParts:
    """The parts that `create_app` was given."""
    return cast(ApiParts, connection.app.state.parts)


Parts = Annotated[ApiParts, Depends(parts_of)]
