"""Versions of a network become fewer as they grow old; what a person has named stays."""

from __future__ import annotations

import time

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from layerloom.schema.document import Document
from layerloom.storage import Missing, Store
from layerloom.storage.tables import network_revisions
from layerloom.storage.thinning import DAY_S, HOUR_S, WEEK_S, Version, surplus_versions
from stores import DOCUMENT

NOW = 1_800_000_000.0
ages = st.one_of(
    st.floats(-10, 2 * HOUR_S), st.floats(0, 2 * DAY_S), st.floats(0, 40 * DAY_S), st.floats(0, 500 * DAY_S)
)


def saved(*before: float) -> list[Version]:
    """Versions that were saved so many seconds ago, numbered from 1, oldest first."""
    return [Version(number, NOW - age) for number, age in enumerate(sorted(before, reverse=True), 1)]


def left(versions: list[Version], now: float = NOW, newest: int | None = None) -> list[Version]:
    newest = versions[-1].revision if newest is None and versions else newest or 0
    gone = surplus_versions(versions, newest, now)
    assert gone == sorted(set(gone))
    return [one for one in versions if one.revision not in gone]


@settings(deadline=None)
@given(st.lists(ages, max_size=200), st.floats(0, 60 * DAY_S))
def test_what_stays(before: list[float], later: float) -> None:
    versions = saved(*before)
    stay = left(versions)
    young = [one for one in versions if NOW - one.saved_at < HOUR_S]
    assert set(young) <= set(stay), "all of the last hour"
    assert versions[-1:] == stay[-1:], "the newest"
    newest = versions[-1].revision if versions else 0
    for least, most, every in ((HOUR_S, DAY_S, HOUR_S), (DAY_S, 30 * DAY_S, DAY_S), (30 * DAY_S, 1e12, WEEK_S)):
        aged = [one for one in versions if least <= NOW - one.saved_at < most and one.revision != newest]
        # One of each time, and of each time in which there was one: the last.
        last = {one.saved_at // every: one for one in aged}
        assert [one for one in stay if one in aged] == sorted(last.values())
    assert left(stay, newest=newest) == stay, "twice is once"
    assert left(stay, NOW + later, newest) == left(versions, NOW + later, newest), "looking in between changes nothing"


def test_what_is_surplus_goes_and_what_is_named_stays(store: Store) -> None:
    made, other = store.networks.create(DOCUMENT), store.networks.create(DOCUMENT)
    for number in range(2, 302):
        store.networks.save(made.id, renamed(str(number)))
    named = (3, 150, 151, 200)
    for number in named:
        store.networks.name_revision(made.id, number, f"number {number}")
    before = store.networks.get(made.id, 150)
    # 301 revisions, ten minutes apart; the newest was saved just now.
    now = time.time()
    table = network_revisions
    with store.networks._database.write() as connection:
        for number in range(1, 302):
            at = now - 600 * (301 - number)
            mine = sa.and_(table.c.network == made.id, table.c.revision == number)
            connection.execute(table.update().where(mine).values(saved_at=at))
    gone = store.thinning.thin(now)
    revisions = store.networks.revisions(made.id)
    assert gone + len(revisions) == 301
    assert set(named) | set(range(296, 302)) <= {one.revision for one in revisions}
    # 23 or 24 whole hours, two or three days, what is young or named.
    assert len(revisions) < 24 + 3 + 6 + len(named) + 2
    assert store.thinning.thin(now) == 0
    assert store.networks.get(made.id).document == renamed("301")
    assert store.networks.get(made.id, 150).document == before.document
    assert store.networks.get(other.id).revision == 1
    with pytest.raises(Missing):
        store.networks.get(made.id, 2)
    assert store.networks.save(made.id, renamed("next"), expected_revision=301).revision == 302


def renamed(name: str) -> Document:
    return DOCUMENT.model_copy(update={"name": name})
