"""Ids made by the server: they are the paths, so no other text is ever looked up or joined to a folder."""

from __future__ import annotations

import base64
import os
import re

from layerloom.storage.errors import Missing

_FORM = re.compile(r"[a-z2-7]{12}")
LARGEST_INTEGER = 2**31 - 1


def new_id() -> str:
    """12 characters, 60 random bits."""
    return base64.b32encode(os.urandom(8))[:12].decode().lower()


def known_form(text: str, what: str) -> str:
    """The id itself when it could be one of ours; ``Missing`` otherwise, as for an id that does not exist."""
    if not _FORM.fullmatch(text):
        raise Missing(f"there is no such {what}")
    return text


def label(text: str, limit: int = 200) -> str:
    """Text for a column: PostgreSQL holds no NUL, and nobody can read one."""
    return text.replace("\0", "")[:limit]
