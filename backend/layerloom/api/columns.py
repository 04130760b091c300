"""A run's metrics as a table."""

from __future__ import annotations

import csv
import io

from pydantic import TypeAdapter

from layerloom.schema.events import Event, Metrics
from layerloom.storage.log import EventLog

_PAGE = 1_000
_EVENT: TypeAdapter[Event] = TypeAdapter(Event)


def metrics_csv(log: EventLog, run: str) -> str:
    """One row per step, one column per series. Where a crashed attempt was repeated, the later values stand."""
    rows: dict[int, dict[str, float | str | None]] = {}
    names: dict[str, None] = {}
    after = 0
    while page := log.events(run, after, _PAGE):
        after += len(page)
        for raw in page:
            if b'"metrics"' in raw and isinstance(event := _EVENT.validate_json(raw), Metrics):
                _add(event, rows)
                names |= dict.fromkeys(event.series)
    return _text(rows, list(names))


def _add(event: Metrics, rows: dict[int, dict[str, float | str | None]]) -> None:
    for index, step in enumerate(event.steps):
        row = rows.setdefault(step, {})
        row |= {"epoch": event.epochs[index], "seconds": event.times[index]}
        for name, values in event.series.items():
            if values[index] is not None:
                row[name] = values[index]
            elif step in event.nonfinite.get(name, ()):
                row[name] = "nan"


def _text(rows: dict[int, dict[str, float | str | None]], names: list[str]) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["step", "epoch", "seconds", *names])
    for step in sorted(rows):
        writer.writerow([step, *(rows[step].get(name, "") for name in ("epoch", "seconds", *names))])
    return out.getvalue()
