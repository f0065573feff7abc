"""Templates: everything put into them is escaped unless the template itself wrote it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, cast

from fastapi import Depends, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from wetread.api.web import words
from wetread.report.answer import SAFETY_NOTE, percent

STATIC: Final = Path(__file__).parent / "static"
_TEMPLATES: Final = Path(__file__).parent / "templates"
_FILTERS: Final[tuple[Callable[..., object], ...]] = (
    words.ages, words.arrival, words.case_tag, words.clock, words.date, words.delivery_tag, words.duration,
    words.has_heat_map, words.headline, words.image_title, words.is_read, words.kind, words.moment,
    words.person, words.role, words.since, words.size, words.step, words.time_of_day, words.verdict,
    words.zone_tag, percent,
)  # fmt: skip


class Pages:
    """Renders templates."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def render(self, name: str, *, here: str, status: int = 200, **values: object) -> HTMLResponse:
        """A page; `here` is the menu entry that it stands under, '' for none."""
        template = self._environment.get_template(name)
        content = template.render(here=here, now=datetime.now(UTC), safety_note=SAFETY_NOTE, **values)
        return HTMLResponse(content, status_code=status)


def make_pages() -> Pages:
    """Templates with their words."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update({function.__name__: function for function in _FILTERS})
    return Pages(environment)


def pages_of(request: Request) -> Pages:
    """The templates that `create_app` loaded."""
    return cast(Pages, request.app.state.pages)


Templates = Annotated[Pages, Depends(pages_of)]
