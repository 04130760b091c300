"""``layerloom serve|open``."""

from __future__ import annotations

import faulthandler
import signal
import sys
import webbrowser
from typing import Annotated

import typer

from layerloom.cli.terminal import Home, client_of, fail, has_display


def serve(
    home: Home = None,
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help="0: any free one. Default: 7878 or next.")] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    allow_host: Annotated[list[str] | None, typer.Option(help="A name under which the server is reached.")] = None,
    browser: Annotated[bool, typer.Option(help="Open the page where there is a display.")] = True,
    database: Annotated[str | None, typer.Option(help="SQLAlchemy URL; LAYERLOOM_DATABASE, or a file.")] = None,
    allow_python: Annotated[
        bool, typer.Option("--allow-python", help="Run Python code that users bring, in a sandbox.")
    ] = False,
    no_downloads: Annotated[
        bool, typer.Option("--no-downloads", help="Download no data sets; LAYERLOOM_NO_DOWNLOADS=1 does the same.")
    ] = False,
    keep_days: Annotated[
        float | None,
        typer.Option(min=0, help="Days after a run's end for which its histograms, layers' values, maps and log stay."),
    ] = None,
    keep_mb: Annotated[
        float | None, typer.Option(min=0, help="Megabytes of these that a run may have; older ones are thinned.")
    ] = None,
) -> None:
    """Start the server."""
    from layerloom import app
    from layerloom.storage import Keep

    # As the trainers do: `kill -USR1` prints what every thread is at, should the server not answer.
    faulthandler.register(signal.SIGUSR1, sys.__stderr__ or sys.stderr, all_threads=True)

    def ready(address: str, code: str) -> None:
        entrance = f"{address}/?code={code}"
        print(f"LayerLoom is ready: {entrance}", flush=True)
        if browser and has_display():
            webbrowser.open(entrance)

    try:
        settings = app.Settings(
            home=(home or app.default_home()).expanduser().resolve(),
            host=host,
            port=port,
            allow_hosts=tuple(allow_host or ()),
            database=database or app.database_from_environment(),
            allow_python=allow_python,
            downloads=app.downloads_from_environment() and not no_downloads,
            keep=Keep(most_bytes=None if keep_mb is None else round(keep_mb * 1e6), days=keep_days),
        )
        app.serve(settings, ready)
    except app.CannotStartError as error:
        fail(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


def open_page(home: Home = None) -> None:
    """Open the page of a running server, signed in; without a display, print its address."""
    with client_of(home) as client:
        code = client.post("/api/session/code").raise_for_status().json()["code"]
        entrance = f"{client.base_url}/?code={code}"
    if not (has_display() and webbrowser.open(entrance)):
        print(entrance)
