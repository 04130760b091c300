"""Real processes that several modules test against; a module that needs one of another kind has its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import serving
from serving import Server
from trainers import Template, warm
from unit.worker import service as channel
from unit.worker.service import Service


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving.serving(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture
def user(server: Server) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


@pytest.fixture(scope="module")
def template() -> Iterator[Template]:
    with warm() as running:
        yield running


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with channel.serving(tmp_path) as running:
        yield running
