"""From a step that is done to its value at a viewer, and what a viewer costs the service.

Three processes on one machine, the same for each figure: the service with its store, a trainer that reports through
the recorder, spool and courier of every run (its losses are the times at which their steps were done), and all viewers.

*Latency*: one viewer with short and with long steps, then a thousand; of each value at each viewer.

*Slowing*: steps of a small perceptron in a second, and processor time of its process for a step, with one viewer and
with none.

*Processor time of the service for each event at each viewer*, against a queue and a task for each viewer, a route
below that the same process serves: of all it does for a training run, of that without what it does for one viewer
(deliveries and storing), and of the fan-out alone. Sides take turns; ratios are medians of the rounds.

    python benchmarks/stream_fanout.py [--check] [--rounds N] [--viewers N]

``--check`` exits with 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

COUNTED = 200
"""Viewers while processor time is counted: few enough that each event is told by itself."""
TELLINGS = 20
SECONDS = 6.0
MEDIAN_MS, P99_MS, RATIO, SLOWING = 30, 250, 0.4, 1.02
SHORT_STEP_SECONDS = 0.0005
"""About, of a perceptron's step."""
PAUSE_SECONDS = 0.12
OURS, QUEUES = "/api/runs/{run}/stream", "/queues/{run}"
SETTLE_SECONDS = 0.5
GUARD_SECONDS = 30
TEXT_FRAME = 0x81


def serve(home: Path) -> None:
    """The application, with the other way's route beside it."""
    import uvicorn
    from fastapi.concurrency import run_in_threadpool

    from layerloom.api.application import application
    from layerloom.api.security import Sessions, home_token
    from layerloom.api.services import Services
    from layerloom.api.streams import Streams
    from layerloom.app import Settings, configuration, listen
    from layerloom.runs import Parities, RateSearches
    from layerloom.runs.executors.local import LocalExecutor
    from layerloom.runs.jobs import Means
    from layerloom.schema.events import Log
    from layerloom.storage import open_store
    from stores import claimed

    store = open_store(f"sqlite:///{home / 'layerloom.db'}", home / "runs")

    async def read(run: str, after: int, limit: int) -> list[bytes]:
        return await run_in_threadpool(store.log.events, run, after, limit)

    sessions = Sessions(home_token(home / "token"))
    streams, queues = Streams(read), Queues()
    executor = LocalExecutor()
    services = Services(
        store,
        sessions,
        streams,
        home,
        home,
        wake=lambda: None,
        devices=executor.devices,
        parities=Parities(store, executor, Means(home)),
        rates=RateSearches(executor, Means(home), folder=home / "rates"),
    )

    @asynccontextmanager
    async def lifespan(_app: object):  # type: ignore[no-untyped-def]
        streams.attach()
        queues.loop = asyncio.get_running_loop()
        yield

    app = application(services, lifespan=lifespan)

    async def both(scope: Any, receive: Any, send: Any) -> None:
        other = scope["type"] == "websocket" and scope["path"].startswith("/queues/")
        await (queues if other else app)(scope, receive, send)

    listener = listen(Settings(home=home, port=0))
    server = uvicorn.Server(configuration(both))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    store.log.listen(streams.publish)
    store.log.listen(queues.publish)
    port = listener.getsockname()[1]
    (home / "address").write_text(f"http://127.0.0.1:{port}")
    for ask in asked({"port": port, "token": (home / "token").read_text().strip()}):
        if "used" in ask:
            answer({"seconds": time.process_time()})
            continue
        if "run" not in ask:
            claim = claimed(store)
            answer({"run": claim.run, "token": claim.token, "last": store.log.last_seq(claim.run)})
            continue
        # As large as a flush of ten steps of two series.
        events = [Log(message="x" * 800).model_dump_json().encode()] * ask["events"]
        publish = streams.publish if ask["ours"] else queues.publish
        began = time.process_time()
        for telling in range(TELLINGS):
            publish(ask["run"], ask["last"] + 1 + telling * len(events), events)
            time.sleep(PAUSE_SECONDS)
        time.sleep(SETTLE_SECONDS)
        answer({"seconds": time.process_time() - began})
    server.should_exit = True
    thread.join()
    store.close()


