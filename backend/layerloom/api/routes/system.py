"""The server itself: what it can train on, whether it lives, and its figures."""

from __future__ import annotations

from fastapi import APIRouter, Response

from layerloom.api.bodies import StrictRoute
from layerloom.api.services import Given
from layerloom.schema.run import System

router = APIRouter(tags=["system"], route_class=StrictRoute)


@router.get("/api/system")
def get_system(services: Given) -> System:
    """Versions, devices, and how busy they are."""
    raise NotImplementedError


@router.get("/health", include_in_schema=False)
async def get_health() -> dict[str, str]:
    """Answered without a token, and as soon as the server listens."""
    return {"status": "ok"}


@router.get("/metrics", include_in_schema=False)
def get_metrics(services: Given) -> Response:
    """Prometheus text."""
    raise NotImplementedError
