"""A small service that trainers deliver to, over real HTTP, with every fault that a real one may have."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from waiting import HANG_GUARD_S


class Service:
    """Stores events by their numbers, as the real one does. ``faults`` say what goes wrong with a request."""

    def __init__(self, address_file: Path) -> None:
        self.address_file = address_file
        self.events: dict[int, dict[str, Any]] = {}
        self.doubles = 0
        self.requests = 0
        self.tokens: set[str] = set()
        self.desired = "run"
        self.watched = False
        self.orders: dict[str, Any] = {}
        self.fault: Callable[[int, list[dict[str, Any]]], str | None] = lambda _count, _events: None
        """Given the request's number and events, its fault: ``drop``, ``lose``, ``busy``, ``refuse``, ``fence``."""
        self._changed = threading.Condition()
        self._server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        """Listen on a free port and say so in the address file."""
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                service.answer(self)

            def log_message(self, *_arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.address_file.write_text(f"http://127.0.0.1:{self._server.server_port}\n")

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """One delivery."""
        if self._server is None:
            # A connection that outlived its server.
            request.close_connection = True
            return
        body = json.loads(request.rfile.read(int(request.headers["Content-Length"])))
        with self._changed:
            self.requests += 1
            self.tokens.add(request.headers["Authorization"])
            fault = self.fault(self.requests, body["events"])
            if fault in (None, "lose"):
                self._store(body["events"])
            self._changed.notify_all()
            received = max(self.events, default=0)
        if fault in ("drop", "lose"):
            request.close_connection = True
            return
        status = {"busy": 503, "refuse": 422, "fence": 409}.get(fault or "", 200)
        answer: dict[str, Any] = {"received": received, "desired": self.desired}
        answer |= {"watched": self.watched, "orders": self.orders}
        if status != 200:
            answer = {"code": {"fence": "fenced"}.get(fault or "", "store_busy"), "title": "", "status": status}
        data = json.dumps(answer).encode()
        request.send_response(status)
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data)

    def _store(self, events: list[dict[str, Any]]) -> None:
        for item in events:
            if item["number"] in self.events:
                self.doubles += 1
                assert self.events[item["number"]] == item["event"], "a number was given twice"
            else:
                assert item["number"] == len(self.events) + 1, "a number was left out"
                self.events[item["number"]] = item["event"]

    def wait(self, condition: Callable[[], object]) -> None:
        """Until the condition holds."""
        with self._changed:
            assert self._changed.wait_for(condition, HANG_GUARD_S), f"never came; {len(self.events)} events arrived"

    def kinds(self) -> list[str]:
        """Kinds of all events, in order."""
        return [self.events[number]["kind"] for number in sorted(self.events)]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Events of one kind, in order."""
        return [self.events[number] for number in sorted(self.events) if self.events[number]["kind"] == kind]

    def states(self) -> list[str]:
        """The states that were told, in order."""
        return [event["state"] for event in self.of("state")]

    def quiet(self, seconds: float) -> int:
        """Requests that arrive in a while."""
        before = self.requests
        time.sleep(seconds)
        return self.requests - before


@contextmanager
def serving(folder: Path) -> Iterator[Service]:
    """A running service with its address file in ``folder``."""
    service = Service(folder / "address")
    service.start()
    try:
        yield service
    finally:
        service.stop()
