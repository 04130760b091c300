"""A run's curves, at any zoom."""

from __future__ import annotations

from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Response

from layerloom.api.bodies import StrictRoute
from layerloom.api.parameters import RunKey
from layerloom.api.services import Given
from layerloom.schema.series import SeriesPage

router = APIRouter(prefix="/api/runs", tags=["runs"], route_class=StrictRoute)
Name = Annotated[str, Query(max_length=200)]
Step = Annotated[int, Query(ge=0, le=2**63 - 1)]


@router.get("/{run_id}/series", response_model=SeriesPage)
def read_series(
    run_id: RunKey,
    services: Given,
    names: Annotated[list[Name] | None, Query(max_length=1_000)] = None,
    first: Step = 0,
    last: Step = 2**63 - 1,
    buckets: Annotated[int, Query(ge=1, le=10_000)] = 1_000,
) -> Response:
    """The named series, or all, at steps ``first`` to ``last``, in at most ``buckets`` parts each; the values where
    they are no more than that. Series that the run does not have are left out.

    With ``last_seq`` as its cursor, the stream goes on where this answer ends.
    """
    curves = services.store.series.read(run_id, names, first, last, buckets)
    # Columns become text as they are: a list of numbers for each would be the larger part of the work.
    return Response(orjson.dumps(curves, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")
