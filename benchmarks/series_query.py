"""2,000 points of a long curve: LayerLoom's series against TensorBoard's reader and against SQL over a table of values.

Every side holds the same values and answers in turns, in one process. A thousand buckets, of which each gives its
smallest and its largest value, are 2,000 points. TensorBoard's ``EventAccumulator`` has to load its file first, as it
does whenever a run is opened; ``GROUP BY`` runs in the same database as LayerLoom's series. Ratios are medians over
the rounds.

    python benchmarks/series_query.py [--check] [--rounds N] [--postgres]

``--check`` exits with 1 when a goal is missed. The database is a new SQLite file, or with ``--postgres`` that of a new
server on a unix socket, whose answer to ``SELECT 1`` is told, too: what no read can be faster than.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import numpy as np
import sqlalchemy as sa
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

from layerloom.schema.document import Document
from layerloom.schema.events import Metrics
from layerloom.schema.plan import Plan
from layerloom.storage import Slice, Store, open_store
from layerloom.storage.series import append
from postgres import new_postgres

TAG = "train/loss"
BUCKETS = 1_000
LONG, SHORT, LONGEST = 10**6, 10**4, 10**7
AT_ONCE = 100_000
READS = 20
"""Of ours in each round; their median counts."""
DELIVERED, FLUSHED = 2 * 10**5, 100
"""Steps of a run that is delivered, and those in an event: 100 ms of 1 ms each."""
STEP_SECONDS, JITTER_SECONDS = 1e-3, 5e-5
DOCUMENT = Document.model_validate(
    {"format": 1, "name": "Net", "main": "Net", "blocks": {"Net": {"forward": {"output": None}}}}
)

Floats = np.ndarray


def curve(count: int) -> tuple[Floats, Floats]:
    """A noisy loss in single precision with a spike, and the seconds of its steps."""
    chance = np.random.default_rng(count)
    values = np.exp(-np.arange(count) / (count / 5)) * 3 + chance.normal(0, 0.15, count)
    values[count // 3] = 9
    times = np.cumsum(chance.normal(STEP_SECONDS, JITTER_SECONDS, count))
    return values.astype(np.float32).astype(np.float64), times


def add_curve(store: Store, values: Floats, times: Floats) -> str:
    """A run with one series. What is stored of it does not depend on how many values came at once."""
    run = store.runs.add(DOCUMENT, Plan(dataset="digits")).run
    for at in range(0, len(values), AT_ONCE):
        steps = np.arange(at + 1, min(at + AT_ONCE, len(values)) + 1)
        part = Metrics.model_construct(
            at=1e9 + times[at : at + AT_ONCE][-1],
            steps=steps.tolist(),
            epochs=(steps / 938).tolist(),
            times=times[at : at + AT_ONCE].tolist(),
            series={TAG: values[at : at + AT_ONCE].tolist()},
            nonfinite={},
        )
        with store._database.write() as connection:
            append(connection, run, [part])
    return run


def add_rows(store: Store, values: Floats) -> None:
    """The same as a table of values."""
    with store._database.write() as connection:
        columns = "run int, series int, step int, value real, PRIMARY KEY (run, series, step)"
        form = " WITHOUT ROWID" if connection.dialect.name == "sqlite" else ""
        connection.exec_driver_sql(f"CREATE TABLE rows_of_values ({columns}){form}")
        insert = sa.text("INSERT INTO rows_of_values VALUES (1, 1, :step, :value)")
        for at in range(0, len(values), AT_ONCE):
            part = values[at : at + AT_ONCE].tolist()
            connection.execute(insert, [{"step": step, "value": value} for step, value in enumerate(part, at + 1)])
    if store._database._reader.dialect.name == "postgresql":
        vacuum(store, "ANALYZE")


def vacuum(store: Store, kind: str) -> None:
    """What PostgreSQL does by itself from time to time, now."""
    with store._database._writer.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"VACUUM {kind}")


def write_events(folder: Path, values: Floats, times: Floats) -> Path:
    """The same in TensorBoard's file, byte for byte as ``SummaryWriter.add_scalar`` writes it."""
    folder.mkdir()
    path = folder / "events.out.tfevents.1.host"
    with path.open("wb") as file:
        writer = RecordWriter(file)
        writer.write(Event(wall_time=1e9, file_version="brain.Event:2").SerializeToString())
        for step, (value, moment) in enumerate(zip(values.tolist(), times.tolist(), strict=True), 1):
            summary = Summary(value=[Summary.Value(tag=TAG, simple_value=value)])
            writer.write(Event(wall_time=1e9 + moment, step=step, summary=summary).SerializeToString())
    return path


