"""From a plan to the parts of a loop: each is checked against the module on two samples before the first step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from layerloom.catalogue.advice import LOSS_OF_CLASSES
from layerloom.schema.plan import Choice, Plan
from layerloom.schema.problems import ProblemCode
from layerloom.training.arguments import REFUSALS
from layerloom.training.batches import Batches, Samples, place
from layerloom.training.criterion import Criterion, Task, build_criterion, leaves
from layerloom.training.device import Precision
from layerloom.training.dial import Dial
from layerloom.training.failure import TrainingError, out_of_memory
from layerloom.training.groups import divide
from layerloom.training.heads import HeadMeters, Heads, build_heads
from layerloom.training.metrics import Meters, build_meters, class_columns
from layerloom.training.mixing import Mixer, build_mixer
from layerloom.training.optimizers import build_optimizer
from layerloom.training.patience import Patience
from layerloom.training.position import generators_kept
from layerloom.training.ranks import ALONE, Ranks
from layerloom.training.rehearsal import rehearse_single, rehearse_step
from layerloom.training.schedulers import Scheduler, build_scheduler
from layerloom.training.updates import Updates, build_updates
from layerloom.training.weights import class_weights

_VALIDATED = 512
_SMALL = 2**18
"""A validation batch has at most so many samples, and its inputs so many numbers, unless the plan's batch is larger."""


@dataclass(frozen=True)
class Parts:
    """Everything that a loop is made of."""

    device: torch.device
    precision: Precision
    train: Batches
    validation: Batches
    mixer: Mixer | None
    criterion: Criterion | Heads
    sample: Any
    """An output of the module, for a sample or two."""
    meters: Meters | HeadMeters
    """Of the validation part."""
    training_meters: Meters | HeadMeters
    optimizer: torch.optim.Optimizer
    updates: Updates
    scheduler: Scheduler | None
    dial: Dial
    steps: int
    epochs: int
    monitor: str
    """Series that decides which checkpoint is best."""
    larger_is_better: bool
    patience: Patience | None
    ranks: Ranks


def assemble(
    module: nn.Module,
    plan: Plan,
    train: Samples,
    validation: Samples,
    task: Task,
    classes: int,
    device: torch.device,
    ranks: Ranks = ALONE,
) -> Parts:
    """Build all parts of a loop for a module that lies on ``device``.

    Raises:
        TrainingError: the plan, the data and the module do not fit together; the message says which and how.
    """
    if min(len(train.targets), len(validation.targets)) == 0:
        raise TrainingError(ProblemCode.DATASET_MISMATCH, "Both the training and the validation part need samples.")
    _check_shares(plan, train, validation, ranks)
    precision = Precision(plan.precision, device)
    two, _ = Batches(dict(train.inputs), train.targets, 2, device, getattr(train, "transform", None)).first(2)
    output = _probe(module, two, precision)
    if min(plan.batch_size, len(train.targets)) == 1:
        rehearse_single(module, two, precision)
    several = build_heads(plan, output, train, validation, task, classes, device)
    criterion: Criterion | Heads
    if several is not None:
        criterion, train, validation = several.criterion, several.train, several.validation
        reconstruct = False
    else:
        criterion, task = _one_loss(plan, output, two, train.targets, task, classes, device)
        reconstruct = task == "reconstruction"
    batches = place(train, plan.batch_size, device, reconstruct=reconstruct)
    checks = place(validation, _together(validation, plan.batch_size), device, reconstruct=reconstruct)
    _, targets = batches.first(2)
    if isinstance(criterion, Criterion):
        _check_classes(criterion, leaves(output)[0], train, validation)
    _try_loss(criterion, output, targets, precision)
    if (plan.accumulation > 1 or ranks.several) and not reconstruct:
        criterion.observe(train.targets)
    first = leaves(output)[0]
    mixer = build_mixer(plan.mixing, train, task, first.shape[1] if first.dim() > 1 else 1)
    if mixer is not None:
        _try_mixed(mixer, criterion, output, two, targets, precision)
    meters: Sequence[Meters | HeadMeters]
    if isinstance(criterion, Heads):
        assert several is not None
        meters = several.meters
    else:
        meters = [build_meters(plan.metrics, criterion, first, classes, device) for _ in range(2)]
    _try_meters(meters[0], output, targets)
    monitor, larger = _monitor(plan.checkpoints.monitor, meters[0])
    patience = None
    if plan.early_stopping is not None:
        patience = Patience(plan.early_stopping, *_monitor(plan.early_stopping.monitor or monitor, meters[0]))
    steps, epochs = _length(plan, len(batches))
    divided = divide(module, plan.optimizer, plan.groups)
    optimizer = build_optimizer(plan.optimizer, module, divided)
    if precision.scaler is not None and isinstance(optimizer, torch.optim.LBFGS):
        raise TrainingError(ProblemCode.PLAN_INVALID, "LBFGS cannot scale its gradients for fp16; choose fp32 or bf16.")
    if ranks.several and isinstance(optimizer, torch.optim.LBFGS):
        raise TrainingError(
            ProblemCode.PLAN_INVALID,
            "LBFGS looks at the loss of the whole batch several times in a step, which no device has alone. "
            "Choose another optimizer, or one device.",
            field="devices",
        )
    scheduler = build_scheduler(plan, optimizer, epochs=epochs, steps=steps, larger_is_better=larger)
    dial = Dial(optimizer)
    if scheduler is not None:
        scheduler.dial = dial
    rehearse_step(plan, module, divided, device, epochs=epochs, steps=steps)
    return Parts(
        device=device,
        precision=precision,
        train=batches,
        validation=checks,
        mixer=mixer,
        criterion=criterion,
        sample=output,
        meters=meters[0],
        training_meters=meters[1],
        optimizer=optimizer,
        updates=build_updates(module, optimizer, plan.clip, precision.scaler, shared=ranks.several),
        scheduler=scheduler,
        dial=dial,
        steps=steps,
        epochs=epochs,
        monitor=monitor,
        larger_is_better=larger,
        patience=patience,
        ranks=ranks,
    )


