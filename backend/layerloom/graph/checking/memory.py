"""What checks remember from one to the next, all of it bounded, and how to forget it.

Everything is kept by content (a layer's configuration, the types of its tensors), so that nothing can be stale, and in
caches that several threads may use at once.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from layerloom.graph.checking import (
    arguments,
    autos,
    building,
    calls,
    growing,
    initializers,
    layers,
    lazy,
    reading,
    report,
    training,
)


def forget() -> None:
    """As in a process that has checked nothing yet: for measurements, and for tests of what is run anew."""
    growing.forget()
    lazy.forget()
    for module in (arguments, autos, building, calls, initializers, layers, reading, report, training):
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
