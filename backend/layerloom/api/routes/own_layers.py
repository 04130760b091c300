"""Layers of one's own, in Python: tried in a sandbox, kept, and offered beside torch's own.

All of it answers 403 unless the server was started with ``--allow-python``.
"""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Depends, Path

from layerloom.api import own_layers
from layerloom.api.asking import apart
from layerloom.api.bodies import StrictRoute
from layerloom.api.loading import NEEDS_TORCH
from layerloom.api.refusals import Refusal, with_problems
from layerloom.api.services import Given
from layerloom.schema.own import OwnLayer, OwnLayerRequest
from layerloom.schema.problems import ProblemCode


async def _enabled(services: Given) -> None:
    if not services.python:
        detail = "Running Python code is switched off. Start the server with `layerloom serve --allow-python`."
        raise Refusal(403, ProblemCode.PYTHON_DISABLED, detail)


router = APIRouter(
    prefix="/api/python-layers", tags=["catalogue"], route_class=StrictRoute, dependencies=[Depends(_enabled)]
)
Label = Annotated[str, Path(max_length=64)]


@router.get("")
def list_own_layers(services: Given) -> list[OwnLayer]:
    """Those that are kept, with their code, by name."""
    return own_layers.listed(services.layers)


@router.post("", status_code=201, dependencies=[NEEDS_TORCH])
def add_own_layer(asked: OwnLayerRequest, services: Given) -> OwnLayer:
    """Try a layer, and keep it where nothing stands in its way, in the place of an older one of its name.

    The answer has its form and ports, and as warnings what it cannot do; 422 with the problems when it has errors.
    """
    from layerloom.graph import GraphError
    from layerloom.graph.custom import EXAMINE

    try:
        found = apart(EXAMINE, asked, services)
    except GraphError as error:
        raise with_problems(422, "This code cannot be a layer.", error.problems) from None
    errors = [problem for problem in found.problems if problem.severity == "error"]
    if errors:
        raise with_problems(422, "This layer has errors.", errors)
    # What the process says of itself is not believed where it matters: which name is kept under which.
    entry = found.entry.model_copy(update={"name": f"{own_layers.PREFIX}{asked.name}", "label": asked.name})
    layer = OwnLayer(
        kind=found.kind,
        entry=entry,
        outputs=found.outputs,
        problems=found.problems,
        source=asked.source,
        created_at=time.time(),
    )
    own_layers.keep(services.layers, asked.name, layer)
    return layer


@router.delete("/{name}", status_code=204)
def delete_own_layer(name: Label, services: Given) -> None:
    """Offer it no longer. Networks that use it carry its code themselves."""
    own_layers.remove(services.layers, name)
