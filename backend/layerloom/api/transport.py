"""Websockets down to the socket: a viewer that does not read cannot even be told so through ASGI, whose ``send`` waits
for it. The server's protocol therefore hands the application a way to drop a connection."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from starlette.websockets import WebSocket
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

DROP = "layerloom.drop"
"""Extension of the scope: a function of code and reason that closes the connection without waiting for the peer."""
GRACE_SECONDS = 1.0


class DroppableWebSocket(WebSocketsSansIOProtocol):
    """uvicorn's protocol with that extension."""

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101:
            # The application's task starts with the loop's next turn, so that it finds this in its scope.
            extensions: dict[str, Any] = self.scope.setdefault("extensions", {})
            extensions[DROP] = self.drop

    def drop(self, code: int, reason: str) -> None:
        """Put a close frame behind what is waiting, and cut the connection a moment later, read or not."""
        if not self.close_sent and not self.disconnected:
            self.conn.send_close(code, reason)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.close_sent = True
        self.loop.call_later(GRACE_SECONDS, self.transport.abort)


async def drop(websocket: WebSocket, code: int, reason: str) -> None:
    """Close without waiting for a peer that does not read."""
    cut = websocket.scope.get("extensions", {}).get(DROP)
    if cut is not None:
        cut(code, reason)
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(GRACE_SECONDS):
            await websocket.close(code, reason)
