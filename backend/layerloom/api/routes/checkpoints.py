"""What a run leaves behind: weights, source and numbers, each as a file to keep."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response

from layerloom.api.bodies import StrictRoute
from layerloom.api.parameters import RunKey
from layerloom.api.services import Given
from layerloom.schema.run import Checkpoint

router = APIRouter(prefix="/api/runs/{run_id}", tags=["checkpoints"], route_class=StrictRoute)


def _file(*media: str) -> dict[int | str, dict[str, Any]]:
    schema = {"schema": {"type": "string", "format": "binary"}}
    return {200: {"description": "The file", "content": {kind: schema for kind in media}}}


@router.get("/checkpoints")
def list_checkpoints(run_id: RunKey, services: Given) -> list[Checkpoint]:
    """Weights that can be downloaded, newest first."""
    raise NotImplementedError


@router.get("/checkpoints/{which}/state_dict", response_class=Response, responses=_file("application/octet-stream"))
def download_state_dict(
    run_id: RunKey,
    which: Annotated[str, Path(pattern=r"^(last|best|\d{1,12})$")],
    services: Given,
    format: Annotated[Literal["pt", "safetensors"], Query()] = "pt",
) -> Response:
    """The module's state_dict of the ``last`` or ``best`` checkpoint, or of a step."""
    raise NotImplementedError


@router.get("/export/python", response_class=Response, responses=_file("text/x-python"))
def download_python(run_id: RunKey, services: Given) -> Response:
    """The Python file that was trained."""
    raise NotImplementedError


@router.get("/metrics.csv", response_class=Response, responses=_file("text/csv"))
def download_metrics(run_id: RunKey, services: Given) -> Response:
    """Every recorded step of every series."""
    raise NotImplementedError
