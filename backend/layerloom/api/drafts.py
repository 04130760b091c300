"""Files that live for one request."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from fastapi.concurrency import run_in_threadpool

_BLOCK = 1024 * 1024


def empty(folder: Path) -> None:
    """Remove what a killed server left behind; called at start."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)


@contextmanager
def draft(folder: Path) -> Iterator[Path]:
    """A path of our own choosing, removed afterwards with what was written there."""
    path = folder / secrets.token_hex(8)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


async def receive(chunks: AsyncIterator[bytes], path: Path) -> None:
    """Write blocks of a MiB away from the event loop, so that a slow disk holds up nobody else."""
    waiting = bytearray()
    with path.open("wb") as file:
        async for chunk in chunks:
            waiting += chunk
            if len(waiting) >= _BLOCK:
                await run_in_threadpool(_write, file, bytes(waiting))
                waiting.clear()
        await run_in_threadpool(_write, file, bytes(waiting))


def _write(file: BinaryIO, block: bytes) -> None:
    file.write(block)


def hold(file: Path, folder: Path) -> Path:
    """A second name for a file, so that it can be sent to its end even if it is retired meanwhile.

    Raises:
        FileNotFoundError: it is gone already.
    """
    path = folder / secrets.token_hex(8)
    try:
        os.link(file, path)
    except FileNotFoundError:
        raise
    except OSError:  # a file system without links
        shutil.copyfile(file, path)
    return path
