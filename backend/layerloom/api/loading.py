"""The rooms that need torch: loaded once, in one thread, while everything else is answered already.

Torch's modules import one another, and introspection changes what belongs to the whole process (warning filters, the
default device); two threads that did this at once would disturb each other. A request that needs torch waits here.
"""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from fastapi import Depends

_lock = threading.Lock()
_loaded = threading.Event()


def load() -> None:
    """Import and introspect, and check a network, so that whoever comes next waits for nothing. Thread-safe."""
    with _lock:
        if _loaded.is_set():
            return
        from layerloom.api.plans import require_trainable
        from layerloom.catalogue import catalogue
        from layerloom.data import entries
        from layerloom.graph.examples import examples
        from layerloom.schema.plan import Plan

        catalogue(metrics=False)
        nowhere = Path("/nonexistent")
        entries(nowhere)
        first = examples()[0]
        # The first optimizer costs seconds: torch imports its compiler for it.
        require_trainable(first.document, Plan(dataset=first.plan.dataset), nowhere, list)
        _loaded.set()


def cache_folder(data: Path) -> Path:
    """Where what was introspected is kept between starts: beside the data, below the home directory."""
    return data.parent / "cache"


async def _wait() -> None:
    if not _loaded.is_set():
        # Not among the threads of requests: those that wait here would leave none for those that need no torch.
        await asyncio.to_thread(load)


NEEDS_TORCH = Depends(_wait)
