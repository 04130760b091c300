"""Opening: migrations, one process per SQLite file, settings, and a page of a large table."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import cast

import orjson
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from layerloom.schema.events import Log
from layerloom.storage import Store, StoreBusy, StoreError, StoreInUse, StoreTooNew, database, open_store
from layerloom.storage.runs import Sort, page_query
from layerloom.storage.tables import metadata, runs
from stores import DOCUMENT, add_run


def test_migrations_make_exactly_the_tables(store: Store) -> None:
    with store._database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_what_is_stored_is_there_after_opening_again(store: Store, database_url: str, tmp_path: Path) -> None:
    run, network = add_run(store), store.networks.create(DOCUMENT)
    store.close()
    again = open_store(database_url, tmp_path / "runs")
    try:
        again.ping()
        assert again.runs.get(run).document == DOCUMENT
        assert again.networks.get(network.id) == network
    finally:
        again.close()


def test_a_database_of_a_newer_version_is_left_alone(store: Store, database_url: str, tmp_path: Path) -> None:
    with store._database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    store.close()
    with pytest.raises(StoreTooNew, match="9999"):
        open_store(database_url, tmp_path / "runs")
    with pytest.raises(StoreTooNew, match="9999"):
        open_store(database_url, tmp_path / "runs")


def test_one_process_holds_a_sqlite_file_until_it_dies(tmp_path: Path) -> None:
    url, program = f"sqlite:///{tmp_path / 'x.db'}", "import sys\nfrom pathlib import Path\n"
    program += "from layerloom.storage import open_store\nopen_store(sys.argv[1], Path(sys.argv[2]))\n"
    program += "print('open', flush=True)\nsys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", program, url, str(tmp_path / "runs")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(StoreInUse):
            open_store(url, tmp_path / "runs")
        other.kill()
        other.wait()
    open_store(url, tmp_path / "runs").close()


def test_sqlite_is_durable_and_only_the_writer_writes(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'x.db'}", tmp_path / "runs")
    try:
        with store._database.write() as connection:
            settings = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            }
        assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}
        # Not `StoreBusy`: a refused write is a mistake of ours and no reason to try again.
        with pytest.raises(sa.exc.OperationalError, match="readonly"), store._database.read() as connection:
            connection.exec_driver_sql("DELETE FROM runs")
    finally:
        store.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://x@y/z"])
def test_other_databases_are_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        open_store(url, tmp_path)


def test_a_database_that_is_away_is_busy(tmp_path: Path) -> None:
    with pytest.raises(StoreBusy):
        open_store(f"postgresql://nobody@/x?host={tmp_path}", tmp_path / "runs")


def test_a_writer_waits_for_others_whose_commits_a_busy_disk_slows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PATIENCE_S", 0.05)
    store = open_store(f"sqlite:///{tmp_path / 'x.db'}", tmp_path / "runs")
    run = add_run(store)
    with ThreadPoolExecutor(1) as others:
        with store._database.write():
            said = others.submit(store.log.say, run, Log(message="patient"))
            assert not wait([said], timeout=1).done
        said.result()
    store.close()


def fill(store: Store, count: int) -> None:
    """Runs as they are after training, made by SQL."""
    ended = {"state": "succeeded", "desired": "run", "dataset": "digits", "model": "Net", "device": "cpu"}
    values = orjson.dumps({f"validation/metric_{index}": 0.123456789 for index in range(8)}).decode()
    rows = [
        {"id": f"{index:012d}", "name": f"run {index}", "created_at": index * 1.0, "last": values, "best": values}
        for index in range(count)
    ]
    with store._database.write() as connection:
        connection.execute(runs.insert(), [{**row, **ended} for row in rows])
        connection.exec_driver_sql("ANALYZE")


@pytest.mark.parametrize("descending", [True, False])
def test_a_page_of_ten_thousand_runs_reads_only_its_rows(store: Store, descending: bool) -> None:
    fill(store, 10_000)
    query = page_query(cast(Sort, "created_at"), descending, 50, 0)
    with store._database.read() as connection:
        text = str(query.compile(connection, compile_kwargs={"literal_binds": True}))
        explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
        plan = " ".join(str(row) for row in connection.exec_driver_sql(f"{explain} {text}"))
    assert "ix_runs_created_at_id" in plan
    assert "B-TREE" not in plan
    assert "Sort" not in plan
    page = store.runs.page(descending=descending)
    assert page.total == 10_000
    assert page.items[0].id == ("000000009999" if descending else "000000000000")
