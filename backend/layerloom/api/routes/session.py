"""A way in for a browser: a code that works once, exchanged for a cookie."""

from __future__ import annotations

from fastapi import APIRouter

from layerloom.api.bodies import StrictRoute
from layerloom.api.services import Given
from layerloom.schema.session import SessionCode

router = APIRouter(prefix="/api/session", tags=["session"], route_class=StrictRoute)


@router.post("/code", status_code=201)
async def create_code(services: Given) -> SessionCode:
    """A code for ``/?code=…``; whoever opens that address first is signed in."""
    return SessionCode(code=services.sessions.new_code())
