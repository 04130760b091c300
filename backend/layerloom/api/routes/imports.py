"""Networks from elsewhere: a library's by name, the text of a Python file, a file of weights."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool

from layerloom.api.bodies import StrictRoute
from layerloom.api.drafts import draft, receive
from layerloom.api.loading import NEEDS_TORCH
from layerloom.api.refusals import Refusal, with_problems
from layerloom.api.services import Given, Services
from layerloom.schema.importing import ImportAnswer, ImportRequest, ImportSources, Outline, OutlineRequest
from layerloom.schema.problems import ProblemCode

if TYPE_CHECKING:
    from layerloom.graph.errors import GraphError
    from layerloom.graph.importing.opening import Opened, Rules

router = APIRouter(prefix="/api/graphs", tags=["graphs"], route_class=StrictRoute, dependencies=[NEEDS_TORCH])
_MEDIA = "application/octet-stream"
_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {_MEDIA: {"schema": {"type": "string", "format": "binary"}}}}
}
_STATUS = {
    ProblemCode.PYTHON_DISABLED: 403,
    ProblemCode.UPLOAD_TYPE: 415,
    ProblemCode.PAYLOAD_TOO_LARGE: 413,
}
_importers = ThreadPoolExecutor(1, "import")
"""Waits for one process that opens a network: torch alone takes most of a gigabyte there. Further imports queue."""


@router.get("/import")
def list_import_sources(services: Given) -> ImportSources:
    """What can be opened here: networks of torchvision by name, kinds of files, and whether code may be run."""
    from layerloom.graph.importing.opening import FILES
    from layerloom.graph.library import networks

    return ImportSources(python=services.python, files=list(FILES), networks=networks())


@router.post("/outline")
def outline_source(asked: OutlineRequest) -> Outline:
    """The classes of a Python text, with what they are made with and given; nothing of it is run."""
    from layerloom.graph.importing.python.outline import outline

    return outline(asked.source, asked.name)


@router.post("/import")
async def import_graph(request: Request, asked: ImportRequest, services: Given) -> ImportAnswer:
    """A library's network, or a class of a Python text, as a document.

    Most networks of torchvision are kept as documents, and answered at once; others are made and recorded in a process
    of limited means. A text in the plain shape of ``nn.Module`` is read without running any of it. Anything else is run
    in a sandbox where the server was started with ``--allow-python``; 403 elsewhere. A client that goes away ends the
    work. Problems of a text carry its ``line``, where one is meant.
    """
    if not asked.inputs and (answer := await run_in_threadpool(_kept, asked.source, asked.part)) is not None:
        return answer

    def opened(rules: Rules) -> Opened:
        from layerloom.graph.importing.opening import open_source

        return open_source(asked.source, asked.name, asked.arguments, asked.inputs, rules, asked.part)

    return await _open(request, services, opened)


@router.put("/import", openapi_extra=_BODY)
async def import_file(
    request: Request, services: Given, filename: Annotated[str, Query(max_length=255)]
) -> ImportAnswer:
    """The same of a file, sent as the raw body: ``.py``, or a state_dict, whose layers are proposed.

    ``filename`` tells the format by its suffix and is not kept.
    """
    if request.headers.get("content-type", _MEDIA).partition(";")[0].strip().lower() != _MEDIA:
        raise Refusal(415, ProblemCode.UNSUPPORTED_MEDIA, f"Send the file itself, as {_MEDIA}.")
    with draft(services.drafts) as path:
        await receive(request.stream(), path)

        def opened(rules: Rules) -> Opened:
            from layerloom.graph.importing.opening import open_file

            return open_file(path, PurePath(filename).suffix, "", {}, rules)

        return await _open(request, services, opened)


def _kept(source: str, part: str) -> ImportAnswer | None:
    from layerloom.graph.importing.opening import UNTRAINED
    from layerloom.graph.library import kept

    document = kept(source, part)
    return None if document is None else ImportAnswer(document=document, notes=[UNTRAINED])


async def _open(request: Request, services: Services, opened: Callable[[Rules], Opened]) -> ImportAnswer:
    stop = threading.Event()
    gone = asyncio.create_task(_left(request, stop))
    try:
        return await asyncio.get_running_loop().run_in_executor(_importers, _answer, services, opened, stop)
    finally:
        # When the client or the server goes meanwhile, nobody waits for the end.
        stop.set()
        gone.cancel()


async def _left(request: Request, stop: threading.Event) -> None:
    """Tells the work when nobody waits for its answer any more."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    stop.set()


def _answer(services: Services, opened: Callable[[Rules], Opened], stop: threading.Event) -> ImportAnswer:
    from layerloom.graph.errors import GraphError
    from layerloom.graph.importing.opening import Rules

    if stop.is_set():
        raise Refusal(422, ProblemCode.IMPORT_CLOSED, "The import was stopped.")
    try:
        found = opened(Rules(python=services.python, hide=(services.data.parent,), stop=stop))
    except GraphError as error:
        raise _refusal(error) from None
    return ImportAnswer(document=found.document, notes=found.notes)


def _refusal(error: GraphError) -> Refusal:
    first = error.problems[0]
    return with_problems(_STATUS.get(first.code, 422), first.message, error.problems)
