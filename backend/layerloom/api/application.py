"""The API as one ASGI application: routers and their description, behind the layers that guard them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.types import ASGIApp

from layerloom import __version__
from layerloom.api.handlers import HANDLERS
from layerloom.api.pages import STATIC, Pages, Surface
from layerloom.api.refusals import MEDIA_TYPE
from layerloom.api.routes import ROUTERS
from layerloom.api.security import guard
from layerloom.api.security.limits import BodyLimits
from layerloom.api.services import Services
from layerloom.schema.export import ExportReport
from layerloom.schema.problems import ErrorBody

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
_REFUSED: dict[int | str, dict[str, Any]] = {"4XX": {"model": ErrorBody, "description": "Refused"}}
_IN_HEADERS = (ExportReport,)
"""What is sent beside a file, where FastAPI finds no model by itself."""


def application(
    services: Services,
    *,
    hosts: Collection[str] = (),
    limits: BodyLimits = BodyLimits(),  # noqa: B008  a frozen value
    static: Path = STATIC,
    lifespan: Lifespan | None = None,
) -> ASGIApp:
    """API and page, guarded. ``hosts`` are names beyond loopback under which the server is reached."""
    api = router_app(lifespan)
    api.state.services = services
    surface = Surface(api, Pages(services.sessions, static))
    return guard(
        surface, sessions=services.sessions, attempt_of=services.store.log.attempt_of, hosts=hosts, limits=limits
    )


def router_app(lifespan: Lifespan | None = None) -> FastAPI:
    """The routers, unguarded and without what they work with: enough to describe them."""
    app = FastAPI(
        title="LayerLoom",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
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
    schemas = document["components"]["schemas"]
    for model in _IN_HEADERS:
        schema = model.model_json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
        schemas |= {**schema.pop("$defs", {}), model.__name__: schema}
    return document


def _operation_id(route: APIRoute) -> str:
    return route.name
