"""Brings the spool's events to the service and brings back what is wanted.

It runs in a thread of its own and never raises into the training loop: while the service is away, events stay in the
spool and training goes on.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import ValidationError

from layerloom.schema.events import Log
from layerloom.schema.worker import Job, Receipt
from layerloom.training import Control
from layerloom.worker.spool import Spool

PACE = 0.05
"""Seconds between two deliveries; what arises meanwhile goes together."""
WATCHED_PACE = 0.01
"""The same while somebody watches: what the recorder gathers is gathered long enough."""
BEAT = 1.0
"""Seconds after which an empty delivery asks what is wanted."""
TIMEOUT = 10.0
BACKOFF = (0.1, 2.0)
"""First and longest pause after a failed delivery, in seconds."""


class RefusedError(Exception):
    """The service understands the request and does not take these events."""


class FencedError(Exception):
    """Another attempt has taken over."""


class Courier(threading.Thread):
    """Delivers events in order, each at least once; the service drops what it already has."""

    def __init__(self, job: Job, spool: Spool, control: Control) -> None:
        super().__init__(name="courier", daemon=True)
        self._job = job
        self._spool = spool
        self._control = control
        self._connection: HTTPConnection | None = None
        self._offset = 0
        self._delivered = 0
        self._single = False
        self._dropped: set[int] = set()
        self._closing = False
        self._answered = 0.0
        self._out = False

    def run(self) -> None:
        """Deliver until everything is received after ``finish``, or this attempt is fenced."""
        try:
            self._loop()
        finally:
            self._hang_up()

    def _loop(self) -> None:
        pause = BACKOFF[0]
        while not (self._closing and self._delivered >= self._spool.last):
            began = time.monotonic()
            try:
                self._deliver(self._waiting())
                pause = BACKOFF[0]
            except FencedError:
                self._control.fenced = True
                return
            except (OSError, HTTPException, ValidationError, ValueError) as error:
                self._away(error)
                time.sleep(pause)
                pause = min(2 * pause, BACKOFF[1])
                continue
            rest = (WATCHED_PACE if self._control.watched else PACE) - (time.monotonic() - began)
            if rest > 0 and not self._closing:
                time.sleep(rest)

    def finish(self, *, answering: float, away: float) -> bool:
        """Wait until everything is received: ``answering`` seconds while the service answers, ``away`` while not.

        Returns whether it was. What is left lies in the spool.
        """
        self._closing = True
        self._spool.appended.set()
        began = time.monotonic()
        while self.is_alive():
            self.join(0.1)
            now = time.monotonic()
            answers = now - self._answered < 2 * TIMEOUT
            if now - began > (answering if answers else away):
                break
        return self._delivered >= self._spool.last

    def _waiting(self) -> list[bytes]:
        """The next events; after a quiet second, none."""
        # Before reading: what is read needs no second look, and what comes after it sets the flag again.
        self._spool.appended.clear()
        lines = self._spool.read(self._offset)
        if not lines and not self._closing:
            self._spool.appended.wait(BEAT)
            lines = self._spool.read(self._offset)
        return lines[:1] if self._single else lines

    def _deliver(self, lines: list[bytes]) -> None:
        last = self._delivered + len(lines)
        try:
            receipt = self._post([self._line(self._delivered + 1 + index, line) for index, line in enumerate(lines)])
        except RefusedError as refusal:
            if not lines or last in self._dropped:
                raise HTTPException(str(refusal)) from refusal
            if len(lines) == 1:
                # The service would refuse it for ever; a note takes its number, because numbers have no gap.
                print(f"event {last} was refused: {refusal}", file=sys.stderr)
                self._dropped.add(last)
            self._single = True
            return
        self._single = False
        self._answered = time.monotonic()
        self._out = False
        self._control.desired = receipt.desired
        self._control.watched = receipt.watched
        if receipt.orders != self._control.orders:
            self._control.orders = receipt.orders
        if receipt.received == last:
            self._offset += sum(len(line) + 1 for line in lines)
        else:
            # The service knows fewer (it was restored) or more (it read the spool itself).
            self._offset = self._spool.offset_after(min(receipt.received, self._spool.last))
        self._delivered = min(receipt.received, self._spool.last)

    def _line(self, number: int, line: bytes) -> bytes:
        if number not in self._dropped:
            return line
        note = Log(level="warning", message="The service refused an event of the trainer; see the run's log file.")
        return b'{"number":%d,"event":%b}' % (number, note.model_dump_json(exclude={"run", "seq", "at"}).encode())

    def _post(self, lines: list[bytes]) -> Receipt:
        body = b'{"attempt":%d,"events":[%b]}' % (self._job.attempt, b",".join(lines))
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._job.token}"}
        connection = self._connection or self._connect()
        connection.request("POST", f"/api/worker/runs/{self._job.run}/events", body, headers)
        response = connection.getresponse()
        answer = response.read()
        if response.status == 200:
            return Receipt.model_validate_json(answer)
        if response.status == 409 and _code(answer) == "fenced":
            raise FencedError
        if response.status in (400, 413, 422):
            raise RefusedError(answer[:500].decode(errors="replace"))
        raise HTTPException(f"the service answered {response.status}")

    def _connect(self) -> HTTPConnection:
        """A connection to where the service is now."""
        address = urlsplit(Path(self._job.address_file).read_text(encoding="utf-8").strip())
        if address.hostname is None:
            raise ValueError("the address file names no host")
        secure = address.scheme == "https"
        self._connection = (HTTPSConnection if secure else HTTPConnection)(
            address.hostname, address.port, timeout=TIMEOUT
        )
        return self._connection

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _away(self, error: Exception) -> None:
        self._hang_up()
        if not self._out:
            self._out = True
            print(f"delivery failed, trying again: {type(error).__name__}: {error}", file=sys.stderr)


def _code(answer: bytes) -> str:
    try:
        body = json.loads(answer)
    except ValueError:
        return ""
    return str(body.get("code", "")) if isinstance(body, dict) else ""
