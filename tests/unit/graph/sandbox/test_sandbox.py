"""Real processes that do their worst, and what becomes of it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from layerloom.graph.errors import GraphError
from layerloom.graph.sandbox import Limits, Process, SandboxError, TaskError, Warm
from layerloom.graph.sandbox import run as run_task
from waiting import wait_for

HERE = Path(__file__).parent
GIB = 2**30
LIMITS = Limits(memory=GIB // 2, mapped=4 * GIB, wall_s=60, processes=16, file=2**22, scratch=2**23, answer=2**20)
SHORT = Limits(memory=GIB // 2, wall_s=2)


@pytest.fixture(autouse=True)
def _tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(HERE))


def run(task: str, payload: Any = None, limits: Limits = LIMITS, **given: Any) -> Any:
    return run_task(task, payload, tasks="hostile", limits=limits, **given)


def reason(task: str, payload: Any = None, limits: Limits = LIMITS) -> str:
    with pytest.raises(SandboxError) as caught:
        run(task, payload, limits)
    return caught.value.reason


@pytest.fixture
def held() -> frozenset[str]:
    process = Process("hostile", LIMITS)
    try:
        process.call("echo", None)
        assert process.held is not None
        return process.held
    finally:
        process.end()


@pytest.fixture
def namespaces(held: frozenset[str]) -> None:
    if held != {"network", "files", "processes"}:
        pytest.skip("this system gives an ordinary user no namespaces")


def alive(marker: str) -> list[psutil.Process]:
    return [
        process for process in psutil.process_iter(["cmdline"]) if marker in " ".join(process.info["cmdline"] or [])
    ]


# --- what it gives


def test_a_value_goes_in_and_one_comes_out() -> None:
    value = {"text": "漢字\0", "list": [1, 2.5, None, True], "deep": {"a": [[]]}, "long": "x" * 500_000}
    assert run("echo", value) == value


def test_a_file_is_read_wherever_it_lies(tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_text("content")
    assert run("read", file=path) == "content"


def test_problems_and_exceptions_come_back() -> None:
    with pytest.raises(GraphError) as refused:
        run("refuse")
    assert [problem.message for problem in refused.value.problems] == ["round and round"]
    with pytest.raises(TaskError, match="no such luck") as failed:
        run("fail")
    assert failed.value.kind == "ValueError"
    assert "hostile.py" in failed.value.trace
    with pytest.raises(TaskError, match="'unknown'"):
        run("unknown")


# --- what it takes


def test_memory_is_bounded() -> None:
    assert reason("allocate") == "memory"


def test_shared_memory_is_bounded() -> None:
    assert reason("share") == "memory"


def test_an_endless_loop_ends_and_says_where_it_was() -> None:
    with pytest.raises(SandboxError) as caught:
        run("spend", limits=SHORT)
    assert caught.value.reason == "time"
    assert "in spend" in caught.value.log


def test_cpu_time_is_bounded() -> None:
    assert reason("spend", limits=Limits(memory=GIB // 2, cpu_s=1)) == "time"


def test_a_fork_bomb_is_bounded() -> None:
    before = len(psutil.pids())
    assert reason("multiply") == "processes"
    assert len(psutil.pids()) < before + 50


def test_files_are_bounded() -> None:
    assert run("fill") == "OSError"


def test_an_answer_is_bounded() -> None:
    assert reason("flood") == "answer"


@pytest.mark.parametrize(
    ("task", "payload"), [("end", 0), ("end", 3), ("crash", None), ("forge", None), ("nest", None)]
)
def test_a_process_that_dies_or_lies_is_no_answer(task: str, payload: Any) -> None:
    assert reason(task, payload) in ("died", "answer")


def test_an_exit_is_an_error_like_any_other() -> None:
    with pytest.raises(TaskError) as caught:
        run("leave_politely", 0)
    assert caught.value.kind == "SystemExit"


def test_it_is_stopped_from_outside() -> None:
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    with pytest.raises(SandboxError) as caught:
        run("spend", stop=stop)
    assert caught.value.reason == "stopped"


# --- what it sees and reaches


def test_the_environment_carries_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAYERLOOM_DATABASE", "postgresql://user:password@host/db")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    found = run("environment")
    assert not [name for name in found if name.startswith(("LAYERLOOM", "AWS"))]
    assert found["HOME"] != str(Path.home())


@pytest.mark.usefixtures("namespaces")
def test_there_is_no_network() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        socket.create_connection(("127.0.0.1", port), 5).close()
        assert run("connect", port) == "refused"


@pytest.mark.usefixtures("namespaces")
@pytest.mark.parametrize("where", [HERE, Path("/tmp"), Path("/usr"), Path.home(), Path("/proc/sys/kernel")])
def test_nothing_outside_is_written(where: Path) -> None:
    assert run("write", str(where / "canary")) != "written"
    assert not (where / "canary").exists()


@pytest.mark.usefixtures("namespaces")
def test_what_is_private_is_not_seen(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret")
    assert run("seen", str(HERE / "hostile.py"))
    assert not run("seen", str(tmp_path / "token"))
    elsewhere = HERE.parents[3] / "README.md"
    assert run("seen", str(elsewhere))
    assert (
        not run("seen", str(elsewhere), hide=[elsewhere.parent / "docs", HERE.parents[2] / "e2e"]) or elsewhere.exists()
    )
    assert not run("seen", str(HERE.parents[2] / "e2e" / "conftest.py"), hide=[HERE.parents[2] / "e2e"])


@pytest.mark.usefixtures("namespaces")
def test_it_has_no_privilege_to_change_that() -> None:
    assert run("privileges") == {"CapEff": "0000000000000000", "NoNewPrivs": "1"}
    assert run("remount") == -1


def test_its_own_folder_is_deleted(tmp_path: Path) -> None:
    process = Process("hostile", LIMITS)
    folder = Path(process.call("environment", None)["HOME"])
    assert process.call("write", "here") == "written"
    assert folder.exists()
    process.end()
    assert not folder.exists()


def test_it_writes_into_a_folder_that_it_is_given(tmp_path: Path) -> None:
    assert run("write", "here", folder=tmp_path) == "written"
    assert (tmp_path / "here").read_text() == "written"


# --- what is left


def test_nothing_that_it_started_outlives_it() -> None:
    marker = f"left-behind-{os.getpid()}"
    stop = threading.Event()

    def kill_when_started() -> None:
        wait_for(lambda: alive(marker))
        stop.set()

    threading.Thread(target=kill_when_started).start()
    with pytest.raises(SandboxError):
        run("leave", marker, stop=stop)
    wait_for(lambda: not alive(marker))


_SERVER = """
from layerloom.graph.sandbox import Limits, run
run("leave", {marker!r}, tasks="hostile", limits=Limits(memory=2**29))
"""


def test_it_ends_with_a_server_that_is_killed() -> None:
    marker = f"orphan-{os.getpid()}"
    server = subprocess.Popen([sys.executable, "-c", _SERVER.format(marker=marker)])
    try:
        wait_for(lambda: len(alive(marker)) > 1)
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()
    wait_for(lambda: not alive(marker))


# --- without namespaces

_WITHOUT = ["unshare", "--user", "--map-root-user", "sh", "-c"]
_FORBID = 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$@"'


@pytest.fixture
def without() -> Callable[[str], str]:
    """Runs Python where a kernel refuses every namespace; gives what it prints."""

    def call(code: str) -> str:
        command = [*_WITHOUT, _FORBID, "sh", sys.executable, "-c", code]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()

    try:
        call("pass")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this system cannot forbid namespaces")
    return call


_WORST = """
from layerloom.graph.sandbox import Limits, Process, SandboxError
for task, seconds in (("allocate", 60), ("share", 60), ("multiply", 60), ("spend", 1), ("leave", 1)):
    process = Process("hostile", Limits(memory=2**29, wall_s=60, processes=16))
    process.call("echo", None)
    process.limits = Limits(wall_s=seconds)
    try:
        process.call(task, {marker!r})
    except SandboxError as error:
        print(sorted(process.held), task, error.reason)
