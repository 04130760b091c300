"""The live log of a run over a websocket."""

from __future__ import annotations

from fastapi import APIRouter, WebSocket

from layerloom.api.services import Given

router = APIRouter(prefix="/api/runs", tags=["stream"])


@router.websocket("/{run_id}/stream")
async def stream_run(websocket: WebSocket, run_id: str, services: Given) -> None:
    """Events behind ``?after=`` and then live ones, one JSON text frame each."""
    raise NotImplementedError
