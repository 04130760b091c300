"""A checkpoint's save is cut at every single system call: killed there, or the call fails."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from layerloom.schema.plan import CheckpointPolicy
from layerloom.training.checkpoints import CheckpointStore, Contents
from layerloom.training.keeper import Keeper
from system_calls import FAILING, traced

FORMER, NEW = 2, 3
TRACER = "import sys; from faults import test_cut_save; sys.exit(test_cut_save.main())"
# Calls that touch files; memory and locks are not a disk's.
FILE_CALLS = {
    **{0: "read", 1: "write", 2: "open", 3: "close", 4: "stat", 5: "fstat", 8: "lseek", 17: "pread64", 18: "pwrite64"},
    **{20: "writev", 74: "fsync", 75: "fdatasync", 77: "ftruncate", 82: "rename", 83: "mkdir", 84: "rmdir"},
    **{87: "unlink", 217: "getdents64", 257: "openat", 258: "mkdirat", 262: "newfstatat", 263: "unlinkat"},
    **{264: "renameat", 285: "fallocate", 316: "renameat2", 332: "statx"},
}


def contents(step: int) -> Contents:
    state = {"weight": torch.full((64, 64), float(step)), "bias": torch.full((64,), float(step))}
    position = {"step": step, "epoch": step, "batch": 0, "elapsed": float(step), "best": None, "recent": []}
    return Contents(step, state, {"position": position, "optimizer": {"moment": torch.full((64, 64), float(step))}})


def save(run: Path) -> None:
    """What a trainer does after its third epoch, the best so far: save, tell of it, delete the oldest."""

    def tell(event: Any) -> None:
        handle = os.open(run / "told", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(handle, f"{event.path}\n".encode())
        os.close(handle)

    new = contents(NEW)
    keeper = Keeper(CheckpointStore(run, 1), tell, "validation/loss", False, lambda: (new.state, new.training))
    keeper.position.step = keeper.position.epoch = NEW
    keeper.position.recent = [keeper._store.path(step) for step in (1, FORMER)]
    keeper.epoch(0.5, CheckpointPolicy(), lambda: None)


def main() -> int:
    """Answers lines ``{"run": folder, "at": number, "error": errno}``, in a process with one thread."""
    torch.set_num_threads(1)
    save(Path(sys.argv[1]))  # imports and registrations of the first time are no part of a save
    for line in sys.stdin:
        asked = json.loads(line)
        run = Path(asked["run"])
        ended = traced(lambda run=run: save(run), at=asked["at"], error=asked["error"])  # type: ignore[misc]
        print(json.dumps({"calls": ended.calls, "code": ended.code}), flush=True)
    return 0


class Tracer:
    """A process that does the saves, and a run with two checkpoints for each."""

    def __init__(self, folder: Path) -> None:
        self.before = folder / "before"
        store = CheckpointStore(self.before, 1)
        for step in (1, FORMER):
            store.write(contents(step))
        (folder / "first").mkdir()
        self.process = subprocess.Popen(
            [sys.executable, "-c", TRACER, str(folder / "first")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        )

    def save(self, run: Path, *, at: int = 0, error: int = 0) -> dict[str, Any]:
        shutil.copytree(self.before, run)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps({"run": str(run), "at": at, "error": error}), file=self.process.stdin)
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def tracer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracer]:
    made = Tracer(tmp_path_factory.mktemp("saves"))
    yield made
    made.close()


def examine(run: Path, where: str) -> int:
    """Hold that a run can go on from what a save left, and return from which step."""
    store = CheckpointStore(run, 1)
    published = store.earlier("")
    for path in published:
        found, step = store.load(path), int(path.rpartition("-s")[2])
        assert found.step == step, where
        expected = contents(step)
        assert all(torch.equal(found.state[name], value) for name, value in expected.state.items()), where
        assert torch.equal(found.training["optimizer"]["moment"], expected.training["optimizer"]["moment"]), where
    assert store.path(FORMER) in published, f"the previous checkpoint is gone: {where}"
    told = (run / "told").read_text().split() if (run / "told").exists() else []
    assert set(told) <= set(published), f"one was told of that is not there: {where}"
    # Whoever goes on leaves nothing of it behind.
    after = CheckpointStore(run, 2)
    path = after.write(contents(4))
    after.retire({path, store.path(FORMER)})
    left = {item.name for item in (run / "checkpoints").iterdir()}
    assert left == {Path(path).name, Path(store.path(FORMER)).name}, where
    return max(int(path.rpartition("-s")[2]) for path in published)


@pytest.mark.skipif(sys.platform != "linux", reason="traces by ptrace as Linux has it")
def test_killed_at_any_system_call_a_whole_checkpoint_is_there(tmp_path: Path, tracer: Tracer) -> None:
    whole = tracer.save(tmp_path / "whole")
    assert whole["code"] == 0
    assert examine(tmp_path / "whole", "nothing happened") == NEW
    total = len(whole["calls"])
    assert total > 50, "a save that hardly calls the system was not traced"
    reached = []
    for at in range(1, total + 1):
        run = tmp_path / str(at)
        code = tracer.save(run, at=at)["code"]
        if code == 0 and at > 0.9 * total:
            # Another save makes a few calls less, for memory: it was whole before it came to this one.
            assert examine(run, f"ended before call {at} of {total}") == NEW
            break
        assert code == -9
        reached.append(examine(run, f"killed at call {at} of {total} ({whole['calls'][at - 1]})"))
        shutil.rmtree(run)
    # One of the calls publishes it: before it there is the former, from then on the new one.
    assert reached == sorted(reached)
    assert {*reached} == {FORMER, NEW}


@pytest.mark.skipif(not FAILING or sys.platform != "linux", reason="makes calls fail as x86-64 has them")
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_any_file_call_may_fail(error: int, tmp_path: Path, tracer: Tracer) -> None:
    calls = tracer.save(tmp_path / "whole")["calls"]
    failed = 0
    for at, number in enumerate(calls, 1):
        if number in FILE_CALLS:
            run = tmp_path / str(at)
            code = tracer.save(run, at=at, error=error)["code"]
            newest = examine(run, f"{FILE_CALLS[number]} (call {at}) failed with {errno.errorcode[error]}")
            assert newest == NEW or code != 0, f"{FILE_CALLS[number]} (call {at}) failed, and nobody was told"
            assert code != 0 or "sync" not in FILE_CALLS[number], "a failed sync is a failed save"
            failed += code != 0
            shutil.rmtree(run)
    assert failed > 10
