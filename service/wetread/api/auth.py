"""Who may come in: the administrator's key, and the session that a browser gets for it."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import tempfile
import time
from pathlib import Path
from typing import Final

from wetread.errors import Misconfigured

KEY_FILE: Final = "admin.key"
SESSION_COOKIE: Final = "wetread_session"
SESSION_S: Final = 12 * 3600
_KEY_BYTES: Final = 32
_LEAST_KEY_CHARACTERS: Final = 16
_SESSION: Final = re.compile(r"(?P<expires>\d{1,12})\.(?P<seal>[0-9a-f]{64})")


class Gate:
    """Checks keys and sessions in constant time. Keeps digests of the key, never the key."""

    def __init__(self, admin_key: str) -> None:
        self._key_digest = hashlib.sha256(admin_key.encode()).digest()
        self._sealing_key = hmac.digest(admin_key.encode(), b"wetread page session", "sha256")

    def __repr__(self) -> str:
        return "Gate()"

    def knows_key(self, key: str) -> bool:
        """Whether this is the administrator's key."""
        # Digests are compared, so that not even the key's length shows in the time taken.
        return hmac.compare_digest(hashlib.sha256(key.strip().encode()).digest(), self._key_digest)

    def open_session(self, *, now: float | None = None) -> str:
        """A cookie value that lets its bearer in for `SESSION_S` seconds."""
        expires = int((time.time() if now is None else now) + SESSION_S)
        return f"{expires}.{self._seal(expires)}"

    def knows_session(self, cookie: str, *, now: float | None = None) -> bool:
        """Whether this cookie is one of ours and has not expired."""
        match = _SESSION.fullmatch(cookie)
        if match is None:
            return False
        expires = int(match["expires"])
        is_ours = hmac.compare_digest(match["seal"], self._seal(expires))
        return is_ours and expires > (time.time() if now is None else now)

    def _seal(self, expires: int) -> str:
        return hmac.new(self._sealing_key, str(expires).encode(), "sha256").hexdigest()


def load_admin_key(home: Path) -> str:
    """The administrator's key, made at first start (mode 0600).

    Raises Misconfigured when the file cannot be read or written, or holds too little to be a key.
    """
    path = home / KEY_FILE
    try:
        if not path.exists():
            _write_key(path)
        key = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{path}: the administrator's key cannot be read or made") from error
    if len(key) < _LEAST_KEY_CHARACTERS:
        raise Misconfigured(
            f"{path}: shorter than {_LEAST_KEY_CHARACTERS} characters: delete it to get a new one"
        )
    return key


def _write_key(path: Path) -> None:
    """Whole or not at all, and never over a key that another process made meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".admin-key-")
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(_KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(path).hardlink_to(name)
    except FileExistsError:
        return
    finally:
        Path(name).unlink(missing_ok=True)
