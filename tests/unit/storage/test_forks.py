"""What the table of runs says of forks, without reading what they began with."""

from __future__ import annotations

from pathlib import Path

import pytest

from layerloom.schema.fork import CarryReport, ForkedFrom, Origin
from layerloom.schema.run import RunPatch
from layerloom.storage import Store, open_store
from stores import add_run, as_before


def fork(store: Store, origin: str, step: int) -> str:
    """A run that was forked from another one's checkpoint."""
    report = CarryReport(step=step, epoch=1, weights="trained")
    came = Origin(run=origin, name=store.runs.get(origin).name, report=report)
    return add_run(store, name="Fork", origin=came)


def told(store: Store, run: str) -> list[ForkedFrom | None]:
    """By each of the ways to a run's row."""
    listed = {row.id: row.forked_from for row in store.runs.page().items}
    patched = store.runs.patch(run, RunPatch(tags=["seen"])).forked_from
    return [listed[run], store.runs.summary(run).forked_from, store.runs.get(run).forked_from, patched]


def test_a_row_tells_what_a_run_was_forked_from(store: Store) -> None:
    first = add_run(store, name="First")
    second = fork(store, first, 40)
    assert told(store, first) == [None] * 4
    assert told(store, second) == [ForkedFrom(run=first, name="First", step=40)] * 4


def test_it_tells_its_origins_name_of_now_and_the_last_of_one_that_is_gone(store: Store) -> None:
    first = add_run(store, name="First")
    second = fork(store, first, 40)
    store.runs.patch(first, RunPatch(name="Teacher"))
    assert told(store, second) == [ForkedFrom(run=first, name="Teacher", step=40)] * 4
    store.runs.want(first, "stop")
    store.runs.delete(first)
    assert told(store, second) == [ForkedFrom(run=first, name="Teacher", step=40)] * 4


@pytest.mark.parametrize("gone", [False, True])
def test_forks_of_an_older_version_tell_it_too(store: Store, database_url: str, tmp_path: Path, gone: bool) -> None:
    first = add_run(store, name="First")
    second = fork(store, first, 40)
    store.runs.patch(first, RunPatch(name="Teacher"))
    if gone:
        store.runs.want(first, "stop")
        store.runs.delete(first)
    with store._database.write() as connection:
        as_before(connection, "0005")
    store.close()
    later = open_store(database_url, tmp_path / "runs")
    # Its name is the one that the fork was told, where nothing else is left to ask.
    assert told(later, second) == [ForkedFrom(run=first, name="First" if gone else "Teacher", step=40)] * 4
    later.close()
