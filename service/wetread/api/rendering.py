"""Pictures for people: an image as it is displayed, with what was found drawn on it, as PNG."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from wetread.domain import Finding
from wetread.errors import NotFound, Undecodable
from wetread.infer.decode import read_image
from wetread.infer.prepare import to_display
from wetread.report.answer import Tone, findings_of
from wetread.report.band import COLOUR_OF, band_of
from wetread.report.overlay import Mode, draw_overlay
from wetread.report.results import ImageResult
from wetread.report.source import pixel_aspect, read_source

_CACHE_BYTES: Final = 64 * 2**20
# Below this side words on a picture cannot be read: boxes stand alone.
_LEAST_LETTERED: Final = 320
_THUMBNAIL_LINE: Final = 2
_PNG: Final = (cv2.IMWRITE_PNG_COMPRESSION, 3)


@dataclass(frozen=True, slots=True)
class View:
    """What is wanted. `size` bounds the longer side in pixels; None is the image's own."""

    overlay: Mode
    size: int | None = None
    has_band: bool = True


class Renderer:
    """Makes pictures and remembers the last ones, by content. Safe to call from several threads."""

    def __init__(self, *, cache_bytes: int = _CACHE_BYTES) -> None:
        self._pictures: OrderedDict[tuple[object, ...], bytes] = OrderedDict()
        self._room = cache_bytes
        self._lock = threading.Lock()

    def render(self, image: ImageResult, view: View, *, heat_maps: Sequence[Path]) -> bytes:
        """The picture as PNG.

        Raises Undecodable when the pixels cannot be shown, NotFound when a heat map is wanted and there is
        none.
        """
        findings = findings_of(image)
        key = (image.instance.digest, image.analyses, view)
        with self._lock:
            if key in self._pictures:
                self._pictures.move_to_end(key)
                return self._pictures[key]
        data = _draw(image, view, findings, heat_maps)
        self._remember(key, data)
        return data

    def _remember(self, key: tuple[object, ...], data: bytes) -> None:
        with self._lock:
            if key not in self._pictures:
                self._pictures[key] = data
                self._room -= len(data)
            while self._room < 0:
                _, dropped = self._pictures.popitem(last=False)
                self._room += len(dropped)


def _draw(image: ImageResult, view: View, findings: Sequence[Finding], heat_maps: Sequence[Path]) -> bytes:
    heat_map = _join(heat_maps) if view.overlay == "heatmap" else None
    display = to_display(read_image(image.path))
    aspect = pixel_aspect(read_source(image.path))
    if view.size is not None and view.size < _LEAST_LETTERED and view.overlay != "heatmap":
        return _encode(_draw_thumbnail(display, view, findings, aspect=aspect))
    picture = draw_overlay(
        display,
        findings=findings,
        band=band_of(image) if view.has_band else None,
        mode=view.overlay,
        max_side=max(view.size, _LEAST_LETTERED) if view.size else None,
        pixel_aspect=aspect,
        heat_map=heat_map,
    )
    return _encode(_bounded(picture, view.size))


def _draw_thumbnail(
    display: NDArray[np.float32], view: View, findings: Sequence[Finding], *, aspect: float
) -> NDArray[np.uint8]:
    """The image alone, with boxes as crisp lines in the colour of their zone."""
    rows, columns = display.shape
    factor = (view.size or _LEAST_LETTERED) / max(rows * aspect, columns)
    size = (max(1, round(columns * factor)), max(1, round(rows * aspect * factor)))
    grey = cv2.resize(cv2.convertScaleAbs(display, alpha=255.0), size, interpolation=cv2.INTER_AREA)
    picture = np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), dtype=np.uint8)
    boxes = [(finding, box) for finding in findings for box in finding.boxes if view.overlay == "boxes"]
    for finding, box in boxes:
        corners = [(box.left, box.top), (box.right, box.bottom)]
        first, last = ((round(x * size[0] / columns), round(y * size[1] / rows)) for x, y in corners)
        cv2.rectangle(picture, first, last, COLOUR_OF[Tone(finding.zone.value)], _THUMBNAIL_LINE)
    return picture


def _join(heat_maps: Sequence[Path]) -> NDArray[np.float32]:
    """The strongest evidence at each place, over all findings."""
    if not heat_maps:
        raise NotFound("no heat map: no model has read this image", code="no_heat_map")
    maps = [np.load(path, allow_pickle=False).astype(np.float32) for path in heat_maps]
    rows, columns = max((item.shape for item in maps), key=lambda shape: int(shape[0]))
    resized = [cv2.resize(item, (columns, rows), interpolation=cv2.INTER_LINEAR) for item in maps]
    return np.asarray(np.max(np.stack(resized), axis=0), dtype=np.float32)


def _bounded(picture: NDArray[np.uint8], size: int | None) -> NDArray[np.uint8]:
    rows, columns = picture.shape[:2]
    if size is None or max(rows, columns) <= size:
        return picture
    scale = size / max(rows, columns)
    shape = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    return np.asarray(cv2.resize(picture, shape, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _encode(picture: NDArray[np.uint8]) -> bytes:
    is_done, data = cv2.imencode(".png", np.ascontiguousarray(picture[..., ::-1]), _PNG)
    if not is_done:
        raise Undecodable("the picture cannot be encoded")
    return bytes(data)
