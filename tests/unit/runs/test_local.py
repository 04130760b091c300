"""The local executor with real processes: forked, polled, stopped, adopted, and none left over."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from layerloom.runs.executors.local import LocalExecutor, explain
from layerloom.runs.executors.port import Need, Status, Task
from unit.runs.conftest import TEMPLATE
from waiting import wait_for

MakeExecutor = Callable[..., LocalExecutor]
MakeTask = Callable[..., Task]


def warm(executor: LocalExecutor) -> LocalExecutor:
    wait_for(lambda: executor.room([Need("cpu")]) == 1, "room")
    return executor


def status(executor: LocalExecutor, handle: str) -> Status:
    return executor.poll([handle])[handle]


def ended(executor: LocalExecutor, handle: str) -> Status:
    wait_for(lambda: status(executor, handle).phase == "exited", "an end")
    return status(executor, handle)


def begun(executor: LocalExecutor, handle: str) -> None:
    wait_for(lambda: b"ready" in executor.logs(handle), "a beginning")


def test_room_counts_slots_once_the_template_is_warm(make_executor: MakeExecutor, task: MakeTask) -> None:
    executor = make_executor()
    needs = [Need("cpu")] * 5
    assert executor.room(needs) in (0, 2)
    warm(executor)
    assert executor.room(needs) == 2
    assert executor.room([]) == 0
    first = executor.start(task("sleep", "a.a1"))
    assert executor.room(needs) == 1
    assert [(device.id, device.busy, device.slots) for device in executor.devices()][-1] == ("cpu", 1, 2)
    executor.start(task("sleep", "b.a1"))
    assert executor.room(needs) == 0
    executor.stop(first, 60)
    wait_for(lambda: executor.room(needs) == 1, "a free slot")


@pytest.mark.parametrize(("act", "code"), [("exit 0", 0), ("exit 76", 76), ("exit 1", 1), ("signal 9", -9)])
def test_exit_codes_and_signals_are_seen(make_executor: MakeExecutor, task: MakeTask, act: str, code: int) -> None:
    executor = warm(make_executor())
    handle = executor.start(task(act))
    assert ended(executor, handle) == Status("exited", code, explain(code))


def test_the_same_key_starts_once(make_executor: MakeExecutor, task: MakeTask) -> None:
    executor = warm(make_executor())
    one = task("sleep")
    handle = executor.start(one)
    begun(executor, handle)
    assert executor.start(one) == handle
    assert warm(make_executor()).start(one) == handle
    assert executor.logs(handle).count(b"began") == 1


def test_an_unknown_handle_is_gone(make_executor: MakeExecutor, tmp_path: Path) -> None:
    executor = make_executor()
    for handle in ("", "nonsense", str(tmp_path)):
        assert status(executor, handle).phase == "gone"
        executor.stop(handle, 0)
        assert executor.logs(handle) == b""


def test_a_trainer_has_a_session_a_log_and_its_threads(make_executor: MakeExecutor, task: MakeTask) -> None:
    executor = warm(make_executor())
    handle = executor.start(task("sleep", need=Need("cpu", threads=3)))
    begun(executor, handle)
    assert executor.logs(handle) == b"began sleep 3\nready\n"
    assert executor.logs(handle, 6) == b"sleep 3\nready\n"
    assert executor.logs(handle, -6) == b"ready\n"
    record = json.loads((Path(handle) / "process.json").read_bytes())
    assert os.getsid(record["pid"]) == record["pid"]
    assert record["key"] == "run.a1"
    assert [path.name for path in Path(handle).iterdir() if path.name.endswith(".tmp")] == []


def test_stop_asks_first_and_kills_the_whole_group_after_grace(make_executor: MakeExecutor, task: MakeTask) -> None:
    executor = warm(make_executor())
    polite, stubborn = executor.start(task("sleep", "a.a1")), executor.start(task("stubborn", "b.a1"))
    begun(executor, polite)
    begun(executor, stubborn)
    child = int(executor.logs(stubborn).split(b"child ")[1].split()[0])
    executor.stop(polite, 600)
    executor.stop(stubborn, 0.2)
    executor.stop(stubborn, 600)
    assert ended(executor, polite).code == -signal.SIGTERM
    assert ended(executor, stubborn).code == -signal.SIGKILL
    wait_for(lambda: not psutil.pid_exists(child), "the end of its child")


def test_what_a_trainer_leaves_behind_ends_with_it(make_executor: MakeExecutor, task: MakeTask) -> None:
    executor = warm(make_executor())
    handle = executor.start(task("parent"))
    assert ended(executor, handle).code == 0
    child = int(executor.logs(handle).split(b"child ")[1].split()[0])
    wait_for(lambda: not psutil.pid_exists(child), "the end of its child")


def test_a_second_executor_adopts_what_the_first_let_go(make_executor: MakeExecutor, task: MakeTask) -> None:
    first = warm(make_executor())
    handle = first.start(task("sleep"))
    begun(first, handle)
    first.close()
    second = make_executor()
    assert status(second, handle) == Status("running")
    wait_for(lambda: second.room([Need("cpu")] * 3) == 1, "room beside the adopted one")
    second.stop(handle, 60)
    assert ended(second, handle) == Status("exited", None, "is gone")


def test_a_pid_that_was_given_away_is_left_alone(make_executor: MakeExecutor, task: MakeTask) -> None:
    folder = task("sleep").folder
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True) as stranger:
        born = psutil.Process(stranger.pid).create_time()
        for pid, birth in ((stranger.pid, born - 3600), (2**22 - 1, 0.0)):
            (folder / "process.json").write_text(json.dumps({"pid": pid, "born": birth, "device": "cpu"}))
            executor = make_executor()
            executor.stop(str(folder), 0)
            assert status(executor, str(folder)).phase == "exited"
        assert stranger.poll() is None
        stranger.communicate(b"\n", 60)
    assert stranger.returncode == 0, "no signal reached it"


def test_a_dead_template_is_replaced_and_its_trainers_live_on(make_executor: MakeExecutor, task: MakeTask) -> None:
    executor = warm(make_executor())
    handle = executor.start(task("sleep", "a.a1"))
    begun(executor, handle)
    template = executor._template
    assert template is not None
    os.kill(template._process.pid, signal.SIGKILL)
    wait_for(lambda: not template.alive, "the template's end")
    assert status(executor, handle) == Status("running")
    warm(executor)
    assert executor._template is not template
    assert ended(executor, executor.start(task("exit 4", "b.a1"))).code == 4
    executor.stop(handle, 60)
    assert ended(executor, handle).code is None


def test_a_template_that_falls_silent_starts_nothing_later(make_executor: MakeExecutor, task: MakeTask) -> None:
    executor = warm(make_executor(patience=0.5))
    template = executor._template
    assert template is not None
    process = psutil.Process(template._process.pid)
    process.suspend()
    handle = executor.start(task("this is no job"))
    assert not template.alive, "it could go on and fork what was asked of it"
    assert not process.is_running()
    assert ended(executor, handle).code == 1, "the real trainer was started afresh, and refused the job"
    assert b"began" not in executor.logs(handle), "and the template's did not begin"


def test_a_trainer_that_nobody_has_heard_of_does_not_begin(make_executor: MakeExecutor, task: MakeTask) -> None:
    """The template dies between the fork and its answer."""
    dying = """
import os, sys
from layerloom.worker import template

def say(message, said=template._say):
    if "started" in message:
        print(message["pid"], file=open(sys.argv[1], "w"), flush=True)
        os.kill(os.getpid(), 9)
    said(message)

template._say = say
"""
    one = task("this is no job")
    pid = one.folder / "forked"
    executor = warm(make_executor(template=(sys.executable, "-c", dying + TEMPLATE, str(pid))))
    handle = executor.start(one)
    assert ended(executor, handle).code == 1, "the real trainer was started afresh, and refused the job"
    wait_for(lambda: not psutil.pid_exists(int(pid.read_text())), "the end of the one that was forked")
    assert b"began" not in executor.logs(handle)


@pytest.mark.parametrize("command", ["/nonexistent", "/bin/false"])
def test_a_template_that_cannot_start_is_done_without(task: MakeTask, command: str) -> None:
    executor = warm(LocalExecutor(cpu_slots=2, template=(command,)))
    handle = executor.start(task("this is no job"))
    assert ended(executor, handle).code == 1, "the real trainer was started afresh, and refused the job"
    assert b"JSON" in executor.logs(handle)
    executor.close()
