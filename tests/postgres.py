"""A real PostgreSQL server for tests and benchmarks, in a folder of its own, reached by a unix socket."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from waiting import HANG_GUARD_S

# It holds nothing that has to survive the session.
SETTINGS = (
    "-c listen_addresses='' -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c max_connections=200"
)


class Postgres:
    """A running server."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._folder = folder
        # The server refuses to run as root.
        self._user = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}

    def start(self) -> None:
        """Make a cluster and wait until it answers."""
        if self._user:
            shutil.chown(self._folder, "nobody", "nogroup")
        self._call("initdb", "-D", self._folder / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"{SETTINGS} -k {self._folder}"
        log = self._folder / "log"
        self._call("pg_ctl", "start", "-w", "-D", self._folder / "data", "-l", log, "-o", options)

    def stop(self) -> None:
        """End it and wait."""
        self._call("pg_ctl", "stop", "-w", "-m", "immediate", "-D", self._folder / "data")

    def new_url(self) -> str:
        """URL of an empty database: a schema of its own, which is made in a millisecond."""
        name = f"test_{uuid.uuid4().hex}"
        with psycopg.connect(f"host={self._folder} user=postgres dbname=postgres", autocommit=True) as connection:
            connection.execute(f'CREATE SCHEMA "{name}"')
        return f"postgresql+psycopg://postgres@/postgres?host={self._folder}&options=-csearch_path%3D{name}"

    def _call(self, program: str, *arguments: object) -> None:
        # pg_ctl's server inherits the outputs: with pipes, waiting for them would wait for the server.
        with (self._folder.parent / f"{self._folder.name}.{program}.log").open("a+b") as output:
            done = subprocess.run(
                [self._programs / program, *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=HANG_GUARD_S,
                cwd="/",
                check=False,
                **self._user,
            )
            if done.returncode != 0:
                output.seek(0)
                raise AssertionError(f"{program} failed:\n{output.read().decode(errors='replace')}")


def find_programs() -> Path:
    """The folder of ``initdb`` and ``pg_ctl``; fails with the remedy where there is none."""
    packaged = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    on_path = shutil.which("initdb")
    folders = [*reversed(packaged), *([Path(on_path).parent] if on_path else [])]
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    raise AssertionError(
        "These tests start a PostgreSQL server of their own and found no initdb: `make system-packages` installs it, "
        "or install the package `postgresql` (Debian, Ubuntu), `postgresql-server` (Fedora) or `postgresql` (brew)."
    )


@contextmanager
def new_postgres() -> Iterator[Postgres]:
    """A server for the length of a block."""
    programs = find_programs()
    # Not pytest's folder, which only its own user may enter; and a socket's path must be short.
    with tempfile.TemporaryDirectory(prefix="ll-pg-") as name:
        base = Path(name)
        base.chmod(0o755)
        folder = base / "s"
        folder.mkdir()
        server = Postgres(programs, folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with new_postgres() as server:
        yield server
