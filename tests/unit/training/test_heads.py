"""Several outputs, each with a loss, a weight and targets of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn
from torch.nn import functional

from layerloom.schema.plan import Plan
from layerloom.training import TrainingError
from unit.training.support import Seen, Set, classes, fit, plan, stopping

FEATURES, CLASSES = 6, 3


class Two(nn.Module):
    """A class, and the input again; as a tuple, a third output is compared with nothing."""

    def __init__(self, *, as_tuple: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Linear(FEATURES, 8)
        self.kind, self.again = nn.Linear(8, CLASSES), nn.Linear(8, FEATURES)
        self.as_tuple = as_tuple

    def forward(self, x: Tensor) -> Any:
        hidden = self.body(x).relu()
        outputs = {"kind": self.kind(hidden), "again": self.again(hidden)}
        return (*outputs.values(), hidden) if self.as_tuple else outputs


def data(seed: int = 0) -> Set:
    one = classes(seed=seed)
    x = one.inputs["x"]
    return Set(one.inputs, one.targets, {"pair": torch.stack((x[:, 0], x[:, 1] * 2), 1), "sign": (x[:, 2] > 0).long()})


HEADS: list[dict[str, Any]] = [
    {"output": "kind", "weight": 0.5},
    {"output": "again", "target": "x", "weight": 2.0, "loss": {"name": "torch.nn.L1Loss"}},
]


ADAM = {"name": "torch.optim.Adam", "arguments": {"lr": 0.05}}


def learn(module: nn.Module, folder: Path, **settings: Any) -> Seen:
    how = {name: settings.pop(name) for name in ("control", "attempt", "resume") if name in settings}
    return fit(module, plan(**settings), folder, data=data(), validation=data(1), **how)


def test_the_losses_of_heads_are_weighed_and_summed(tmp_path: Path) -> None:
    # With a single batch of everything and no shuffling that matters, the first loss is that of the fresh module.
    module, one = Two(), data()
    outputs = module(one.inputs["x"])
    kind = functional.cross_entropy(outputs["kind"], one.targets)
    again = functional.l1_loss(outputs["again"], one.inputs["x"])
    seen = learn(module, tmp_path, heads=HEADS, batch_size=120, epochs=2)
    assert seen.series("train/loss")[1] == pytest.approx((0.5 * kind + 2 * again).item(), rel=1e-6)
    last = {name: seen.series(f"validation/{name}")[2] or 0 for name in ("loss", "kind/loss", "again/loss")}
    assert last["loss"] == pytest.approx(0.5 * last["kind/loss"] + 2 * last["again/loss"], rel=1e-6)
    for name in ("kind/accuracy", "again/mean_absolute_error"):
        for part in ("train", "validation"):
            assert list(seen.series(f"{part}/{name}")) == [1, 2]
    assert seen.of("checkpoint")[-1].monitor == "validation/loss", "the best is the best of all heads together"


def test_every_head_has_its_targets(tmp_path: Path) -> None:
    heads = [
        {"output": "0", "target": "sign", "metrics": [{"name": "torchmetrics.classification.MulticlassF1Score"}]},
        {"output": "1", "target": "x"},
    ]
    seen = learn(Two(as_tuple=True), tmp_path, heads=heads, epochs=30, optimizer=ADAM)
    assert [*seen.series("validation/0/f1_score").values()][-1] > 0.9
    first, *_, last = seen.series("validation/1/loss").values()
    assert last < 0.5 * first


def test_a_column_is_a_target(tmp_path: Path) -> None:
    class Pair(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.one, self.other = nn.Linear(FEATURES, 1), nn.Linear(FEATURES, 1)

        def forward(self, x: Tensor) -> dict[str, Tensor]:
            return {"one": self.one(x), "other": self.other(x)}

    heads = [{"output": name, "target": "pair", "column": column} for column, name in enumerate(("one", "other"))]
    module = Pair()
    learn(module, tmp_path, heads=heads, epochs=60, optimizer=ADAM)
    assert module.one.weight[0, 0].item() == pytest.approx(1, abs=0.1)
    assert module.other.weight[0, 1].item() == pytest.approx(2, abs=0.1)


def test_a_dict_of_outputs_has_its_heads_by_itself(tmp_path: Path) -> None:
    seen = learn(Two(), tmp_path)
    assert {"validation/kind/accuracy", "validation/again/mean_absolute_error"} <= {
        name for event in seen.of("metrics") for name in event.series
    }


def test_a_batch_in_parts_gives_the_gradients_of_the_whole(tmp_path: Path) -> None:
    states = []
    for parts in (1, 3):
        module = Two()
        sgd = {"name": "torch.optim.SGD", "arguments": {"lr": 0.05}}
        learn(module, tmp_path / str(parts), heads=HEADS, accumulation=parts, optimizer=sgd)
        states.append(module.state_dict())
    for name, value in states[0].items():
        torch.testing.assert_close(states[1][name], value)


@pytest.mark.parametrize("arguments", [{"weight": [0.1, 1.0, 9.0]}, {"ignore_index": 1}, {"label_smoothing": 0.1}])
@pytest.mark.parametrize("parts", [2, 5, 8])
def test_samples_of_a_head_may_count_differently(arguments: dict[str, Any], parts: int, tmp_path: Path) -> None:
    """By the weights of classes, or because targets are ignored: all of a head's in some parts of five."""
    kind = {"name": "torch.nn.CrossEntropyLoss", "arguments": arguments}
    heads = [{**HEADS[0], "loss": kind}, HEADS[1]]
    sgd = {"name": "torch.optim.SGD", "arguments": {"lr": 0.05}}
    seen, modules = [], []
    for count in (1, parts):
        modules.append(Two())
        settings = {"heads": heads, "optimizer": sgd, "epochs": 1, "accumulation": count}
        seen.append(learn(modules[-1], tmp_path / str(count), **settings))
    for name, value in modules[0].state_dict().items():
        torch.testing.assert_close(modules[1].state_dict()[name], value, atol=1e-6, rtol=1e-6)
    for name in ("train/loss", "validation/kind/loss", "train/kind/loss", "train/kind/accuracy"):
        expected, got = (list(one.series(name).values()) for one in seen)
        assert got == pytest.approx(expected, abs=1e-6)


