"""Why the store refuses. Each is answered by the API with a status of its own."""

# Named for what happened, which reads well after `except`.
# ruff: noqa: N818

from __future__ import annotations

from layerloom.schema.run import Network


class StoreError(Exception):
    """Root of everything the store raises on purpose."""


class Missing(StoreError, LookupError):
    """There is no such network, revision, run or checkpoint (404)."""


class StaleRevision(StoreError):
    """The network was saved by someone else in between (412); ``current`` is what is stored."""

    def __init__(self, current: Network) -> None:
        super().__init__(f"network {current.id} is at revision {current.revision}")
        self.current = current


class StateConflict(StoreError):
    """The run's state does not allow this (409)."""


class KeyReused(StoreError):
    """The Idempotency-Key was used before, with another body (422)."""


class Fenced(StoreError):
    """A newer attempt owns the run: the sender must leave and write nothing more (409)."""


class EventRefused(StoreError, ValueError):
    """A trainer sent an event that cannot be its own, such as a checkpoint outside its folder (422)."""


class StoreBusy(StoreError):
    """The database is locked or away; the same call may succeed later (503 with Retry-After)."""


class StoreFull(StoreError):
    """The disk is full; nothing was written (507)."""


class StoreInUse(StoreError):
    """Another process serves this database file."""


class StoreTooNew(StoreError):
    """A newer LayerLoom wrote this database; it is left untouched."""
