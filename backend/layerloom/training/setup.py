"""From a plan to the parts of a loop: each is checked against the module on two samples before the first step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from layerloom.schema.plan import Plan
from layerloom.schema.problems import ProblemCode
from layerloom.training.arguments import REFUSALS
from layerloom.training.batches import Batches, Samples, place
from layerloom.training.criterion import Criterion, Task, build_criterion, leaves
from layerloom.training.device import Precision
from layerloom.training.failure import TrainingError, out_of_memory
from layerloom.training.metrics import Meters, build_meters, class_columns
from layerloom.training.optimizers import build_optimizer
from layerloom.training.rehearsal import rehearse_single, rehearse_step
from layerloom.training.schedulers import Scheduler, build_scheduler


@dataclass(frozen=True)
class Parts:
    """Everything that a loop is made of."""

    device: torch.device
    precision: Precision
    train: Batches
    validation: Batches
    criterion: Criterion
    meters: Meters
    """Of the validation part."""
    training_meters: Meters
    optimizer: torch.optim.Optimizer
    scheduler: Scheduler | None
    steps: int
    epochs: int
    monitor: str
    """Series that decides which checkpoint is best."""
    larger_is_better: bool


def assemble(
    module: nn.Module, plan: Plan, train: Samples, validation: Samples, task: Task, classes: int, device: torch.device
) -> Parts:
    """Build all parts of a loop for a module that lies on ``device``.

    Raises:
        TrainingError: the plan, the data and the module do not fit together; the message says which and how.
    """
    if min(len(train.targets), len(validation.targets)) == 0:
        raise TrainingError(ProblemCode.DATASET_MISMATCH, "Both the training and the validation part need samples.")
    precision = Precision(plan.precision, device)
    criterion = build_criterion(plan.loss, task, device)
    two = {name: value[:2].clone().to(device) for name, value in train.inputs.items()}
    output = _probe(module, two, precision)
    if min(plan.batch_size, len(train.targets)) == 1:
        rehearse_single(module, two, precision)
    if task != "reconstruction" and _rebuilds_input(criterion, output, train, classes):
        task = "reconstruction"
        criterion.task = task
    reconstruct = task == "reconstruction"
    batches = place(train, plan.batch_size, device, reconstruct=reconstruct)
    # Without gradients twice the batch takes less memory than a training step.
    checks = place(validation, 2 * plan.batch_size, device, reconstruct=reconstruct)
    targets = batches.targets[:2].to(device)
    _check_classes(criterion, leaves(output)[0], train, validation)
    _try_loss(criterion, output, targets, precision)
    meters = [build_meters(plan.metrics, criterion, leaves(output)[0], classes, device) for _ in range(2)]
    _try_meters(meters[0], output, targets)
    monitor, larger = _monitor(plan, meters[0])
    steps, epochs = _length(plan, len(batches))
    optimizer = build_optimizer(plan.optimizer, module)
    if precision.scaler is not None and isinstance(optimizer, torch.optim.LBFGS):
        raise TrainingError(ProblemCode.PLAN_INVALID, "LBFGS cannot scale its gradients for fp16; choose fp32 or bf16.")
    scheduler = build_scheduler(plan, optimizer, epochs=epochs, steps=steps, larger_is_better=larger)
    rehearse_step(plan, module, device, epochs=epochs, steps=steps)
    return Parts(
        device=device,
        precision=precision,
        train=batches,
        validation=checks,
        criterion=criterion,
        meters=meters[0],
        training_meters=meters[1],
        optimizer=optimizer,
        scheduler=scheduler,
        steps=steps,
        epochs=epochs,
        monitor=monitor,
        larger_is_better=larger,
    )


def _probe(module: nn.Module, inputs: dict[str, Tensor], precision: Precision) -> Any:
    """What the module returns for a few samples. In eval mode, so that nothing of it changes.

    Raises:
        TrainingError: it cannot take them, or not in the plan's precision.
    """
    was_training = module.training
    module.eval()
    try:
        with torch.no_grad(), precision.autocast():
            output = module(**inputs)
    except REFUSALS as error:
        if out_of_memory(error):
            raise
        given = ", ".join(f"{name}: {list(value.shape[1:])} of {_dtype(value)}" for name, value in inputs.items())
        first = str(error).partition("\n")[0]
        raise TrainingError(
            ProblemCode.DATASET_MISMATCH,
            f"The network fails on the data's samples ({given}) in {precision.name}: {first}",
            inputs={name: list(value.shape[1:]) for name, value in inputs.items()},
        ) from error
    finally:
        module.train(was_training)
    if not leaves(output):
        raise TrainingError(ProblemCode.PLAN_INVALID, "The network returns no tensor to compare with targets.")
    return output


def _rebuilds_input(criterion: Criterion, output: Any, samples: Samples, classes: int) -> bool:
    """Whether a loss of equal shapes can only mean the input: an autoencoder on a dataset of labels or numbers."""
    given = next(iter(samples.inputs.values()))
    if criterion.by_index or criterion.takes > 1 or len(samples.inputs) > 1 or not given.is_floating_point():
        return False
    width = leaves(output)[0][0].numel()
    if width != given[0].numel():
        return False
    targets = samples.targets
    return width != (targets[0].numel() if targets.is_floating_point() else classes)


def _check_classes(criterion: Criterion, output: Tensor, *parts: Samples) -> None:
    """Class numbers beyond the output's columns would crash an accelerator without a word."""
    if criterion.takes > 1 or any(part.targets.is_floating_point() for part in parts):
        return
    if criterion.task not in ("classification", "tokens"):
        return
    columns = class_columns(output, criterion.task)
    needed = 1 + max(int(part.targets.max()) for part in parts)
    if needed > columns:
        raise TrainingError(
            ProblemCode.DATASET_MISMATCH,
            f"The data have {needed} classes, and the network's output has {output.shape[-1]} columns.",
            expected=needed,
            got=columns,
        )


