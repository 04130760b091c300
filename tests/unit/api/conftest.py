"""The guarded application on a real store and behind a real server, in this process; nothing starts runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from websockets.sync.client import ClientConnection, connect

from layerloom.api.application import application
from layerloom.api.security import Sessions, home_token
from layerloom.api.security.limits import BodyLimits
from layerloom.api.services import Services
from layerloom.api.streams import Streams
from layerloom.app import Settings, configuration, listen
from layerloom.runs import Parities, RateSearches
from layerloom.runs.executors.local import LocalExecutor
from layerloom.runs.jobs import Means
from layerloom.storage import Store, open_store
from waiting import HANG_GUARD_S

LIMITS = BodyLimits(json=256 * 1024, delivery=512 * 1024, upload=1024 * 1024, whole=1.0, idle=1.0)
"""Small, so that a test need not send gigabytes or wait for minutes."""


@dataclass
class Api:
    """A running server and what stands behind it."""

    services: Services
    token: str
    port: int
    woken: list[None]
    clients: list[httpx.Client] = field(default_factory=list)

    @property
    def store(self) -> Store:
        return self.services.store

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, **headers: str) -> httpx.Client:
        """Without a token."""
        # Without verification no certificates are loaded, which takes longer than the requests.
        client = httpx.Client(base_url=self.origin, headers=headers, timeout=HANG_GUARD_S, verify=False)
        self.clients.append(client)
        return client

    def signed_in(self) -> httpx.Client:
        """With the bearer token."""
        return self.client(Authorization=f"Bearer {self.token}")

    def cookie(self) -> str:
        """A Cookie header, as a signed-in browser sends it."""
        return f"layerloom-{self.port}={self.services.sessions.redeem(self.services.sessions.new_code())}"

    def browser(self, origin: str | None) -> httpx.Client:
        """With the cookie, as a page of that origin."""
        headers = {"Cookie": self.cookie()}
        return self.client(**headers if origin is None else {**headers, "Origin": origin})

    def websocket(self, path: str, **headers: str) -> ClientConnection:
        """With the token unless other headers are given."""
        shown = headers or {"Authorization": f"Bearer {self.token}"}
        return connect(f"ws://127.0.0.1:{self.port}{path}", additional_headers=shown, proxy=None, compression=None)


def make_static(folder: Path) -> Path:
    """The smallest built front end."""
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>page</title>")
    (folder / "assets/main-abc123.js").write_text("export {}")
    return folder


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One server for all tests of a file."""
    home = tmp_path_factory.mktemp("home")
    for name in ("data", "drafts"):
        (home / name).mkdir()
    store = open_store(f"sqlite:///{home / 'layerloom.db'}", home / "runs")
    executor, means = LocalExecutor(prewarm=False), Means(home / "data")
    woken: list[None] = []

    async def read(run: str, after: int, limit: int) -> list[bytes]:
        return await run_in_threadpool(store.log.events, run, after, limit)

    services = Services(
        store=store,
        sessions=Sessions(home_token(home / "token")),
        streams=Streams(read),
        data=home / "data",
        drafts=home / "drafts",
        wake=lambda: woken.append(None),
        devices=executor.devices,
        parities=Parities(store, executor, means),
        rates=RateSearches(executor, means, folder=home / "rates"),
    )
    deafen = store.log.listen(services.streams.publish)
    app = application(
        services,
        hosts=["studio.example"],
        limits=LIMITS,
        static=make_static(home / "static"),
        lifespan=_attach(services),
    )
    listener = listen(Settings(home=home, port=0))
    server = uvicorn.Server(configuration(app))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    running = Api(services, (home / "token").read_text().strip(), listener.getsockname()[1], woken)
    with running.client() as client:
        assert client.get("/health").status_code == 200
    yield running
    for client in running.clients:
        client.close()
    server.should_exit = True
    thread.join(30)
    deafen()
    executor.close()
    store.close()


def _attach(services: Services):  # type: ignore[no-untyped-def]
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def lifespan(_app: FastAPI):  # type: ignore[no-untyped-def]
        services.streams.attach()
        yield

    return lifespan


@pytest.fixture
def user(api: Api) -> Iterator[httpx.Client]:
    """A signed-in client."""
    with api.signed_in() as client:
        yield client
