"""Parameters in groups by the names that they have in the network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from layerloom.schema.plan import Plan
from layerloom.training import TrainingError
from layerloom.training.groups import divide, freeze
from layerloom.training.optimizers import build_optimizer
from layerloom.training.updates import FusedAdam, build_updates
from unit.training.support import fit, net, plan

GROUPS: list[dict[str, Any]] = [
    {"pattern": "body.0.*", "frozen": True},
    {"pattern": "*.bias", "weight_decay": 0.0},
    {"pattern": "head.*", "factor": 0.1},
    {"pattern": "body.1.weight", "lr": 0.5, "weight_decay": 0.25},
]


def optimizer_of(settings: Plan, module: nn.Module) -> torch.optim.Optimizer:
    freeze(module, settings.groups)
    return build_optimizer(settings.optimizer, module, divide(module, settings.optimizer, settings.groups))


def names(module: nn.Module, group: dict[str, Any]) -> set[str]:
    known = {parameter: name for name, parameter in module.named_parameters()}
    return {known[parameter] for parameter in group["params"]}


def test_the_first_match_wins_and_the_rest_is_the_optimizers() -> None:
    module = net()
    optimizer = optimizer_of(plan(groups=GROUPS), module)
    told = [(names(module, group), group["lr"], group["weight_decay"]) for group in optimizer.param_groups]
    assert told == [
        ({"body.1.bias", "head.bias"}, 0.003, 0.0),
        ({"head.weight"}, pytest.approx(0.0003), 0.01),
        ({"body.1.weight"}, 0.5, 0.25),
    ]
    assert not module.body[0].weight.requires_grad
    rest = optimizer_of(plan(groups=GROUPS[2:3]), net())
    assert [group["lr"] for group in rest.param_groups] == [0.003, pytest.approx(0.0003)]


def test_the_fast_form_is_kept() -> None:
    module = net()
    settings = plan(groups=GROUPS)
    optimizer = optimizer_of(settings, module)
    assert isinstance(build_updates(module, optimizer, settings.clip), FusedAdam)


def test_a_frozen_group_stays_as_it_is_and_a_rate_of_zero_does_too(tmp_path: Path) -> None:
    groups = [{"pattern": "body.0.*", "frozen": True}, {"pattern": "head.*", "lr": 0.0}]
    before, module = net(), net()
    seen = fit(module, plan(groups=groups), tmp_path)
    state, old = module.state_dict(), before.state_dict()
    assert torch.equal(state["body.0.weight"], old["body.0.weight"])
    assert torch.equal(state["head.weight"], old["head.weight"])
    assert not torch.equal(state["body.1.weight"], old["body.1.weight"])
    assert "head.weight" in seen.of("statistics")[0].names
    assert "body.0.weight" not in seen.of("statistics")[0].names
    net().load_state_dict(state, strict=True)


@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adagrad", "Adadelta", "NAdam", "Rprop", "Adafactor", "ASGD"])
@pytest.mark.parametrize("scheduler", ["OneCycleLR", "ReduceLROnPlateau", "ExponentialLR", None])
def test_any_optimizer_and_scheduler(name: str, scheduler: str | None, tmp_path: Path) -> None:
    arguments = {"OneCycleLR": {"max_lr": [0.1, 0.2]}, "ExponentialLR": {"gamma": 0.5}}.get(scheduler or "", {})
    if scheduler == "OneCycleLR" and name not in ("SGD", "RMSprop", "NAdam"):
        arguments["cycle_momentum"] = False  # type: ignore[assignment]
    settings = plan(
        epochs=1,
        optimizer={"name": f"torch.optim.{name}"},
        groups=[{"pattern": "head.*", "factor": 0.5}],
        scheduler=scheduler and {"name": f"torch.optim.lr_scheduler.{scheduler}", "arguments": arguments},
    )
    if scheduler == "OneCycleLR" and name == "RMSprop":
        settings.optimizer.arguments["momentum"] = 0.9
    seen = fit(net(), settings, tmp_path)
    assert seen.outcome is not None
    assert seen.outcome.step == 8


def test_a_tied_weight_has_both_its_names() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Linear(4, 4)
            self.second = nn.Linear(4, 4, bias=False)
            self.second.weight = self.first.weight

    module = Tied()
    optimizer = optimizer_of(plan(groups=[{"pattern": "second.*", "lr": 1.0}]), module)
    assert [(names(module, group), group["lr"]) for group in optimizer.param_groups] == [
        ({"first.bias"}, 0.003),
        ({"first.weight"}, 1.0),
    ]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"groups": [{"pattern": "haed.*"}]}, r"No parameter is named like 'haed\.\*'.*head\."),
        ({"groups": [{"pattern": "*"}, {"pattern": "head.*"}]}, r"'head\.\*' names are in earlier groups"),
        ({"groups": [{"pattern": "*", "frozen": True}]}, "no trainable parameter"),
        ({"optimizer": {"name": "torch.optim.Rprop"}, "groups": [{"pattern": "*", "weight_decay": 1}]}, "no weight"),
        ({"optimizer": {"name": "torch.optim.LBFGS"}, "groups": [{"pattern": "head.*", "lr": 1}]}, "LBFGS trains all"),
    ],
)
def test_groups_that_do_not_fit_are_refused(settings: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=message):
        fit(net(), plan(**settings), tmp_path)


def test_lbfgs_beside_a_frozen_group(tmp_path: Path) -> None:
    settings = plan(epochs=1, optimizer={"name": "torch.optim.LBFGS"}, groups=[{"pattern": "body.*", "frozen": True}])
    module = net()
    fit(module, settings, tmp_path)
    assert torch.equal(module.body[0].weight, net().body[0].weight)


def test_a_rate_and_a_factor_contradict() -> None:
    with pytest.raises(ValidationError, match="leave one of them out"):
        plan(groups=[{"pattern": "*", "lr": 0.1, "factor": 2}])