"""


def test_limits_hold_without_namespaces(without: Callable[[str], str]) -> None:
    marker = f"without-{os.getpid()}"
    assert without(_WORST.format(marker=marker)).splitlines() == [
        "[] allocate memory",
        "[] share memory",
        "[] multiply processes",
        "[] spend time",
        "[] leave time",
    ]
    wait_for(lambda: not alive(marker))


def test_an_end_after_the_end_closes_nothing_of_anybody_else() -> None:
    process = Process("hostile", SHORT)
    with pytest.raises(SandboxError):
        process.call("end", 1)
    # They get the numbers that have just become free, as the sockets and files of a server's other threads do.
    others = [os.open(os.devnull, os.O_RDONLY) for _ in range(16)]
    try:
        process.end()
        assert all(os.fstat(other) for other in others)
    finally:
        for other in others:
            os.close(other)


def test_a_process_that_cannot_be_started_leaves_nothing_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "given").touch()
    before = {path.name for path in Path("/dev/fd").iterdir()}
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-such-program"))
    with pytest.raises(FileNotFoundError):
        Process("hostile", SHORT, file=tmp_path / "given")
    assert {path.name for path in Path("/dev/fd").iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["given"]


# --- a warm one


def test_a_warm_process_is_asked_again_and_replaced_when_it_dies() -> None:
    warm = Warm(tasks="hostile", limits=SHORT)
    try:
        warm.start()
        assert [warm.run("echo", value) for value in (1, 2)] == [1, 2]
        assert warm.run("process", None) == warm.run("process", None)
        with pytest.raises(TaskError):
            warm.run("fail", None)
        for task, expected in (("spend", "time"), ("end", "died"), ("allocate", "memory")):
            with pytest.raises(SandboxError) as caught:
                warm.run(task, 1)
            assert caught.value.reason == expected
            assert warm.run("echo", task) == task
    finally:
        warm.close()
    assert not alive("hostile")
