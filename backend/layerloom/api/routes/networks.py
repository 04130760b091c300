"""Stored documents. Each save makes a revision; a save on top of a revision that is no longer the newest is refused."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Response

from layerloom.api.bodies import StrictRoute
from layerloom.api.parameters import NetworkKey
from layerloom.api.services import Given
from layerloom.schema.run import Network, NetworkSummary, NewNetwork

router = APIRouter(prefix="/api/networks", tags=["networks"], route_class=StrictRoute)


@router.get("")
def list_networks(services: Given) -> list[NetworkSummary]:
    """Newest first."""
    return services.store.networks()


@router.post("", status_code=201)
def create_network(new: NewNetwork, services: Given, response: Response) -> Network:
    """Store a document as a network of its own."""
    raise NotImplementedError


@router.get("/{network_id}")
def get_network(network_id: NetworkKey, services: Given, response: Response) -> Network:
    """The newest revision."""
    raise NotImplementedError


@router.put("/{network_id}")
def save_network(
    network_id: NetworkKey,
    new: NewNetwork,
    services: Given,
    response: Response,
    if_match: Annotated[str | None, Header(max_length=64)] = None,
) -> Network:
    """Save on top of the revision that ``If-Match`` names; 412 ``stale_revision`` when another save came between."""
    raise NotImplementedError


@router.delete("/{network_id}", status_code=204)
def delete_network(network_id: NetworkKey, services: Given) -> None:
    """Remove a network. Runs keep the document that they trained."""
    raise NotImplementedError
