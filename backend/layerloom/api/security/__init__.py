"""Who may ask: pure ASGI layers, outermost first: frame, hosts, limits, authentication, origin.

They stand outside the router, so that nothing that is mounted later can be forgotten: what no layer lets through is
refused. ``guard`` puts them round an application.
"""

from layerloom.api.security.guard import guard
from layerloom.api.security.sessions import Sessions, home_token

__all__ = ["Sessions", "guard", "home_token"]
