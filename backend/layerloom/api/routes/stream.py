"""The live log of a run over a websocket.

Close codes: 4400 the cursor is no number or lies in the future, 4404 no such run, 4408 the viewer does not read, 1008
it sends more than a viewer has to say, 1012 the server is going down, 1013 the database does not answer.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing, suppress
from dataclasses import dataclass

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from fastapi.concurrency import run_in_threadpool

from layerloom.api.services import Given, Services
from layerloom.api.streams import PAGE
from layerloom.api.transport import deliver, drop, wire_of
from layerloom.storage import Missing, StoreError

logger = logging.getLogger("layerloom.api")
router = APIRouter(prefix="/api/runs", tags=["stream"])

PATIENCE_SECONDS = 8.0
"""A viewer with more on its way than it has room for, that reads nothing for so long, is dropped."""
MESSAGES_PER_SECOND = 20


@router.websocket("/{run_id}/stream")
async def stream_run(websocket: WebSocket, run_id: str, services: Given) -> None:
    """Events behind ``?after=`` and then live ones, a frame each, until the viewer leaves.

    All are JSON texts; with ``?blocks=1``, columns are binary frames (``api.frames``). A viewer who has read the series
    up to an event N says ``?curves=N``: of what lies before that event he is sent neither metrics nor any progress but
    the newest.
    """
    # Accepted before it is refused: a browser shows its page no status of a handshake, but the code of a close.
    await websocket.accept()
    try:
        wish = await _wish(websocket, run_id, services)
    except _Unwatchable as error:
        await websocket.close(error.code, str(error))
        return
    sender = asyncio.create_task(_send(websocket, run_id, wish, services))
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


@dataclass(frozen=True)
class _Wish:
    """What a viewer asks for."""

    after: int
    curves: int
    blocks: bool


async def _wish(websocket: WebSocket, run: str, services: Services) -> _Wish:
    numbers = {}
    for name in ("after", "curves"):
        text = websocket.query_params.get(name, "0")
        if not (text.isascii() and text.isdecimal() and len(text) <= 15):
            raise _Unwatchable(4400, f"{name} is no number of an event")
        numbers[name] = int(text)
    try:
        last = await run_in_threadpool(services.store.log.last_seq, run.replace("\0", ""))
    except Missing:
        raise _Unwatchable(4404, "there is no such run") from None
    except StoreError:
        raise _Unwatchable(1013, "the database does not answer") from None
    for name, number in numbers.items():
        if number > last:
            raise _Unwatchable(4400, f"{name} lies in the future")
    return _Wish(**numbers, blocks=websocket.query_params.get("blocks") == "1")


async def _send(websocket: WebSocket, run: str, wish: _Wish, services: Services) -> None:
    wire = wire_of(websocket)
    cursor = wish.after
    try:
        while cursor < wish.curves - 1:
            outline = await run_in_threadpool(services.store.log.outline, run, cursor, wish.curves, PAGE)
            await deliver(websocket, [event for _, event in outline], PATIENCE_SECONDS)
            cursor = outline[-1][0] if outline else wish.curves - 1
        following = services.streams.follow(run, cursor, wire.push if wire else None, blocks=wish.blocks)
        async with aclosing(following) as missed:
            async for events in missed:
                await deliver(websocket, events, PATIENCE_SECONDS)
    except TimeoutError:
        await drop(websocket, 4408, "this viewer does not read")
    except (WebSocketDisconnect, RuntimeError):
        return  # it left while a frame was on its way
    except Missing:
        await websocket.close(4404, "the run was deleted")
    except StoreError:
        logger.warning("a viewer of run %s was sent away: the database does not answer", run)
        await websocket.close(1013, "the database does not answer")
    except Exception:  # whatever it is: a viewer must not wait on a connection that nobody writes to
        logger.exception("a viewer of run %s was sent away", run)
        await drop(websocket, 1011, "the service failed")


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
