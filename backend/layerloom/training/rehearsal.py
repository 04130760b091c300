"""A rehearsal on a few numbers: what torch refuses only while it computes is told before the start, with a remedy.

Nothing of the module that is to be trained changes, and whatever its size a rehearsal takes milliseconds.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from layerloom.schema.plan import Plan
from layerloom.schema.problems import ProblemCode
from layerloom.training.arguments import REFUSALS
from layerloom.training.device import Precision
from layerloom.training.failure import TrainingError, out_of_memory
from layerloom.training.groups import Divided
from layerloom.training.optimizers import build_optimizer, clip_gradients, sparse_weights
from layerloom.training.position import buffers_kept
from layerloom.training.schedulers import build_scheduler


def rehearse_step(
    plan: Plan, module: nn.Module, divided: Divided, device: torch.device, *, epochs: int, steps: int
) -> None:
    """One step of the plan's clipping, optimizer and scheduler, for parameters like those of ``module``, which are
    ``divided`` into groups.

    Raises:
        TrainingError: what one of them cannot do with such parameters and gradients.
    """
    small, groups = stand_in(module, divided, device)
    weights = list(small.parameters())
    optimizer = build_optimizer(plan.optimizer, small, groups)
    # Without a warm-up, behind which the scheduler would not be tried.
    cold = plan.model_copy(update={"warmup": 0})
    scheduler = build_scheduler(cold, optimizer, epochs=epochs, steps=steps, larger_is_better=False)
    scaler = Precision(plan.precision, device).scaler
    sparse = {id(weight) for weight in sparse_weights(small)}

    def gradients() -> Tensor:
        for weight in weights:
            weight.grad = _gradient(weight, sparse=id(weight) in sparse)
        return torch.ones((), device=device)

    loss = gradients()
    if scaler is not None:
        # Its first call sets the scale up.
        scaler.scale(loss)
        _refusable("precision", plan.precision, scaler.unscale_, optimizer)
    _refusable("clip", "Clipping", clip_gradients, weights, plan.clip)
    label = plan.optimizer.name.rpartition(".")[2]
    if scaler is None:
        _refusable("optimizer", label, optimizer.step, gradients)
    else:
        _refusable("optimizer", label, scaler.step, optimizer)
        _refusable("precision", plan.precision, scaler.update)
    if plan.scheduler is not None and scheduler is not None:
        label = plan.scheduler.name.rpartition(".")[2]
        _refusable("scheduler", label, scheduler.after_step)
        _refusable("scheduler", label, scheduler.after_epoch, 1.0)


def rehearse_single(module: nn.Module, inputs: dict[str, Tensor], precision: Precision) -> None:
    """A training pass of one sample, for plans whose batches hold no more. Buffers are put back.

    Raises:
        TrainingError: ``batch_of_one``; normalization over a batch needs two samples.
    """
    module.train()
    try:
        with torch.no_grad(), buffers_kept(module), precision.autocast():
            module(**{name: value[:1].clone() for name, value in inputs.items()})
    except REFUSALS as error:
        if out_of_memory(error):
            raise
        raise TrainingError(
            ProblemCode.BATCH_OF_ONE,
            f"The network cannot train on batches of one sample: {str(error).rstrip('.')}. Choose a larger batch size.",
            field="batch_size",
        ) from error


def stand_in(module: nn.Module, divided: Divided, device: torch.device) -> tuple[nn.Module, Divided]:
    """One small parameter for each kind in each group: number of axes, dtype, sparse gradients or not."""
    sparse = {id(weight) for weight in sparse_weights(module)}
    parts, groups = nn.ModuleList(), []
    for group in divided:
        kinds = dict.fromkeys((weight.dim(), weight.dtype, id(weight) in sparse) for weight in group["params"])
        groups.append({**group, "params": []})
        for axes, dtype, is_sparse in kinds:
            part: Any = nn.Module()
            part.sparse = is_sparse
            part.weight = nn.Parameter(torch.ones((2,) * axes, dtype=dtype, device=device))
            parts.append(part)
            groups[-1]["params"].append(part.weight)
    return parts, groups


def _gradient(weight: Tensor, *, sparse: bool) -> Tensor:
    if not sparse:
        return torch.ones_like(weight)
    row = torch.zeros(1, 1, dtype=torch.int64, device=weight.device)
    return torch.sparse_coo_tensor(row, torch.ones_like(weight[:1]), weight.shape, check_invariants=True)


def _refusable(field: str, label: str, act: Any, *arguments: Any) -> None:
    try:
        act(*arguments)
    except REFUSALS as error:
        if out_of_memory(error):
            raise
        first = str(error).partition("\n")[0].rstrip(".")
        raise TrainingError(
            ProblemCode.PLAN_INVALID,
            f"{label} cannot train this network: {first}. Choose other arguments, or another {field}.",
            field=field,
            name=label,
        ) from error
