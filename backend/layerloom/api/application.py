"""The API as one ASGI application: routers and their description. What guards them is in ``layerloom.api.security``."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from layerloom import __version__
from layerloom.api.handlers import HANDLERS
from layerloom.api.refusals import MEDIA_TYPE
from layerloom.api.routes import ROUTERS
from layerloom.schema.problems import ErrorBody

_REFUSED: dict[int | str, dict[str, Any]] = {"4XX": {"model": ErrorBody, "description": "Refused"}}


def router_app() -> FastAPI:
    """The routers, unguarded and without what they work with: enough to describe them."""
    app = FastAPI(
        title="LayerLoom",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        generate_unique_id_function=_operation_id,
        exception_handlers=HANDLERS,
        redirect_slashes=False,
    )
    for router in ROUTERS:
        app.include_router(router, responses=_REFUSED)
    return app


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document."""
    document = get_openapi(title=app.title, version=app.version, routes=app.routes)
    for path in document["paths"].values():
        for operation in path.values():
            refused = operation["responses"]["4XX"]
            refused["content"] = {MEDIA_TYPE: refused["content"]["application/json"]}
    return document


def _operation_id(route: APIRoute) -> str:
    return route.name
