"""What the routers work with, made once by the composition root."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from layerloom.api.security.sessions import Sessions
from layerloom.api.streams import Streams

if TYPE_CHECKING:
    from layerloom.runs import Dispatcher
    from layerloom.storage import Store


@dataclass(frozen=True)
class Services:
    """Everything behind the API."""

    store: Store
    dispatcher: Dispatcher
    sessions: Sessions
    streams: Streams
    data: Path
    """Folder of uploads and downloaded data sets."""
    spool: Path
    """Folder for uploads under way, on the same disk as ``data``."""


# Asynchronous, because a synchronous dependency would cost a worker thread per request.
async def services(connection: HTTPConnection) -> Services:
    found: Services = connection.app.state.services
    return found


Given = Annotated[Services, Depends(services)]
