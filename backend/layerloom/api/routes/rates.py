"""The search for a learning rate, before there is a run."""

from __future__ import annotations

from fastapi import APIRouter

from layerloom.api.asking import trainable
from layerloom.api.bodies import StrictRoute
from layerloom.api.forking import asked, begun
from layerloom.api.loading import NEEDS_TORCH
from layerloom.api.parameters import SearchKey
from layerloom.api.services import Given
from layerloom.schema.fork import NewFork
from layerloom.schema.rates import NewRateSearch, RateSearch

router = APIRouter(prefix="/api/rates", tags=["rates"], route_class=StrictRoute)


@router.post("", status_code=202, dependencies=[NEEDS_TORCH])
def search_rate(wanted: NewRateSearch, services: Given) -> RateSearch:
    """Check network, plan and data as for a run, and queue the search. It is gone when nobody asks after it for ten
    minutes. 409 while too many are under way."""
    document, plan = wanted.document, wanted.plan
    trainable(document, plan, services)
    if wanted.origin is None:
        search = services.rates.ask(document, plan)
    else:
        run = services.store.runs.get(wanted.origin.run)
        fork = NewFork(checkpoint=wanted.origin.checkpoint, document=document, plan=plan)
        search = begun(
            run,
            fork,
            services.store,
            asked(services),
            lambda origin, saved: services.rates.ask(document, plan, origin=origin.report, checkpoint=saved.folder),
        )
    services.wake()
    return search


@router.get("/{search_id}")
def get_rate_search(search_id: SearchKey, services: Given) -> RateSearch:
    """The search, as far as it is."""
    return services.rates.read(search_id)


@router.delete("/{search_id}", status_code=204)
def cancel_rate_search(search_id: SearchKey, services: Given) -> None:
    """End it, and forget what it has found; the same for one that is gone."""
    services.rates.cancel(search_id)
    services.wake()
