"""The server itself: what it can train on, whether it lives, and its figures."""

from __future__ import annotations

import platform
from functools import cache
from importlib import metadata

import psutil
from fastapi import APIRouter, Response

from layerloom import __version__
from layerloom.api.bodies import StrictRoute
from layerloom.api.services import Given
from layerloom.schema.events import LIVE
from layerloom.schema.run import System

router = APIRouter(tags=["system"], route_class=StrictRoute)


@router.get("/api/system")
def get_system(services: Given) -> System:
    """Versions, devices, and how busy they are."""
    counts = services.store.runs.counts()
    return System(
        layerloom=__version__,
        torch=_torch(),
        python=platform.python_version(),
        devices=services.devices(),
        queued=counts.get("queued", 0),
        running=sum(number for state, number in counts.items() if state in LIVE),
    )


@router.get("/health", include_in_schema=False)
async def get_health() -> dict[str, str]:
    """Answered without a token, as soon as the server listens and however busy the database is."""
    return {"status": "ok", "version": __version__}


@router.get("/metrics", include_in_schema=False)
def get_metrics(services: Given) -> Response:
    """Prometheus text."""
    process = psutil.Process()
    lines = ["# HELP layerloom_runs Runs by state.", "# TYPE layerloom_runs gauge"]
    lines += [f'layerloom_runs{{state="{state}"}} {number}' for state, number in services.store.runs.counts().items()]
    lines += _gauge("layerloom_viewers", "Open websockets.", services.streams.viewers)
    lines += _gauge("process_resident_memory_bytes", "Memory of the server.", process.memory_info().rss)
    lines += _gauge("process_start_time_seconds", "When the server started, Unix time.", process.create_time())
    return Response("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4; charset=utf-8")


def _gauge(name: str, text: str, value: float) -> list[str]:
    return [f"# HELP {name} {text}", f"# TYPE {name} gauge", f"{name} {value}"]


@cache
def _torch() -> str:
    # From the package's metadata: importing torch takes seconds.
    return metadata.version("torch")
