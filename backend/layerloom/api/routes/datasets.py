"""Data to train on: what comes with LayerLoom, and uploads."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request

from layerloom.api.bodies import StrictRoute
from layerloom.api.drafts import draft, receive
from layerloom.api.loading import NEEDS_TORCH
from layerloom.api.refusals import Refusal, unknown, with_problems
from layerloom.api.services import Given
from layerloom.api.turns import one_by_one
from layerloom.schema.catalogue import DatasetEntry
from layerloom.schema.datasets import DatasetDetails, Reading
from layerloom.schema.problems import ProblemCode
from layerloom.schema.run import DatasetPreview, TransformPreview, TransformRequest

if TYPE_CHECKING:
    from layerloom.data import DataError

router = APIRouter(prefix="/api/datasets", tags=["datasets"], route_class=StrictRoute, dependencies=[NEEDS_TORCH])
MEDIA = (
    "application/octet-stream",
    "application/vnd.apache.arrow.file",
    "application/vnd.apache.arrow.stream",
    "application/vnd.apache.parquet",
    "application/x-npz",
    "application/zip",
    "text/csv",
    "text/plain",
    "text/tab-separated-values",
)
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_UPLOAD: dict[str, Any] = {"requestBody": {"required": True, "content": dict.fromkeys(MEDIA, _BINARY)}}
_STATUS = {
    ProblemCode.UPLOAD_TYPE: 415,
    ProblemCode.PAYLOAD_TOO_LARGE: 413,
    ProblemCode.UNKNOWN_DATASET: 404,
    ProblemCode.DOWNLOADS_OFF: 409,
    ProblemCode.DATASET_DAMAGED: 409,
    ProblemCode.NAME_RESERVED: 409,
    ProblemCode.DISK_FULL: 507,
}
_TRIED = one_by_one()
_readers = ThreadPoolExecutor(2, "upload")
"""Each waits for one process that reads a file: as many at once as leave room for everything else. Further uploads
queue here, and not among the threads that answer other requests."""


@router.get("")
def list_datasets(services: Given) -> list[DatasetEntry]:
    """Built-in first, uploads last."""
    from layerloom.data import entries

    return entries(services.data, downloads=services.downloads)


@router.put("/{name}", status_code=201, openapi_extra=_UPLOAD)
async def upload_dataset(
    name: str, request: Request, services: Given, filename: Annotated[str, Query(max_length=255)]
) -> DatasetEntry:
    """Upload a CSV, TSV, Parquet, Arrow, NPZ or text file, or a zip of images, as the raw body; ``filename`` tells
    which by its suffix."""
    media = request.headers.get("content-type", MEDIA[0]).partition(";")[0].strip().lower()
    if media not in MEDIA:
        raise Refusal(415, ProblemCode.UNSUPPORTED_MEDIA, f"Send the file itself, as one of {', '.join(MEDIA)}.")
    with draft(services.drafts) as path:
        await receive(request.stream(), path)
        stop = threading.Event()
        read = partial(_accept, services.data, name, PurePath(filename).suffix, path, stop)
        try:
            return await asyncio.get_running_loop().run_in_executor(_readers, read)
        finally:
            # When the server ends meanwhile, it need not wait for the file's end.
            stop.set()


@router.get("/{name}/preview")
def preview_dataset(name: str, services: Given, count: Annotated[int, Query(ge=1, le=64)] = 16) -> DatasetPreview:
    """A few samples, and how many each class has."""
    from layerloom.data import DataError, preview

    try:
        return preview(name, services.data, count, downloads=services.downloads)
    except DataError as error:
        raise _refusal(error) from None


@router.get("/{name}/details")
def dataset_details(name: str, services: Given) -> DatasetDetails:
    """Columns of a table, what they are read as, and rows with problems."""
    from layerloom.data import DataError, details

    try:
        found = details(name, services.data)
    except DataError as error:
        raise _refusal(error) from None
    if found is None:
        raise unknown("data set")
    return found


@router.put("/{name}/reading")
async def read_dataset_anew(name: str, reading: Reading, services: Given) -> DatasetEntry:
    """Make an upload anew from the file that was sent, with these kinds and roles of its columns.

    Until that is done, and where it fails, everything stays as it was.
    """
    stop = threading.Event()
    try:
        made = await asyncio.get_running_loop().run_in_executor(
            _readers, partial(_reread, services.data, name, reading, stop)
        )
    finally:
        stop.set()
    if made is None:
        raise unknown("upload")
    return made


@router.post("/{name}/transforms")
def preview_transforms(name: str, request: TransformRequest, services: Given) -> TransformPreview:
    """A few images before and after a list of transforms, and the shape that a network is given. The first answer
    takes some seconds; 422 with the place in the list where it fails.
    """
    from layerloom.data import DataError, transformed

    try:
        with _TRIED.taken():
            return transformed(name, services.data, request, downloads=services.downloads)
    except DataError as error:
        raise _refusal(error) from None


@router.delete("/{name}", status_code=204)
def delete_dataset(name: str, services: Given) -> None:
    """Remove an upload; what comes with LayerLoom stays."""
    from layerloom.data import find, uploads

    if not uploads.remove(name, services.data):
        if find(name, services.data):
            raise Refusal(409, ProblemCode.NAME_RESERVED, "This data set comes with LayerLoom and stays.")
        raise unknown("data set")


def _accept(data: Path, name: str, suffix: str, path: Path, stop: threading.Event) -> DatasetEntry:
    from layerloom.data import DataError, accept

    try:
        return accept(data, name, suffix, path, stop)
    except DataError as error:
        raise _refusal(error) from None


def _reread(data: Path, name: str, reading: Reading, stop: threading.Event) -> DatasetEntry | None:
    from layerloom.data import DataError, uploads

    try:
        return uploads.reread(data, name, reading, stop)
    except DataError as error:
        raise _refusal(error) from None


def _refusal(error: DataError) -> Refusal:
    return with_problems(_STATUS.get(error.problem.code, 422), error.problem.message, [error.problem])
