"""The trainers' channel and nothing else: what ``POST /api/worker/runs/{id}/events`` does, for tests without an API."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from layerloom.schema.worker import Delivery, Receipt
from layerloom.storage import Fenced, Store


@contextmanager
def channel(store: Store, address_file: Path) -> Iterator[None]:
    """Serve deliveries while the block runs; the address is written where trainers look for it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            run = self.path.split("/")[4]
            delivery = Delivery.model_validate_json(self.rfile.read(int(self.headers["Content-Length"])))
            token = self.headers["Authorization"].removeprefix("Bearer ")
            if store.log.attempt_of(run, token) != delivery.attempt:
                return self._answer(401, b"{}")
            try:
                appended = store.log.append(run, delivery.attempt, delivery.events)
            except Fenced:
                return self._answer(409, b'{"code": "fenced"}')
            receipt = Receipt(received=appended.received, desired=appended.desired, orders=appended.orders)
            return self._answer(200, receipt.model_dump_json().encode())

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    address_file.write_text(f"http://127.0.0.1:{server.server_port}")
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
