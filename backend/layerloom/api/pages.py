"""The built front end: files of the package, and the page itself for every address that the browser routes."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from urllib.parse import parse_qs

from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from layerloom.api.refusals import Refusal, problem_answer, unknown
from layerloom.api.security import Sessions
from layerloom.api.security.sessions import COOKIE_SECONDS
from layerloom.api.security.wire import cookie_name, is_reserved, refuse
from layerloom.schema.problems import ProblemCode

STATIC = Path(__file__).parent.parent / "static"
# Said here, because what the operating system believes of a suffix differs.
MEDIA = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".json": "application/json",
    ".map": "application/json",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
    ".txt": "text/plain; charset=utf-8",
}
_MISSING = """<!doctype html><html lang="en"><meta charset="utf-8"><title>LayerLoom</title>
<h1>The page is not built yet</h1>
<p>The service runs, but this checkout has no built front end. Run <code>make run</code>, or
<code>npm ci &amp;&amp; npm run build</code> in <code>frontend/</code>, and load this address again.</p></html>"""


class Pages:
    """Serves ``static``; a path is looked up among the files found there at start, never on the disk."""

    def __init__(self, sessions: Sessions, static: Path = STATIC) -> None:
        self._sessions = sessions
        self._static = static
        self._files = {f"/{path.relative_to(static).as_posix()}": path for path in static.rglob("*") if path.is_file()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await refuse(scope, receive, send, unknown("address"))
            return
        await self._answer(scope)(scope, receive, send)

    def _answer(self, scope: Scope) -> Response:
        if scope["method"] not in ("GET", "HEAD"):
            allowed = {"Allow": "GET, HEAD"}
            return problem_answer(scope, Refusal(405, ProblemCode.METHOD_NOT_ALLOWED, headers=allowed))
        path = scope["path"]
        if path == "/" and scope["method"] == "GET" and (code := _code(scope)) is not None:
            return self._enter(scope, code)
        if path in self._files and path != "/index.html":
            return self._file(path)
        if PurePosixPath(path).suffix and path != "/index.html":
            return problem_answer(scope, unknown("file"))
        return self._page()

    def _enter(self, scope: Scope, code: str) -> Response:
        """Exchange the code for the cookie, and leave it out of the address at once."""
        answer = RedirectResponse("/", 303, {"Cache-Control": "no-store"})
        value = self._sessions.redeem(code)
        if value is not None:
            name = cookie_name(scope)
            answer.set_cookie(name, value, max_age=COOKIE_SECONDS, path="/", httponly=True, samesite="strict")
        return answer

    def _file(self, path: str) -> Response:
        # The names of built assets hold a hash of their content.
        cache = "public, max-age=31536000, immutable" if path.startswith("/assets/") else "no-cache"
        media = MEDIA.get(PurePosixPath(path).suffix.lower(), "application/octet-stream")
        return FileResponse(self._files[path], media_type=media, headers={"Cache-Control": cache})

    def _page(self) -> Response:
        index = self._static / "index.html"
        if not index.is_file():
            return HTMLResponse(_MISSING, 503)
        return FileResponse(index, media_type=MEDIA[".html"], headers={"Cache-Control": "no-cache"})


class Surface:
    """Everything under one address: the API under its reserved paths, the page under all others."""

    def __init__(self, api: ASGIApp, pages: ASGIApp) -> None:
        self._api = api
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        to_api = scope["type"] == "lifespan" or is_reserved(scope["path"])
        await (self._api if to_api else self._pages)(scope, receive, send)


def _code(scope: Scope) -> str | None:
    codes = parse_qs(scope["query_string"].decode("latin-1")).get("code")
    return codes[0] if codes else None
