"""What checks remember from one to the next, all of it bounded, and how to forget it.

Everything is kept by content (a layer's configuration, the types of its tensors), so that nothing can be stale, and in
caches that several threads may use at once.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from layerloom.catalogue import own
from layerloom.graph.checking import (
    arguments,
    autos,
    building,
    calling,
    calls,
    forward,
    growing,
    initializers,
    layers,
    lazy,
    members,
    operations,
    reading,
    report,
    sequences,
    training,
)
from layerloom.graph.checking.editing import Kept, edited
from layerloom.schema.document import Document


class Documents:
    """The last documents that were checked without errors, in the order of their last check."""

    KEPT = 8

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: list[Kept] = []

    def after_an_edit(self, document: Document, batch: int) -> Kept | None:
        """The check of a document that is a kept one with an edit, itself kept from now on; None if there is none."""
        with self._lock:
            candidates = list(reversed(self._kept))
        for kept in candidates:
            found = edited(kept, document, batch)
            if found is not None:
                self.keep(found, instead=kept)
                return found
        return None

    def keep(self, kept: Kept, instead: Kept | None = None) -> None:
        """Remember a check; ``instead`` is the one of which it is an edit."""
        with self._lock:
            others = [other for other in self._kept if other is not instead and other is not kept]
            self._kept = [*others, kept][-self.KEPT :]

    def forget(self) -> None:
        """Check the next document whole."""
        with self._lock:
            self._kept = []


documents = Documents()
_REMEMBERING = (
    *(arguments, autos, building, calls, calling, forward, initializers, layers, members, operations, reading),
    *(report, sequences, training),
)


def forget() -> None:
    """As in a process that has checked nothing yet: for measurements, and for tests of what is run anew."""
    documents.forget()
    growing.forget()
    lazy.forget()
    for module in _REMEMBERING:
        for value in vars(module).values():
            if getattr(value, "__module__", None) == module.__name__ and hasattr(value, "cache_clear"):
                value.cache_clear()


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Without garbage collection: a check makes thousands of objects at once, none of them garbage, and each collection
    would walk through all of torch's as well (a quarter of the time).
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


# What a name of a person's own layer means can change, as no name of torch's does.
own.on_change(forget)
