"""What can be drawn, and networks to begin with."""

from __future__ import annotations

import hashlib

from fastapi import APIRouter, Request, Response

from layerloom.api.bodies import StrictRoute
from layerloom.api.loading import NEEDS_TORCH, cache_folder
from layerloom.api.own_layers import listed
from layerloom.api.services import Given
from layerloom.schema.catalogue import Catalogue
from layerloom.schema.run import Example

router = APIRouter(prefix="/api", tags=["catalogue"], route_class=StrictRoute)


@router.get("/catalogue", response_model=Catalogue, dependencies=[NEEDS_TORCH])
def get_catalogue(request: Request, services: Given) -> Response:
    """Everything that can be drawn, trained and measured, a person's own layers among it where Python is allowed. A
    reader that has it already is answered 304.
    """
    from layerloom.catalogue.remembered import remembered
    from layerloom.data import entries

    datasets = entries(services.data, downloads=services.downloads)
    known = remembered(cache_folder(services.data))
    own = listed(services.layers) if services.python else []
    changing = [*datasets, *(layer.entry for layer in own)]
    names = hashlib.sha256("".join(entry.model_dump_json() for entry in changing).encode()).hexdigest()
    digest = f"{known.digest}-{names[:16]}"
    headers = {"ETag": f'"{digest}"', "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    mine = {
        "layers": [*known.layers, *(layer.entry for layer in own if layer.kind == "layer")],
        "operations": [*known.operations, *(layer.entry for layer in own if layer.kind == "operation")],
    }
    whole = known.model_copy(update={**mine, "datasets": datasets, "digest": digest})
    return Response(_written(digest, whole), headers=headers, media_type="application/json")


_latest: tuple[str, bytes] = ("", b"")


def _written(digest: str, whole: Catalogue) -> bytes:
    """As JSON, a megabyte of it; written anew only when the content is."""
    global _latest
    if _latest[0] != digest:
        _latest = (digest, whole.model_dump_json().encode())
    return _latest[1]


@router.get("/examples", dependencies=[NEEDS_TORCH])
def get_examples() -> list[Example]:
    """Networks that come with LayerLoom, ready to be trained."""
    from layerloom.graph.examples import examples

    return examples()
