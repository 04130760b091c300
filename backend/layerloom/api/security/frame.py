"""The outermost layer: an id for each request, headers on each answer, and no exception beyond this line."""

from __future__ import annotations

import logging
import secrets

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from layerloom.api.refusals import REQUEST_ID, Refusal
from layerloom.api.security.wire import refuse
from layerloom.schema.problems import ProblemCode

logger = logging.getLogger("layerloom.api")

# Inline styles are what React Flow, uPlot and Mantine position things with; scripts are only ever files of ours.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Frame:
    """Pure ASGI."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        scope[REQUEST_ID] = secrets.token_hex(8)
        started = complete = False

        async def framed(message: Message) -> None:
            nonlocal started, complete
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                started = True
                answer = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    answer.setdefault(name, value)
                answer["X-Request-Id"] = scope[REQUEST_ID]
                if scope["path"].startswith("/api"):
                    answer.setdefault("Cache-Control", "no-store")
            elif message["type"] == "websocket.accept":
                started = True
            complete = message["type"] == "http.response.body" and not message.get("more_body", False)
            await send(message)

        try:
            await self.app(scope, receive, framed)
        except ClientDisconnect:
            return
        except Exception:
            logger.exception("request %s failed", scope[REQUEST_ID])
            if not started:
                await refuse(scope, receive, framed, Refusal(500, ProblemCode.INTERNAL))
            elif not complete:
                raise  # so that the server cuts the connection, and a half answer does not look like a whole one
