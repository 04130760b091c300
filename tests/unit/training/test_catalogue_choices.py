"""One harness over every optimizer, scheduler, loss and metric of the catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim import lr_scheduler

from layerloom.catalogue import losses, metrics, optimizers, schedulers
from layerloom.schema.plan import Choice
from layerloom.training import TrainingError
from layerloom.training.criterion import build_criterion
from layerloom.training.schedulers import build_scheduler
from unit.training.support import Set, classes, fit, net, numbers, plan, stopping

ARGUMENTS: dict[str, dict[str, Any]] = {
    "ExponentialLR": {"gamma": 0.9},
    "StepLR": {"step_size": 1},
    "MultiStepLR": {"milestones": [1, 2]},
    "CosineAnnealingWarmRestarts": {"T_0": 2},
    "CyclicLR": {"base_lr": 0.001, "max_lr": 0.01},
    "OneCycleLR": {"max_lr": 0.01},
    "SequentialLR": {"milestones": [2]},
}
"""What schedulers require."""
PLACE = "torch.optim.lr_scheduler"
WARM_UP = {"name": f"{PLACE}.LinearLR", "arguments": {"start_factor": 0.1, "total_iters": 2}}
PARTS: dict[str, list[dict[str, Any]]] = {
    "SequentialLR": [WARM_UP, {"name": f"{PLACE}.CosineAnnealingLR"}],
    "ChainedScheduler": [WARM_UP, {"name": f"{PLACE}.ExponentialLR", "arguments": {"gamma": 0.9}}],
}
"""What those that are made of others are made of."""


class Matrix(nn.Module):
    """Matrices only, for Muon."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(6, 8, bias=False), nn.Linear(8, 3, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.two(self.one(x).relu())