def _try_loss(criterion: Criterion, output: Any, target: Tensor, precision: Precision) -> None:
    try:
        with precision.autocast():
            value = criterion(output, target)
    except REFUSALS as error:
        shapes = ", ".join(str(list(leaf.shape[1:])) for leaf in leaves(output))
        raise TrainingError(
            ProblemCode.PLAN_INVALID,
            f"{criterion.name} cannot compare the network's output {shapes} (per sample) with targets "
            f"{list(target.shape[1:])} of {_dtype(target)}: {error}",
            output=[list(leaf.shape[1:]) for leaf in leaves(output)],
            target=list(target.shape[1:]),
        ) from error
    if value.dim() != 0:
        raise TrainingError(ProblemCode.PLAN_INVALID, "The loss is no single number; choose the reduction mean or sum.")


def _dtype(value: Tensor) -> str:
    return str(value.dtype).removeprefix("torch.")


def _try_meters(meters: Meters, output: Any, target: Tensor) -> None:
    try:
        meters.update(output, target)
        meters.compute()
    except REFUSALS as error:
        raise TrainingError(
            ProblemCode.PLAN_INVALID, f"The metrics {', '.join(meters.names)} do not fit the output: {error}"
        ) from error


def _monitor(plan: Plan, meters: Meters) -> tuple[str, bool]:
    series = {"validation/loss": False}
    for name in meters.names:
        series[f"validation/{name}"] = series[f"train/{name}"] = meters.larger_is_better(name)
    chosen = plan.checkpoints.monitor
    if chosen is None:
        chosen = f"validation/{meters.names[0]}" if meters.names else "validation/loss"
    if chosen not in series:
        raise TrainingError(
            ProblemCode.PLAN_INVALID,
            f"There is no series {chosen!r} to monitor; this run has {', '.join(series)}.",
            nearest=list(series),
        )
    return chosen, series[chosen]


def _length(plan: Plan, per_epoch: int) -> tuple[int, int]:
    """Steps and epochs of the whole run."""
    steps = math.inf if plan.epochs is None else plan.epochs * per_epoch
    steps = int(min(steps, plan.steps if plan.steps is not None else math.inf))
    return steps, math.ceil(steps / per_epoch)
