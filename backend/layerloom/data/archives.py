"""What every parser of a zip archive holds it to, before a byte of it is unpacked."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from layerloom.data.parse import refuse

BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    KeyError,
    OSError,
    OverflowError,
    RuntimeError,  # NotImplementedError among them: a newer version of the format
    ValueError,
)
"""Every way in which reading an archive is known to fail."""
_LOCAL_HEADER = 30
"""Bytes before the name of an entry."""


@contextmanager
def unpacking(what: str) -> Iterator[None]:
    """What goes wrong inside, as one refusal that begins with ``what``."""
    try:
        yield
    except BROKEN as error:
        raise refuse(f"{what}: {str(error)[:200] or type(error).__name__}.") from error


def require_apart(members: Sequence[zipfile.ZipInfo], directory: int) -> None:
    """Hold that entries lie one after the other, up to where the archive's ``directory`` starts.

    Raises:
        DataError: they overlap: a small archive that unpacks to much, or one that is read differently by others.
    """
    places = sorted((member.header_offset, member.compress_size) for member in members)
    starts = [*(start for start, _ in places), directory]
    if any(start + _LOCAL_HEADER + size > after for (start, size), after in zip(places, starts[1:], strict=True)):
        raise refuse("The archive's entries overlap.")
