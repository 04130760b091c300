"""Exact Origin: what a browser sends on behalf of another page is refused, websockets before they are accepted."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from layerloom.api.refusals import Refusal
from layerloom.api.security.authentication import PRINCIPAL
from layerloom.api.security.wire import header, headers, refuse
from layerloom.schema.problems import ProblemCode


class Origins:
    """Pure ASGI: 403.

    An Origin that is present must be this server's own, whatever the method. It may be missing where no browser can be
    the sender (a bearer token), and on GET, where browsers leave it out.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or self._may_pass(scope):
            await self.app(scope, receive, send)
            return
        detail = "This request comes from another site's page."
        await refuse(scope, receive, send, Refusal(403, ProblemCode.FORBIDDEN_ORIGIN, detail))

    def _may_pass(self, scope: Scope) -> bool:
        if headers(scope, b"origin"):
            # The Host was checked before; behind a proxy that speaks TLS the page's scheme is https.
            host = (header(scope, b"host") or "").lower()
            return header(scope, b"origin") in (f"http://{host}", f"https://{host}")
        if scope[PRINCIPAL] in ("token", "worker"):
            return True
        return scope["type"] == "http" and scope["method"] in ("GET", "HEAD")
