"""How a file survives a power cut: temporary name, fsync, rename, fsync of the folder."""

from __future__ import annotations

import errno
import os
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from wetread.errors import OutOfSpace, Transient

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_STALE_S = 3600.0

Piece = bytes | memoryview


class Inbox:
    """The folder of half-written files, on the same file system as where they go."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def write(self, pieces: Sequence[Piece], *, target: Path) -> None:
        """Make `target` hold exactly `pieces`, durably, or not exist at all.

        Raises OutOfSpace when the disk is full, Transient when it cannot be written.
        """
        try:
            self._write(pieces, target)
            # Without this the rename itself may be lost in a power cut.
            sync_folder(target.parent)
        except OSError as error:
            if error.errno in _FULL:
                raise OutOfSpace("the spool's disk is full") from error
            raise Transient("the spool cannot be written") from error

    def sweep(self) -> int:
        """Remove what a killed process left half-written an hour or more ago; how many."""
        swept = 0
        for path in self._folder.iterdir():
            # Another process may finish or remove its file while this one looks.
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > _STALE_S:
                    path.unlink()
                    swept += 1
        return swept

    def _write(self, pieces: Sequence[Piece], target: Path) -> None:
        handle, name = tempfile.mkstemp(dir=self._folder)
        try:
            with os.fdopen(handle, "wb", buffering=0) as file:
                for piece in pieces:
                    _write_all(file.fileno(), piece)
                os.fsync(file.fileno())
            Path(name).rename(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def sync_folder(folder: Path) -> None:
    """Make a folder's entries durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_all(handle: int, piece: Piece) -> None:
    view = memoryview(piece)
    while view:
        view = view[os.write(handle, view) :]
