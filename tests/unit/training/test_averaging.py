"""Averages of the weights: what torch.optim.swa_utils gives, told, loadable, and the same after a pause."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, update_bn

from layerloom.schema.plan import Plan
from layerloom.training import TrainingError
from layerloom.training.batches import Batches
from unit.training.support import Net, Seen, classes, fit, net, plan, stopping

EMA: dict[str, Any] = {"kind": "ema", "decay": 0.9}
SWA: dict[str, Any] = {"kind": "swa", "start": 0.3}
SGD: dict[str, Any] = {"name": "torch.optim.SGD", "arguments": {"lr": 0.05}}


def saved(seen: Seen, folder: Path) -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = torch.load(folder / seen.of("checkpoint")[-1].path / "state.pt", weights_only=True)
    return state


def by_hand(settings: Plan, kind: str) -> AveragedModel:
    """What one writes with torch alone, for batches in the same order."""
    module, data = net(), classes()
    average = AveragedModel(module, multi_avg_fn=get_ema_multi_avg_fn(0.9) if kind == "ema" else None)  # type: ignore[no-untyped-call]
    optimizer = torch.optim.SGD(module.parameters(), lr=0.05, foreach=True)
    batches = Batches(dict(data.inputs), data.targets, settings.batch_size, torch.device("cpu"))
    torch.manual_seed(settings.seed)
    for epoch in range(1, 5):
        module.train()
        for inputs, target in batches.shuffled(settings.seed, epoch):
            optimizer.zero_grad()
            nn.functional.cross_entropy(module(**inputs), target).backward()
            optimizer.step()
            if kind == "ema":
                average.update_parameters(module)
        if kind == "swa" and epoch > 1:
            average.update_parameters(module)
    if kind == "swa":
        update_bn([inputs["x"] for inputs, _ in batches.shuffled(settings.seed, 0)], average)
    return average


@pytest.mark.parametrize("kind", ["ema", "swa"])
def test_it_is_what_torch_gives(kind: str, tmp_path: Path) -> None:
    settings = plan(epochs=4, optimizer=SGD, averaging=EMA if kind == "ema" else SWA)
    seen = fit(net(), settings, tmp_path)
    average = by_hand(settings, kind)
    state = saved(seen, tmp_path)
    for name, value in average.module.state_dict().items():
        torch.testing.assert_close(state[name], value, rtol=1e-5, atol=1e-6, msg=name)
    fresh = Net()
    fresh.load_state_dict(state, strict=True)
    fresh.eval()
    check = classes(48, seed=1)
    with torch.no_grad():
        loss = nn.functional.cross_entropy(fresh(**check.inputs), check.targets)
    assert seen.series("validation/loss")[32] == pytest.approx(float(loss), rel=1e-5)


@pytest.mark.parametrize("kind", ["ema", "swa"])
def test_every_checkpoint_says_what_it_holds(kind: str, tmp_path: Path) -> None:
    settings = plan(epochs=6, averaging=EMA | {"start": 0.5} if kind == "ema" else SWA)
    seen = fit(net(), settings, tmp_path)
    told = {event.step: event.weights for event in seen.of("checkpoint")}
    assert told[48] == kind
    for step, weights in told.items():
        assert weights == (kind if step == 48 or (kind == "ema" and step > 24) else "trained")
    for folder in (tmp_path / "checkpoints").iterdir():
        manifest = json.loads((folder / "manifest.json").read_text())
        assert manifest["weights"] == told[manifest["step"]]
    logs = [event.message for event in seen.of("log") if "average over" in event.message]
    assert len(logs) == (kind == "swa")


@pytest.mark.parametrize("stop", [3, 16, 21, 32])
@pytest.mark.parametrize("averaging", [EMA, EMA | {"start": 0.6}, SWA], ids=["ema", "later", "swa"])
def test_a_pause_changes_nothing(averaging: dict[str, Any], stop: int, tmp_path: Path) -> None:
    settings = plan(epochs=4, averaging=averaging)
    module = net()
    whole = fit(module, settings, tmp_path / "whole")
    half, again = net(), net(seed=9)
    first = fit(half, settings, tmp_path / "parts", control=stopping(half, stop, desired="pause"))
    path = first.of("checkpoint")[-1].path
    second = fit(again, settings, tmp_path / "parts", attempt=2, resume=path)
    for series in ("train/loss", "validation/loss", "validation/accuracy"):
        assert {**first.series(series), **second.series(series)} == whole.series(series)
    expected, got = saved(whole, tmp_path / "whole"), saved(second, tmp_path / "parts")
    assert all(torch.equal(got[name], value) for name, value in expected.items())
    assert all(torch.equal(a, b) for a, b in zip(module.parameters(), again.parameters(), strict=True))
    assert second.of("checkpoint")[-1].weights == averaging["kind"]


def test_training_itself_is_the_same(tmp_path: Path) -> None:
    plain = fit(net(), plan(), tmp_path / "plain")
    for averaging in (EMA, SWA):
        seen = fit(net(), plan(averaging=averaging), tmp_path / averaging["kind"])
        assert seen.series("train/loss") == plain.series("train/loss")


def test_an_early_end_gives_the_average_too(tmp_path: Path) -> None:
    stop = {"patience": 2, "min_change": 9.0}
    seen = fit(net(), plan(epochs=10, averaging=SWA | {"start": 0.0}, early_stopping=stop), tmp_path)
    assert seen.outcome is not None
    assert seen.outcome.epoch == 3
    assert seen.of("checkpoint")[-1].weights == "swa"
    assert any("average over 3 epochs" in event.message for event in seen.of("log"))


def test_what_cannot_be_copied_is_refused(tmp_path: Path) -> None:
    module = net()
    module.lock = (value for value in ())  # type: ignore[assignment]
    with pytest.raises(TrainingError, match="cannot be copied"):
        fit(module, plan(averaging=EMA), tmp_path)
