"""The channel on which a trainer reports."""

from __future__ import annotations

from fastapi import APIRouter

from layerloom.api.bodies import StrictRoute
from layerloom.api.parameters import RunKey
from layerloom.api.services import Given
from layerloom.schema.worker import Delivery, Receipt

router = APIRouter(prefix="/api/worker", tags=["worker"], route_class=StrictRoute)


@router.post("/runs/{run_id}/events")
def deliver_events(run_id: RunKey, delivery: Delivery, services: Given) -> Receipt:
    """Append a trainer's events to its run's log; 409 ``fenced`` for an attempt that is no longer the newest."""
    raise NotImplementedError
