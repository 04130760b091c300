"""What may be asked of a sandboxed process of the graph room: one dictionary, from a name to a function.

A function takes the request's payload, and ``file``, a path to read, where the process was given one. It gives a JSON
value, or raises GraphError, which the caller is raised, too. Each imports what it needs when it is called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

TASKS: dict[str, Callable[..., Any]] = {}
