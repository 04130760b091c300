"""What a run leaves behind: weights and numbers, each as a file to keep."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path as File
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import FileResponse, StreamingResponse
from starlette.background import BackgroundTask

from layerloom.api import drafts, weights
from layerloom.api.bodies import StrictRoute
from layerloom.api.columns import metrics_csv
from layerloom.api.loading import NEEDS_TORCH
from layerloom.api.parameters import RunKey
from layerloom.api.refusals import Refusal
from layerloom.api.services import Given, Services
from layerloom.schema.problems import ProblemCode
from layerloom.schema.run import Checkpoint
from layerloom.storage import Missing

router = APIRouter(prefix="/api/runs/{run_id}", tags=["checkpoints"], route_class=StrictRoute)


def _file(media: str) -> dict[int | str, dict[str, Any]]:
    schema = {"schema": {"type": "string", "format": "binary"}}
    return {200: {"description": "The file", "content": {media: schema}}}


@router.get("/checkpoints")
def list_checkpoints(run_id: RunKey, services: Given) -> list[Checkpoint]:
    """Weights that can be downloaded, newest first."""
    return services.store.runs.checkpoints(run_id)


@router.get(
    "/checkpoints/{which}/state_dict",
    response_class=Response,
    responses=_file("application/octet-stream"),
    dependencies=[NEEDS_TORCH],
)
def download_state_dict(
    run_id: RunKey,
    which: Annotated[str, Path(pattern=r"^(last|best|[0-9]{1,12})$")],
    services: Given,
    format: Annotated[Literal["pt", "safetensors"], Query()] = "pt",
) -> Response:
    """The module's state_dict of the ``last`` or ``best`` checkpoint, or of a step."""
    step, held = hold(run_id, which, services)
    if format == "safetensors":
        held = weights.as_safetensors(held, services.store.runs.told(run_id))
    model = services.store.runs.summary(run_id).model
    return FileResponse(
        held,
        media_type="application/octet-stream",
        filename=f"{model}-step{step}.{format}",
        background=BackgroundTask(held.unlink, missing_ok=True),
    )


@router.get("/metrics.csv", response_class=Response, responses=_file("text/csv"))
def download_metrics(run_id: RunKey, services: Given) -> Response:
    """Every recorded step of every series."""
    summary = services.store.runs.summary(run_id)
    return attachment(metrics_csv(services.store.series, run_id), "text/csv", f"{summary.model}-{summary.id}.csv")


@router.get("/vocabulary.json", response_class=Response, responses=_file("application/json"))
def download_vocabulary(run_id: RunKey, services: Given) -> Response:
    """The tokens by their id, and how a text is cut into tokens."""
    summary = services.store.runs.summary(run_id)
    vocabulary = services.store.runs.vocabulary(run_id)
    return attachment(vocabulary, "application/json", f"{summary.model}-{summary.id}-vocabulary.json")


def hold(run: str, which: str, services: Services) -> tuple[int, File]:
    """The step of a checkpoint, and a second name for its weights, for the caller to remove.

    Raises:
        Refusal: 404, there is none.
    """
    services.store.runs.summary(run)
    for _ in range(3):
        try:
            found = services.store.runs.checkpoint(run, which)
            return found.step, drafts.hold(found.folder / "state.pt", services.drafts)
        except (FileNotFoundError, Missing):
            # Retired between look-up and open: a newer one has taken its place.
            continue
    raise Refusal(404, ProblemCode.CHECKPOINT_MISSING, "There is no such checkpoint (yet, or any more).")


def attachment(text: str | Iterator[str], media: str, name: str) -> Response:
    """A text, or its pieces, as a file to keep."""
    # Members' names are identifiers, but a block may be called anything while its network is half drawn.
    safe = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "_" for letter in name)
    headers = {"Content-Disposition": f'attachment; filename="{safe}"'}
    kind = Response if isinstance(text, str) else StreamingResponse
    return kind(text, headers=headers, media_type=f"{media}; charset=utf-8")
