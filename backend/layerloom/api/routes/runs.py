"""Runs: start, list, command, rename, delete, and read their log."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Response

from layerloom.api.asking import trainable
from layerloom.api.bodies import StrictRoute
from layerloom.api.forking import asked, forked, origin_of
from layerloom.api.loading import NEEDS_TORCH
from layerloom.api.parameters import Cursor, RunKey
from layerloom.api.plans import require_adjustable
from layerloom.api.refusals import Refusal
from layerloom.api.services import Given, Services
from layerloom.schema.document import Document
from layerloom.schema.events import State
from layerloom.schema.fork import CarryReport, NewFork
from layerloom.schema.problems import ProblemCode
from layerloom.schema.run import Desired, EventPage, NewRun, Run, RunPage, RunPatch, RunSummary

router = APIRouter(prefix="/api/runs", tags=["runs"], route_class=StrictRoute)
Sort = Literal["created_at", "name", "state", "ended_at", "step"]


@router.post("", status_code=201, dependencies=[NEEDS_TORCH])
def start_run(
    new: NewRun,
    services: Given,
    response: Response,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=128)] = None,
) -> Run:
    """Check network, plan and data, and queue the run. Repeating an Idempotency-Key gives the run that it made."""
    document = _document(new, services)
    parameters = trainable(document, new.plan, services)
    name = new.name or document.name or document.main
    added = services.store.runs.add(document, new.plan, name=name, parameters=parameters, key=idempotency_key)
    services.wake()
    response.headers["Location"] = f"/api/runs/{added.run}"
    return services.store.runs.get(added.run)


@router.get("")
def list_runs(
    services: Given,
    state: State | None = None,
    search: Annotated[str, Query(max_length=200)] = "",
    sort: Sort = "created_at",
    descending: bool = True,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 50,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> RunPage:
    """A page of the runs table. ``search`` looks in names, models, data sets, tags and ids."""
    items: list[RunSummary] = []
    while True:
        rows, start = min(limit - len(items), 200), offset + len(items)
        page = services.store.runs.page(
            text=search.replace("\0", ""), state=state, sort=sort, descending=descending, limit=rows, offset=start
        )
        items += page.items
        if len(items) == limit or len(page.items) < rows:
            return RunPage(items=items, total=page.total)


@router.get("/{run_id}")
def get_run(run_id: RunKey, services: Given) -> Run:
    """One run with its document and plan."""
    return services.store.runs.get(run_id)


@router.patch("/{run_id}")
def change_run(run_id: RunKey, patch: RunPatch, services: Given) -> Run:
    """Rename or tag a run, change its learning rate, or give it more epochs or steps; all of it or nothing.

    A trainer obeys at its next step, and the event ``adjusted`` says at which. 409 where the run's state does not allow
    it, with the remedy.
    """
    adjusts = bool(patch.model_fields_set & {"learning_rate", "groups", "epochs", "steps"})
    if adjusts:
        require_adjustable(services.store.runs.get(run_id), patch)
    services.store.runs.patch(run_id, patch)
    if adjusts:
        services.wake()
    return services.store.runs.get(run_id)


@router.delete("/{run_id}", status_code=204)
def delete_run(run_id: RunKey, services: Given) -> None:
    """Remove a run with its log and its checkpoints; 409 while it trains."""
    services.store.runs.delete(run_id)


@router.post("/{run_id}/pause")
def pause_run(run_id: RunKey, services: Given) -> Run:
    """Ask for a pause: the trainer saves a checkpoint and leaves."""
    return _want(run_id, "pause", services)


@router.post("/{run_id}/resume")
def resume_run(run_id: RunKey, services: Given) -> Run:
    """Go on from the last checkpoint."""
    return _want(run_id, "run", services)


@router.post("/{run_id}/stop")
def stop_run(run_id: RunKey, services: Given) -> Run:
    """End a run early; its checkpoints stay."""
    return _want(run_id, "stop", services)


@router.post("/{run_id}/checkpoint")
def save_checkpoint(run_id: RunKey, services: Given) -> Run:
    """Ask for a checkpoint after the step under way, which is kept for good; asking again before it is there changes
    nothing. 409 when nothing is being trained."""
    services.store.runs.ask(run_id)
    return services.store.runs.get(run_id)


@router.post("/{run_id}/fork/report", dependencies=[NEEDS_TORCH])
def report_fork(run_id: RunKey, fork: NewFork, services: Given) -> CarryReport:
    """What a fork would begin with, and what not; nothing is started. 422 with the errors of its network."""
    return origin_of(services.store.runs.get(run_id), fork, services.store, asked(services))[0].report


@router.post("/{run_id}/fork", status_code=201, dependencies=[NEEDS_TORCH])
def fork_run(
    run_id: RunKey,
    fork: NewFork,
    services: Given,
    response: Response,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=128)] = None,
) -> Run:
    """Start a run of its own, counting from 0, with the weights of a checkpoint of this one: by key, where shapes
    agree. It needs nothing of its origin afterwards. Repeating an Idempotency-Key gives the run that it made."""
    run = services.store.runs.get(run_id)
    document, plan = fork.document or run.document, fork.plan or run.plan
    parameters = trainable(document, plan, services)
    added = forked(run, fork, services.store, asked(services), parameters=parameters, key=idempotency_key)
    services.wake()
    response.headers["Location"] = f"/api/runs/{added.run}"
    return services.store.runs.get(added.run)


@router.get("/{run_id}/events", response_model=EventPage)
def list_events(
    run_id: RunKey, services: Given, after: Cursor = 0, limit: Annotated[int, Query(ge=1, le=5_000)] = 1_000
) -> Response:
    """The log behind a cursor, oldest first."""
    last = services.store.log.last_seq(run_id)
    # Stored events are JSON already; parsing them only to write them again would be the larger part of the work.
    items = b",".join(services.store.log.events(run_id, after, limit))
    return Response(b'{"items":[%b],"last_seq":%d}' % (items, last), media_type="application/json")


def _want(run: str, desired: Desired, services: Services) -> Run:
    services.store.runs.want(run, desired)
    services.wake()
    return services.store.runs.get(run)


def _document(new: NewRun, services: Services) -> Document:
    if new.document is not None and new.network is None and new.revision is None:
        return new.document
    if new.document is None and new.network is not None:
        return services.store.networks.get(new.network, new.revision).document
    raise Refusal(422, ProblemCode.INVALID_BODY, "Give either a document, or a network with or without a revision.")
