"""The store when things go wrong: a full disk, a locked or cut database, kill -9 while writing."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import orjson
import psycopg
import pytest
import sqlalchemy as sa

from layerloom.schema.events import Log
from layerloom.storage import Store, StoreBusy, StoreFull, open_store
from postgres import Postgres
from stores import add_run, claimed, loss, numbered, running
from writers import killed_writer

WRITER = """
import sys
from pathlib import Path
from stores import claimed, loss, numbered
from layerloom.storage import open_store

store = open_store(sys.argv[1], Path(sys.argv[2]))
claim = claimed(store)
print(claim.run, flush=True)
number = 0
while True:
    number += 3
    appended = store.log.append(claim.run, 1, numbered(loss(1), loss(2), loss(3), first=number - 2))
    print(appended.received, flush=True)
"""


def seqs(store: Store, run: str) -> list[int]:
    return [orjson.loads(body)["seq"] for body in store.log.events(run, limit=10_000)]


def test_a_full_disk_is_told_and_loses_nothing(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'x.db'}", tmp_path / "runs")
    run = add_run(store)
    with store._database.write() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 20}")
    stored = 1
    while store.log.last_seq(run) < 1_000:
        try:
            store.log.say(run, Log(message="x" * 20_000), Log(message="y" * 20_000))
        except StoreFull:
            break
        stored += 2
    assert stored < 1_000
    assert seqs(store, run) == list(range(1, stored + 1))
    assert store.runs.summary(run).last_seq == stored
    with store._database.write() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    store.log.say(run, Log(message="there is room again"))
    assert seqs(store, run) == list(range(1, stored + 2))
    store.close()


def test_a_locked_database_is_busy_for_writers_only(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'x.db'}", tmp_path / "runs")
    run = add_run(store)
    with store._database.write() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 100")
    with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy):
            store.log.say(run, Log(message="refused"))
        assert store.runs.summary(run).state == "queued"
        other.execute("ROLLBACK")
    store.log.say(run, Log(message="stored"))
    assert seqs(store, run) == [1, 2]
    store.close()


def test_a_cut_connection_costs_one_call_at_most(postgres: Postgres, tmp_path: Path) -> None:
    url = postgres.new_url()
    store = open_store(url, tmp_path / "runs")
    claim = claimed(store)
    parsed = sa.make_url(url)
    with psycopg.connect(f"host={parsed.query['host']} user=postgres dbname=postgres", autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    delivery = numbered(running(), loss(1))
    for _ in range(2):
        try:
            store.log.append(claim.run, 1, delivery)
        except StoreBusy:
            continue
        break
    assert store.log.append(claim.run, 1, delivery).received == 2
    assert seqs(store, claim.run) == [1, 2, 3, 4]
    store.close()


def record_and_be_cut(store: Store, run: str, url: str) -> None:
    """Write an event, and lose the connection before the commit."""
    with store.log._journal.transaction() as transaction:
        transaction.record(transaction.row(run), [running()])
        pid = transaction.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        with psycopg.connect(f"host={sa.make_url(url).query['host']} user=postgres dbname=postgres") as other:
            other.execute("SELECT pg_terminate_backend(%s)", [pid])


def test_a_commit_cut_short_is_busy_and_can_be_repeated(postgres: Postgres, tmp_path: Path) -> None:
    url = postgres.new_url()
    store = open_store(url, tmp_path / "runs")
    claim = claimed(store)
    with pytest.raises(StoreBusy):
        record_and_be_cut(store, claim.run, url)
    assert store.runs.summary(claim.run).state == "starting"
    store.log.append(claim.run, 1, numbered(running()))
    assert seqs(store, claim.run) == [1, 2, 3]
    store.close()


def test_what_was_acknowledged_survives_kill_9(database_url: str, tmp_path: Path) -> None:
    chance = random.Random(0)
    for _ in range(3):
        run, acknowledged = killed_writer(WRITER, database_url, tmp_path / "runs", chance.uniform(0, 0.2))
        store = open_store(database_url, tmp_path / "runs")
        stored = seqs(store, run)
        assert stored == list(range(1, len(stored) + 1))
        assert len(stored) - 2 >= max(acknowledged, default=3)
        assert (len(stored) - 2) % 3 == 0, "a delivery is there whole or not at all"
        assert store.runs.summary(run).last_seq == len(stored)
        store.close()
    if database_url.startswith("sqlite"):
        with closing(sqlite3.connect(tmp_path / "layerloom.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
