"""The live log of a run over a websocket.

Close codes: 4400 the cursor is no number or lies in the future, 4404 no such run, 4408 the viewer does not read, 1008
it sends more than a viewer has to say, 1012 the server is going down, 1013 the database does not answer.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing, suppress

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from fastapi.concurrency import run_in_threadpool

from layerloom.api.services import Given, Services
from layerloom.api.transport import drop
from layerloom.storage import Missing, StoreError

logger = logging.getLogger("layerloom.api")
router = APIRouter(prefix="/api/runs", tags=["stream"])

PATIENCE_SECONDS = 8.0
"""For one frame to leave: a viewer that reads nothing for so long is dropped."""
MESSAGES_PER_SECOND = 20


@router.websocket("/{run_id}/stream")
async def stream_run(websocket: WebSocket, run_id: str, services: Given) -> None:
    """Events behind ``?after=`` and then live ones, one JSON text frame each, until the viewer leaves."""
    # Accepted before it is refused: a browser shows its page no status of a handshake, but the code of a close.
    await websocket.accept()
    try:
        cursor = await _cursor(websocket, run_id, services)
    except _Unwatchable as error:
        await websocket.close(error.code, str(error))
        return
    sender = asyncio.create_task(_send(websocket, run_id, cursor, services))
    try:
        await _listen(websocket)
    finally:
        sender.cancel()
        with suppress(asyncio.CancelledError):
            await sender


class _Unwatchable(Exception):  # noqa: N818  no error, a reason
    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


async def _cursor(websocket: WebSocket, run: str, services: Services) -> int:
    text = websocket.query_params.get("after", "0")
    if not (text.isascii() and text.isdecimal() and len(text) <= 15):
        raise _Unwatchable(4400, "after is no number of an event")
    try:
        last = await run_in_threadpool(services.store.log.last_seq, run.replace("\0", ""))
    except Missing:
        raise _Unwatchable(4404, "there is no such run") from None
    except StoreError:
        raise _Unwatchable(1013, "the database does not answer") from None
    if int(text) > last:
        raise _Unwatchable(4400, "after lies in the future")
    return int(text)


async def _send(websocket: WebSocket, run: str, cursor: int, services: Services) -> None:
    try:
        async with aclosing(services.streams.follow(run, cursor)) as events:
            async for text in events:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await websocket.send_text(text)
    except TimeoutError:
        await drop(websocket, 4408, "this viewer does not read")
    except (WebSocketDisconnect, RuntimeError):
        return  # it left while a frame was on its way
    except Missing:
        await websocket.close(4404, "the run was deleted")
    except StoreError:
        logger.warning("a viewer of run %s was sent away: the database does not answer", run)
        await websocket.close(1013, "the database does not answer")


async def _listen(websocket: WebSocket) -> None:
    """A viewer has nothing to say; what it says is counted and passed over."""
    loop = asyncio.get_running_loop()
    budget, seen = float(MESSAGES_PER_SECOND), loop.time()
    while (await websocket.receive())["type"] == "websocket.receive":
        now = loop.time()
        budget, seen = min(budget + (now - seen) * MESSAGES_PER_SECOND, MESSAGES_PER_SECOND) - 1, now
        if budget < 0:
            await websocket.close(1008, "too many messages")
            return
