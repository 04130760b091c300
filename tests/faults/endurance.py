"""A server and its trainers are killed again and again under a client that always comes back."""

from __future__ import annotations

import json
import random
import shutil
import socket
import sqlite3
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Literal

import httpx
import psutil
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection

from layerloom.graph.examples import examples
from serving import Server
from waiting import wait_for
from watching import ENDED, seqs, states, viewer

AWAY = (OSError, EOFError, WebSocketException, httpx.TransportError)
"""What a client meets while the server is gone."""
Kind = Literal["server", "starting server", "trainer", "both", "template"]
TRAINER_KILLS = 3
"""Of one run, which is given up after the next."""
PLAN = {"dataset": "digits", "epochs": 1_000_000, "seed": 0, "device": "cpu", "threads": 1}


class Client(threading.Thread):
    """Watches one run and comes back after whatever it has seen, whenever the connection ends."""

    def __init__(self, server: Server, run: str) -> None:
        super().__init__(daemon=True)
        self._server = server
        self._run = run
        self._over = False
        self.seen: list[dict[str, Any]] = []
        self.connections = 0

    def run(self) -> None:
        """Until the run has ended."""
        while not self._over:
            with suppress(*AWAY), viewer(self._server, self._run, self.seen[-1]["seq"] if self.seen else None) as live:
                self.connections += 1
                self._listen(live)
            time.sleep(0.02)

    def _listen(self, live: ClientConnection) -> None:
        while not self._over:
            with suppress(TimeoutError):
                self.seen.append(json.loads(live.recv(1)))
            self._over = self._over or self.ended

    @property
    def trained(self) -> int:
        """Events that tell of steps."""
        return sum(event["kind"] == "metrics" for event in self.seen)

    @property
    def ended(self) -> bool:
        """The run has come to an end that the client has seen."""
        return bool(self.seen) and self.seen[-1].get("state") in ENDED

    def leave(self) -> None:
        """Come back no more."""
        self._over = True
        self.join(30)


