"""How much memory a data set may take as a whole; a larger one stays in its file."""

from __future__ import annotations

import resource
from contextlib import suppress
from pathlib import Path

import psutil

SHARE = 0.5
"""Of what is free now; the network, its gradients and everybody else need the rest."""
_GROUP = Path("/sys/fs/cgroup")


def budget() -> int:
    """Bytes: of the machine's free memory, of the container's, and of what this process may take."""
    free = [psutil.virtual_memory().available, *_of_group(), *_of_limits()]
    return int(SHARE * max(0, min(free)))


def _of_group() -> list[int]:
    """What the container's control group leaves, where there is a limit (version 2)."""
    with suppress(OSError, ValueError):
        limit = int((_GROUP / "memory.max").read_text(encoding="ascii"))
        return [limit - int((_GROUP / "memory.current").read_text(encoding="ascii"))]
    return []


def _of_limits() -> list[int]:
    """What the limit of private memory leaves; files that are mapped do not count."""
    limit, _ = resource.getrlimit(resource.RLIMIT_DATA)
    if limit == resource.RLIM_INFINITY:
        return []
    used = 0
    with suppress(OSError, ValueError):
        text = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        used = 1024 * int(text.partition("VmData:")[2].split()[0])
    return [limit - used]
