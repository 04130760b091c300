"""The layers in their order."""

from __future__ import annotations

from collections.abc import Collection

from starlette.types import ASGIApp

from layerloom.api.security.authentication import AttemptOf, Authentication
from layerloom.api.security.frame import Frame
from layerloom.api.security.hosts import Hosts
from layerloom.api.security.limits import BodyLimits, Limits
from layerloom.api.security.origins import Origins
from layerloom.api.security.sessions import Sessions


def guard(
    app: ASGIApp,
    *,
    sessions: Sessions,
    attempt_of: AttemptOf,
    hosts: Collection[str] = (),
    limits: BodyLimits = BodyLimits(),  # noqa: B008  a frozen value
) -> ASGIApp:
    """The application behind every layer. ``hosts`` are names beyond loopback under which it is reached."""
    app = Origins(app)
    app = Authentication(app, sessions, attempt_of)
    app = Limits(app, limits)
    app = Hosts(app, hosts)
    return Frame(app)
