"""Authentication, deny by default: only the page itself and ``/health`` are public, and neither holds data."""

from __future__ import annotations

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from layerloom.api.refusals import Refusal
from layerloom.api.security.sessions import Sessions
from layerloom.api.security.wire import WORKER, bearer, cookie, is_reserved, refuse
from layerloom.schema.problems import ProblemCode

PRINCIPAL = "layerloom.principal"
"""Key of the scope: ``token``, ``cookie``, ``worker``, or ``public``."""
ATTEMPT = "layerloom.attempt"
"""Key of the scope: which attempt of its run a trainer's token belongs to."""
AttemptOf = Callable[[str, str], int | None]
"""Run and token → the attempt, or None."""


class Authentication:
    """Pure ASGI: 401."""

    def __init__(self, app: ASGIApp, sessions: Sessions, attempt_of: AttemptOf) -> None:
        self.app = app
        self.sessions = sessions
        self.attempt_of = attempt_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            principal = await self._principal(scope)
            if principal is None:
                detail = "Open the address that LayerLoom printed, run `layerloom open`, or send the token as a bearer."
                headers = {"WWW-Authenticate": "Bearer"}
                refusal = Refusal(401, ProblemCode.UNAUTHENTICATED, detail, headers=headers)
                await refuse(scope, receive, send, refusal)
                return
            scope[PRINCIPAL] = principal
        await self.app(scope, receive, send)

    async def _principal(self, scope: Scope) -> str | None:
        path = scope["path"]
        if path.startswith(WORKER):
            return await self._worker(scope, path)
        shown = bearer(scope)
        if shown is not None:
            return "token" if self.sessions.is_token(shown) else None
        value = cookie(scope)
        if value is not None and self.sessions.is_cookie(value):
            return "cookie"
        return "public" if is_public(scope) else None

    async def _worker(self, scope: Scope, path: str) -> str | None:
        """A trainer's token opens its own run's channel and nothing else; the user's token does not open it."""
        run, shown = path.removeprefix(WORKER).removeprefix("runs/").partition("/")[0], bearer(scope)
        if shown is None or "\0" in run + shown:
            return None
        scope[ATTEMPT] = await run_in_threadpool(self.attempt_of, run, shown)
        return None if scope[ATTEMPT] is None else "worker"


def is_public(scope: Scope) -> bool:
    """The explicit list: ``/health`` and the front end's own files."""
    return scope["type"] == "http" and (scope["path"] == "/health" or not is_reserved(scope["path"]))
