"""Small helpers on ASGI scopes that the layers share."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie

from starlette.types import Receive, Scope, Send

from layerloom.api.refusals import Refusal, problem_answer

WORKER = "/api/worker/"


def headers(scope: Scope, name: bytes) -> list[str]:
    """Every value of a header, as text."""
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def header(scope: Scope, name: bytes) -> str | None:
    """The only value of a header; None when it is absent or given twice."""
    found = headers(scope, name)
    return found[0] if len(found) == 1 else None


def host_and_port(host: str) -> tuple[str, str]:
    """A Host header's parts: ``[::1]:7878`` → ``[::1]``, ``7878``; two empty texts for what is no such header."""
    name, colon, port = host.rpartition(":") if ":" in host.rpartition("]")[2] else (host, "", "")
    valid = not colon or (port.isascii() and port.isdecimal())
    return (name.lower(), port) if valid else ("", "")


def cookie_name(scope: Scope) -> str:
    """Cookies are shared by all ports of a host, so that the port is part of the name: two servers, two sessions."""
    port = host_and_port(header(scope, b"host") or "")[1]
    return f"layerloom-{port}" if port else "layerloom"


def cookie(scope: Scope) -> str | None:
    """The session cookie's value."""
    try:
        jar = SimpleCookie("; ".join(headers(scope, b"cookie")))
    except CookieError:
        return None
    name = cookie_name(scope)
    return jar[name].value if name in jar else None


def bearer(scope: Scope) -> str | None:
    """The token of an ``Authorization: Bearer`` header."""
    kind, _, token = (header(scope, b"authorization") or "").partition(" ")
    return token.strip() if kind.lower() == "bearer" and token.strip() else None


def is_reserved(path: str) -> bool:
    """Whether a path belongs to the service; every other one is the front end's, which holds no data."""
    return path == "/api" or path.startswith("/api/") or path in ("/metrics", "/health")


async def refuse(scope: Scope, receive: Receive, send: Send, refusal: Refusal) -> None:
    """Answer instead of the application; a websocket is refused before it is accepted."""
    answer = problem_answer(scope, refusal)
    answer.headers["Connection"] = "close"
    await answer(scope, receive, send)
