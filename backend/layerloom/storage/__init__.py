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
from layerloom.storage.records import Added, Appended, Claim, Live, Saved, Waiting
from layerloom.storage.store import Store, open_store

__all__ = [
    "Added",
    "Appended",
    "Claim",
    "EventRefused",
    "Fenced",
    "KeyReused",
    "Live",
    "Missing",
    "Saved",
    "StaleRevision",
    "StateConflict",
    "Store",
    "StoreBusy",
    "StoreError",
    "StoreFull",
    "StoreInUse",
    "StoreTooNew",
    "Waiting",
    "open_store",
]
