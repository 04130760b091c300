"""Optimizers by their catalogue names, in the fastest form that the device and the network allow."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from layerloom.catalogue import optimizers
from layerloom.schema.plan import Choice
from layerloom.schema.problems import ProblemCode
from layerloom.training.arguments import accepts, construct, keywords, resolve
from layerloom.training.failure import TrainingError

_OWN_CHOICE = ("fused", "foreach", "capturable", "differentiable")
"""Arguments with which a user has decided about the form; nothing is added then."""
_SPARSE = (torch.optim.SGD, torch.optim.Adagrad, torch.optim.SparseAdam)
"""They take sparse gradients."""


def build_optimizer(choice: Choice, module: nn.Module) -> torch.optim.Optimizer:
    """The optimizer of every trainable parameter of ``module``.

    Raises:
        TrainingError: unknown name, no trainable parameter, arguments that torch refuses (Muon takes matrices only), or
            dense parameters for SparseAdam.
    """
    target = resolve(choice, optimizers(), ProblemCode.UNKNOWN_OPTIMIZER, "optimizer")
    label = choice.name.rpartition(".")[2]
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    if not parameters:
        raise TrainingError(ProblemCode.PLAN_INVALID, "The network has no trainable parameter, so nothing can learn.")
    sparse = _sparse(module)
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
    optimizer: torch.optim.Optimizer = construct(target, label, parameters, **form, **arguments)
    return optimizer


def _sparse(module: nn.Module) -> list[Tensor]:
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