class Table(nn.Module):
    """Sparse gradients only, for SparseAdam."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(6, 3, sparse=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.table(x)


SPECIAL = {"torch.optim.Muon": Matrix, "torch.optim.SparseAdam": Table}


@pytest.mark.parametrize("name", sorted(optimizers()))
def test_optimizer_learns_and_resumes(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    make = SPECIAL.get(name, net)
    data = check = None
    if make is Table:
        ids = torch.arange(90) % 6
        data = check = Set({"x": ids}, ids % 3)
    settings = plan(optimizer={"name": name, "arguments": {"lr": 0.01}}, epochs=4)
    torch.manual_seed(0)
    seen = fit(make(), settings, tmp_path, data=data, validation=check)
    losses_seen = list(seen.series("train/loss").values())
    assert sum(losses_seen[-3:]) < sum(losses_seen[:3])
    assert all(value is not None for value in seen.of("statistics")[-1].gradient_norm)
    # Its state survives a checkpoint.
    torch.manual_seed(0)
    more = fit(
        make(),
        settings.model_copy(update={"epochs": 5}),
        tmp_path,
        data=data,
        validation=check,
        attempt=2,
        resume=seen.of("checkpoint")[-1].path,
    )
    assert min(more.series("train/loss")) == len(losses_seen) + 1


@pytest.mark.parametrize("interval", ["epoch", "step"])
@pytest.mark.parametrize("name", sorted(schedulers()))
def test_scheduler_runs_to_the_end_and_resumes(name: str, interval: str, tmp_path: Path) -> None:
    short = name.rpartition(".")[2]
    choice = {"name": name, "arguments": ARGUMENTS.get(short, {}), "parts": PARTS.get(short, [])}
    optimizer = {"name": "torch.optim.SGD", "arguments": {"lr": 0.01, "momentum": 0.9}}
    settings = plan(scheduler=choice, scheduler_interval=interval, optimizer=optimizer, epochs=6)
    whole = fit(net(), settings, tmp_path / "whole")
    rates = whole.series("train/lr")
    assert len(rates) == 48
    if short != "ReduceLROnPlateau":
        assert len(set(rates.values())) > 1
    module = net()
    paused = fit(module, settings, tmp_path / "parts", control=stopping(module, 20, desired="pause"))
    rest = fit(net(), settings, tmp_path / "parts", attempt=2, resume=paused.of("checkpoint")[-1].path)
    assert {**paused.series("train/lr"), **rest.series("train/lr")} == rates


def test_lengths_are_those_of_the_run() -> None:
    optimizer = torch.optim.SGD(net().parameters(), lr=0.1)
    cosine = plan(scheduler={"name": "torch.optim.lr_scheduler.CosineAnnealingLR"})
    built = build_scheduler(cosine, optimizer, epochs=7, steps=70, larger_is_better=True)
    assert built is not None
    assert built.inner.T_max == 7
    by_step = cosine.model_copy(update={"scheduler_interval": "step"})
    built = build_scheduler(by_step, optimizer, epochs=7, steps=70, larger_is_better=True)
    assert built is not None
    assert built.inner.T_max == 70
    cycle = plan(scheduler={"name": "torch.optim.lr_scheduler.OneCycleLR", "arguments": {"max_lr": 0.1}})
    built = build_scheduler(cycle, optimizer, epochs=7, steps=70, larger_is_better=True)
    assert built is not None
    assert built.inner.total_steps == 70
    assert built.each_step


def test_warm_up_and_then_cosine_are_what_torch_makes_of_them() -> None:
    optimizer = torch.optim.SGD(net().parameters(), lr=0.1)
    settings = plan(
        scheduler={
            "name": f"{PLACE}.SequentialLR",
            "arguments": {"milestones": [3]},
            "parts": [WARM_UP, {"name": f"{PLACE}.CosineAnnealingLR"}],
        },
    )
    built = build_scheduler(settings, optimizer, epochs=10, steps=100, larger_is_better=True)
    assert built is not None
    other = torch.optim.SGD(net().parameters(), lr=0.1)
    by_hand = lr_scheduler.SequentialLR(
        other,
        [
            lr_scheduler.LinearLR(other, start_factor=0.1, total_iters=2),
            lr_scheduler.CosineAnnealingLR(other, T_max=7),  # what is left of the run
        ],
        milestones=[3],
    )
    for _ in range(10):
        assert optimizer.param_groups[0]["lr"] == other.param_groups[0]["lr"]
        for one, scheduler in ((optimizer, built.inner), (other, by_hand)):
            one.step()
            scheduler.step()


@pytest.mark.parametrize(
    "scheduler",
    [
        {"name": f"{PLACE}.SequentialLR", "arguments": {"milestones": []}},
        {"name": f"{PLACE}.SequentialLR", "arguments": {"milestones": [1, 2]}, "parts": [WARM_UP, WARM_UP]},
        {"name": f"{PLACE}.StepLR", "arguments": {"step_size": 1}, "parts": [WARM_UP]},
        {"name": f"{PLACE}.ChainedScheduler", "parts": [{"name": f"{PLACE}.Nothing"}]},
    ],
)
def test_parts_that_do_not_fit_are_refused(scheduler: dict[str, Any]) -> None:
    with pytest.raises(TrainingError):
        build_scheduler(
            plan(scheduler=scheduler),
            torch.optim.SGD(net().parameters(), lr=0.1),
            epochs=4,
            steps=9,
            larger_is_better=True,
        )


def test_plateau_watches_the_monitored_value(tmp_path: Path) -> None:
    choice = {"name": "torch.optim.lr_scheduler.ReduceLROnPlateau", "arguments": {"patience": 0, "factor": 0.5}}
    settings = plan(
        scheduler=choice,
        epochs=5,
        optimizer={"name": "torch.optim.SGD", "arguments": {"lr": 0.0}},
        checkpoints={"monitor": "validation/loss"},
    )
    frozen = fit(net(), settings.model_copy(update={"optimizer": settings.optimizer}), tmp_path)
    # Nothing learns at a rate of 0, so the loss of batch normalization alone decides; the rate itself stays 0.
    assert set(frozen.series("train/lr").values()) == {0.0}
    worse = settings.model_copy(
        update={"optimizer": plan(optimizer={"name": "torch.optim.SGD", "arguments": {"lr": 30.0}}).optimizer}
    )
    rates = list(fit(net(), worse, tmp_path / "worse").series("train/lr").values())
    assert rates[-1] < rates[0]


def outputs(of: int) -> nn.Module:
    """A module that returns ``of`` tensors of three columns, the last of positive numbers."""

    class Several(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Linear(6, 3 * of)

        def forward(self, x: Tensor) -> Any:
            parts = self.body(x).chunk(of, 1)
            return parts[0] if of == 1 else (*parts[:-1], parts[-1].exp())

    torch.manual_seed(0)
    return Several()


COUNT = {
    "GaussianNLLLoss": 2,
    "MarginRankingLoss": 2,
    "CosineEmbeddingLoss": 2,
    "TripletMarginLoss": 3,
    "TripletMarginWithDistanceLoss": 3,
}
"""Predictions that a loss compares, where it is more than one."""
ONE_COLUMN = ("MarginRankingLoss",)
OTHER = {
    "CTCLoss": "compares sequences of different lengths, which no data set has",
    "LinearCrossEntropyLoss": "holds weights of its own, which would be no part of the network",
}
"""Losses that cannot train, with the reason; they must be refused, and not run wrongly."""


class Bounded(nn.Module):
    """A module's output brought to the domain of a loss: probabilities or their logarithms."""

    def __init__(self, inner: nn.Module, function: Any) -> None:
        super().__init__()
        self.inner = inner
        self.function = function

    def forward(self, x: Tensor) -> Any:
        return self.function(self.inner(x))


