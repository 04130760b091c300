"""Small modules and tensors, and one way to train them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from layerloom.schema.events import Adjusted
from layerloom.schema.plan import Plan
from layerloom.training import Carried, Control, Outcome, Task, train


@dataclass(frozen=True)
class Set:
    """Inputs and targets, as ``layerloom.data`` gives them."""

    inputs: dict[str, Tensor]
    targets: Tensor
    others: dict[str, Tensor] = field(default_factory=dict)


def classes(count: int = 120, features: int = 6, of: int = 3, seed: int = 0) -> Set:
    """Points around ``of`` centres: easy to learn."""
    random = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % of
    centres = 3 * torch.randn(of, features, generator=torch.Generator().manual_seed(99))
    return Set({"x": centres[labels] + torch.randn(count, features, generator=random)}, labels)


def numbers(count: int = 120, features: int = 6, seed: int = 0) -> Set:
    """A linear relation with targets of one column."""
    random = torch.Generator().manual_seed(seed)
    x = torch.randn(count, features, generator=random)
    return Set({"x": x}, x[:, :2].sum(1, keepdim=True))


class Net(nn.Module):
    """A perceptron with dropout and batch normalization, so that resuming has random numbers and buffers to keep."""

    def __init__(self, features: int = 6, out: int = 3, width: int = 16) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(features, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(0.2))
        self.head = nn.Linear(width, out)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x))


def net(features: int = 6, out: int = 3, seed: int = 0) -> Net:
    """A ``Net`` with weights of a seed."""
    torch.manual_seed(seed)
    return Net(features, out)


def plan(**settings: Any) -> Plan:
    """A plan on one CPU thread, a few small epochs unless told otherwise."""
    length = {} if "steps" in settings else {"epochs": 3}
    return Plan.model_validate(
        {"dataset": "test", "device": "cpu", "threads": 1, "batch_size": 16, **length, **settings}
    )


def stopping(module: nn.Module, step: int, control: Control | None = None, **wish: Any) -> Control:
    """A control that wants something else while ``module`` does its training step number ``step`` of this call."""
    control = control or Control()
    count = 0

    def look(layer: nn.Module, _inputs: Any) -> None:
        nonlocal count
        count += layer.training
        if count == step:
            for name, value in wish.items():
                setattr(control, name, value)

    module.register_forward_pre_hook(look)
    return control


@dataclass
class Seen:
    """Everything that a training emitted."""

    outcome: Outcome | None
    events: list[Any]

    def of(self, kind: str) -> list[Any]:
        """Events of one kind."""
        return [event for event in self.events if event.kind == kind]

    def series(self, name: str) -> dict[int, float | None]:
        """One series by step."""
        points: dict[int, float | None] = {}
        for event in self.of("metrics"):
            if name in event.series:
                points.update(zip(event.steps, event.series[name], strict=True))
        return points


def fit(
    module: nn.Module,
    settings: Plan,
    folder: Path,
    *,
    task: Task = "classification",
    data: Set | None = None,
    validation: Set | None = None,
    control: Control | None = None,
    attempt: int = 1,
    resume: str | None = None,
    adjusted: Sequence[Adjusted] = (),
    carried: Carried | None = None,
    watch: Any = None,
    seen: Seen | None = None,
) -> Seen:
    """Train and gather the events. ``watch(event)`` sees each as it arises; ``seen`` is filled even on an error."""
    seen = seen or Seen(None, [])
    data = data or (numbers() if task == "regression" else classes())
    validation = validation or (numbers(48, seed=1) if task == "regression" else classes(48, seed=1))

    def emit(event: Any) -> None:
        seen.events.append(event)
        if watch is not None:
            watch(event)

    seen.outcome = train(
        module,
        settings,
        data,
        validation,
        task=task,
        classes=3 if task == "classification" else 0,
        emit=emit,
        control=control or Control(),
        folder=folder,
        attempt=attempt,
        resume=resume,
        adjusted=adjusted,
        carried=carried,
    )
    return seen
