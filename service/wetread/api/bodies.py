"""Request bodies, never more of them than was agreed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.types import Message

from wetread.api.problems import TooLarge

_MOST_FILES: Final = 1000
_MOST_FIELDS: Final = 100


async def read_body(request: Request, *, limit_bytes: int) -> bytes:
    """The whole body. Raises TooLarge as soon as it is known to be."""
    chunks = [chunk async for chunk in bounded(request, limit_bytes=limit_bytes).stream()]
    return b"".join(chunks)


@asynccontextmanager
async def open_form(request: Request, *, limit_bytes: int) -> AsyncIterator[FormData]:
    """A form; its files lie on disk from a megabyte on. Raises TooLarge."""
    reader = bounded(request, limit_bytes=limit_bytes)
    async with reader.form(max_files=_MOST_FILES, max_fields=_MOST_FIELDS) as form:
        yield form


def bounded(request: Request, *, limit_bytes: int) -> Request:
    """The same request; reading more than `limit_bytes` of its body raises TooLarge."""
    stated = request.headers.get("content-length", "")
    if stated.isdecimal() and int(stated) > limit_bytes:
        raise _too_large(limit_bytes)
    left = limit_bytes

    async def receive() -> Message:
        nonlocal left
        message = await request.receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise _too_large(limit_bytes)
        return message

    return Request(request.scope, receive)


def _too_large(limit_bytes: int) -> TooLarge:
    return TooLarge(f"one request takes {limit_bytes} bytes at most")