class Endurance:
    """One home directory; every kill is by process id, at a moment that nobody chose."""

    def __init__(self, home: Path, chance: random.Random) -> None:
        self.home = home
        self.kills = {"server": 0, "starting server": 0, "trainer": 0, "template": 0}
        self.connections = 0
        self.runs: list[str] = []
        self._chance = chance
        self._server = Server(home)
        with closing(socket.create_server(("127.0.0.1", 0))) as free:
            self._port = free.getsockname()[1]
        self._document = next(item.document for item in examples() if item.id == "digits-mlp")

    def endure(self, runs: Iterable[Sequence[Kind]]) -> None:
        """The kills of each run, in order, as long as it lasts; it is then held against what its client has seen."""
        self._server.start(self._port)
        try:
            for kinds in runs:
                self._one_run(kinds)
        finally:
            self._server.stop()
        self._hold_store(self.home / "layerloom.db")

    @property
    def count(self) -> int:
        """Kills so far."""
        return sum(self.kills.values())

    def _one_run(self, kinds: Sequence[Kind]) -> None:
        run = self._submit()
        client = Client(self._server, run)
        client.start()
        of_trainers = 0
        try:
            for kind in kinds:
                self._let_go_on(client, 1 + of_trainers)
                if kind in ("trainer", "both"):
                    of_trainers += self._kill_trainer(run)
                if kind == "template":
                    self._kill_template()
                if kind in ("server", "both", "starting server"):
                    self._kill_server(again=self._chance.randint(2, 5) if kind == "starting server" else 0)
            self._let_go_on(client, 1 + of_trainers)
            self._post(f"/api/runs/{run}/stop")
            wait_for(lambda: client.ended, f"the end of {run}")
        finally:
            client.leave()
        self.connections += client.connections
        print(f"{len(self.runs)} runs, {self.count} kills", flush=True)
        self._hold(client, run, of_trainers)

    def _submit(self) -> str:
        """Sometimes the server is killed meanwhile; the key makes one run of it, whatever became of the answers."""
        body = {"document": self._document.model_dump(mode="json"), "plan": PLAN}
        key = f"run {len(self.runs)}"
        if self.runs and self._chance.random() < 0.5:
            killer = threading.Timer(self._chance.uniform(0, 0.1), self._kill_server)
            killer.start()
            self._post("/api/runs", body, key)
            killer.join()
        self.runs.append(str(self._post("/api/runs", body, key)["id"]))
        return self.runs[-1]

    def _post(self, path: str, body: dict[str, Any] | None = None, key: str = "") -> dict[str, Any]:
        """Until it is answered."""

        def post() -> dict[str, Any] | None:
            with suppress(*AWAY), self._server.client() as user:
                answer = user.post(path, json=body, headers={"Idempotency-Key": key})
                # A disk that is slow to write is told to those who ask, who are to try again.
                if answer.status_code == 503 and answer.json()["code"] == "store_busy":
                    return None
                assert answer.is_success, answer.text
                told: dict[str, Any] = answer.json()
                return told
            return None

        return wait_for(post, path)

    def _let_go_on(self, client: Client, trainers: int) -> None:
        """Until the run has had so many trainers, and some more events of training have come."""
        wait_for(lambda: states(client.seen).count("running") == trainers, "the next trainer")
        wanted = client.trained + self._chance.choice((1, 2, 3, 10))
        wait_for(lambda: client.trained >= wanted, "training goes on")
        time.sleep(self._chance.uniform(0, 0.1))

    def _kill_server(self, again: int = 0) -> None:
        """``again`` so many times while it starts; then its store is whole, as it lies there."""
        self._server.kill()
        self.kills["server"] += 1
        for _ in range(again):
            self._server.launch(self._port)
            time.sleep(self._chance.uniform(0.1, 2))
            self._server.kill()
            self.kills["starting server"] += 1
        copy = self.home.with_name("copy")
        copy.mkdir()
        for file in self.home.glob("layerloom.db*"):
            shutil.copy(file, copy)
        self._hold_store(copy / "layerloom.db")
        shutil.rmtree(copy)
        self._server.start(self._port)

    def _kill_trainer(self, run: str) -> bool:
        records = (self.home / "runs" / run / "attempts").glob("*/process.json")
        newest = max(records, key=lambda file: int(file.parent.name), default=None)
        if newest is None:
            return False
        record = json.loads(newest.read_bytes())
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(record["pid"])
            if process.status() != psutil.STATUS_ZOMBIE and abs(process.create_time() - record["born"]) < 1:
                process.kill()
                self.kills["trainer"] += 1
                return True
        return False

    def _kill_template(self) -> None:
        for child in psutil.Process(self._server.pid).children():
            with suppress(psutil.NoSuchProcess):
                if "layerloom.worker.template" in child.cmdline():
                    child.kill()
                    self.kills["template"] += 1

    def _hold(self, client: Client, run: str, killed: int) -> None:
        """The client has seen what is stored, each once and in order, and what was trained twice came out the same."""
        seen = client.seen
        assert seqs(seen) == list(range(1, len(seen) + 1))
        assert seen == self._stored(run)
        assert seen[-1]["state"] == "stopped", seen[-1]
        # One that was claimed and not started when its server was killed is claimed again.
        assert states(seen).count("running") == 1 + killed, "nobody has ended but those that were killed"
        values: dict[int, float] = {}
        for event in seen:
            if event["kind"] == "metrics" and "train/loss" in event["series"]:
                for step, value in zip(event["steps"], event["series"]["train/loss"], strict=True):
                    assert values.setdefault(step, value) == value, f"step {step} of {run}"
        with self._server.client() as user:
            shown = user.get(f"/api/runs/{run}").raise_for_status().json()
            missing = set(range(1, max(values) + 1)) - set(values)
            assert not missing, f"steps {sorted(missing)[:10]} of {run}, which is at {shown['step']}"
            # One that was stopped soon after a crash has not come as far again as it had been.
            assert shown["step"] <= max(values)
            user.get(f"/api/runs/{run}/checkpoints/last/state_dict").raise_for_status()

    def _stored(self, run: str) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = []
        with self._server.client() as user:
            while True:
                query = {"after": len(events), "limit": 5_000}
                page = user.get(f"/api/runs/{run}/events", params=query).raise_for_status().json()["items"]
                if not page:
                    return events
                events += page

    def _hold_store(self, file: Path) -> None:
        with closing(sqlite3.connect(file)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
            [(count,)] = connection.execute("SELECT count(*) FROM runs").fetchall()
            assert count in (len(self.runs), len(self.runs) + 1), "a run that was asked for once is there once"
