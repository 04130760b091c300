"""The only durable truth: networks, runs, the event log and the queue, on SQLite or PostgreSQL.

Synchronous and thread-safe; call it from worker threads, never from an event loop.
"""

from __future__ import annotations

from layerloom.storage.errors import (
    EventRefused,
    Fenced,
    KeyReused,
    Missing,
    StaleRevision,
    StateConflict,
    StoreBusy,
    StoreError,
    StoreFull,
    StoreInUse,
    StoreTooNew,
)
from layerloom.storage.ids import known_form, new_id
from layerloom.storage.records import Added, Appended, Claim, Live, Saved, Waiting
from layerloom.storage.retention import Keep
from layerloom.storage.runs import ORIGIN, keep_checkpoint
from layerloom.storage.series import Curves, Series, Slice
from layerloom.storage.store import Store, open_store

__all__ = [
    "ORIGIN",
    "Added",
    "Appended",
    "Claim",
    "Curves",
    "EventRefused",
    "Fenced",
    "Keep",
    "KeyReused",
    "Live",
    "Missing",
    "Saved",
    "Series",
    "Slice",
    "StaleRevision",
    "StateConflict",
    "Store",
    "StoreBusy",
    "StoreError",
    "StoreFull",
    "StoreInUse",
    "StoreTooNew",
    "Waiting",
    "keep_checkpoint",
    "known_form",
    "new_id",
    "open_store",
]
