"""Networks as files: of a document, with the weights of its initializers, and of a run, with those it trained."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path as File
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from layerloom.api import exports
from layerloom.api.asking import source
from layerloom.api.bodies import StrictRoute
from layerloom.api.loading import NEEDS_TORCH
from layerloom.api.parameters import RunKey
from layerloom.api.refusals import unknown
from layerloom.api.routes.checkpoints import attachment, download_state_dict, hold
from layerloom.api.services import Given, Services
from layerloom.schema.document import Document
from layerloom.schema.export import ExportFormat

router = APIRouter(prefix="/api", tags=["export"], route_class=StrictRoute, dependencies=[NEEDS_TORCH])
Format = Annotated[str, Path(max_length=40, description="A name of GET /api/graphs/export.")]
FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file. X-Export-Report holds an ExportReport, its lists of names left empty.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        "headers": {
            "X-Export-Report": {
                "schema": {
                    "type": "string",
                    "contentMediaType": "application/json",
                    "contentSchema": {"$ref": "#/components/schemas/ExportReport"},
                }
            }
        },
    }
}


@router.get("/graphs/export")
def list_formats() -> list[ExportFormat]:
    """What a network can be written as, and what is missing here for it."""
    from layerloom.graph.exporting import described

    return described()


@router.post("/graphs/export/{format}", response_class=Response, responses=FILE)
def export_graph(format: Format, document: Document, services: Given) -> Response:
    """A document that is not trained, as a file; 422 with the problems when it cannot be written so."""
    form = _known(format)
    text = source(document, services)  # whatever the format, so that errors are told before a process is started
    if format == "python":
        return attachment(text, form.media_type, f"{document.main}{form.suffix}")
    return _written(document, form, f"{document.main}{form.suffix}", None, {}, services)


@router.get("/runs/{run_id}/export/{format}", response_class=Response, responses=FILE)
def export_run(
    run_id: RunKey,
    format: Format,
    services: Given,
    which: Annotated[str, Query(pattern=r"^(last|best|[0-9]{1,12})$")] = "last",
) -> Response:
    """A run's network with the weights of its ``last`` or ``best`` checkpoint, or of a step; its source needs none."""
    form = _known(format)
    run = services.store.runs.get(run_id)
    match format:
        case "python":
            return attachment(source(run.document, services), form.media_type, f"{run.model}{form.suffix}")
        case "pt" | "safetensors" as plain:
            return download_state_dict(run_id, which, services, plain)
    step, held = hold(run_id, which, services)
    texts = services.store.runs.told(run_id)
    try:
        return _written(run.document, form, f"{run.model}-step{step}{form.suffix}", held, texts, services)
    finally:
        held.unlink(missing_ok=True)


def _known(format: str) -> ExportFormat:
    from layerloom.graph.exporting import described

    for form in described():
        if form.name == format:
            return form
    raise unknown("format")


def _written(
    document: Document,
    form: ExportFormat,
    name: str,
    weights: File | None,
    texts: Mapping[str, str],
    services: Services,
) -> Response:
    with exports.folder_of_one_request(services.drafts, secrets.token_hex(8)) as folder:
        file, report = exports.write_apart(
            document, form.name, folder, weights, texts, services.data.parent, services.python
        )
        return FileResponse(
            file,
            media_type=form.media_type,
            filename=name,
            headers=exports.header(report),
            background=BackgroundTask(exports.remove, folder),
        )