def by_tensorboard(folder: Path, count: int) -> None:
    """All values, from which its charts then take a sample."""
    loaded = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    loaded.Reload()
    assert len(loaded.Scalars(TAG)) == count


def by_group(store: Store, count: int) -> None:
    """Smallest, largest and mean value of a thousand parts."""
    query = f"SELECT (step - 1) / {count // BUCKETS}, min(value), max(value), avg(value) FROM rows_of_values "
    with store._database.read() as connection:
        found = connection.exec_driver_sql(query + "WHERE run = 1 AND series = 1 GROUP BY 1").fetchall()
    assert len(found) == BUCKETS


def by_layerloom(store: Store, run: str, first: int = 0, last: int = 2**63 - 1) -> Slice:
    [found] = store.series.read(run, [TAG], first, last, BUCKETS).items
    return found


def prove(found: Slice, values: Floats, first: int = 1) -> None:
    """The envelope is that of the values."""
    shown = values[first - 1 : first - 1 + found.counts.sum()]
    edges = np.cumsum(found.counts) - found.counts
    assert 0.9 * BUCKETS < len(edges) <= BUCKETS
    assert np.array_equal(found.lows, np.minimum.reduceat(shown, edges))
    assert np.array_equal(found.highs, np.maximum.reduceat(shown, edges))


def size_of_run(store: Store, values: Floats, times: Floats) -> float:
    """Bytes that a delivered run takes for each of its scalars, events and indexes included.

    A loss and a learning rate of each step, ``FLUSHED`` steps in an event, as the recorder sends them.
    """
    run = store.runs.add(DOCUMENT, Plan(dataset="digits")).run
    before = size(store)
    for at in range(0, len(values), FLUSHED):
        part = slice(at, at + FLUSHED)
        steps = range(at + 1, at + 1 + len(values[part]))
        rates = (0.003 * (1 - np.array(steps) / len(values))).tolist()
        event = Metrics.model_construct(
            run="",
            seq=0,
            at=0.0,
            kind="metrics",
            steps=list(steps),
            epochs=(np.array(steps) / 938).tolist(),
            times=times[part].round(6).tolist(),
            series={TAG: values[part].tolist(), "train/lr": rates},
            nonfinite={},
        )
        store.log.say(run, event)
    return (size(store) - before) / (2 * len(values))