def fitting(short: str) -> nn.Module:
    """A module whose output a loss takes."""
    module = outputs(COUNT.get(short, 1))
    if short == "BCELoss":
        return Bounded(module, torch.sigmoid)
    if short in ("NLLLoss", "KLDivLoss"):
        return Bounded(module, lambda value: value.log_softmax(1))
    if short in ONE_COLUMN:
        return Bounded(module, lambda parts: tuple(part[:, 0] for part in parts))
    return module


@pytest.mark.parametrize("name", sorted(losses()))
@pytest.mark.filterwarnings("ignore:reduction")  # KLDivLoss: its mean is not the mathematical one, says torch
def test_loss_of_classes(name: str, tmp_path: Path) -> None:
    short = name.rpartition(".")[2]
    binary = short in ("CosineEmbeddingLoss", "MarginRankingLoss")
    data, check = classes(of=2 if binary else 3), classes(48, seed=1, of=2 if binary else 3)
    settings = plan(loss={"name": name}, metrics=[], optimizer={"name": "torch.optim.Adam", "arguments": {"lr": 0.01}})
    if short in OTHER:
        with pytest.raises(TrainingError):
            fit(fitting(short), settings, tmp_path, data=data, validation=check)
        return
    seen = fit(fitting(short), settings, tmp_path, data=data, validation=check)
    values = list(seen.series("validation/loss").values())
    assert values[-1] is not None
    assert values[0] is not None
    assert values[-1] <= values[0]


@pytest.mark.parametrize("name", sorted(name for name in losses() if name.rpartition(".")[2] not in OTHER))
@pytest.mark.filterwarnings("ignore:reduction")
def test_loss_of_a_whole_is_put_together_from_parts(name: str) -> None:
    short = name.rpartition(".")[2]
    part = classes(100, of=2 if short in ("CosineEmbeddingLoss", "MarginRankingLoss") else 3)
    with torch.no_grad():
        output = fitting(short)(part.inputs["x"])
    outputs = [output] if isinstance(output, Tensor) else list(output)
    for reduction in ("mean", "sum"):
        choice = Choice(name=name, arguments={"reduction": reduction})
        criterion = build_criterion(choice, "classification", torch.device("cpu"))
        cuts = [slice(0, 1), slice(1, 40), slice(40, 100)]
        parts = [criterion.parts([leaf[cut] for leaf in outputs], part.targets[cut]) for cut in cuts]
        sums, divisors = torch.stack(parts).sum(0).unbind(1)
        whole = sums.sum() if criterion.sums else (sums / divisors).sum()
        assert float(whole) == pytest.approx(float(criterion(outputs, part.targets)), rel=2e-6)


