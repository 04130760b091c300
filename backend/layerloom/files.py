"""Small files that are there whole or not at all, and the ends of long ones."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from layerloom.schema.base import Wire


def write_json(path: Path, told: Wire, *, synced: bool = True) -> None:
    """Write a value as JSON, as ``write_atomic`` does."""
    write_atomic(path, told.model_dump_json().encode(), synced=synced)


def write_atomic(path: Path, content: bytes, mode: int = 0o600, *, synced: bool = True) -> None:
    """Write a temporary file and rename it, so that a reader sees the old file or the new one, whole.

    A ``synced`` one is so after a power cut, too; what is of no use then, and is written often, need not be.

    Raises:
        FileNotFoundError: there is no such folder (any more).
    """
    draft = path.with_name(f"{path.name}.{uuid.uuid4().hex}.tmp")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            if synced:
                file.flush()
                os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    if not synced:
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def tail(text: bytes, limit: int = 20_000) -> str:
    """The end of a log, from a line's beginning, with whatever is no UTF-8 made visible."""
    if len(text) > limit:
        text = text[-limit:].partition(b"\n")[2]
    return text.decode(errors="backslashreplace")
