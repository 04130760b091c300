"""Parameters that train otherwise than the rest, chosen by patterns over their qualified names.

A parameter is in the first group that matches one of its names; a tied one has several. What is in none trains as the
optimizer's own arguments say.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from layerloom.catalogue import optimizers
from layerloom.schema.patterns import grouped
from layerloom.schema.plan import Choice, ParameterGroup
from layerloom.schema.problems import ProblemCode
from layerloom.training.arguments import accepts, keywords, resolve
from layerloom.training.failure import TrainingError, unmatched_error

Divided = list[dict[str, Any]]
"""Groups as torch's optimizers take them: ``params``, and what differs from the optimizer's own arguments."""


def freeze(module: nn.Module, groups: Sequence[ParameterGroup]) -> None:
    """Let what a frozen group matches have no gradients.

    Raises:
        TrainingError: a pattern matches nothing.
    """
    for group, members in zip(groups, _members(module, groups), strict=True):
        if group.frozen:
            for parameter in members:
                parameter.requires_grad_(False)


def divide(module: nn.Module, choice: Choice, groups: Sequence[ParameterGroup]) -> Divided:
    """Every trainable parameter of ``module`` in its group; those that are in none come first.

    Raises:
        TrainingError: a pattern matches nothing, or the optimizer does not have what a group sets.
    """
    trainable = [parameter for parameter in module.parameters() if parameter.requires_grad]
    parts = [
        ([parameter for parameter in members if parameter.requires_grad], _options(choice, group, index))
        for index, (group, members) in enumerate(zip(groups, _members(module, groups), strict=True))
    ]
    chosen = {parameter for members, _ in parts for parameter in members}
    rest = [parameter for parameter in trainable if parameter not in chosen]
    divided = [{"params": members, **options} for members, options in [(rest, {}), *parts] if members]
    alike = len(divided) <= 1 and all(len(group) == 1 for group in divided)
    if not alike and choice.name == "torch.optim.LBFGS":
        raise TrainingError(
            ProblemCode.PLAN_INVALID,
            "LBFGS trains all parameters alike; only a frozen group can stand beside it. Choose another optimizer.",
            field="groups",
        )
    return divided


def owners(
    optimizer: torch.optim.Optimizer, module: nn.Module, groups: Sequence[ParameterGroup]
) -> list[ParameterGroup | None]:
    """The plan's group that each of an optimizer's groups was made of; None for those that are in none."""
    owner = {
        parameter: group
        for group, members in zip(groups, _members(module, groups), strict=True)
        for parameter in members
    }
    return [owner.get(group["params"][0]) for group in optimizer.param_groups]


def _members(module: nn.Module, groups: Sequence[ParameterGroup]) -> list[list[nn.Parameter]]:
    """Parameters of each group, frozen ones too, in the module's order."""
    names: dict[nn.Parameter, list[str]] = {}
    for name, parameter in module.named_parameters(remove_duplicate=False):
        names.setdefault(parameter, []).append(name)
    parameters = list(names)
    members, unmatched = grouped(list(names.values()), groups)
    for one in unmatched:
        raise unmatched_error(one)
    return [[parameters[place] for place in places] for places in members]


def _options(choice: Choice, group: ParameterGroup, index: int) -> dict[str, float]:
    target = resolve(choice, optimizers(), ProblemCode.UNKNOWN_OPTIMIZER, "optimizer")
    options = {}
    if group.lr is not None:
        options["lr"] = group.lr
    if group.factor is not None:
        own = keywords(choice.arguments).get("lr", inspect.signature(target).parameters["lr"].default)
        options["lr"] = group.factor * own
    if group.weight_decay is not None:
        if not accepts(target, "weight_decay"):
            label = choice.name.rpartition(".")[2]
            raise TrainingError(
                ProblemCode.PLAN_INVALID,
                f"{label} has no weight decay. Leave it out of the group {group.pattern!r}, or choose AdamW.",
                field=f"groups.{index}.weight_decay",
            )
        options["weight_decay"] = group.weight_decay
    return options