class Queues:
    """The usual way: a queue and a task for each viewer."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self.queues: set[asyncio.Queue[str]] = set()

    def publish(self, _run: str, _first: int, events: list[bytes]) -> None:
        """As the store's listener."""
        if self.loop is not None and self.queues:
            self.loop.call_soon_threadsafe(self._put, [event.decode() for event in events])

    def _put(self, texts: list[str]) -> None:
        for queue in self.queues:
            for text in texts:
                queue.put_nowait(text)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One viewer."""
        from starlette.websockets import WebSocket

        websocket = WebSocket(scope, receive, send)
        await websocket.accept()
        queue: asyncio.Queue[str] = asyncio.Queue()
        self.queues.add(queue)
        sender = asyncio.create_task(self._send(websocket, queue))
        try:
            while (await websocket.receive())["type"] != "websocket.disconnect":
                pass
        finally:
            self.queues.discard(queue)
            sender.cancel()

    @staticmethod
    async def _send(websocket: Any, queue: asyncio.Queue[str]) -> None:
        while True:
            await websocket.send_text(await queue.get())


def train(home: Path) -> None:
    """Report steps whose losses are the times at which they were done."""
    import torch

    from layerloom.schema.plan import Plan
    from layerloom.schema.worker import Job
    from layerloom.training import Control
    from layerloom.training.recorder import Recorder
    from layerloom.worker.courier import Courier
    from layerloom.worker.spool import Spool
    from stores import DOCUMENT, running

    torch.set_num_threads(1)
    for index, ask in enumerate(asked({})):
        spool = Spool(home / f"spool{index}")
        places = {"folder": str(home), "data_folder": str(home), "address_file": str(home / "address")}
        plan = Plan(dataset="digits-flat")
        job = Job(run=ask["run"], attempt=1, document=DOCUMENT, plan=plan, token=ask["token"], **places)
        spool.append(running())
        control = Control()
        courier = Courier(job, spool, control)
        courier.start()
        steps = round(ask["seconds"] / (ask["step"] or SHORT_STEP_SECONDS))
        recorder = Recorder(
            spool.append,
            steps=steps,
            steps_per_epoch=steps,
            epochs=1,
            samples_per_step=64,
            watched=partial(getattr, control, "watched"),
        )
        work = perceptron() if ask["step"] == 0 else None
        began = time.perf_counter(), time.process_time()
        for step in range(1, steps + 1):
            loss = work() if work else None
            time.sleep(ask["step"])
            now = time.perf_counter()
            recorder.step(torch.tensor(now, dtype=torch.float64) if loss is None else loss, 0.003, now)
            if now >= recorder.next_flush:
                recorder.flush()
                recorder.progress(step, 1)
        recorder.flush()
        courier.finish(answering=30, away=30)
        spool.close()
        took = time.perf_counter() - began[0], time.process_time() - began[1]
        answer({"events": spool.last, "wall": took[0], "own": took[1]})


def perceptron() -> Callable[[], Any]:
    """A step of training that takes a fraction of a millisecond; returns its loss."""
    import torch
    from torch import nn

    module = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    optimizer = torch.optim.Adam(module.parameters(), fused=True)
    inputs, targets = torch.randn(64, 64), torch.randint(10, (64,))

    def step() -> Any:
        loss = nn.functional.cross_entropy(module(inputs), targets)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


class Viewer(asyncio.Protocol):
    """Reads frames and notes when; the first one keeps their texts, too."""

    def __init__(self, request: bytes, *, keep: bool) -> None:
        self.request, self.keep = request, keep
        self.texts: list[bytes] = []
        self.times: list[float] = []
        self.open = asyncio.Event()
        self._left = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        data = self._left + data if self._left else data
        if not self.open.is_set():
            head, end, data = data.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 101") == bool(end), head
            self.open.set()
        at = 0
        while len(data) - at >= 2:
            size, start = data[at + 1], at + 2
            if size >= 126:
                start += 2 if size == 126 else 8
                size = int.from_bytes(data[at + 2 : start])
            if start + size > len(data) or start > len(data):
                break
            if data[at] == TEXT_FRAME:  # and no ping: nobody stays long enough to owe an answer
                self.times.append(now)
                if self.keep:
                    self.texts.append(data[start : start + size])
            at = start + size
        self._left = data[at:]


def view() -> None:
    """Connect, and tell what came."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    asyncio.run(_view())


