"""What the routers work with, made once by the composition root."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from layerloom.api.security import Sessions
from layerloom.api.streams import Streams
from layerloom.runs import Parities, RateSearches
from layerloom.schema.run import Device
from layerloom.storage import Store


@dataclass(frozen=True)
class Services:
    """Everything behind the API."""

    store: Store
    sessions: Sessions
    streams: Streams
    data: Path
    """Folder of uploads and downloaded data sets."""
    drafts: Path
    """Files that live for one request, on the same disk as everything else."""
    wake: Callable[[], None]
    """Tell the dispatcher that there is something to do."""
    devices: Callable[[], list[Device]]
    parities: Parities
    """Reports of how a run's plan trains in several ways."""
    rates: RateSearches
    """Searches for a learning rate."""
    python: bool = False
    """Whether code that users bring may be run, in a sandbox; the command line alone decides it."""
    downloads: bool = True
    """Whether data sets whose files are not here may be downloaded."""

    @property
    def layers(self) -> Path:
        """Folder of the layers that are users' own code."""
        return self.data.parent / "layers"


# Asynchronous, because a synchronous dependency would cost a worker thread per request.
async def _services(connection: HTTPConnection) -> Services:
    found: Services = connection.app.state.services
    return found


Given = Annotated[Services, Depends(_services)]
