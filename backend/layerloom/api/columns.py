"""A run's metrics as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from layerloom.storage import Series, Slice

_ROWS = 10_000


def metrics_csv(series: Series, run: str) -> Iterator[str]:
    """One row per step, one column per series, in pieces. Where a crashed attempt was repeated, the later values stand.

    Raises:
        Missing: there is no such run; before the first piece.
    """
    return _pieces(series.exact(run).items)


def _pieces(curves: Sequence[Slice]) -> Iterator[str]:
    names = [curve.name for curve in curves]
    yield _text([["step", "epoch", "seconds", *names]])
    steps: NDArray[np.int64] = np.unique(np.concatenate([np.zeros(0, np.int64), *(curve.steps for curve in curves)]))
    for start in range(0, len(steps), _ROWS):
        part = steps[start : start + _ROWS]
        rows: list[list[float | str]] = [[step, "", "", *[""] * len(names)] for step in part.tolist()]
        for column, curve in enumerate(curves, 3):
            first, last = np.searchsorted(curve.steps, [part[0], part[-1] + 1])
            places = np.searchsorted(part, curve.steps[first:last]).tolist()
            held = (curve.epochs, curve.times, curve.means)
            for place, epoch, seconds, value in zip(places, *(one[first:last].tolist() for one in held), strict=True):
                rows[place][1:3] = [epoch, seconds]
                rows[place][column] = value
        yield _text(rows)


def _text(rows: Sequence[Sequence[float | str]]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue()
