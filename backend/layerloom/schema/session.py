"""How a browser is let in."""

from __future__ import annotations

from layerloom.schema.base import Wire


class SessionCode(Wire):
    """Answer of ``POST /api/session/code``."""

    code: str
    """Works once: the first browser that opens ``/?code=…`` gets the cookie."""
