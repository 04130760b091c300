"""The parity report of a run: the same plan in fp32, in bf16 and on several devices, side by side."""

from __future__ import annotations

from fastapi import APIRouter

from layerloom.api.bodies import StrictRoute
from layerloom.api.parameters import RunKey
from layerloom.api.services import Given
from layerloom.schema.parity import NewParity, Parity

router = APIRouter(prefix="/api/runs/{run_id}/parity", tags=["runs"], route_class=StrictRoute)


@router.post("", status_code=202)
def ask_for_parity(run_id: RunKey, wanted: NewParity, services: Given) -> Parity:
    """Train the run's plan for some steps in each way, in trainer processes of their own; the report is kept with the
    run, in place of an earlier one. 409 while one is being made."""
    report = services.parities.ask(run_id, wanted)
    services.wake()
    return report


@router.get("")
def get_parity(run_id: RunKey, services: Given) -> Parity:
    """The newest report, as far as it is."""
    return services.parities.read(run_id)