async def _view() -> None:
    viewers: list[Viewer] = []
    loop = asyncio.get_running_loop()
    asks = asked({})
    while (ask := await asyncio.to_thread(next, asks, None)) is not None:
        if "port" in ask:
            request = (
                f"GET {ask['path']}?after={ask['last']} HTTP/1.1\r\nHost: 127.0.0.1:{ask['port']}\r\n"
                f"Authorization: Bearer {ask['token']}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            ).encode()
            for index in range(ask["viewers"]):
                viewer = Viewer(request, keep=index == 0)
                await loop.create_connection(lambda viewer=viewer: viewer, "127.0.0.1", ask["port"])
                viewers.append(viewer)
            for viewer in viewers:
                await viewer.open.wait()
            await asyncio.sleep(SETTLE_SECONDS)
            answer({})
            continue
        async with asyncio.timeout(GUARD_SECONDS):
            while any(len(viewer.times) < ask["events"] for viewer in viewers):
                await asyncio.sleep(0.05)
        answer(_found(viewers))
        for viewer in viewers:
            viewer.transport.abort()
        viewers.clear()


def _found(viewers: list[Viewer]) -> dict[str, Any]:
    done = [json.loads(text).get("series", {}).get("train/loss", []) for text in viewers[0].texts]
    late = sorted(
        at - moment for viewer in viewers for at, moments in zip(viewer.times, done, strict=True) for moment in moments
    )
    quantiles = [late[int(len(late) * share)] * 1e3 for share in (0.5, 0.99)] if late else None
    return {"frames": sum(len(viewer.times) for viewer in viewers), "late_ms": quantiles}


def answer(words: dict[str, Any]) -> None:
    """To the parent."""
    print(json.dumps(words), flush=True)


def asked(ready: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What the parent wants, once told that this process is ready."""
    answer(ready)
    for line in sys.stdin:
        yield json.loads(line)


class Part:
    """One of the processes."""

    def __init__(self, name: str, home: str) -> None:
        command = [sys.executable, __file__, "--part", name, "--home", home]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ready = self.hear()

    def hear(self) -> dict[str, Any]:
        """Its next answer."""
        assert self.process.stdout is not None
        heard: dict[str, Any] = json.loads(self.process.stdout.readline())
        return heard

    def ask(self, **words: Any) -> dict[str, Any]:
        """Ask, and wait for the answer."""
        assert self.process.stdin is not None
        print(json.dumps(words), file=self.process.stdin, flush=True)
        return self.hear()


@contextmanager
def parts() -> Iterator[list[Part]]:
    """Service, trainer and viewers."""
    running: list[Part] = []
    with tempfile.TemporaryDirectory() as home:
        try:
            for name in ("serve", "train", "view"):
                running.append(Part(name, home))
            yield running
        finally:
            for part in reversed(running):
                assert part.process.stdin is not None
                part.process.stdin.close()
                part.process.wait(60)


def latency(running: list[Part], path: str, viewers: int, step: float) -> tuple[float, float, float, int]:
    """Median and 99th percentile in ms, the service's seconds of processor time, and how many events viewers got."""
    server, trainer, viewer = running
    run = server.ask()
    shown = {"port": server.ready["port"], "token": server.ready["token"], "last": run["last"]}
    viewer.ask(path=path.format(run=run["run"]), viewers=viewers, **shown)
    before = server.ask(used=True)["seconds"]
    events = trainer.ask(run=run["run"], token=run["token"], step=step, seconds=SECONDS)["events"]
    found = viewer.ask(events=events)
    spent = server.ask(used=True)["seconds"] - before
    return (*found["late_ms"], spent, found["frames"])


def processor_us(running: list[Part], path: str, events: int) -> float:
    """Of the service, for each event at each viewer."""
    server, _, viewer = running
    run = server.ask()
    shown = {"port": server.ready["port"], "token": server.ready["token"], "last": run["last"]}
    viewer.ask(path=path.format(run=run["run"]), viewers=COUNTED, **shown)
    spent = server.ask(run=run["run"], last=run["last"], ours=path == OURS, events=events)["seconds"]
    frames = viewer.ask(events=TELLINGS * events)["frames"]
    assert frames == TELLINGS * events * COUNTED, frames
    return float(spent / frames * 1e6)


def slowing(running: list[Part], rounds: int) -> tuple[float, float]:
    """What a viewer adds to the time, and to the processor time, of a training run: ratios, medians of pairs."""
    server, trainer, viewer = running

    def train_with(viewers: int) -> dict[str, Any]:
        run = server.ask()
        if viewers:
            shown = {"port": server.ready["port"], "token": server.ready["token"], "last": run["last"]}
            viewer.ask(path=OURS.format(run=run["run"]), viewers=viewers, **shown)
        took = trainer.ask(run=run["run"], token=run["token"], step=0, seconds=SECONDS)
        if viewers:
            viewer.ask(events=took["events"])
        return took

    pairs = []
    for round_ in range(rounds):
        took = {viewers: train_with(viewers) for viewers in ((0, 1) if round_ % 2 == 0 else (1, 0))}
        pairs.append([took[1][clock] / took[0][clock] for clock in ("wall", "own")])
    wall, own = (statistics.median(pair[clock] for pair in pairs) for clock in (0, 1))
    return wall, own


def in_turns(rounds: int, measure: Callable[[str], Any]) -> list[dict[str, Any]]:
    """Both sides in each round."""
    sides = (OURS, QUEUES)
    return [{path: measure(path) for path in (sides if round_ % 2 == 0 else sides[::-1])} for round_ in range(rounds)]


def main() -> int:
    """Print; with ``--check``, fail when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--viewers", type=int, default=1_000)
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part:
        {"serve": lambda: serve(arguments.home), "train": lambda: train(arguments.home), "view": view}[arguments.part]()
        return 0
    missed = []
    with parts() as running:
        print("| step done → value at a viewer | median ms | p99 ms | goal |")
        print("|---|---|---|---|")
        for step in (0.1, 0.002):
            median, most, alone, _ = latency(running, OURS, 1, step)
            missed += ["1 viewer"] if median > MEDIAN_MS else []
            print(
                f"| 1 viewer, steps of {step * 1e3:g} ms | {median:.0f} | {most:.0f} | median ≤ {MEDIAN_MS} |",
                flush=True,
            )
        wall, own = slowing(running, 2 * arguments.rounds + 1)
        missed += ["slowing"] if wall > SLOWING else []
        print(f"\none viewer: a perceptron's training takes {wall:.3f} times as long, goal ≤ {SLOWING}")
        print(f"and {own:.3f} times the processor time\n")
        print("| step done → value at a viewer | median ms | p99 ms | goal |")
        print("|---|---|---|---|")
        crowd = in_turns(arguments.rounds, lambda path: latency(running, path, arguments.viewers, 0.002))
        for path, label in ((OURS, ""), (QUEUES, ", a queue and a task for each")):
            median, most = (statistics.median(row[path][clock] for row in crowd) for clock in (0, 1))
            missed += [f"{arguments.viewers} viewers"] if path == OURS and most > P99_MS else []
            goal = f"p99 ≤ {P99_MS}" if path == OURS else ""
            print(f"| {arguments.viewers:,} viewers, steps of 2 ms{label} | {median:.0f} | {most:.0f} | {goal} |")
        print("\n| processor time of the service for an event at a viewer | µs | queue and task, µs | ratio | goal |")
        print("|---|---|---|---|---|")
        table: dict[str, list[dict[str, float]]] = {
            f"{arguments.viewers:,} viewers of a training run{label}": [
                {path: (spent - less) / frames * 1e6 for path, (_, _, spent, frames) in row.items()} for row in crowd
            ]
            for label, less in ((", all that the service does", 0.0), (", without what it does for one", alone))
        }
        for events in (1, 3):
            label = f"{COUNTED} viewers, {events} at once, the fan-out alone"
            table[label] = in_turns(arguments.rounds, lambda path, events=events: processor_us(running, path, events))
        for label, rows in table.items():
            ours, theirs = (statistics.median(row[path] for row in rows) for path in (OURS, QUEUES))
            ratio = statistics.median(row[OURS] / row[QUEUES] for row in rows)
            missed += [label] if ratio > RATIO else []
            print(f"| {label} | {ours:.1f} | {theirs:.1f} | {ratio:.2f} | {RATIO} |")
    if missed:
        print(f"\nmisses its goal: {', '.join(missed)}")
    return 1 if missed and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
