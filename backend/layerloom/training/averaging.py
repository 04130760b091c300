"""Averages of a module's weights while it trains, by ``torch.optim.swa_utils``.

An exponential average (EMA) follows every step, and is what is validated and kept from its first step on. A stochastic
weight average (SWA) is the mean of the weights after each epoch; its batch normalization fits none of them and is
measured anew at the end of the run, so that before the end it is neither validated nor offered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, update_bn

from layerloom.schema.plan import Averaging
from layerloom.schema.problems import ProblemCode
from layerloom.training.batches import Batches
from layerloom.training.control import Control
from layerloom.training.device import Precision
from layerloom.training.failure import TrainingError
from layerloom.training.position import generators_kept, set_transient_buffers

STARTS = {"ema": 0.0, "swa": 0.75}
"""Share of a run's steps after which averaging begins, where a plan does not say."""


class Averaged:
    """The average of a module's weights, in a copy of it."""

    def __init__(self, module: nn.Module, settings: Averaging, steps: int) -> None:
        self.kind = settings.kind
        self._source = module
        average = get_ema_multi_avg_fn(settings.decay) if settings.kind == "ema" else None  # type: ignore[no-untyped-call]
        try:
            self._model = AveragedModel(module, multi_avg_fn=average)
        except (RuntimeError, TypeError) as error:
            raise TrainingError(
                ProblemCode.PLAN_INVALID,
                f"The network cannot be copied, so its weights cannot be averaged: "
                f"{str(error).rstrip('.')}. Leave the averaging out.",
                field="averaging",
            ) from error
        self.module: nn.Module = self._model.module
        start = STARTS[settings.kind] if settings.start is None else settings.start
        self._first = int(start * steps)
        self._latest = 0
        self._concluded = False

    @property
    def count(self) -> int:
        """How many weights were averaged."""
        return int(self._model.n_averaged)

    @property
    def shown(self) -> bool:
        """Whether the average, and not what it is made of, is what the run gives."""
        return self._concluded or (self.kind == "ema" and self.count > 0)

    def after_step(self, step: int) -> None:
        """Add the weights after an optimizer step, where every step counts."""
        if self.kind == "ema" and step > self._first:
            self._model.update_parameters(self._source)

    def after_epoch(self, step: int) -> None:
        """Add the weights after an epoch, where epochs count; once, however often it is validated."""
        if self.kind == "swa" and step > max(self._first, self._latest):
            self._model.update_parameters(self._source)
            self._latest = step

    def measure(self, batches: Batches, seed: int, precision: Precision, control: Control) -> bool:
        """Measure batch normalization of the finished average on the training part; False when the control wants
        something else meanwhile."""
        with generators_kept(batches.device), precision.autocast():
            update_bn(_inputs(batches, seed, control), _ByName(self._model.module))
        return control.going()

    def conclude(self) -> None:
        """The average is finished: it is what the run gives."""
        self._concluded = True

    def go_on(self) -> None:
        """The run is longer than it was to be: an average that was finished has more to come."""
        self._concluded = False

    def as_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps beside the weights that it shows: the others, and how far the average is."""
        hidden = self._source if self.shown else self.module
        return {
            "hidden": hidden.state_dict() if self.count else None,
            "shown": self.shown,
            "count": self.count,
            "latest": self._latest,
        }

    def take_up(self, data: Mapping[str, Any], state: Mapping[str, Any]) -> Mapping[str, Any]:
        """Go on from what ``as_dict`` gave. Of it and the checkpoint's own ``state``, the trained weights."""
        trained, average = (data["hidden"], state) if data["shown"] else (state, data["hidden"])
        if average is not None:
            self.module.load_state_dict(average)
        self._model.n_averaged.fill_(data["count"])
        self._latest = data["latest"]
        self._concluded = self.kind == "swa" and data["shown"]
        return trained

    def set_transient_buffers(self, values: Mapping[str, Tensor], device: torch.device) -> None:
        """Buffers that are in no state_dict are those of the module that trains."""
        set_transient_buffers(self.module, values, device)


class _ByName(nn.Module):
    """A module that takes its inputs as a mapping."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, inputs: dict[str, Tensor]) -> Any:
        return self.inner(**inputs)


def _inputs(batches: Batches, seed: int, control: Control) -> Iterator[dict[str, Tensor]]:
    for inputs, _target in batches.shuffled(seed, 0):
        if not control.going():
            return
        yield inputs
