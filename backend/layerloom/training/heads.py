"""Several outputs of a network, each with a loss, a weight and targets of its own.

The targets of all heads are packed into one tensor of 32-bit words, a row for each sample, so that whatever shuffles,
cuts, joins and keeps targets handles those of many heads like those of one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from layerloom.schema.plan import Head, Plan
from layerloom.schema.problems import ProblemCode
from layerloom.training.arguments import REFUSALS
from layerloom.training.batches import Samples, Stored
from layerloom.training.criterion import Criterion, Share, Task, build_criterion, leaves
from layerloom.training.failure import TrainingError
from layerloom.training.metrics import Meters, build_meters, class_columns
from layerloom.training.ranks import ALONE, Ranks


@dataclass(frozen=True)
class Targets:
    """Where the targets of a head lie in a packed row."""

    start: int
    stop: int
    shape: torch.Size
    """Of a sample."""
    numbers: bool
    """They are float32; classes otherwise."""

    def __call__(self, packed: Tensor) -> Tensor:
        """Targets of these rows as the loss takes them."""
        words = packed[:, self.start : self.stop]
        values = words.contiguous().view(torch.float32) if self.numbers else words.long()
        return values.reshape(len(packed), *self.shape)


@dataclass(frozen=True)
class HeadLoss:
    """One output and what it is held against."""

    name: str
    place: int
    """Among the tensors that the module returns."""
    weight: float
    criterion: Criterion
    targets: Targets
    meters: Meters

    def compared(self, output: Sequence[Tensor], packed: Tensor) -> tuple[Tensor, Tensor]:
        """Its prediction and its targets."""
        return output[self.place], self.targets(packed)


class Heads:
    """The sum of the heads' losses; takes the place of a ``Criterion``, with packed targets."""

    name = "the heads' losses"
    sums = False

    def __init__(self, heads: Sequence[HeadLoss]) -> None:
        self._heads = heads

    def __call__(self, output: Any, target: Tensor) -> Tensor:
        """Loss, 0-dimensional."""
        outputs = leaves(output)
        values = [head.criterion(*head.compared(outputs, target)) * head.weight for head in self._heads]
        return torch.stack(values).sum()

    def parts(self, output: Any, target: Tensor) -> Tensor:
        """As ``Criterion.parts``: a row for each head."""
        outputs = leaves(output)
        rows = []
        for head in self._heads:
            row = head.criterion.parts(*head.compared(outputs, target))
            row[:, 0] *= head.weight
            rows.append(row)
        return torch.cat(rows)

    def weighed(self, output: Any, target: Tensor, share: Share | None) -> Tensor:
        """As ``Criterion.weighed``. A head that has no target in a part has no loss there, and what it returns has a
        gradient of 0: whoever waits for one has it."""
        if share is None:
            return self(output, target)
        outputs = leaves(output)
        values = [
            head.criterion(*head.compared(outputs, target)) * (head.weight * factor)
            if factor
            else (outputs[head.place].float() * 0).sum()
            for head, factor in zip(self._heads, share, strict=True)
        ]
        return torch.stack(values).sum()

    def shares(self, output: Any, target: Tensor, parts: Sequence[Tensor]) -> list[Share]:
        """As ``Criterion.shares``, with a factor for each head: each divides by what its own targets weigh."""
        outputs = leaves(output)
        factors = [
            head.criterion.shares(outputs[head.place], head.targets(target), [head.targets(part) for part in parts])
            for head in self._heads
        ]
        return [tuple(factor for (factor,) in part) for part in zip(*factors, strict=True)]

    def observe(self, targets: Tensor) -> None:
        """As ``Criterion.observe``."""
        for head in self._heads:
            head.criterion.observe(head.targets(targets))


