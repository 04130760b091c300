"""Checkpoints: whole or absent, and a resumed run is the run that was never stopped."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from layerloom.schema.plan import Plan
from layerloom.schema.problems import ProblemCode
from layerloom.training import TrainingError, keeper
from layerloom.training.checkpoints import CheckpointStore, Contents
from layerloom.training.position import Position
from unit.training.support import Net, Seen, Set, fit, net, plan, stopping

SETTINGS: dict[str, dict[str, Any]] = {
    "adamw": {},
    "sgd with a schedule per step": {
        "optimizer": {"name": "torch.optim.SGD", "arguments": {"lr": 0.05, "momentum": 0.9}},
        "scheduler": {"name": "torch.optim.lr_scheduler.OneCycleLR", "arguments": {"max_lr": 0.1}},
    },
    "plateau and clipping": {
        "scheduler": {"name": "torch.optim.lr_scheduler.ReduceLROnPlateau", "arguments": {"patience": 0}},
        "clip": {"norm": 0.5},
    },
    "lbfgs": {"optimizer": {"name": "torch.optim.LBFGS", "arguments": {"lr": 0.1, "max_iter": 4}}},
    "bf16": {"precision": "bf16"},
    "groups": {
        "groups": [
            {"pattern": "*.bias", "weight_decay": 0.0, "factor": 2.0},
            {"pattern": "body.1.*", "frozen": True},
            {"pattern": "head.*", "lr": 0.02},
        ],
        "scheduler": {"name": "torch.optim.lr_scheduler.CosineAnnealingLR"},
    },
    "in parts": {"accumulation": 3},
    "fp16": {"precision": "fp16"},
}


def both(parts: list[Seen], name: str) -> dict[int, float | None]:
    """A series over several attempts; later ones win."""
    return {step: value for seen in parts for step, value in seen.series(name).items()}


@pytest.mark.parametrize("stop", [1, 5, 8, 12, 16, 23])  # inside epochs of 8 steps, and at their ends
@pytest.mark.parametrize("name", SETTINGS)
def test_stopped_and_resumed_is_uninterrupted(name: str, stop: int, tmp_path: Path) -> None:
    settings = plan(epochs=3, **SETTINGS[name])
    whole_module = net()
    whole = fit(whole_module, settings, tmp_path / "whole")

    module = net()
    first = fit(module, settings, tmp_path / "parts", control=stopping(module, stop, desired="pause"))
    assert first.outcome is not None
    assert first.outcome.state == "paused"
    # LBFGS looks at the loss several times in a step, and a batch in parts at several losses.
    assert first.outcome.step == stop or name in ("lbfgs", "in parts")
    again = net(seed=7)  # its weights must not matter
    second = fit(again, settings, tmp_path / "parts", attempt=2, resume=first.of("checkpoint")[-1].path)

    for series in ("train/loss", "train/lr", "validation/loss", "validation/accuracy", "train/accuracy"):
        assert both([first, second], series) == whole.series(series), series
    state, expected = again.state_dict(), whole_module.state_dict()
    assert all(torch.equal(state[key], expected[key]) for key in expected)


class Drifting(nn.Module):
    """Its output depends on buffers that are in no state_dict: a counter that two parts share, and a growing memory."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(6, 3)
        self.register_buffer("count", torch.zeros(()), persistent=False)
        self.register_buffer("memory", None, persistent=False)
        self.other = nn.Module()
        self.other.register_buffer("count", self.count, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.count.add_(0.01)
            old = x.new_zeros(1) if self.memory is None else self.memory
            self.memory = torch.cat((old, x.detach().mean().view(1)))[-4:]
        memory = 0.0 if self.memory is None else self.memory.sum()
        return self.body(x) + self.other.get_buffer("count") + memory * torch.arange(3.0)


@pytest.mark.parametrize("stop", [3, 8, 13])
def test_buffers_outside_the_state_dict_are_resumed(stop: int, tmp_path: Path) -> None:
    def make() -> Drifting:
        torch.manual_seed(0)
        return Drifting()

    module = make()
    assert set(module.state_dict()) == {"body.weight", "body.bias"}
    whole = fit(module, plan(), tmp_path / "whole")
    module = make()
    first = fit(module, plan(), tmp_path / "parts", control=stopping(module, stop, desired="pause"))
    again = make()
    second = fit(again, plan(), tmp_path / "parts", attempt=2, resume=first.of("checkpoint")[-1].path)
    for series in ("train/loss", "validation/loss"):
        assert both([first, second], series) == whole.series(series), series
    assert again.other.get_buffer("count") is again.count


def test_a_sparse_optimizer_state_is_resumed(tmp_path: Path) -> None:
    class Table(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding(6, 3, sparse=True)

        def forward(self, x: Tensor) -> Tensor:
            return self.table(x)

    ids = torch.arange(90) % 6
    data = Set({"x": ids}, ids % 3)
    settings = plan(optimizer={"name": "torch.optim.SGD", "arguments": {"lr": 0.1, "momentum": 0.9}})
    modules = []
    for _ in range(2):
        torch.manual_seed(0)
        modules.append(Table())
    whole = fit(modules[0], settings, tmp_path / "whole", data=data, validation=data)
    control = stopping(modules[1], 8, desired="pause")
    first = fit(modules[1], settings, tmp_path / "parts", data=data, validation=data, control=control)
    path = first.of("checkpoint")[-1].path
    second = fit(Table(), settings, tmp_path / "parts", data=data, validation=data, attempt=2, resume=path)
    assert both([first, second], "train/loss") == whole.series("train/loss")


def test_a_run_resumed_twice_counts_its_time_and_keeps_few_checkpoints(tmp_path: Path) -> None:
    settings = plan(epochs=6)
    path, seen = None, []
    for attempt, stop in ((1, 7), (2, 18), (3, 1_000)):
        module = net()
        control = stopping(module, stop, desired="pause")
        seen.append(fit(module, settings, tmp_path, control=control, attempt=attempt, resume=path))
        path = seen[-1].of("checkpoint")[-1].path
    elapsed = [part.of("progress")[-1].elapsed for part in seen]
    assert elapsed == sorted(elapsed)
    assert list(both(seen, "train/loss")) == list(range(1, 49))
    left = {f"checkpoints/{folder.name}" for folder in (tmp_path / "checkpoints").iterdir()}
    assert path in left
    assert len(left) <= 4
    best = [event for part in seen for event in part.of("checkpoint") if event.best][-1]
    assert best.path in left


def test_every_third_epoch_is_kept_across_attempts(tmp_path: Path) -> None:
    settings = plan(epochs=10, checkpoints={"keep_every": 3})
    module = net()
    first = fit(module, settings, tmp_path, control=stopping(module, 4 * 8 + 3, desired="pause"))
    path = first.of("checkpoint")[-1].path
    second = fit(net(), settings, tmp_path, attempt=2, resume=path)
    left = {f"checkpoints/{folder.name}" for folder in (tmp_path / "checkpoints").iterdir()}
    kept = {f"checkpoints/a{attempt}-s{8 * epoch}" for attempt, epoch in ((1, 3), (2, 6), (2, 9))}
    told = [event for part in (first, second) for event in part.of("checkpoint")]
    best = [event.path for event in told if event.best][-1]
    assert kept <= left
    assert kept <= {event.path for event in told}
    assert left - kept <= {best, *(event.path for event in told[-2:])}
    assert all(CheckpointStore(tmp_path, 2).load(path).step % 24 == 0 for path in kept)


def test_leaving_checkpoints_and_abandoning_does_not(tmp_path: Path) -> None:
    module = net()
    left = fit(module, plan(), tmp_path / "left", control=stopping(module, 3, leaving=True))
    assert left.outcome is not None
    assert left.outcome.state == "left"
    assert left.of("checkpoint")[-1].step == 3
    module = net()
    fenced = fit(module, plan(), tmp_path / "fenced", control=stopping(module, 3, fenced=True))
    assert fenced.outcome is not None
    assert fenced.outcome.state == "abandoned"
    assert not (tmp_path / "fenced" / "checkpoints").exists()


def test_a_wish_taken_back_in_time_changes_nothing(tmp_path: Path) -> None:
    whole = fit(net(), plan(), tmp_path / "whole")
    module = net()
    control = stopping(module, 11, desired="pause")
    going = control.going

    def hesitate() -> bool:
        answer = going()
        control.desired = "run"
        return answer

    control.going = hesitate  # type: ignore[method-assign]
    seen = fit(module, plan(), tmp_path / "hesitant", control=control)
    assert seen.series("train/loss") == whole.series("train/loss")


def test_the_best_is_the_one_with_the_best_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "SHARE", 1e9)  # every epoch is written at once
    seen = fit(net(), plan(epochs=8), tmp_path)
    values = seen.series("validation/accuracy")
    saved = seen.of("checkpoint")
    assert [event.step for event in saved] == list(values)
    best = [event for event in saved if event.best][-1]
    assert best.value == max(values.values())  # type: ignore[type-var]
    assert best.monitor == "validation/accuracy"
    assert (tmp_path / best.path / "state.pt").is_file()


def test_a_best_state_too_early_to_be_written_is_written_later(tmp_path: Path) -> None:
    settings = plan(epochs=40, checkpoints={"monitor": "validation/loss"})
    seen = fit(net(), settings, tmp_path)
    losses = seen.series("validation/loss")
    best = [event for event in seen.of("checkpoint") if event.best][-1]
    assert best.value == min(losses.values())  # type: ignore[type-var]
    assert losses[best.step] == best.value
    # The newest event is the newest checkpoint, so that "last" is the one that was told last.
    assert seen.of("checkpoint")[-1].step == 320
    # Far fewer were written than there were epochs.
    assert len(seen.of("checkpoint")) < 20


class Tied(nn.Module):
    """The input's embedding is the output's matrix."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(6, 6, bias=False)
        self.second = nn.Linear(6, 6, bias=False)
        self.second.weight = self.first.weight
        self.head = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.second(self.first(x).relu()))


@pytest.mark.parametrize("make", [Tied, Net])
def test_both_files_load_strictly_into_the_module(make: type[nn.Module], tmp_path: Path) -> None:
    module = make()
    seen = fit(module, plan(), tmp_path)
    folder = tmp_path / seen.of("checkpoint")[-1].path
    from_pt = torch.load(folder / "state.pt", weights_only=True)
    assert list(from_pt) == list(module.state_dict())
    from_safetensors = load_file(folder / "state.safetensors")
    for state in (from_pt, from_safetensors):
        fresh = make()
        fresh.load_state_dict(state, strict=True)
        for key, value in module.state_dict().items():
            assert torch.equal(fresh.state_dict()[key], value)
            assert state[key].device.type == "cpu"


def test_the_manifest_tells_of_every_file(tmp_path: Path) -> None:
    seen = fit(net(), plan(), tmp_path)
    folder = tmp_path / seen.of("checkpoint")[-1].path
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["step"] == 24
    assert set(manifest["sha256"]) == {"state.pt", "state.safetensors", "training.pt"}
    assert {file.name for file in folder.iterdir()} == {*manifest["sha256"], "manifest.json"}


def test_a_corrupt_checkpoint_is_passed_over_for_the_one_before(tmp_path: Path) -> None:
    settings = plan(epochs=6)
    module = net()
    first = fit(module, settings, tmp_path, control=stopping(module, 9, desired="pause"))
    module = net()
    path = first.of("checkpoint")[-1].path
    second = fit(module, settings, tmp_path, attempt=2, resume=path, control=stopping(module, 4, desired="pause"))
    newest = second.of("checkpoint")[-1].path
    file = tmp_path / newest / "state.pt"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)

    third = fit(net(), settings, tmp_path, attempt=3, resume=newest)
    assert min(third.series("train/loss")) == 10
    assert any(newest in event.message for event in third.of("log") if event.level == "warning")


class Foreign:
    """Something that weights_only refuses."""


@pytest.mark.parametrize("name", ["state.pt", "training.pt", "manifest.json"])
@pytest.mark.parametrize("content", ["code", "nothing", "text", "number"])
def test_whatever_lies_there_instead_of_a_checkpoint_is_passed_over(name: str, content: str, tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path, 1)
    good = store.write(Contents(1, {"weight": torch.ones(3)}, {"position": Position(step=1).as_dict()}))
    bad = store.write(Contents(2, {"weight": torch.ones(3)}, {"position": Position(step=2).as_dict()}))
    file = tmp_path / bad / name
    if content == "code":
        torch.save(Foreign(), file)
    else:
        file.write_bytes({"nothing": b"", "text": b"no such thing", "number": b"17"}[content])
    if name != "manifest.json":
        # As if it had been written like this: the digests are right, and reading it still fails.
        manifest = json.loads((tmp_path / bad / "manifest.json").read_text())
        manifest["sha256"][name] = hashlib.sha256(file.read_bytes()).hexdigest()
        (tmp_path / bad / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(TrainingError) as caught:
        store.load(bad)
    assert caught.value.problem.code == ProblemCode.CHECKPOINT_MISSING
    logs: list[Any] = []
    kept = keeper.Keeper(store, logs.append, "validation/loss", False, lambda: ({}, {}))
    assert kept.load(bad).step == 1
    assert [bad in log.message for log in logs] == [True]
    assert kept.position.recent == [good]


def test_a_checkpoint_deleted_half_way_is_written_anew(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path, 1)
    path = store.write(Contents(1, {"weight": torch.ones(3)}, {}))
    (tmp_path / path / "manifest.json").unlink()
    assert store.earlier("") == []
    assert store.write(Contents(1, {"weight": torch.zeros(3)}, {})) == path
    assert torch.equal(store.load(path).state["weight"], torch.zeros(3))
    assert [folder.name for folder in (tmp_path / "checkpoints").iterdir()] == ["a1-s1"]


def test_no_checkpoint_at_all_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(TrainingError) as caught:
        fit(net(), plan(), tmp_path, resume="checkpoints/a1-s5")
    assert caught.value.problem.code == ProblemCode.CHECKPOINT_MISSING


def test_a_failed_save_leaves_nothing_and_the_previous_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = CheckpointStore(tmp_path, attempt=1)
    state = {"weight": torch.ones(3)}
    good = store.write(Contents(1, state, {}))

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.write(Contents(2, state, {}))
    assert [folder.name for folder in (tmp_path / "checkpoints").iterdir()] == ["a1-s1"]
    assert torch.equal(store.load(good).state["weight"], torch.ones(3))


def test_an_attempt_never_deletes_what_a_later_one_wrote(tmp_path: Path) -> None:
    state = {"weight": torch.ones(3)}
    first, second = CheckpointStore(tmp_path, 1), CheckpointStore(tmp_path, 2)
    old, new = first.write(Contents(1, state, {})), second.write(Contents(2, state, {}))
    first.retire(set())
    assert not first.exists(old)
    assert second.exists(new)


WRITERS = """
import os, sys, torch
from pathlib import Path
from layerloom.training.checkpoints import CheckpointStore, Contents
torch.set_num_threads(1)
for line in sys.stdin:
    store = CheckpointStore(Path(line.strip()), 1)
    pid = os.fork()
    if pid == 0:
        for step in range(1, 1_000_000):
            state = {"weight": torch.full((200_000,), float(step))}
            path = store.write(Contents(step, state, {"step": step}))
            store.retire({path})
            os.write(1, b"%d\\n" % step)
    os.write(1, b"%d\\n" % pid)
    os.waitpid(pid, 0)
    os.write(1, b"0\\n")
"""
"""Forks, for each folder that it is given, a process that does nothing but save."""


def test_killed_at_any_moment_the_previous_checkpoint_is_whole(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITERS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for count in range(12):
            folder = tmp_path / str(count)
            folder.mkdir()
            print(folder, file=process.stdin)
            numbers = [int(process.stdout.readline()) for _ in range(3)]
            time.sleep(0.002 * count)
            os.kill(max(numbers), signal.SIGKILL)
            numbers += iter(lambda: int(process.stdout.readline()), 0)  # type: ignore[union-attr]
            told = max(number for number in numbers if number != max(numbers))
            store = CheckpointStore(folder, 1)
            whole = [path for path in store.earlier("") if store.exists(path)]
            # The last one that was told of, or the one after it; all that can be seen is what was written.
            assert whole
            for path in whole:
                contents = store.load(path)
                assert told <= contents.step <= told + 1
                assert torch.equal(contents.state["weight"], torch.full((200_000,), float(contents.step)))
        process.stdin.close()


def test_the_plan_can_switch_the_budget_off(tmp_path: Path) -> None:
    settings = Plan.model_validate({**plan().model_dump(), "statistics": {"budget": 0}})
    seen = fit(net(), settings, tmp_path)
    assert not seen.of("statistics")
