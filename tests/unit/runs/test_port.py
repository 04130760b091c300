"""One suite of scenarios for every executor: what the dispatcher relies on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from layerloom.runs.executors.memory import MemoryExecutor
from layerloom.runs.executors.port import Executor, Need, Task
from waiting import wait_for

NEEDS = [Need("cpu")] * 5


@pytest.fixture(params=["memory", "local"])
def executor(request: pytest.FixtureRequest) -> Executor:
    if request.param == "memory":
        return MemoryExecutor(slots=2)
    made: Executor = request.getfixturevalue("make_executor")()
    return made


def room(executor: Executor, count: int) -> None:
    wait_for(lambda: executor.room(NEEDS) == count, f"room for {count}")


def test_start_poll_stop(executor: Executor, task: Callable[..., Task]) -> None:
    room(executor, 2)
    assert executor.room(NEEDS[:1]) == 1
    assert executor.room([]) == 0
    one = task("sleep", "a.a1")
    handle = executor.start(one)
    assert executor.start(one) == handle
    assert executor.poll([handle])[handle].phase == "running"
    room(executor, 1)
    other = executor.start(task("sleep", "b.a1"))
    assert other != handle
    room(executor, 0)
    executor.stop(handle, 60)
    wait_for(lambda: executor.poll([handle])[handle].phase == "exited", "its end")
    executor.stop(handle, 60)
    statuses = executor.poll([handle, other])
    assert (statuses[handle].code, statuses[other].phase) == (-15, "running")
    room(executor, 1)


def test_nothing_is_known_of_what_was_never_started(executor: Executor) -> None:
    assert executor.poll([]) == {}
    assert executor.poll(["never"])["never"].phase == "gone"
    executor.stop("never", 0)
    assert executor.logs("never") == b""


def test_letting_go_stops_no_job(executor: Executor, task: Callable[..., Task]) -> None:
    room(executor, 2)
    handle = executor.start(task("sleep"))
    executor.close()
    assert executor.poll([handle])[handle].phase == "running"
