"""A warm-up in steps in front of any scheduler."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from layerloom.training import TrainingError
from layerloom.training.schedulers import build_scheduler
from unit.training.support import fit, net, plan, stopping

PLACE = "torch.optim.lr_scheduler"
SGD: dict[str, Any] = {"name": "torch.optim.SGD", "arguments": {"lr": 0.1}}
SCHEDULES: dict[str, dict[str, Any]] = {
    "none": {},
    "exponential": {"scheduler": {"name": f"{PLACE}.ExponentialLR", "arguments": {"gamma": 0.5}}},
    "cosine": {"scheduler": {"name": f"{PLACE}.CosineAnnealingLR"}, "scheduler_interval": "step"},
    "one cycle": {"scheduler": {"name": f"{PLACE}.OneCycleLR", "arguments": {"max_lr": 0.2, "cycle_momentum": False}}},
    "plateau": {
        "scheduler": {"name": f"{PLACE}.ReduceLROnPlateau", "arguments": {"patience": 0, "threshold": 9.0}},
        "checkpoints": {"monitor": "validation/loss"},
    },
    "restarts": {"scheduler": {"name": f"{PLACE}.CosineAnnealingWarmRestarts", "arguments": {"T_0": 3}}},
}


def rates(tmp_path: Path, name: str, **settings: Any) -> list[float | None]:
    """Of 4 epochs of 8 steps."""
    seen = fit(net(), plan(epochs=4, optimizer=SGD, **SCHEDULES[name], **settings), tmp_path / f"{name}{settings}")
    return list(seen.series("train/lr").values())


@pytest.mark.parametrize("warmup", [1, 5, 8, 11])
@pytest.mark.parametrize("name", ["none", "exponential", "cosine", "one cycle", "restarts"])
def test_it_rises_evenly_to_where_the_scheduler_begins(name: str, warmup: int, tmp_path: Path) -> None:
    ours, cold = rates(tmp_path, name, warmup=warmup), rates(tmp_path, name)
    start = cold[0]
    assert start is not None
    rising = [start * (step + 1) / (warmup + 1) for step in range(warmup)]
    assert ours[: warmup + 1] == pytest.approx([*rising, start])


def test_a_scheduler_of_steps_runs_over_what_is_left(tmp_path: Path) -> None:
    warm = rates(tmp_path, "cosine", warmup=12)
    short = fit(net(), plan(steps=20, optimizer=SGD, **SCHEDULES["cosine"]), tmp_path / "short")
    assert warm[12:] == pytest.approx(list(short.series("train/lr").values()))


def test_a_scheduler_of_epochs_begins_with_the_first_epoch_that_has_the_whole_rate(tmp_path: Path) -> None:
    for warmup, expected in ((8, [0.1] * 8 + [0.05] * 8 + [0.025] * 8), (11, [0.1] * 5 + [0.05] * 8 + [0.025] * 8)):
        assert rates(tmp_path, "exponential", warmup=warmup)[-len(expected) :] == pytest.approx(expected)


def test_a_plateau_is_looked_for_after_it(tmp_path: Path) -> None:
    # With this threshold no epoch is an improvement, and the first is not looked at.
    assert rates(tmp_path, "plateau", warmup=8)[8:] == pytest.approx([0.1] * 8 + [0.01] * 8 + [0.001] * 8)


@pytest.mark.parametrize("stop", [3, 8, 11, 16, 25])
@pytest.mark.parametrize("name", SCHEDULES)
def test_a_pause_changes_nothing(name: str, stop: int, tmp_path: Path) -> None:
    settings = plan(epochs=4, optimizer=SGD, warmup=11, **SCHEDULES[name])
    whole = fit(net(), settings, tmp_path / "whole")
    module = net()
    first = fit(module, settings, tmp_path / "parts", control=stopping(module, stop, desired="pause"))
    path = first.of("checkpoint")[-1].path
    second = fit(net(seed=3), settings, tmp_path / "parts", attempt=2, resume=path)
    for series in ("train/lr", "train/loss", "validation/loss"):
        assert {**first.series(series), **second.series(series)} == whole.series(series)


def test_groups_warm_up_each_to_its_own(tmp_path: Path) -> None:
    groups = [{"pattern": "head.*", "factor": 10.0}]
    seen = fit(net(), plan(epochs=1, optimizer=SGD, groups=groups, warmup=3), tmp_path)
    assert list(seen.series("train/lr").values())[:5] == pytest.approx([0.025, 0.05, 0.075, 0.1, 0.1])


def test_one_that_takes_the_whole_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="leaves nothing of the run's 24"):
        fit(net(), plan(warmup=24), tmp_path)


def test_a_checkpoint_from_before_there_were_warm_ups_is_read() -> None:
    """It held the scheduler's own state."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    settings = plan(scheduler={"name": "torch.optim.lr_scheduler.StepLR", "arguments": {"step_size": 2}})
    old, new = (build_scheduler(settings, optimizer, epochs=8, steps=80, larger_is_better=False) for _ in range(2))
    assert old is not None
    assert new is not None
    for _ in range(3):
        optimizer.step()
        old.inner.step()
    new.load_state_dict(old.inner.state_dict())
    assert new.inner.last_epoch == 3
