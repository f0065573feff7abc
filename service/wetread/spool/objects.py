"""Objects on disk under a key made from their own bytes: written once, never changed."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path

from wetread.domain import SpoolKey
from wetread.errors import NotFound, OutOfSpace, Transient
from wetread.spool.inbox import Inbox, Piece, sync_folder

_KEY = re.compile(r"[0-9a-f]{2}/[0-9a-f]{64}\.[a-z0-9]{1,8}")


class Spool:
    """`objects/ab/<sha256>.<suffix>` for what is kept, `incoming/` for what is half-written."""

    def __init__(self, folder: Path, *, watermark_bytes: int = 0) -> None:
        self._objects = folder / "objects"
        self._watermark_bytes = watermark_bytes
        self.inbox = Inbox(folder / "incoming")
        self._make_folders(folder)

    def put(self, pieces: Sequence[Piece], *, suffix: str, is_ours: bool = False) -> SpoolKey:
        """Keep `pieces` as one object; on return it survives a power cut.

        The same bytes give the same key. The watermark keeps room for what is `is_ours`: answers to images
        already accepted. Raises OutOfSpace when the disk is full, or below its watermark for others.
        """
        digest = hashlib.sha256()
        for piece in pieces:
            digest.update(piece)
        key = SpoolKey(f"{digest.hexdigest()[:2]}/{digest.hexdigest()}.{suffix}")
        target = self._target(key)
        if target.exists():
            # Another process may have renamed it and not yet synced the folder.
            sync_folder(target.parent)
        elif is_ours or self.has_room():
            self.inbox.write(pieces, target=target)
        else:
            raise OutOfSpace("free space is below the watermark")
        return key

    def path(self, key: SpoolKey) -> Path:
        """The local file of an object. Raises NotFound, or Transient when the spool is away."""
        target = self.place(key)
        if not target.is_file():
            raise NotFound("no such object in the spool")
        return target

    def place(self, key: SpoolKey) -> Path:
        """Where an object belongs, whether it is there or lost. Raises Transient when the spool is away."""
        target = self._target(key)
        if not target.parent.is_dir():
            raise Transient("the spool's folder is away")
        return target

    def read(self, key: SpoolKey) -> bytes:
        """The bytes of an object. Raises NotFound."""
        return self.path(key).read_bytes()

    def free_bytes(self) -> int:
        """Space left for an ordinary user on the spool's file system."""
        stat = os.statvfs(self._objects)
        return stat.f_bavail * stat.f_frsize

    def has_room(self) -> bool:
        """Whether free space is above the watermark."""
        return self.free_bytes() > self._watermark_bytes

    def _make_folders(self, folder: Path) -> None:
        self._objects.mkdir(parents=True, exist_ok=True, mode=0o700)
        # All at once and synced: a folder made on the way, by another process, might not be durable yet.
        for number in range(256):
            (self._objects / f"{number:02x}").mkdir(exist_ok=True, mode=0o700)
        for made in (self._objects, folder, folder.resolve().parent):
            sync_folder(made)

    def _target(self, key: SpoolKey) -> Path:
        # The pattern is what keeps any outside value out of a path.
        if not _KEY.fullmatch(key):
            raise NotFound("not a spool key")
        return self._objects / key
