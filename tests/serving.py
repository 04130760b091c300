"""A real server process for tests, as `layerloom serve` starts it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from waiting import HANG_GUARD_S

catalogues: Path | None = None
"""Where the tests of one run keep the catalogue that their first server introspected; all others read it, as a server
that was started before does. Its name tells what it was made from."""

READY = re.compile(r"LayerLoom is ready: (http://[^/\s]+)(/\S*)?")


class Server:
    """One server on one home directory; may be killed and started again."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.home = home
        self.arguments = arguments
        self.output: list[str] = []
        self.url = ""
        self.entrance = ""
        """Address with a single-use code, as the terminal shows it."""
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    def start(self, port: int = 0) -> Server:
        """Start and wait until the ready line is printed."""
        if not self.launch(port).wait(HANG_GUARD_S) or not self.url:
            self.stop()
            raise AssertionError(f"the server did not start:\n{''.join(self.output)}")
        return self

    def launch(self, port: int = 0) -> threading.Event:
        """Start; the event is set when the ready line is printed, or the process has ended."""
        self.url = ""
        if catalogues and catalogues.is_dir() and not self.home.joinpath("cache").exists():
            self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.copytree(catalogues, self.home / "cache")
        command = [sys.executable, "-m", "layerloom.cli", "serve", "--home", str(self.home), "--no-browser"]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        self._process = subprocess.Popen(
            [*command, "--port", str(port), *self.arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        )
        ready = threading.Event()
        self._reader = threading.Thread(target=self._read, args=(self._process, ready), daemon=True)
        self._reader.start()
        return ready

    def _read(self, process: subprocess.Popen[str], ready: threading.Event) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                self.output.append(line)
                found = READY.search(line)
                if found:
                    self.url, self.entrance = found[1], found[1] + (found[2] or "/")
                    ready.set()
        ready.set()

    @property
    def pid(self) -> int:
        """Of the server process."""
        assert self._process is not None
        return self._process.pid

    @property
    def token(self) -> str:
        """The bearer token of its home directory."""
        return (self.home / "token").read_text().strip()

    def client(self) -> httpx.Client:
        """An authenticated client; close it after use. Its first request may wait until torch is loaded."""
        headers = {"Authorization": f"Bearer {self.token}"}
        # Without verification no certificates are loaded, which takes longer than most requests.
        return httpx.Client(base_url=self.url, headers=headers, timeout=HANG_GUARD_S, verify=False)

    def warm(self) -> None:
        """Wait for what a fresh server imports in the background: on a busy machine longer than a page waits.

        A server that never answers tells here what its threads are at.
        """
        with self.client() as client:
            try:
                client.get("/api/catalogue").raise_for_status()
                self._keep_catalogue()
            except httpx.TimeoutException:
                told = len(self.output)
                os.kill(self.pid, signal.SIGUSR1)
                time.sleep(5)
                raise AssertionError(f"no catalogue; its threads:\n{''.join(self.output[told:])}") from None

    def kill(self) -> None:
        """SIGKILL: no chance to clean up."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM, and SIGKILL should it not obey."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(number)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(30)
            self._keep_catalogue()
        if self._reader is not None:
            self._reader.join(10)

    def _keep_catalogue(self) -> None:
        made = self.home / "cache"
        if catalogues is None or catalogues.exists() or not list(made.glob("catalogue-*.json")):
            return
        ours = catalogues.with_name(f"{catalogues.name}-{self.pid}")
        shutil.copytree(made, ours)
        with suppress(OSError):  # Another worker's is as good.
            ours.rename(catalogues)


@contextmanager
def serving(home: Path, *arguments: str) -> Iterator[Server]:
    """A server for the length of a block."""
    server = Server(home, *arguments).start()
    try:
        yield server
    finally:
        server.stop()


def wait_for_run(client: httpx.Client, run: str, *states: str, seconds: float = HANG_GUARD_S) -> dict[str, object]:
    """Poll a run until it is in one of the states; its last view is returned."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        view: dict[str, object] = client.get(f"/api/runs/{run}").raise_for_status().json()
        if view["state"] in states:
            return view
        time.sleep(0.1)
    raise AssertionError(f"the run is still {view['state']}")
