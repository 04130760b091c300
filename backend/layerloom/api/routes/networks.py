"""Stored documents. Each save makes a revision; a save on top of a revision that is no longer the newest is refused."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response

from layerloom.api.bodies import StrictRoute
from layerloom.api.parameters import NetworkKey
from layerloom.api.refusals import Refusal
from layerloom.api.services import Given
from layerloom.schema.problems import ProblemCode
from layerloom.schema.run import Network, NetworkSummary, NewNetwork, Revision, RevisionLabel

router = APIRouter(prefix="/api/networks", tags=["networks"], route_class=StrictRoute)


@router.get("")
def list_networks(
    services: Given,
    limit: Annotated[int, Query(ge=1, le=200)] = 200,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> list[NetworkSummary]:
    """Newest save first."""
    return services.store.networks.page(limit, offset)


@router.post("", status_code=201)
def create_network(new: NewNetwork, services: Given, response: Response) -> Network:
    """Store a document as a network of its own."""
    return _tagged(services.store.networks.create(new.document, new.name), response)


@router.get("/{network_id}")
def get_network(network_id: NetworkKey, services: Given, response: Response) -> Network:
    """The newest revision."""
    return _tagged(services.store.networks.get(network_id), response)


@router.put("/{network_id}")
def save_network(
    network_id: NetworkKey,
    new: NewNetwork,
    services: Given,
    response: Response,
    if_match: Annotated[str | None, Header(max_length=64)] = None,
) -> Network:
    """Save on top of the revision that ``If-Match`` names.

    412 ``stale_revision`` when another save came between; the refusal carries what is stored now.
    """
    saved = services.store.networks.save(network_id, new.document, new.name, _revision(if_match))
    return _tagged(saved, response)


@router.get("/{network_id}/revisions")
def list_revisions(
    network_id: NetworkKey,
    services: Given,
    limit: Annotated[int, Query(ge=1, le=200)] = 200,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    labelled: bool = False,
) -> list[Revision]:
    """States that were saved, newest first; with ``labelled`` those alone that somebody has named. Of those without a
    name all of the last hour stay, one of each hour of the last day, one of each day of the last thirty, and one of
    each week before."""
    return services.store.networks.revisions(network_id, limit, offset, labelled=labelled)


@router.get("/{network_id}/revisions/{revision}")
def get_revision(network_id: NetworkKey, revision: int, services: Given) -> Network:
    """An earlier state. Saved on top of the newest one it takes back whatever came after it."""
    return services.store.networks.get(network_id, revision)


@router.patch("/{network_id}/revisions/{revision}")
def name_revision(network_id: NetworkKey, revision: int, given: RevisionLabel, services: Given) -> Revision:
    """Give a state a label, or take it away with an empty one."""
    return services.store.networks.name_revision(network_id, revision, given.label)


@router.delete("/{network_id}", status_code=204)
def delete_network(network_id: NetworkKey, services: Given) -> None:
    """Remove a network. Runs keep the document that they trained."""
    services.store.networks.delete(network_id)


def _tagged(network: Network, response: Response) -> Network:
    response.headers["ETag"] = f'"{network.revision}"'
    return network


def _revision(if_match: str | None) -> int:
    text = (if_match or "").strip().removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise Refusal(428, ProblemCode.BAD_REQUEST, "State the revision that you edited in the header If-Match.")
    return int(text)
