"""Networks of torchvision that are made when they are opened, by the request of the page's dialog.

For ``make endure``, which needs some 8 GiB of memory for the largest. A small one opens through the page whenever the
tests run: ``tests/e2e/test_library.py``.
"""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from layerloom.graph.importing.opening import LIBRARY_LIMITS
from layerloom.schema.importing import ImportAnswer
from library import MADE, SOURCE, chosen, hold
from serving import Server

PATIENT = httpx.Timeout(LIBRARY_LIMITS.wall_s + 60)


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[httpx.Client]:
    with server.client() as client:
        client.timeout = PATIENT
        yield client


@pytest.mark.filterwarnings("ignore")  # of torchvision's own code
@pytest.mark.timeout(3 * LIBRARY_LIMITS.wall_s)
@pytest.mark.parametrize("name", chosen([]))
def test_what_is_opened_is_the_network(client: httpx.Client, name: str) -> None:
    network = MADE[name]
    inputs = {str(place): {"shape": shape} for place, shape in enumerate(network.inputs)}
    body = {"source": SOURCE + name, "part": network.part, "inputs": inputs}
    answer = client.post("/api/graphs/import", json=body)
    assert answer.status_code == 200, answer.text
    document = ImportAnswer.model_validate(answer.json()).document
    report = client.post("/api/graphs/check", json=document.model_dump(mode="json", by_alias=True)).json()
    assert [problem for problem in report["problems"] if problem["severity"] == "error"] == []
    if network.parameters is not None:
        assert report["totals"]["parameters"] == network.parameters
    hold(document, network)
