"""The channel on which a trainer reports."""

from __future__ import annotations

from fastapi import APIRouter, Request

from layerloom.api.bodies import StrictRoute
from layerloom.api.parameters import RunKey
from layerloom.api.refusals import Refusal
from layerloom.api.security.authentication import ATTEMPT
from layerloom.api.services import Given
from layerloom.schema.events import StateChanged
from layerloom.schema.problems import ProblemCode
from layerloom.schema.worker import Delivery, Receipt

router = APIRouter(prefix="/api/worker", tags=["worker"], route_class=StrictRoute)


@router.post("/runs/{run_id}/events")
def deliver_events(run_id: RunKey, delivery: Delivery, request: Request, services: Given) -> Receipt:
    """Append a trainer's events to its run's log; 409 ``fenced`` for an attempt that is no longer the newest."""
    if delivery.attempt != request.scope[ATTEMPT]:
        raise Refusal(409, ProblemCode.FENCED, "This token belongs to another attempt.")
    appended = services.store.log.append(run_id, delivery.attempt, delivery.events)
    if any(isinstance(numbered.event, StateChanged) for numbered in delivery.events):
        services.wake()
    watched = services.streams.watched(run_id)
    return Receipt(received=appended.received, desired=appended.desired, orders=appended.orders, watched=watched)
