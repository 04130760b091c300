"""A run's series from end to end in one statement: what is known of them, and the rows that their buckets need.

How many values a series has decides which rows these are. Asked for first, it would cost a second round trip, and both
a transaction around them: more than all the rest on a database that is a process of its own. So the database does the
arithmetic of ``layout`` itself.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import sqlalchemy as sa

from layerloom.storage.database import Database
from layerloom.storage.errors import Missing
from layerloom.storage.series.layout import FAN, QUICK, TIERS

Frames = dict[int, list[tuple[int, bytes]]]
"""By level: rows in order, each with its first cell."""
_LEVELS: Final = " UNION ALL ".join(f"SELECT {level} AS level" for level in range(15))
_BITS: Final = FAN.bit_length() - 1


def _row_of(cell: str, count: str) -> str:
    """``layout.row_of`` in SQL."""
    *long, short = TIERS
    cases = [f"WHEN {cell} < {count} / {tier} * {tier} THEN {cell} / {tier} * {tier}" for tier in long]
    cases.append(f"WHEN v.level < {QUICK} THEN {cell} / {short} * {short}")
    return f"CASE {' '.join(cases)} ELSE {cell} / {long[-1]} * {long[-1]} END"


def _query(filter_: str) -> str:
    inner = "(s.length - :alone)"
    above = f"({inner} >> ({_BITS} * v.level + {_BITS}))"
    row = _row_of(f"({above} << {_BITS})", f"(s.length >> ({_BITS} * v.level))")
    # As ``layout.cover`` does: the level that tells the buckets apart whole, of those below it their ends.
    return f"""
        SELECT r.last_seq, s.id, s.name, s.length, s.first_step, s.last_step, c.level, c.first, c.data
        FROM runs r
        LEFT JOIN series s ON s.run = r.id {filter_}
        LEFT JOIN ({_LEVELS}) v ON v.level = 0 OR ({inner} >> ({_BITS} * v.level)) >= :buckets
        LEFT JOIN chunks c ON c.series = s.id AND c.level = v.level
            AND c.first >= CASE WHEN {above} < :buckets THEN 0 ELSE {row} END
        WHERE r.id = :run
        ORDER BY s.id, c.level, c.first
    """  # noqa: S608  made of this module's own words


_ALL: Final = sa.text(_query(""))
_NAMED: Final = sa.text(_query("AND s.name IN :names")).bindparams(sa.bindparam("names", expanding=True))


def whole(
    database: Database, run: str, names: Collection[str] | None, buckets: int
) -> tuple[int, list[tuple[sa.Row[Any], Frames]]]:
    """The run's last ``seq``, and of each series, or of those that are named, its row and the rows of its cells.

    They suffice for so many buckets, of which the last holds the last value alone. ``Missing`` for an unknown run.
    """
    alone = int(buckets > 1)
    values: dict[str, Any] = {"run": run, "buckets": buckets - alone, "alone": alone}
    if names is not None:
        values["names"] = list(names)
    rows = database.ask(_ALL if names is None else _NAMED, values)
    if not rows:
        raise Missing("there is no such run")
    found: dict[int, tuple[sa.Row[Any], Frames]] = {}
    for row in rows:
        if row.id is None:
            continue
        _, frames = found.setdefault(row.id, (row, {}))
        if row.data is not None:
            frames.setdefault(row.level, []).append((row.first, row.data))
    return rows[0].last_seq, list(found.values())
