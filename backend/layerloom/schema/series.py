"""Curves at any zoom, as the API shows them."""

from __future__ import annotations

from layerloom.schema.base import Wire


class SeriesSlice(Wire):
    """Part of a series in buckets, one after the other; columns run parallel.

    Where there are no more values than buckets were asked for, each has one, which is its low, high and mean. A null
    among these says that none of the bucket's values is finite.
    """

    name: str
    total: int
    """Values in the whole series."""
    counts: list[int]
    """Values in each bucket."""
    steps: list[int]
    """Steps of the buckets' first values."""
    lasts: list[int]
    """Steps of their last values."""
    epochs: list[float]
    """Epochs done at the first value, with their fraction."""
    times: list[float]
    """Seconds of training at the first value."""
    clock: list[float]
    """Time of day at the first value: seconds since 1970."""
    lows: list[float | None]
    highs: list[float | None]
    means: list[float | None]
    """Of the finite values; to single precision where the values need no more."""
    broken: list[int]
    """How many of the values are NaN or infinite."""


class SeriesPage(Wire):
    """Answer of ``GET /api/runs/{id}/series``: all that the events up to ``last_seq`` say of the series."""

    items: list[SeriesSlice]
    last_seq: int
