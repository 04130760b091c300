"""The trainer's own log: every event is in this file before anybody is told of it."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from layerloom.schema.events import Event

LINES = 1_000
"""Events read at once, at most."""
BYTES = 1_000_000
"""Bytes read at once; a longer single line is read whole."""


class Spool:
    """Numbered events, one JSON object ``{"number": n, "event": {…}}`` per line, appended and flushed.

    Whoever holds the file may go on delivering from it, so nothing is lost when the trainer or the service dies.
    """

    def __init__(self, file: Path) -> None:
        """Create the file.

        Raises:
            FileExistsError: another trainer runs, or ran, this attempt.
        """
        self._begin(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600), 0)

    def _begin(self, handle: int, size: int) -> None:
        self._handle = handle
        self._lock = threading.Lock()
        self._size = size
        self.last = 0
        """Number of the newest event."""
        self.appended = threading.Event()
        """Set at each append; whoever waits clears it."""

    @classmethod
    def reopened(cls, file: Path) -> Spool:
        """Go on with a file that another process of this attempt has begun; a line that it left unfinished goes."""
        whole = file.read_bytes().rpartition(b"\n")
        spool = cls.__new__(cls)
        spool._begin(os.open(file, os.O_RDWR | os.O_APPEND), len(whole[0]) + len(whole[1]))
        os.ftruncate(spool._handle, spool._size)
        spool.last = whole[0].count(b"\n") + 1 if whole[1] else 0
        return spool

    def append(self, event: Event) -> None:
        """Number an event and write it; any thread may.

        Raises:
            OSError: the disk is full; the file holds whole lines still.
        """
        text = event.model_dump_json(exclude={"run", "seq", "at"}).encode()
        with self._lock:
            line = b'{"number":%d,"event":%b}\n' % (self.last + 1, text)
            try:
                written = os.write(self._handle, line)
                if written < len(line):
                    written += os.write(self._handle, line[written:])
            except OSError:
                os.ftruncate(self._handle, self._size)
                raise
            self._size += written
            self.last += 1
        self.appended.set()

    def read(self, offset: int) -> list[bytes]:
        """Whole lines from a byte offset on, without their line ends; empty at the end."""
        with self._lock:
            available = self._size - offset
        wanted = BYTES
        while available > 0:
            data = os.pread(self._handle, min(wanted, available), offset)
            end = data.rfind(b"\n")
            if end >= 0:
                return data[:end].split(b"\n")[:LINES]
            wanted *= 4
        return []

    def offset_after(self, number: int) -> int:
        """Where the line after event ``number`` begins."""
        offset = 0
        for _ in range(number):
            lines = self.read(offset)[:1]
            if not lines:
                break
            offset += len(lines[0]) + 1
        return offset

    def close(self) -> None:
        """Close the file."""
        os.close(self._handle)
