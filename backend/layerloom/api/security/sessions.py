"""The token of a home directory, the cookies derived from it, and the codes that are exchanged for them.

A cookie is ``<expiry>.<nonce>.<HMAC under the token>``: nothing is stored, so that a browser stays signed in when the
server is restarted, and removing the token file signs everyone out.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import threading
import time
from pathlib import Path

COOKIE_SECONDS = 30 * 24 * 3600
CODE_SECONDS = 3600
MAX_CODES = 100


def home_token(path: Path) -> str:
    """The 256-bit token in ``path``, made on first use, readable by its owner only.

    Raises:
        PermissionError: others may read the file.
    """
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(32) + "\n")
    try:
        # A link fails where the name exists: the first of two servers that start at once wins, whole.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise PermissionError(f"{path} can be read by others; allow only its owner (chmod 600).")
    token = path.read_text(encoding="ascii").strip()
    if len(token) < 43:
        raise ValueError(f"{path} holds no token; remove the file to have a new one made.")
    return token


class Sessions:
    """Judges what a client shows: the token itself, or a cookie."""

    def __init__(self, token: str) -> None:
        self._token = token.encode("ascii")
        self._key = hashlib.sha256(b"layerloom session\0" + self._token).digest()
        self._codes: dict[str, float] = {}
        self._lock = threading.Lock()

    def is_token(self, shown: str) -> bool:
        """Compared in constant time."""
        return hmac.compare_digest(shown.encode("utf-8", "surrogateescape"), self._token)

    def new_code(self) -> str:
        """A code that one browser can exchange within the hour."""
        code, now = secrets.token_urlsafe(24), time.monotonic()
        with self._lock:
            alive = [item for item in self._codes.items() if item[1] > now]
            self._codes = dict(alive[-(MAX_CODES - 1) :])
            self._codes[code] = now + CODE_SECONDS
        return code

    def redeem(self, code: str) -> str | None:
        """A cookie's value for a code; None when it is unknown, used or too old."""
        with self._lock:
            end = self._codes.pop(code, 0.0)
        if end < time.monotonic():
            return None
        claim = f"{int(time.time()) + COOKIE_SECONDS}.{secrets.token_urlsafe(16)}"
        return f"{claim}.{self._sign(claim)}"

    def is_cookie(self, value: str) -> bool:
        """Whether a cookie was made here and has not expired."""
        claim, _, signature = value.rpartition(".")
        expiry = claim.partition(".")[0]
        if not hmac.compare_digest(signature.encode("utf-8", "surrogateescape"), self._sign(claim).encode("ascii")):
            return False
        return expiry.isdecimal() and int(expiry) > time.time()

    def _sign(self, claim: str) -> str:
        return hmac.new(self._key, claim.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()
