"""Reading the images of a public set, each once, and storing them small."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from training.adapters.film import Corners, Film
from training.adapters.pixels import content_digest, read_grey, shrink, write_jpeg
from training.progress import bar
from wetread.errors import Rejected

MOST_READERS = 8


@dataclass(frozen=True, slots=True)
class Stored:
    """A film whose image was read and stored.

    `published` is its path in the set, `file` that of the stored image below `out`, `boxes` in pixels of
    it; `digest` is of the published pixels; `lost_boxes` are those without area inside the image.
    """

    film: Film
    published: str
    file: str
    digest: str
    width: int
    height: int
    orig_width: int
    orig_height: int
    boxes: tuple[Corners, ...]
    lost_boxes: int


@dataclass(frozen=True, slots=True)
class Store:
    """Where images go: below `out`, under the set's `name`, at most `size` pixels long."""

    source: Path
    out: Path
    name: str
    size: int

    def put(self, film: Film) -> Stored | None:
        """Read, shrink and write one image; None when it cannot be decoded."""
        try:
            image = read_grey(film.path)
        except Rejected:
            return None
        small = shrink(image, self.size)
        file = Path("images", self.name, film.path.relative_to(self.source)).with_suffix(".jpg")
        (self.out / file).parent.mkdir(parents=True, exist_ok=True)
        write_jpeg(small, self.out / file)
        boxes = _scaled(film, image.shape, small.shape)
        return Stored(
            film=film,
            published=film.path.relative_to(self.source).as_posix(),
            file=file.as_posix(),
            digest=content_digest(image),
            width=small.shape[1],
            height=small.shape[0],
            orig_width=image.shape[1],
            orig_height=image.shape[0],
            boxes=boxes,
            lost_boxes=len(film.boxes) - len(boxes),
        )

    def put_all(self, films: list[Film]) -> tuple[list[Stored], list[Film]]:
        """Store all films, in their order; second, those that cannot be decoded."""
        readers = min(MOST_READERS, os.cpu_count() or 1)
        with ThreadPoolExecutor(readers) as pool, bar(len(films), f"reading {self.name}") as progress:
            put = []
            for stored in pool.map(self.put, films):
                put.append(stored)
                progress.step()
        broken = [film for film, stored in zip(films, put, strict=True) if stored is None]
        return [stored for stored in put if stored is not None], broken

    def remove(self, unwanted: Iterable[Stored]) -> None:
        """Take stored images away again."""
        for stored in unwanted:
            (self.out / stored.file).unlink(missing_ok=True)


def _scaled(film: Film, published: tuple[int, ...], small: tuple[int, ...]) -> tuple[Corners, ...]:
    """Boxes in pixels of the small image, cut to it; those without area are dropped."""
    rows, columns = small
    across, down = columns / published[1], rows / published[0]
    if film.is_relative:
        across, down = float(columns), float(rows)
    boxes = []
    for left, top, right, bottom in film.boxes:
        # As the manifest writes them: a box that rounds to nothing is none.
        box = (
            round(min(max(left * across, 0.0), columns), 1),
            round(min(max(top * down, 0.0), rows), 1),
            round(min(max(right * across, 0.0), columns), 1),
            round(min(max(bottom * down, 0.0), rows), 1),
        )
        if box[2] > box[0] and box[3] > box[1]:
            boxes.append(box)
    return tuple(boxes)