def seconds(work: Callable[[], object], times: int = 1) -> float:
    """Median time of a call."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def size(store: Store) -> int:
    """Bytes of the tables of series and events with their indexes.

    PostgreSQL keeps rows that were written anew until its vacuum, each minute, lets their room be used again.
    """
    if store._database._reader.dialect.name == "postgresql":
        vacuum(store, "FULL")
    with store._database.write() as connection:
        if connection.dialect.name == "postgresql":
            query = "SELECT sum(pg_total_relation_size(name)) FROM unnest(ARRAY['chunks', 'series', 'events']) AS name"
            return int(connection.exec_driver_sql(query).scalar_one())
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        free = connection.exec_driver_sql("PRAGMA freelist_count").scalar_one()
        return int(pages - free) * int(connection.exec_driver_sql("PRAGMA page_size").scalar_one())


def measure(store: Store, folder: Path, rounds: int) -> list[tuple[str, str, float, str, bool]]:
    """Lines of the table: what, both sides, ratio, goal, whether it was met."""
    values, times = curve(LONG)
    empty = size(store)
    long = add_curve(store, values, times)
    ours_bytes = (size(store) - empty) / LONG
    delivered_bytes = size_of_run(store, values[:DELIVERED], times[:DELIVERED])
    theirs_bytes = write_events(folder / "tensorboard", values, times).stat().st_size / LONG
    add_rows(store, values)
    short, longest = (add_curve(store, *curve(count)) for count in (SHORT, LONGEST))
    prove(by_layerloom(store, long), values)
    prove(by_layerloom(store, longest), curve(LONGEST)[0])
    prove(by_layerloom(store, short), curve(SHORT)[0])
    prove(by_layerloom(store, long, 123_457, 223_456), values, 123_457)
    sides: dict[str, Callable[[], float]] = {
        "long": lambda: seconds(lambda: by_layerloom(store, long), READS),
        "part": lambda: seconds(lambda: by_layerloom(store, long, 123_457, 223_456), READS),
        "short": lambda: seconds(lambda: by_layerloom(store, short), READS),
        "longest": lambda: seconds(lambda: by_layerloom(store, longest), READS),
        "rows": lambda: seconds(lambda: by_group(store, LONG)),
        "nothing": lambda: seconds(lambda: store._database.ask(sa.text("SELECT 1"), {}), READS),
        "tensorboard": lambda: seconds(lambda: by_tensorboard(folder / "tensorboard", LONG)),
    }
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for round_ in range(rounds):
        for name in sides if round_ % 2 == 0 else reversed(sides):
            taken[name].append(sides[name]())
    middle = {name: statistics.median(values) for name, values in taken.items()}

    def ratio(one: str, other: str) -> float:
        return statistics.median(a / b for a, b in zip(taken[one], taken[other], strict=True))

    def both(one: str, other: str) -> str:
        return f"{middle[one] * 1e3:,.2f} / {middle[other] * 1e3:,.2f} ms"

    loaded, grouped, growth = ratio("tensorboard", "long"), ratio("rows", "long"), ratio("longest", "short")
    share = theirs_bytes / ours_bytes
    part = f"{middle['part'] * 1e3:,.2f} / {middle['long'] * 1e3:,.2f} ms"
    return [
        ("TensorBoard loads 10⁶ / 2,000 points of 10⁶", both("tensorboard", "long"), loaded, "≥1,000", loaded >= 1_000),
        ("GROUP BY over 10⁶ rows / the same", both("rows", "long"), grouped, "≥1,000", grouped >= 1_000),
        ("GROUP BY over 10⁶ rows / SELECT 1", both("rows", "nothing"), ratio("rows", "nothing"), "", True),
        ("2,000 points of 10⁷ / of 10⁴", both("longest", "short"), growth, "≤1.3", growth <= 1.3),
        ("2,000 points of a tenth, cut anywhere / of all", part, ratio("part", "long"), "", True),
        (
            "bytes per scalar: TensorBoard / series with times and pyramid",
            f"{theirs_bytes:.1f} / {ours_bytes:.2f}",
            share,
            "≥8",
            share >= 8,
        ),
        (
            "bytes per scalar: TensorBoard / all that is stored of a run, events too",
            f"{theirs_bytes:.1f} / {delivered_bytes:.2f}",
            theirs_bytes / delivered_bytes,
            "≥8",
            theirs_bytes / delivered_bytes >= 8,
        ),
    ]


def main() -> int:
    """Print a table; with ``--check``, fail when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--postgres", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, new_postgres() if arguments.postgres else nullcontext() as server:
        folder = Path(name)
        store = open_store(server.new_url() if server else f"sqlite:///{folder / 'layerloom.db'}", folder / "runs")
        kind = store._database._reader.dialect.name
        lines = measure(store, folder, arguments.rounds)
        store.close()
    print(f"{kind}, {arguments.rounds} rounds, medians; extremes equal numpy's in every range\n")
    print("| one / other | both | ratio | goal |")
    print("|---|---|---|---|")
    for what, both, ratio, goal, _ in lines:
        print(f"| {what} | {both} | {ratio:,.2f} | {goal} |")
    missed = [what for what, *_, met in lines if not met]
    if missed:
        print(f"\nbelow the goal: {'; '.join(missed)}")
    return 1 if missed and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