class HeadMeters:
    """Loss and metrics of each head, as ``<head>/loss`` and ``<head>/accuracy``."""

    main = "validation/loss"
    """Series that decides which checkpoint is best unless the plan names one: the sum over the heads."""

    def __init__(self, heads: Sequence[HeadLoss]) -> None:
        self._heads = heads
        self._losses: dict[str, Tensor] = {}

    @property
    def names(self) -> list[str]:
        """Series names without their part."""
        return [f"{head.name}/{name}" for head in self._heads for name in ("loss", *head.meters.names)]

    def larger_is_better(self, name: str) -> bool:
        """The direction in which a series improves."""
        of, _, metric = name.rpartition("/")
        head = next(head for head in self._heads if head.name == of)
        return metric != "loss" and head.meters.larger_is_better(metric)

    def kept(self, output: Any) -> list[Tensor]:
        """What of an output is needed later."""
        return [leaf.detach() for leaf in leaves(output)]

    def update(self, output: Any, target: Tensor) -> None:
        """Add a batch."""
        outputs = [leaf.detach() for leaf in leaves(output)]
        for head in self._heads:
            prediction, expected = head.compared(outputs, target)
            if prediction.dtype in (torch.bfloat16, torch.float16):
                prediction = prediction.float()
            parts = head.criterion.parts(prediction, expected).sum(0)
            self._losses[head.name] = self._losses.get(head.name, torch.zeros_like(parts)) + parts
            head.meters.update(prediction, expected)

    def compute(self, ranks: Ranks = ALONE) -> dict[str, float]:
        """Values over all batches of all ``ranks`` since the last call; NaN where a value is undefined."""
        values: dict[str, float] = {}
        for head in self._heads:
            seen = self._losses.get(head.name, torch.zeros(2, dtype=torch.float64))
            total, divisor = ranks.sum(seen).tolist()
            values[f"{head.name}/loss"] = total / divisor if divisor else math.nan
            values.update({f"{head.name}/{name}": value for name, value in head.meters.compute(ranks).items()})
        self._losses = {}
        return values

    def reset(self) -> None:
        """Forget every batch."""
        self._losses = {}
        for head in self._heads:
            head.meters.reset()


@dataclass(frozen=True)
class PackedSamples:
    """Samples whose targets are those of all heads."""

    inputs: Mapping[str, Tensor | Stored]
    targets: Tensor
    others: Mapping[str, Tensor]
    transform: Any = None


@dataclass(frozen=True)
class Several:
    """What a loop trains several heads with."""

    criterion: Heads
    meters: tuple[HeadMeters, HeadMeters]
    """Of the validation and of the training part."""
    train: PackedSamples
    validation: PackedSamples


def build_heads(
    plan: Plan,
    output: Any,
    train: Samples,
    validation: Samples,
    task: Task,
    classes: int,
    device: torch.device,
) -> Several | None:
    """The plan's heads, or for a dict of outputs those that come of themselves; None where there is one loss for all.

    ``output`` is what the module returns for the first two samples of ``train``.

    Raises:
        TrainingError: an output or targets that are not there, or that do not fit one another.
    """
    outputs = named_leaves(output)
    heads, parts = plan.heads or _by_themselves(plan, output, train, task, classes), (train, validation)
    if not heads:
        return None
    made: list[tuple[HeadLoss, HeadLoss]] = []
    columns: dict[tuple[str | None, int | None], Targets] = {}
    packed: tuple[list[Tensor], list[Tensor]] = ([], [])
    width = 0
    for number, head in enumerate(heads):
        try:
            place = list(outputs).index(head.output)
        except ValueError:
            raise _refusal(
                f"The network returns no output {head.output!r}; it returns {_listed(outputs)}.", number, "output"
            ) from None
        values, kind = _target(head, number, parts, task)
        if (head.target, head.column) not in columns:
            size = values[0][:1].numel()
            columns[head.target, head.column] = Targets(
                width, width + size, values[0].shape[1:], values[0].is_floating_point()
            )
            width += size
            for rows, value in zip(packed, values, strict=True):
                rows.append(_words(value))
        prediction = outputs[head.output]
        criterion = _criterion(head, number, kind, prediction, values, device)
        known = classes if head.target is None else 0
        meters = [build_meters(head.metrics, criterion, prediction, known, device) for _ in parts]
        mine = HeadLoss(head.output, place, head.weight, criterion, columns[head.target, head.column], meters[0])
        made.append((mine, replace(mine, meters=meters[1])))
    one, other = zip(*made, strict=True)
    return Several(
        Heads(one),
        (HeadMeters(one), HeadMeters(other)),
        *(
            PackedSamples(part.inputs, torch.cat(rows, 1), {}, getattr(part, "transform", None))
            for part, rows in zip((train, validation), packed, strict=True)
        ),
    )


def named_leaves(output: Any, prefix: str = "") -> dict[str, Tensor]:
    """Every tensor that a module returned by its keys and places, in the order of ``leaves``."""
    if isinstance(output, Tensor):
        return {prefix: output}
    items = (
        output.items() if isinstance(output, dict) else enumerate(output) if isinstance(output, tuple | list) else ()
    )
    named: dict[str, Tensor] = {}
    for key, value in items:
        named.update(named_leaves(value, f"{prefix}.{key}" if prefix else str(key)))
    return named


