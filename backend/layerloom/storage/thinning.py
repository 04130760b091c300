"""Which of a network's versions stay: the more of them, the younger they are, and each that a person has named.

Every change is saved as a version by itself, some hundreds in an hour of drawing. All of the last hour stay, one of
each hour of the last day, one of each day of the last thirty, and one of each week before; of several the newest, and
of all the newest in any case. Hours, days and weeks are those of Unix time, so that it does not matter how often one
looks, or when.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Final, NamedTuple

import sqlalchemy as sa

from layerloom.storage.database import Database
from layerloom.storage.tables import network_revisions

HOUR_S: Final = 3_600
DAY_S: Final = 24 * HOUR_S
WEEK_S: Final = 7 * DAY_S
_UNTIL: Final = ((HOUR_S, 0), (DAY_S, HOUR_S), (30 * DAY_S, DAY_S))
"""Up to which age one stays of how long a time; 0: all."""
_AT_ONCE: Final = 100
"""Versions of one transaction: a save must not wait long for it."""


class Version(NamedTuple):
    """One that nobody has named."""

    revision: int
    saved_at: float


def surplus_versions(versions: Iterable[Version], newest: int, now: float) -> list[int]:
    """Revisions that go, oldest first. ``newest`` is the network's newest, named or not."""
    kept: dict[tuple[int, int], int] = {}
    gone = []
    for version in sorted(versions):
        every = next((every for age, every in _UNTIL if now - version.saved_at < age), WEEK_S)
        if not every or version.revision == newest:
            continue
        place = (every, int(version.saved_at // every))
        if place in kept:
            gone.append(kept[place])
        kept[place] = version.revision
    return sorted(gone)


class Thinning:
    """Removes from the store what is surplus."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def thin(self, now: float | None = None) -> int:
        """Thin the versions of every network; returns how many went."""
        now = time.time() if now is None else now
        table = network_revisions
        # Of one version nothing is surplus, and of young ones neither.
        old = sa.and_(table.c.label == "", table.c.saved_at <= now - HOUR_S)
        query = sa.select(table.c.network).where(old).group_by(table.c.network).having(sa.func.count() > 1)
        with self._database.read() as connection:
            networks = connection.execute(query).scalars().all()
        return sum(self._thin(network, now) for network in networks)

    def _thin(self, network: str, now: float) -> int:
        table = network_revisions
        query = sa.select(table.c.revision, table.c.saved_at, table.c.label).where(table.c.network == network)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        unnamed = [Version(row.revision, row.saved_at) for row in rows if not row.label]
        gone = surplus_versions(unnamed, max((row.revision for row in rows), default=0), now)
        removed = 0
        for at in range(0, len(gone), _AT_ONCE):
            # Named meanwhile, one stays. That it is not the newest holds for ever.
            doomed = table.c.revision.in_(gone[at : at + _AT_ONCE])
            with self._database.write() as connection:
                removed += connection.execute(
                    table.delete().where(table.c.network == network, doomed, table.c.label == "")
                ).rowcount
        return removed
