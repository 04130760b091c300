"""Connections: many readers, one writer, and SQL's errors translated once for all callers."""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import StaticPool

from layerloom.storage.errors import StoreBusy, StoreError, StoreFull, StoreInUse

PATIENCE_S = 5
"""How long a call waits for a lock before it raises ``StoreBusy``: a request must not hang on a database that does."""
_DISK_PATIENCE_S = 30
"""The same for a turn to write into a file: a disk that other programs keep busy takes 70 ms and more for each commit,
and the last of dozens who come at once has not failed because it waits for the others."""
_REMOTE = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "afs", "lustre", "glusterfs", "ceph"}


class Database:
    """One database. Writes are serialised in this process, so that listeners hear of them in the order of commit."""

    def __init__(self, url: str) -> None:
        parsed = sa.make_url(url)
        self._lock = threading.Lock()
        self._lock_file: int | None = None
        self._patience = PATIENCE_S
        if parsed.get_backend_name() == "sqlite":
            path = _sqlite_path(parsed)
            self._lock_file = _occupy(path)
            self._patience = _DISK_PATIENCE_S
            self._writer = _sqlite_engine(parsed, writes=True)
            self._reader = _sqlite_engine(parsed, writes=False)
            self._asker = _sqlite_engine(parsed, writes=False, transactions=False)
        else:
            self._writer = _postgresql_engine(parsed)
            self._asker = _postgresql_engine(
                parsed,
                {"cursor_factory": _binary_cursor(), "prepare_threshold": 0},
                isolation_level="AUTOCOMMIT",
                pool_pre_ping=False,
            )
            # The same connections. A reader of several tables must not see a write that happens in between.
            self._reader = self._writer.execution_options(isolation_level="REPEATABLE READ")

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A snapshot to read from."""
        with _translated(), self._reader.connect() as connection:
            yield connection

    def ask(self, query: sa.Executable, values: Mapping[str, Any]) -> Sequence[sa.Row[Any]]:
        """The rows of one statement, for one round trip: it sees one state of the database without a transaction."""
        with _translated():
            try:
                return self._asked(query, values)
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
                # Nobody asked the connection whether it still lives: the server has restarted. The next one is new.
                return self._asked(query, values)

    def _asked(self, query: sa.Executable, values: Mapping[str, Any]) -> Sequence[sa.Row[Any]]:
        with self._asker.connect() as connection:
            return connection.execute(query, values).all()

    @contextmanager
    def write(self, committed: Callable[[], None] | None = None) -> Iterator[sa.Connection]:
        """One transaction; ``committed`` is called after its commit and before the next one begins."""
        if not self._lock.acquire(timeout=self._patience):
            raise StoreBusy("another write is taking long")
        try:
            with _translated(), self._writer.begin() as connection:
                yield connection
            if committed is not None:
                committed()
        finally:
            self._lock.release()

    def close(self) -> None:
        """Close every connection and let others have the file."""
        with self._lock:
            self._reader.dispose()
            self._asker.dispose()
            self._writer.dispose()
            if self._lock_file is not None:
                os.close(self._lock_file)
                self._lock_file = None


def _sqlite_path(url: sa.URL) -> Path:
    if not url.database or url.database == ":memory:":
        raise StoreError("a store needs a file: sqlite:///PATH")
    path = Path(url.database).resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    _refuse_remote(path)
    return path


def _refuse_remote(path: Path) -> None:
    """SQLite's write-ahead log needs shared memory, which network file systems do not give."""
    mounts = [part for part in psutil.disk_partitions(all=True) if path.is_relative_to(part.mountpoint)]
    if mounts:
        mount = max(mounts, key=lambda part: len(part.mountpoint))
        if mount.fstype in _REMOTE:
            raise StoreError(
                f"{path} lies on a network file system ({mount.fstype}), where SQLite can lose data: "
                "choose a local folder, or PostgreSQL"
            )


def _occupy(path: Path) -> int:
    """Hold the database for this process; the kernel lets go when it dies, however it dies.

    SQLite up to 3.51.2 can corrupt a write-ahead log that two connections reset at the same time: with one process,
    and in it one connection that writes, there never are two.
    """
    handle = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            raise StoreInUse(f"another LayerLoom process serves {path}") from None
        raise
    return handle


def _sqlite_engine(url: sa.URL, *, writes: bool, transactions: bool = True) -> sa.Engine:
    arguments: dict[str, Any] = {"check_same_thread": False, "timeout": PATIENCE_S}
    pool: dict[str, Any] = {"poolclass": StaticPool} if writes else {"pool_size": 8, "max_overflow": 24}
    engine = sa.create_engine(url, connect_args=arguments, **pool)

    @sa.event.listens_for(engine, "connect")
    def _configure(connection: DBAPIConnection, _record: object) -> None:
        connection.isolation_level = None  # the driver must not begin transactions behind our back
        cursor = connection.cursor()
        settings = ["busy_timeout = 5000", "foreign_keys = ON", "synchronous = FULL"]
        settings.append("journal_mode = WAL" if writes else "query_only = ON")
        for setting in settings:
            cursor.execute(f"PRAGMA {setting}")
        cursor.close()

    if not transactions:
        return engine

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        # A deferred transaction that turns into a write fails at once when another has written since.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _binary_cursor() -> type:
    """Its rows come as the server holds them: as text, bytes would be twice as long and read digit by digit."""
    from psycopg import Cursor  # only where there is PostgreSQL
    from psycopg.pq import Format

    class BinaryCursor(Cursor[Any]):
        def __init__(self, *arguments: Any, **settings: Any) -> None:
            super().__init__(*arguments, **settings)
            self.format = Format.BINARY

    return BinaryCursor


def _postgresql_engine(url: sa.URL, connecting: Mapping[str, Any] | None = None, **changes: Any) -> sa.Engine:
    if url.get_backend_name() != "postgresql":
        raise StoreError("the database is sqlite:///PATH or postgresql+psycopg://…")
    given = url.query.get("options", "")
    limits = f"{given} -c lock_timeout={PATIENCE_S}s -c statement_timeout={6 * PATIENCE_S}s"
    settings: dict[str, Any] = {
        "pool_size": 8,
        "max_overflow": 24,
        "pool_timeout": PATIENCE_S,
        "pool_pre_ping": True,
        "connect_args": {"connect_timeout": PATIENCE_S, "options": limits, **(connecting or {})},
    }
    address = url.difference_update_query(["options"]).set(drivername="postgresql+psycopg")
    return sa.create_engine(address, **settings | changes)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except PoolTimeout as error:
        raise StoreBusy("every database connection is in use") from error
    except (OperationalError, InterfaceError) as error:
        raise _meaning(error) from error


def _meaning(error: DBAPIError) -> Exception:
    original = error.orig
    if isinstance(original, sqlite3.Error):
        name = getattr(original, "sqlite_errorname", "")
        if name.startswith("SQLITE_FULL"):
            return StoreFull("the disk is full")
        # An interrupted or failing write is rolled back whole; anything else (a missing table) is our own mistake.
        busy = name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_IOERR", "SQLITE_CANTOPEN"))
        return StoreBusy(f"the database does not answer ({name})") if busy else error
    if getattr(original, "sqlstate", None) == "53100":
        return StoreFull("the database server is out of space")
    return StoreBusy("the database does not answer")