def _by_themselves(plan: Plan, output: Any, train: Samples, task: Task, classes: int) -> list[Head]:
    """A dict's outputs, each against the target or the input, whichever it fits; none where one loss is planned."""
    outputs = named_leaves(output)
    planned = (plan.loss, plan.metrics, plan.class_weights, plan.mixing)
    if not isinstance(output, dict) or len(outputs) < 2 or any(choice is not None for choice in planned):
        return []
    criterion = build_criterion(None, task, torch.device("cpu"))
    heads = []
    for name, prediction in outputs.items():
        inputs = {} if getattr(train, "transform", None) else train.inputs
        same = [key for key, value in inputs.items() if _rebuilt(prediction, value)]
        fits = _comparable(criterion, prediction, train.targets)
        # Scores for more classes than there are may be compared, too, and are hardly meant where they fit the input.
        if fits and not (same and criterion.by_index and class_columns(prediction, task) != classes):
            heads.append(Head(output=name))
        elif same:
            heads.append(Head(output=name, target=same[0]))
    return heads if len(heads) == len(outputs) else []


def _comparable(criterion: Criterion, prediction: Tensor, targets: Tensor) -> bool:
    targets = targets[: len(prediction)]
    try:
        value = criterion(prediction.float().cpu(), targets.cpu())
    except (*REFUSALS, TrainingError):
        return False
    return value.dim() == 0


def _rebuilt(prediction: Tensor, value: Tensor | Stored) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point() and prediction[:1].numel() == value[:1].numel()


def _target(head: Head, number: int, parts: tuple[Samples, Samples], task: Task) -> tuple[list[Tensor], Task]:
    """A head's targets in each part of the data, and what kind of task they make."""
    values: list[Tensor] = []
    for part in parts:
        if head.target is None:
            values.append(part.targets)
        else:
            known = {**part.others, **part.inputs}
            if head.target not in known:
                raise _refusal(
                    f"There are no targets {head.target!r}; the network's inputs and the data's other arrays are "
                    f"{_listed(known)}.",
                    number,
                    "target",
                )
            value = known[head.target]
            if not isinstance(value, Tensor) or (head.target in part.inputs and getattr(part, "transform", None)):
                raise _refusal("Inputs that are transformed or read from disk cannot be rebuilt.", number, "target")
            values.append(value)
    first = values[0]
    if head.column is not None:
        if first.dim() != 2 or head.column >= first.shape[1]:
            width = first.shape[1] if first.dim() == 2 else 1
            raise _refusal(f"Its targets have {width} columns, counted from 0.", number, "column")
        values = [value[:, head.column] for value in values]
    if head.target is None:
        return values, task
    if first.is_floating_point():
        return values, "reconstruction" if head.target in parts[0].inputs else "regression"
    return values, "classification" if values[0].dim() == 1 else "tokens"


def _criterion(
    head: Head, number: int, task: Task, prediction: Tensor, values: Sequence[Tensor], device: torch.device
) -> Criterion:
    criterion = build_criterion(head.loss, task, device)
    if criterion.takes > 1 or criterion.sums:
        what = "compares several predictions" if criterion.takes > 1 else "sums over the samples"
        raise _refusal(f"{criterion.name} {what}, which a head's loss cannot; choose another one.", number, "loss")
    if not values[0].is_floating_point() and criterion.by_index:
        columns, needed = class_columns(prediction, task), 1 + max(int(value.max()) for value in values)
        if needed > columns:
            raise _refusal(
                f"Its targets have {needed} classes, and the output has {columns} columns.", number, "output"
            )
    try:
        value = criterion(prediction.float(), values[0][: len(prediction)].to(device))
    except (*REFUSALS, TrainingError) as error:
        raise _refusal(
            f"The output {list(prediction.shape[1:])} (per sample) cannot be compared with targets "
            f"{list(values[0].shape[1:])}: {error}",
            number,
            "output",
        ) from error
    if value.dim() != 0:
        raise _refusal("Its loss is no single number; choose the reduction mean.", number, "loss")
    return criterion


def _words(value: Tensor) -> Tensor:
    flat = value.reshape(len(value), -1)
    return flat.float().contiguous().view(torch.int32) if value.is_floating_point() else flat.to(torch.int32)


def _listed(names: Mapping[str, Any]) -> str:
    return ", ".join(name or "a single tensor, which has no name" for name in names) or "none"


def _refusal(message: str, number: int, field: str) -> TrainingError:
    text = f"Head {number + 1}: {message}"
    return TrainingError(ProblemCode.PLAN_INVALID, text, field=f"heads.{number}.{field}")