REGRESSION = ("MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss", "PoissonNLLLoss", "GaussianNLLLoss")


@pytest.mark.parametrize("short", REGRESSION)
def test_loss_of_numbers(short: str, tmp_path: Path) -> None:
    two = short == "GaussianNLLLoss"

    class Numbers(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Linear(6, 2)

        def forward(self, x: Tensor) -> Any:
            mean, other = self.body(x).chunk(2, 1)
            return (mean, other.exp()) if two else mean

    torch.manual_seed(0)
    data, check = numbers(), numbers(48, seed=1)
    if short == "PoissonNLLLoss":
        data, check = (Set(part.inputs, part.targets.exp()) for part in (data, check))
    settings = plan(loss={"name": f"torch.nn.{short}"}, epochs=5)
    seen = fit(Numbers(), settings, tmp_path, task="regression", data=data, validation=check)
    values = list(seen.series("validation/loss").values())
    assert values[-1] is not None
    assert values[0] is not None
    assert values[-1] < values[0]


def test_class_weights_are_written_as_a_list(tmp_path: Path) -> None:
    weights = {"name": "torch.nn.CrossEntropyLoss", "arguments": {"weight": [1.0, 0.0, 0.0]}}
    check = classes(48, seed=1)
    seen = fit(net(), plan(loss=weights, steps=1), tmp_path, validation=check)
    module = net()
    saved = seen.of("checkpoint")[-1]
    module.load_state_dict(torch.load(tmp_path / saved.path / "state.pt", weights_only=True))
    module.eval()
    with torch.no_grad():
        expected = nn.functional.cross_entropy(module(check.inputs["x"]), check.targets, torch.tensor([1.0, 0.0, 0.0]))
    assert seen.series("validation/loss")[1] == pytest.approx(float(expected), rel=1e-5)


def test_one_logit_per_sample_is_a_probability(tmp_path: Path) -> None:
    data, check = classes(of=2), classes(48, seed=1, of=2)
    settings = plan(loss={"name": "torch.nn.BCEWithLogitsLoss"}, epochs=12)
    seen = fit(net(out=1), settings, tmp_path, data=data, validation=check)
    assert list(seen.series("validation/accuracy").values())[-1] > 0.9


METRIC_ARGUMENTS: dict[str, dict[str, Any]] = {
    "MulticlassFBetaScore": {"beta": 2.0},
    "CriticalSuccessIndex": {"threshold": 0.5},
    "MinkowskiDistance": {"p": 3},
}
NO_CURVE = ("MulticlassConfusionMatrix", "MulticlassStatScores")
"""They give several numbers, whatever their arguments."""
TASKS = {name: {*entry.tasks} & {"classification", "regression"} for name, entry in metrics().items()}


@pytest.mark.parametrize("name", sorted(name for name, tasks in TASKS.items() if tasks))
@pytest.mark.filterwarnings("ignore::UserWarning")  # metrics warn of undefined values on few samples
def test_metric_is_shown_for_each_epoch(name: str, tmp_path: Path) -> None:
    short = name.rpartition(".")[2]
    task = "classification" if "classification" in TASKS[name] else "regression"
    choice = {"name": name, "arguments": METRIC_ARGUMENTS.get(short, {})}
    settings = plan(metrics=[choice], epochs=2, checkpoints={"monitor": "validation/loss"})
    module = net(out=3 if task == "classification" else 1)
    if short in NO_CURVE:
        with pytest.raises(TrainingError, match="more than one number"):
            fit(module, settings, tmp_path, task=task)
        return
    seen = fit(module, settings, tmp_path, task=task)
    names = {key for event in seen.of("metrics") for key in event.series if key.startswith("validation/")}
    (series,) = names - {"validation/loss"}
    assert len(seen.series(series)) == 2