def test_a_run_that_was_paused_in_an_epoch_goes_on_as_if_it_was_not(tmp_path: Path) -> None:
    whole, module, fresh = Two(), Two(), Two()
    seen = learn(whole, tmp_path / "whole", heads=HEADS)
    learn(module, tmp_path, heads=HEADS, control=stopping(module, 11, desired="pause"))
    more = learn(fresh, tmp_path, heads=HEADS, attempt=2, resume="checkpoints/a1-s11")
    assert all(torch.equal(value, whole.state_dict()[name]) for name, value in fresh.state_dict().items())
    for name in ("train/kind/loss", "validation/again/loss", "train/again/mean_absolute_error"):
        steps = more.series(name)
        assert steps
        assert steps.items() <= seen.series(name).items()


@pytest.mark.parametrize(
    ("head", "field", "message"),
    [
        ({"output": "knd"}, "output", "returns no output 'knd'; it returns kind, again"),
        ({"output": "kind", "target": "age"}, "target", "no targets 'age'.* pair, sign, x"),
        ({"output": "kind", "target": "pair", "column": 2}, "column", "have 2 columns, counted from 0"),
        ({"output": "kind", "target": "pair"}, "output", "cannot be compared with targets"),
        ({"output": "kind", "loss": {"name": "torch.nn.TripletMarginLoss"}}, "loss", "compares several predictions"),
        (
            {"output": "kind", "loss": {"name": "torch.nn.CrossEntropyLoss", "arguments": {"reduction": "sum"}}},
            "loss",
            "sums over the samples",
        ),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(
    head: dict[str, Any], field: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match=message) as caught:
        learn(Two(), tmp_path, heads=[HEADS[1], head])
    assert caught.value.problem.data["field"] == f"heads.1.{field}"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"heads": [{"output": "a"}, {"output": "a"}]}, "two heads"),
        ({"heads": [{"output": "a"}], "loss": {"name": "torch.nn.MSELoss"}}, "leave out loss"),
        ({"heads": [{"output": "a", "weight": float("nan")}]}, "finite"),
    ],
)
def test_a_plan_that_contradicts_itself_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Plan.model_validate({"dataset": "digits", **settings})
