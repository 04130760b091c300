"""Data to train on: what comes with LayerLoom, and uploads."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from layerloom.api.bodies import StrictRoute
from layerloom.api.services import Given
from layerloom.schema.catalogue import DatasetEntry
from layerloom.schema.run import DatasetPreview

router = APIRouter(prefix="/api/datasets", tags=["datasets"], route_class=StrictRoute)
_UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {
            media: {"schema": {"type": "string", "format": "binary"}}
            for media in ("application/octet-stream", "text/csv", "application/x-npz")
        },
    }
}


@router.get("")
def list_datasets(services: Given) -> list[DatasetEntry]:
    """Built-in first, uploads last."""
    from layerloom.data import entries

    return entries(services.data)


@router.put("/{name}", status_code=201, openapi_extra=_UPLOAD)
async def upload_dataset(
    name: str, request: Request, services: Given, filename: Annotated[str, Query(max_length=255)]
) -> DatasetEntry:
    """Upload a CSV, TSV or NPZ file as the raw body. ``filename`` tells the format by its suffix and is not kept."""
    raise NotImplementedError


@router.get("/{name}/preview")
def preview_dataset(name: str, services: Given, count: Annotated[int, Query(ge=1, le=64)] = 16) -> DatasetPreview:
    """A few samples, and how many each class has."""
    raise NotImplementedError


@router.delete("/{name}", status_code=204)
def delete_dataset(name: str, services: Given) -> None:
    """Remove an upload; what comes with LayerLoom stays."""
    raise NotImplementedError
