"""The composition root of the service: settings, wiring, start and end."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

import uvicorn
from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from filelock import FileLock, Timeout
from starlette.types import ASGIApp

from layerloom.api import drafts
from layerloom.api.application import Lifespan, application
from layerloom.api.loading import cache_folder, load
from layerloom.api.security import Sessions, home_token
from layerloom.api.services import Services
from layerloom.api.streams import Streams
from layerloom.api.transport import DroppableWebSocket
from layerloom.files import write_atomic
from layerloom.runs import Dispatcher
from layerloom.runs.executors.local import LocalExecutor
from layerloom.storage import Keep, Store, StoreError, open_store

logger = logging.getLogger("layerloom")
PORT = 7878
DRAIN_SECONDS = 10
THINNING_SECONDS = 3600
LOOPBACK = ("127.0.0.1", "::1", "localhost")
WILDCARDS = ("0.0.0.0", "::")  # noqa: S104  compared with, not bound to


class CannotStartError(Exception):
    """Why the server does not start, in a sentence for the terminal."""


@dataclass(frozen=True)
class Settings:
    """What the command line decides."""

    home: Path
    host: str = "127.0.0.1"
    port: int | None = None
    """None: 7878, or the next free one. 0: any free one."""
    allow_hosts: tuple[str, ...] = ()
    """Names beyond loopback under which the server is reached; needed to listen beyond loopback at all."""
    database: str | None = None
    """SQLAlchemy URL; a file in the home directory when None."""
    allow_python: bool = False
    """Run the Python code that users bring, each time in a process of limited means."""
    downloads: bool = True
    """Download the files of a data set that is chosen and not here."""
    keep: Keep = field(default_factory=Keep)
    """What is kept of the histograms, activations, images and log lines of runs."""

    @property
    def data(self) -> Path:
        """Uploads and downloaded data sets."""
        return self.home / "data"

    @property
    def database_url(self) -> str:
        """Where the store is."""
        return self.database or f"sqlite:///{self.home / 'layerloom.db'}"


def default_home() -> Path:
    """``LAYERLOOM_HOME``, or ``~/.layerloom``."""
    return Path(os.environ.get("LAYERLOOM_HOME") or Path.home() / ".layerloom")


def database_from_environment() -> str | None:
    """``LAYERLOOM_DATABASE``, with the password that the file of ``LAYERLOOM_DATABASE_PASSWORD_FILE`` holds."""
    url, file = os.environ.get("LAYERLOOM_DATABASE"), os.environ.get("LAYERLOOM_DATABASE_PASSWORD_FILE")
    if not url or not file:
        return url or None
    password = quote(Path(file).read_text(encoding="utf-8").strip(), safe="")
    parts = urlsplit(url)
    user, _, place = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user.partition(':')[0]}:{password}@{place}").geturl()


def downloads_from_environment() -> bool:
    """Whether ``LAYERLOOM_NO_DOWNLOADS`` leaves them on: it is unset, empty, 0, false, no or off."""
    return os.environ.get("LAYERLOOM_NO_DOWNLOADS", "").strip().lower() in ("", "0", "false", "no", "off")


def serve(settings: Settings, ready: Callable[[str, str], None]) -> None:
    """Serve until a signal ends it. ``ready`` is called with address and single-use code once requests are answered.

    Raises:
        CannotStartError: with the reason and the remedy.
    """
    _refuse_open_doors(settings)
    with _locked(settings):
        _serve(settings, ready)


@contextmanager
def opened(settings: Settings) -> Iterator[Store]:
    """The store of a home directory that nobody serves, for as long as the context lasts.

    Raises:
        CannotStartError: with the reason and the remedy.
    """
    with _locked(settings):
        store = _open(settings)
        try:
            yield store
        finally:
            store.close()


@contextmanager
def _locked(settings: Settings) -> Iterator[None]:
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = FileLock(settings.home / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise CannotStartError(
            f"Another LayerLoom serves {settings.home}. Open it with `layerloom open`, or choose another --home."
        ) from None
    with lock:
        yield


def _open(settings: Settings) -> Store:
    try:
        return open_store(settings.database_url, settings.home / "runs")
    except StoreError as error:
        raise CannotStartError(f"The database cannot be opened: {error}.") from None


def _serve(settings: Settings, ready: Callable[[str, str], None]) -> None:
    try:
        sessions = Sessions(home_token(settings.home / "token"))
    except (PermissionError, ValueError) as error:
        raise CannotStartError(str(error)) from None
    listener = listen(settings)
    address = _address(settings.host, listener.getsockname()[1])
    write_atomic(settings.home / "address", address.encode("ascii"))
    store = _open(settings)
    executor = LocalExecutor()
    dispatcher = Dispatcher(
        store,
        executor,
        data_folder=settings.data,
        address_file=settings.home / "address",
        python=settings.allow_python,
        downloads=settings.downloads,
    )
    services = _services(settings, store, sessions, dispatcher, executor)
    names = {*settings.allow_hosts, settings.host}
    app = application(services, hosts=names, lifespan=_lifespan(services, dispatcher, settings.keep))
    server = _Server(configuration(app), lambda: ready(address, sessions.new_code()))
    server.run(sockets=[listener])


def _services(
    settings: Settings, store: Store, sessions: Sessions, dispatcher: Dispatcher, executor: LocalExecutor
) -> Services:
    settings.data.mkdir(exist_ok=True)
    drafts.empty(settings.home / "drafts")

    async def read(run: str, after: int, limit: int) -> list[bytes]:
        return await run_in_threadpool(store.log.events, run, after, limit)

    return Services(
        store=store,
        sessions=sessions,
        streams=Streams(read),
        data=settings.data,
        drafts=settings.home / "drafts",
        wake=dispatcher.wake,
        devices=executor.devices,
        parities=dispatcher.parities,
        rates=dispatcher.rates,
        python=settings.allow_python,
        downloads=settings.downloads,
    )


def _lifespan(services: Services, dispatcher: Dispatcher, keep: Keep) -> Lifespan:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        services.streams.attach()
        deafen = services.store.log.listen(services.streams.publish)
        threading.Thread(target=_warm, args=(services,), name="loading", daemon=True).start()
        await asyncio.to_thread(dispatcher.start)
        thinning = asyncio.create_task(_thin(services.store, keep))
        yield
        thinning.cancel()
        # Here and not after the server's end: it lets the signal that ended it take its effect again.
        deafen()
        await asyncio.to_thread(dispatcher.close)
        services.store.close()

    return lifespan


async def _thin(store: Store, keep: Keep) -> None:
    while True:
        try:
            gone = await asyncio.to_thread(store.retention.thin, keep)
            versions = await asyncio.to_thread(store.thinning.thin)
        except StoreError:
            logger.warning("what is too old or too large was not thinned: the database does not answer")
        else:
            if gone:
                logger.info("thinned %d events that are too old, or of runs with too many", gone)
            if versions:
                logger.info("thinned %d older versions of networks that nobody has named", versions)
        await asyncio.sleep(THINNING_SECONDS)


def _warm(services: Services) -> None:
    try:
        load()
        from layerloom.catalogue.remembered import remembered

        remembered(cache_folder(services.data))
        if services.python:
            _tell_what_is_not_held()
    except Exception:
        logger.exception("loading torch failed; the requests that need it will try again")


def _tell_what_is_not_held() -> None:
    from layerloom.graph import sandbox

    missing = sandbox.HOLDS - sandbox.held()
    if missing:
        logger.warning(
            "Python code may be run, and this system does not let its sandbox hold %s: it can do what this server's "
            "user can. Start without --allow-python unless you trust everybody who uses this server.",
            ", ".join(sorted(missing)),
        )


def configuration(app: ASGIApp) -> uvicorn.Config:
    """How uvicorn serves the application."""
    return uvicorn.Config(
        app,
        ws=DroppableWebSocket,
        ws_max_size=64 * 1024,
        ws_per_message_deflate=False,
        ws_ping_interval=20,
        ws_ping_timeout=20,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        timeout_keep_alive=30,
    )


class _Server(uvicorn.Server):
    """uvicorn's server, which says when it answers."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            self._ready()


def _refuse_open_doors(settings: Settings) -> None:
    if settings.host not in LOOPBACK and not settings.allow_hosts:
        raise CannotStartError(
            f"LayerLoom has no accounts: listening on {settings.host} would open it to the network. Where that is "
            "meant, as in a container, state the names under which it is reached: --allow-host NAME."
        )


def listen(settings: Settings) -> socket.socket:
    """A bound socket, so that the address is known before anything that is told of it starts."""
    wanted = [settings.port] if settings.port is not None else range(PORT, PORT + 50)
    for port in wanted:
        try:
            listener = socket.create_server((settings.host, port), family=_family(settings.host), backlog=2048)
        except OSError as error:
            failure = error
        else:
            # Connections inherit it. asyncio sets it only where the socket names its protocol, which this one does
            # not; without it each answer waits 40 ms for the client to acknowledge the head before the body is sent.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return listener
    hint = "Choose another --port." if settings.port is not None else "Choose a --port."
    raise CannotStartError(f"Cannot listen on {settings.host}, port {wanted[0]}: {failure.strerror}. {hint}")


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _address(host: str, port: int) -> str:
    host = "127.0.0.1" if host in WILDCARDS else host
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
