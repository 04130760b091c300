"""Websockets down to the socket.

Through ASGI each viewer's copy of an event is framed anew and awaited, and a viewer that does not read cannot even be
told so, because ``send`` waits for it. The server's protocol therefore hands itself to the application, which may then
write frames that were made once for all, and drop a connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Request

from layerloom.api.frames import is_block

WIRE = "layerloom.wire"
"""Extension of the scope: the connection's ``DroppableWebSocket``. Other servers have none."""
UNSENT_BYTES = 256 * 1024
"""With more than this on its way a viewer gets no more, until three quarters of it have left."""
PIECE_BYTES = 64 * 1024
GRACE_SECONDS = 1.0


class DroppableWebSocket(WebSocketsSansIOProtocol):
    """uvicorn's protocol with that extension."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=UNSENT_BYTES)

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        # A compressed connection's frames are its own.
        if self.response.status_code == 101 and not self.conn.extensions:
            # The application's task starts with the loop's next turn, so that it finds this in its scope.
            extensions: dict[str, Any] = self.scope.setdefault("extensions", {})
            extensions[WIRE] = self

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        # Who answers no ping may read nothing either, and a close would wait for him for ever.
        self.loop.call_later(GRACE_SECONDS, self.transport.abort)

    def push(self, frames: bytes) -> bool:
        """Write whole frames, without waiting. False, and nothing is written, when there is no room or nobody there."""
        if not self.writable.is_set() or self.close_sent or self.disconnected or self.transport.is_closing():
            return False
        self.transport.write(frames)
        return True

    async def room(self, patience: float) -> None:
        """Return when there is room; ``TimeoutError`` when nothing at all leaves for so many seconds."""
        before = self.transport.get_write_buffer_size()
        while True:
            try:
                async with asyncio.timeout(patience):
                    await self.writable.wait()
            except TimeoutError:
                unsent = self.transport.get_write_buffer_size()
                if unsent >= before:
                    raise
                before = unsent
            else:
                return

    def drop(self, code: int, reason: str) -> None:
        """Put a close frame behind what is waiting, and cut the connection a moment later, read or not."""
        if not self.close_sent and not self.disconnected:
            self.conn.send_close(code, reason)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.close_sent = True
        self.loop.call_later(GRACE_SECONDS, self.transport.abort)


def wire_of(websocket: WebSocket) -> DroppableWebSocket | None:
    """What lies under a websocket, if the server tells."""
    found: DroppableWebSocket | None = websocket.scope.get("extensions", {}).get(WIRE)
    return found


def pieces(events: Iterable[bytes], most: int = PIECE_BYTES) -> Iterator[bytes]:
    """The events as frames, one each, joined to pieces of at most so many bytes or one event."""
    frames: list[bytes] = []
    size = 0
    for event in events:
        frame = Frame(Opcode.BINARY if is_block(event) else Opcode.TEXT, event).serialize(mask=False)
        if frames and size + len(frame) > most:
            yield b"".join(frames)
            frames, size = [], 0
        frames.append(frame)
        size += len(frame)
    if frames:
        yield b"".join(frames)


async def deliver(websocket: WebSocket, events: list[bytes], patience: float) -> None:
    """Send events as the viewer reads, a frame each.

    Raises:
        TimeoutError: it reads nothing for ``patience`` seconds.
        WebSocketDisconnect: it has left.
    """
    wire = wire_of(websocket)
    if wire is None:
        for event in events:
            async with asyncio.timeout(patience):
                await (websocket.send_bytes(event) if is_block(event) else websocket.send_text(event.decode()))
        return
    for piece in pieces(events):
        await wire.room(patience)
        if not wire.push(piece):
            raise WebSocketDisconnect(1006)


async def drop(websocket: WebSocket, code: int, reason: str) -> None:
    """Close without waiting for a peer that does not read."""
    wire = wire_of(websocket)
    if wire is not None:
        wire.drop(code, reason)
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(GRACE_SECONDS):
            await websocket.close(code, reason)
