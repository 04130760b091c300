"""A trainer of several processes: torch elastic starts one per device and watches them; this one only looks on.

The processes (*ranks*) are forked from here, where everything is imported and nothing computed, so that several start
as fast as one. The first is the trainer that all others speak of: it alone tells and saves. When one dies, all are
ended within seconds, and this process ends the way that one did, so that whoever started it sees one trainer that was
killed, and starts it anew from its last checkpoint. When this process dies, the system ends all of them.
"""

from __future__ import annotations

import faulthandler
import json
import os
import shutil
import signal
import sys
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path

import psutil
from pydantic import TypeAdapter
from torch import cuda
from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from layerloom.schema.events import Event
from layerloom.schema.worker import Job
from layerloom.training import Control, Ranks
from layerloom.training.ranks import join
from layerloom.worker import job as single
from layerloom.worker.spool import Spool

FOLDER = "ranks"
"""Below the attempt's folder: where the ranks meet, and what they leave when they fail."""
PATIENCE = 3.0
"""Seconds that a rank which fails leaves to the others: where one has died, the rest fail only because of that."""
LOOK = 1.0
"""Seconds between two looks at the other ranks."""


def launch(path: Path, job: Job) -> int:
    """Train ``job`` with a process for each device; gives the exit code, or dies as a rank has died."""
    warmed()
    folder = path.parent / FOLDER
    folder.mkdir()
    asked: list[int] = []
    _pass_on(asked)
    # torch elastic counts the accelerators, which must not touch them before the fork.
    os.environ["PYTORCH_NVML_BASED_CUDA_CHECK"] = "1"
    # Nothing here has to listen to another machine.
    os.environ["TORCH_DISABLE_SHARE_RDZV_TCP_STORE"] = "1"
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=job.plan.devices,
        run_id=f"{job.run}.a{job.attempt}",
        rdzv_backend="c10d",
        rdzv_endpoint=str(folder / "agents"),
        rdzv_configs={"store_type": "file", "timeout": 60},
        local_addr="localhost",
        max_restarts=0,
        monitor_interval=0.1,
        start_method="fork",
        signals_to_handle="SIGHUP",  # the others are passed on
        logs_specs=DefaultLogsSpecs(log_dir=str(folder)),
    )
    try:
        codes = elastic_launch(config, _rank)(str(path), asked)
    except ChildFailedError as failed:
        return _concluded(path, failed)
    shutil.rmtree(folder, ignore_errors=True)
    return int(codes[0])


def _pass_on(asked: list[int]) -> None:
    """Signals are meant for the ranks. ``asked`` remembers those that came before there were any."""

    def hand(number: int, _frame: object) -> None:
        asked.append(number)
        with suppress(psutil.Error):
            for child in psutil.Process().children():
                child.send_signal(number)

    signal.signal(signal.SIGTERM, hand)
    signal.signal(signal.SIGINT, hand)
    signal.signal(signal.SIGUSR1, hand)
    faulthandler.register(signal.SIGUSR1, sys.__stderr__ or sys.stderr, all_threads=True, chain=True)


def _concluded(path: Path, failed: ChildFailedError) -> int:
    """After a rank has failed: what it said of it becomes the run's last word. One that said nothing was killed."""
    rank, how = failed.get_first_failure()
    if how.exitcode < 0:
        print(f"rank {rank} was killed, and the others with it", file=sys.stderr, flush=True)
        with suppress(OSError):  # KILL has no handler
            signal.signal(-how.exitcode, signal.SIG_DFL)
        os.kill(os.getpid(), -how.exitcode)
    said = sorted((path.parent / FOLDER).glob("failure-*.json"), key=lambda file: file.stat().st_mtime_ns)
    if not said:
        return how.exitcode
    spool = Spool.reopened(path.parent / "spool.jsonl")
    for event in TypeAdapter(list[Event]).validate_json(said[0].read_bytes()):
        spool.append(event)
    spool.close()
    return single.ENDED


def _rank(path: str, asked: list[int]) -> int:
    """One rank, from its start to its exit code."""
    die_with_parent()
    job = Job.model_validate_json(Path(path).read_bytes())
    folder = Path(path).parent / FOLDER
    rank, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    control = Control(orders=job.orders, leaving=any(number != signal.SIGUSR1 for number in asked))
    single.listen(control)
    over = threading.Event()
    try:
        ranks = join(rank, world, folder / "meeting", cuda=job.plan.device != "cpu" and cuda.is_available())
        _watch(ranks, over)
        if ranks.first:
            code = single.conduct(job, Spool.reopened(Path(path).parent / "spool.jsonl"), control, ranks)
        else:
            single.attempt(job, _unheard, control, ranks)
            code = single.ENDED
    except BaseException as error:
        _fail(error, job, folder / f"failure-{rank}.json", control)
    over.set()
    with suppress(Exception):
        ranks.leave()
    return code


def _unheard(_event: Event) -> None:
    """What the first rank says, too."""


def _fail(error: BaseException, job: Job, file: Path, control: Control) -> None:
    """Say what went wrong, wait whether another one's end is the reason, and go."""
    traceback.print_exception(error)
    events = [event.model_dump(mode="json") for event in single.failure(error, job.attempt)]
    file.write_text(json.dumps(events), encoding="utf-8")
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and not control.leaving:
        time.sleep(0.05)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)


def _watch(ranks: Ranks, over: threading.Event) -> None:
    """End this rank when another one has died: an accelerator would let it wait for its numbers for ever."""
    others = [psutil.Process(pid) for pid in ranks.gathered(os.getpid()) if pid != os.getpid()]

    def look() -> None:
        while not over.wait(LOOK):
            if any(not other.is_running() or other.status() == psutil.STATUS_ZOMBIE for other in others):
                over.wait(PATIENCE)
                if not over.is_set():
                    os._exit(1)

    threading.Thread(target=look, name="others", daemon=True).start()


def warmed() -> None:
    """Import what a trainer needs, once for all that are forked from here."""
    from layerloom.worker.template import warm_up

    if "torch._dynamo" not in sys.modules:  # not forked from the template
        warm_up()


def die_with_parent() -> None:
    """Have the system end this process when the one that started it is gone."""
    from torch import multiprocessing

    if set_signal := getattr(multiprocessing, "_prctl_pr_set_pdeathsig", None):
        set_signal(signal.SIGKILL)
