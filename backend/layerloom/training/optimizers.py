"""Optimizers by their catalogue names, in the fastest form that the device and the network allow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from layerloom.catalogue import optimizers
from layerloom.schema.plan import Choice, Clip
from layerloom.schema.problems import ProblemCode
from layerloom.training.arguments import REFUSALS, accepts, construct, keywords, resolve
from layerloom.training.failure import TrainingError
from layerloom.training.groups import Divided

_OWN_CHOICE = ("fused", "foreach", "capturable", "differentiable")
"""Arguments with which a user has decided about the form; nothing is added then."""
_SPARSE = (torch.optim.SGD, torch.optim.Adagrad, torch.optim.SparseAdam)
"""They take sparse gradients."""
NAMED = 5
"""Parameters that a message lists, at most."""


def build_optimizer(choice: Choice, module: nn.Module, divided: Divided | None = None) -> torch.optim.Optimizer:
    """The optimizer of every trainable parameter of ``module``; ``divided`` are they in groups, if there are some.

    Raises:
        TrainingError: unknown name, no trainable parameter, arguments that torch refuses, or parameters that the
            optimizer does not take: Muon wants matrices only, SparseAdam sparse gradients only.
    """
    target = resolve(choice, optimizers(), ProblemCode.UNKNOWN_OPTIMIZER, "optimizer")
    label = choice.name.rpartition(".")[2]
    named = {name: parameter for name, parameter in module.named_parameters() if parameter.requires_grad}
    parameters = list(named.values())
    if not parameters:
        raise TrainingError(ProblemCode.PLAN_INVALID, "The network has no trainable parameter, so nothing can learn.")
    sparse = sparse_weights(module)
    if target is torch.optim.SparseAdam and len(sparse) < len(parameters):
        raise TrainingError(
            ProblemCode.PLAN_INVALID,
            "SparseAdam trains only embeddings with sparse=True; this network has other parameters. Choose Adam.",
            sparse=len(sparse),
            parameters=len(parameters),
        )
    if sparse and target not in _SPARSE:
        raise TrainingError(
            ProblemCode.PLAN_INVALID,
            f"{label} cannot use the gradients of an embedding with sparse=True. Choose SGD, or set sparse to False.",
        )
    arguments = keywords(choice.arguments)
    form = {} if any(name in arguments for name in _OWN_CHOICE) else _form(target, parameters, bool(sparse))
    given = divided if divided is not None and (len(divided) > 1 or len(divided[0]) > 1) else parameters
    try:
        optimizer: torch.optim.Optimizer = construct(target, label, given, **form, **arguments)
    except TrainingError as error:
        _tell_of_parameters(target, label, named, arguments, error)
        raise
    return optimizer


def _tell_of_parameters(
    target: Any, label: str, named: dict[str, nn.Parameter], arguments: dict[str, Any], error: TrainingError
) -> None:
    """Whether an optimizer takes some of the parameters is asked of itself, one by one.

    Raises:
        TrainingError: it takes some and refuses others, so that the arguments are not to blame.
    """

    def takes(parameter: nn.Parameter) -> bool:
        try:
            target([parameter], **arguments)
        except REFUSALS:
            return False
        return True

    refused = [name for name, parameter in named.items() if not takes(parameter)]
    # A matrix is what every optimizer takes, if it takes the arguments.
    if refused and takes(nn.Parameter(torch.zeros(2, 2))):
        names = ", ".join(refused[:NAMED]) + (", …" if len(refused) > NAMED else "")
        raise TrainingError(
            ProblemCode.PLAN_INVALID,
            f"{label} does not take {len(refused)} of the network's {len(named)} parameters ({names}): "
            f"{error.__cause__}. Choose another optimizer.",
            field="optimizer",
            parameters=refused,
        ) from error


def clip_gradients(parameters: Iterable[Tensor], clip: Clip) -> None:
    """Bound the gradients' values, then their common norm, in place."""
    if clip.value is not None:
        nn.utils.clip_grad_value_(parameters, clip.value)
    if clip.norm is not None:
        nn.utils.clip_grad_norm_(parameters, clip.norm)


def sparse_weights(module: nn.Module) -> list[Tensor]:
    """Weights whose gradients are sparse."""
    tables = (part for part in module.modules() if getattr(part, "sparse", False) is True)
    return [weight for table in tables for weight in table.parameters(recurse=False) if weight.requires_grad]


def _form(target: Any, parameters: list[nn.Parameter], sparse: bool) -> dict[str, bool]:
    """One kernel for all parameters instead of one per parameter and operation; sparse gradients have neither form."""
    if sparse:
        return {}
    real = all(parameter.is_floating_point() for parameter in parameters)
    if accepts(target, "fused") and real and parameters[0].device.type in ("cpu", "cuda", "mps"):
        return {"fused": True}
    return {"foreach": True} if accepts(target, "foreach") else {}
