"""Early stopping: on time, told, and the same after a pause."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from layerloom.schema.plan import EarlyStopping
from layerloom.training import TrainingError
from layerloom.training.patience import Patience
from layerloom.training.position import Position
from unit.training.support import fit, net, plan, stopping

STILL: dict[str, Any] = {"optimizer": {"name": "torch.optim.SGD", "arguments": {"lr": 0.0}}}
"""Nothing changes from epoch to epoch but what batch normalization gathers."""


@pytest.mark.parametrize(
    ("settings", "larger", "values", "ends"),
    [
        ({"patience": 2}, False, [3, 2, 2, 1, 1, 1], 6),
        ({"patience": 2}, True, [3, 2, 2, 1], 3),
        ({"patience": 2, "min_change": 0.5}, False, [3, 2.6, 2.4, 2.3, 1.8, 1.7, 1.6], 7),
        ({"patience": 2}, False, [float("nan"), float("inf")], 2),
        ({"patience": 3}, False, [3, float("nan"), 2.9, 2.8, 2.7], None),
    ],
)
def test_when_it_ends(settings: dict[str, Any], larger: bool, values: list[float], ends: int | None) -> None:
    patience, position = Patience(EarlyStopping(**settings), "x", larger), Position()
    told = None
    for position.epoch, value in enumerate(values, 1):
        told = patience.judge(position, {"x": value})
        if told:
            break
    assert (position.epoch if told else None) == ends
    assert position.enough == (ends is not None)


def test_a_run_ends_well_and_says_why(tmp_path: Path) -> None:
    settings = plan(epochs=40, early_stopping={"patience": 3, "min_change": 5.0, "monitor": "validation/loss"}, **STILL)
    seen = fit(net(), settings, tmp_path)
    assert seen.outcome is not None
    assert (seen.outcome.state, seen.outcome.epoch, seen.outcome.step) == ("succeeded", 4, 32)
    told = [event.message for event in seen.of("log") if "Stopping early" in event.message]
    assert len(told) == 1
    assert "after epoch 4: validation/loss has not improved by more than 5 in the last 3 epochs" in told[0]
    assert seen.of("checkpoint")[-1].step == 32
    best = [event for event in seen.of("checkpoint") if event.best][-1]
    assert (tmp_path / best.path / "state.pt").is_file()
    # Whoever resumes what has ended finds it ended.
    again = fit(net(), settings, tmp_path, attempt=2, resume=seen.of("checkpoint")[-1].path)
    assert again.outcome == seen.outcome
    assert not again.series("train/loss")


@pytest.mark.parametrize("stop", [9, 16, 27])
def test_a_pause_changes_nothing(stop: int, tmp_path: Path) -> None:
    settings = plan(epochs=40, early_stopping={"patience": 4, "min_change": 0.05})
    module = net()
    whole = fit(module, settings, tmp_path / "whole")
    half, again = net(), net(seed=5)
    first = fit(half, settings, tmp_path / "parts", control=stopping(half, stop, desired="pause"))
    path = first.of("checkpoint")[-1].path
    second = fit(again, settings, tmp_path / "parts", attempt=2, resume=path)
    assert whole.outcome is not None
    assert whole.outcome.epoch < 40
    assert second.outcome == whole.outcome
    assert all(torch.equal(a, b) for a, b in zip(module.parameters(), again.parameters(), strict=True))


def test_a_series_that_there_is_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no series 'validation/beauty'"):
        fit(net(), plan(early_stopping={"monitor": "validation/beauty"}), tmp_path)
