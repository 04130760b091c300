"""Runs: start, list, command, rename, delete, and read their log."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Response

from layerloom.api.bodies import StrictRoute
from layerloom.api.parameters import Cursor, RunKey
from layerloom.api.services import Given
from layerloom.schema.events import State
from layerloom.schema.run import EventPage, NewRun, Run, RunPage, RunPatch

router = APIRouter(prefix="/api/runs", tags=["runs"], route_class=StrictRoute)
Sort = Literal["created", "-created", "name", "-name", "state", "-state"]
"""A leading hyphen turns the order round."""


@router.post("", status_code=201)
def start_run(
    new: NewRun,
    services: Given,
    response: Response,
    idempotency_key: Annotated[str | None, Header(max_length=128)] = None,
) -> Run:
    """Check network, plan and data, and queue the run. Repeating an Idempotency-Key gives the run that it made."""
    raise NotImplementedError


@router.get("")
def list_runs(
    services: Given,
    state: Annotated[list[State] | None, Query()] = None,
    search: Annotated[str, Query(max_length=200)] = "",
    sort: Sort = "-created",
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> RunPage:
    """A page of the runs table. ``search`` looks in names, tags, models and data sets."""
    raise NotImplementedError


@router.get("/{run_id}")
def get_run(run_id: RunKey, services: Given) -> Run:
    """One run with its document and plan."""
    raise NotImplementedError


@router.patch("/{run_id}")
def change_run(run_id: RunKey, patch: RunPatch, services: Given) -> Run:
    """Rename or tag a run."""
    raise NotImplementedError


@router.delete("/{run_id}", status_code=204)
def delete_run(run_id: RunKey, services: Given) -> None:
    """Remove a run with its log and its checkpoints; 409 while it trains."""
    raise NotImplementedError


@router.post("/{run_id}/pause")
def pause_run(run_id: RunKey, services: Given) -> Run:
    """Ask for a pause: the trainer saves a checkpoint and leaves."""
    raise NotImplementedError


@router.post("/{run_id}/resume")
def resume_run(run_id: RunKey, services: Given) -> Run:
    """Go on from the last checkpoint."""
    raise NotImplementedError


@router.post("/{run_id}/stop")
def stop_run(run_id: RunKey, services: Given) -> Run:
    """End a run early; its checkpoints stay."""
    raise NotImplementedError


@router.get("/{run_id}/events", response_model=EventPage)
def list_events(
    run_id: RunKey, services: Given, after: Cursor = 0, limit: Annotated[int, Query(ge=1, le=5_000)] = 1_000
) -> Response:
    """The log behind a cursor, oldest first."""
    raise NotImplementedError
