"""What can be drawn, and networks to begin with."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from layerloom.api.bodies import StrictRoute
from layerloom.api.loading import NEEDS_TORCH, cache_folder
from layerloom.api.own_layers import PREFIX, listed
from layerloom.api.refusals import unknown
from layerloom.api.services import Given, Services
from layerloom.schema.catalogue import Catalogue
from layerloom.schema.help import Help
from layerloom.schema.run import Example

router = APIRouter(prefix="/api", tags=["catalogue"], route_class=StrictRoute)
EntryName = Annotated[str, Path(max_length=200)]


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


@router.get("/catalogue/help/{name}", response_model=Help, dependencies=[NEEDS_TORCH])
def get_help(name: EntryName, request: Request, services: Given) -> Response:
    """The docstring of an entry of the catalogue, by its parts: what its help card shows. A reader that has it already
    is answered 304.
    """
    body = _help(name, services).model_dump_json().encode()
    headers = {"ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"', "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


def _help(name: str, services: Services) -> Help:
    from layerloom.catalogue.help import help_of, rendered
    from layerloom.catalogue.own import docstring

    if name.startswith(PREFIX):
        own = listed(services.layers) if services.python else []
        layer = next((one for one in own if one.entry.name == name), None)
        if layer is None:
            raise unknown("entry")
        return rendered(docstring(layer.entry.label, layer.source))
    try:
        return help_of(name)
    except KeyError:
        raise unknown("entry") from None


@router.get("/examples", dependencies=[NEEDS_TORCH])
def get_examples() -> list[Example]:
    """Networks that come with LayerLoom, ready to be trained."""
    from layerloom.graph.examples import examples

    return examples()