def _together(validation: Samples, batch: int) -> int:
    """Samples of a validation batch: small ones go by hundreds, because a call costs more than they do.

    Without gradients, twice the batch takes less memory than a training step.
    """
    numbers = sum(math.prod(value.shape[1:]) for value in validation.inputs.values())
    return max(2 * batch, min(_VALIDATED, _SMALL // max(1, numbers)))


def _check_shares(plan: Plan, train: Samples, validation: Samples, ranks: Ranks) -> None:
    fewest = min(len(train.targets), plan.batch_size) // 2
    if ranks.several and ranks.world > min(fewest, len(validation.targets)):
        raise TrainingError(
            ProblemCode.DATASET_MISMATCH,
            f"{len(train.targets)} samples for training and {len(validation.targets)} for validation, in batches of "
            f"{plan.batch_size}, are too few for {ranks.world} devices to share. Choose fewer devices.",
            field="devices",
        )


def _one_loss(
    plan: Plan,
    output: Any,
    two: dict[str, Tensor],
    targets: Tensor,
    task: Task,
    classes: int,
    device: torch.device,
) -> tuple[Criterion, Task]:
    """One loss for all that the module returns, and the task that it makes of the data."""
    weights = class_weights(plan, task, targets, leaves(output)[0])
    criterion = build_criterion(plan.loss or (Choice(name=LOSS_OF_CLASSES) if weights else None), task, device, weights)
    if task != "reconstruction" and _rebuilds_input(criterion, output, two, targets, classes):
        criterion.task = "reconstruction"
    return criterion, criterion.task


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


def _rebuilds_input(
    criterion: Criterion, output: Any, inputs: dict[str, Tensor], targets: Tensor, classes: int
) -> bool:
    """Whether a loss of equal shapes can only mean the input: an autoencoder on a dataset of labels or numbers."""
    given = next(iter(inputs.values()))
    if criterion.by_index or criterion.takes > 1 or len(inputs) > 1 or not given.is_floating_point():
        return False
    width = leaves(output)[0][0].numel()
    if width != given[0].numel():
        return False
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
            f"The data have {needed} classes, and the network's output tells {columns} apart.",
            expected=needed,
            got=columns,
        )


def _try_loss(criterion: Criterion | Heads, output: Any, target: Tensor, precision: Precision) -> None:
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


def _try_mixed(
    mixer: Mixer,
    criterion: Criterion | Heads,
    output: Any,
    inputs: dict[str, Tensor],
    target: Tensor,
    precision: Precision,
) -> None:
    """Hold that the loss takes shares of classes in place of labels."""
    with generators_kept(target.device):
        _, shares = mixer({name: value.clone() for name, value in inputs.items()}, target)
    try:
        _try_loss(criterion, output, shares, precision)
    except TrainingError as error:
        raise TrainingError(
            ProblemCode.PLAN_INVALID,
            f"{criterion.name} takes labels, and mixup and cutmix give shares of several. Choose CrossEntropyLoss, "
            "or leave them out.",
            field="mixing",
        ) from error


def _dtype(value: Tensor) -> str:
    return str(value.dtype).removeprefix("torch.")


def _try_meters(meters: Meters | HeadMeters, output: Any, target: Tensor) -> None:
    try:
        meters.update(output, target)
        meters.compute()
    except REFUSALS as error:
        raise TrainingError(
            ProblemCode.PLAN_INVALID, f"The metrics {', '.join(meters.names)} do not fit the output: {error}"
        ) from error


def _monitor(chosen: str | None, meters: Meters | HeadMeters) -> tuple[str, bool]:
    """The series of that name, or the first that there is, and whether larger values of it are better."""
    series = {"validation/loss": False}
    for name in meters.names:
        series[f"validation/{name}"] = series[f"train/{name}"] = meters.larger_is_better(name)
    if chosen is None:
        chosen = meters.main
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
