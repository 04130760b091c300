"""Parameters of paths and queries that several routes share."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Depends, Path, Query

from layerloom.api.refusals import unknown

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


async def _run_id(run_id: Annotated[str, Path()]) -> str:
    if not _ID.fullmatch(run_id):
        raise unknown("run")
    return run_id


async def _network_id(network_id: Annotated[str, Path()]) -> str:
    if not _ID.fullmatch(network_id):
        raise unknown("network")
    return network_id


async def _search_id(search_id: Annotated[str, Path()]) -> str:
    if not _ID.fullmatch(search_id):
        raise unknown("search")
    return search_id


# What can be no id is refused as any other unknown one is, and never reaches the database.
RunKey = Annotated[str, Depends(_run_id)]
SearchKey = Annotated[str, Depends(_search_id)]
NetworkKey = Annotated[str, Depends(_network_id)]
Cursor = Annotated[int, Query(ge=0, le=2**53)]
