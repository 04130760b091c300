"""Host allow-list: a page of another site whose name was rebound to this machine carries that site's name here."""

from __future__ import annotations

from collections.abc import Collection

from starlette.types import ASGIApp, Receive, Scope, Send

from layerloom.api.refusals import Refusal
from layerloom.api.security.wire import header, host_and_port, refuse
from layerloom.schema.problems import ProblemCode

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})


class Hosts:
    """Pure ASGI: 421 for any name that is not one of ours."""

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self.app = app
        self.names = LOOPBACK | {name.lower() for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or host_and_port(header(scope, b"host") or "")[0] in self.names:
            await self.app(scope, receive, send)
            return
        detail = "LayerLoom does not answer under this name; state it with --allow-host when it should."
        await refuse(scope, receive, send, Refusal(421, ProblemCode.UNKNOWN_HOST, detail))
