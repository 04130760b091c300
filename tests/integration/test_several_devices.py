"""A trainer of two processes: forked by the template, told to leave, killed by halves, failing on one side."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, ProcessFailure

from layerloom.schema.events import StateChanged
from layerloom.worker.job import failure
from layerloom.worker.several import FOLDER, _concluded
from layerloom.worker.spool import Spool
from trainers import Attempt, Forked, Template, losses
from waiting import wait_for

PLAN: dict[str, Any] = {"devices": 2, "threads": 1, "seed": 0, "batch_size": 256}
PATIENCE = 60


def attempt(folder: Path, number: int = 1, resume: str | None = None, **plan: Any) -> Attempt:
    made = Attempt(folder, "digits-mlp", {**PLAN, **plan}, number=number, resume=resume)
    made.job = made.job.model_copy(update={"address_file": ""})
    made.file.write_text(made.job.model_dump_json())
    return made


def ranks(trainer: Forked) -> list[psutil.Process]:
    """The two processes, once both train."""
    return [child for child in psutil.Process(trainer.pid).children() if child.status() != psutil.STATUS_ZOMBIE]


def at_work(one: Attempt, steps: int) -> None:
    wait_for(lambda: (one.place / "spool.jsonl").exists() and len(losses(one.spooled())) >= steps, "steps", PATIENCE)


def gone(processes: list[psutil.Process]) -> None:
    _ended, alive = psutil.wait_procs(processes, timeout=PATIENCE)
    assert alive == []


def checkpoint(one: Attempt) -> str:
    return [event["path"] for event in one.spooled() if event["kind"] == "checkpoint"][-1]


def test_who_is_told_to_leave_goes_on_to_the_bit(template: Template, tmp_path: Path) -> None:
    whole = attempt(tmp_path / "whole", epochs=40)
    assert whole.train(template) == 0
    assert whole.spooled()[-1]["state"] == "succeeded"
    assert sorted(item.name for item in whole.place.iterdir()) == ["job.json", "log", "spool.jsonl"]
    first = attempt(tmp_path, epochs=40)
    with first.running(template) as trainer:
        at_work(first, 10)
        trainer.send_signal(signal.SIGTERM)
        assert trainer.wait(PATIENCE) == 76
    second = attempt(tmp_path, 2, checkpoint(first), epochs=40)
    assert second.train(template) == 0
    assert {**losses(first.spooled()), **losses(second.spooled())} == losses(whole.spooled())


@pytest.mark.parametrize("rank", [0, 1])
def test_when_one_is_killed_all_end_as_it_did(rank: int, template: Template, tmp_path: Path) -> None:
    """So that whoever watches sees one killed trainer, and starts it again from its checkpoint."""
    one = attempt(tmp_path, epochs=100_000)
    with one.running(template) as trainer:
        at_work(one, 1)
        both = ranks(trainer)
        assert len(both) == 2
        both[rank].kill()
        assert trainer.wait(PATIENCE) == -signal.SIGKILL
        gone(both)
    assert [event for event in one.spooled() if event["kind"] == "state"] == one.spooled()[:1]


def test_when_the_one_that_watches_is_killed_all_end(template: Template, tmp_path: Path) -> None:
    one = attempt(tmp_path, epochs=100_000)
    with one.running(template) as trainer:
        at_work(one, 1)
        both = ranks(trainer)
        trainer.kill()
        gone(both)


def test_data_that_the_first_cannot_have_are_told_once(template: Template, tmp_path: Path) -> None:
    one = attempt(tmp_path, dataset="mnist", epochs=1)
    one.job = one.job.model_copy(update={"downloads": False})
    one.file.write_text(one.job.model_dump_json())
    assert one.train(template) == 0
    told = [event for event in one.spooled() if event["kind"] != "log"]
    assert [event["kind"] for event in told] == ["state", "problem", "state"]
    assert (told[1]["problem"]["code"], told[2]["reason"]) == ("downloads_off", "downloads_off")


def test_what_went_wrong_first_is_what_the_run_says(tmp_path: Path) -> None:
    """The others fail only because they have nobody to talk with."""
    one = attempt(tmp_path)
    spool = Spool(one.place / "spool.jsonl")
    spool.append(StateChanged(state="running", attempt=1))
    spool.close()
    with (one.place / "spool.jsonl").open("ab") as file:
        file.write(b'{"number":2,"eve')
    (one.place / FOLDER).mkdir()
    for rank, error in ((1, MemoryError("no memory")), (0, RuntimeError("Connection closed by peer"))):
        events = [event.model_dump(mode="json") for event in failure(error, 1)]
        (one.place / FOLDER / f"failure-{rank}.json").write_text(json.dumps(events))
        time.sleep(0.02)
    died = ProcessFailure(local_rank=1, pid=1, exitcode=1, error_file="")
    assert _concluded(one.file, ChildFailedError("trainer", {1: died})) == 0
    assert [event["kind"] for event in one.spooled()] == ["state", "problem", "state"]
    assert one.spooled()[1]["problem"]["code"] == "out_of_memory"
    assert one.spooled()[2]["state"] == "failed"
