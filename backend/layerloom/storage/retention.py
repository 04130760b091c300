"""How long a run's bulky events are kept: histograms, activations, images and log lines, up to a size or an age.

Curves, states, norms, problems and checkpoints stay for as long as the run. What goes leaves a ``Thinned`` event in its
place, so that numbers have no gap and a viewer sees that there was something.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, get_args

import sqlalchemy as sa

from layerloom.schema.events import ENDED, Bulky, Thinned
from layerloom.storage.journal import Journal
from layerloom.storage.tables import SLOW, events, runs

DETAILS: Final[tuple[Bulky, ...]] = get_args(Bulky)
DAY_S: Final = 86_400
_ROOM: Final = 0.75
"""Of the limit: what grows is not thinned at every look."""
_AT_ONCE: Final = 500
"""Events of one transaction: a trainer's delivery must not wait long for it."""
_DETAILS: Final = (SLOW, events.c.kind.in_(DETAILS))
_THIN: Final = events.update().where(events.c.run == sa.bindparam("of"), events.c.seq == sa.bindparam("number"))


@dataclass(frozen=True)
class Keep:
    """What the operator wants kept of a run's details; None: everything."""

    most_bytes: int | None = None
    """Of each run. When there are more, the older ones are thinned, the oldest most."""
    days: float | None = None
    """After a run's end; then they go."""


class Detail(NamedTuple):
    """One of the events that may go."""

    seq: int
    kind: str
    size: int
    """Bytes."""


class Retention:
    """Thins what is too much or too old."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def thin(self, keep: Keep) -> int:
        """Make the store what the operator wants; returns how many events went."""
        gone = 0
        if keep.days is not None:
            for run in self._ended_before(time.time() - keep.days * DAY_S):
                gone += self._remove(run, [detail.seq for detail in self._details(run)])
        if keep.most_bytes is not None:
            for run in self._larger_than(keep.most_bytes):
                gone += self._remove(run, surplus(self._details(run), int(_ROOM * keep.most_bytes)))
        return gone

    def _ended_before(self, moment: float) -> list[str]:
        held = sa.exists().where(events.c.run == runs.c.id, *_DETAILS)
        query = sa.select(runs.c.id).where(runs.c.state.in_(sorted(ENDED)), runs.c.ended_at < moment, held)
        with self._journal.database.read() as connection:
            return list(connection.execute(query).scalars())

    def _larger_than(self, most: int) -> list[str]:
        size = sa.func.sum(sa.func.length(events.c.body))
        query = sa.select(events.c.run).where(*_DETAILS).group_by(events.c.run).having(size > most)
        with self._journal.database.read() as connection:
            return list(connection.execute(query).scalars())

    def _details(self, run: str) -> list[Detail]:
        """A run's details, oldest first."""
        query = sa.select(events.c.seq, events.c.kind, sa.func.length(events.c.body))
        query = query.where(events.c.run == run, *_DETAILS).order_by(events.c.seq)
        with self._journal.database.read() as connection:
            return [Detail(*row) for row in connection.execute(query)]

    def _remove(self, run: str, seqs: list[int]) -> int:
        for at in range(0, len(seqs), _AT_ONCE):
            query = sa.select(events.c.seq, events.c.kind, events.c.at).where(events.c.run == run)
            with self._journal.database.write() as connection:
                rows = connection.execute(query.where(events.c.seq.in_(seqs[at : at + _AT_ONCE]))).all()
                changed = [_note(run, row) for row in rows]
                if changed:
                    values = {"kind": "thinned", "body": sa.bindparam("note")}
                    connection.execute(_THIN.values(values), changed)
        return len(seqs)


def surplus(details: list[Detail], most: int) -> list[int]:
    """Which events have to go so that at most so many bytes are left.

    Of each kind every second of the older half, and again of what is left.
    """
    left: dict[str, list[Detail]] = {kind: [one for one in details if one.kind == kind] for kind in DETAILS}
    while sum(one.size for some in left.values() for one in some) > most:
        for kind, some in left.items():
            half = max(1, len(some) // 2)
            left[kind] = some[1:half:2] + some[half:]
    kept = {one.seq for some in left.values() for one in some}
    return [one.seq for one in details if one.seq not in kept]


def _note(run: str, row: Any) -> dict[str, Any]:
    note = Thinned(run=run, seq=row.seq, at=row.at, of=row.kind)
    return {"of": run, "number": row.seq, "note": note.model_dump_json().encode()}
