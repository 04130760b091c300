"""Which way of computing is fastest on this device: tried on one batch before the first step, and kept for the run.

A way is a precision and a memory layout. They give slightly different numbers, so that the choice is written into the
run's folder: every later attempt takes it over, whatever its own clock would say, and resumes the same numbers.
"""

from __future__ import annotations

import copy
import math
import statistics
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from layerloom.files import write_json
from layerloom.schema.base import Wire
from layerloom.schema.events import Log
from layerloom.training.batches import Batch, Batches, Stored, last
from layerloom.training.criterion import Criterion
from layerloom.training.device import Precision
from layerloom.training.heads import Heads
from layerloom.training.position import generators_kept
from layerloom.training.recorder import Emit
from layerloom.training.setup import Parts

FILE = "way.json"
ROUNDS = 5
"""Measurements of each way, in turns, so that a busy neighbour slows all of them."""
SECONDS = 2.0
"""For all measurements together; a first round is always taken."""
GAIN = 0.95
"""A way has to take at most this share of plain fp32's time to be preferred to it."""


class Way(Wire):
    """How a module computes."""

    precision: str = "fp32"
    channels_last: bool = False
    """Images lie with their channels together, which convolutions on most devices prefer."""

    def __str__(self) -> str:
        return f"{self.precision}, channels last" if self.channels_last else self.precision


@dataclass(frozen=True)
class Choice:
    """A way, and what it was held against, in seconds for a forward and backward pass."""

    way: Way
    seconds: dict[str, float]

    def __str__(self) -> str:
        tried = ", ".join(f"{name} {1_000 * taken:.3g} ms" for name, taken in self.seconds.items())
        return f"Computing in {self.way}, the fastest way for this network here: {tried}."


def known_way(folder: Path) -> Way | None:
    """What an earlier attempt at the run chose."""
    try:
        return Way.model_validate_json((folder / FILE).read_bytes())
    except FileNotFoundError:
        return None


def keep_way(folder: Path, way: Way) -> None:
    """Hold later attempts to it."""
    write_json(folder / FILE, way)


def fastest_way(module: nn.Module, batches: Batches, criterion: Criterion | Heads) -> Choice:
    """Time forward and backward of a copy of ``module`` on one batch, in every way that it computes in.

    Nothing of the module changes, and no random number is drawn.
    """
    batch = next(iter(batches.shuffled(0, 1)))
    taken: dict[Way, list[float]] = {}
    with generators_kept(batches.device):
        rivals = {way: rival for way in _ways(module) if (rival := _Rival.made(module, batch, criterion, way))}
        started = time.perf_counter()
        for round_ in range(ROUNDS):
            order = list(rivals) if round_ % 2 == 0 else [*reversed(rivals)]
            for way in order:
                taken.setdefault(way, []).append(rivals[way].seconds())
            if time.perf_counter() - started > SECONDS:
                break
    seconds = {way: statistics.median(values) for way, values in taken.items()}
    return Choice(preferred(seconds), {str(way): value for way, value in seconds.items()})


def preferred(seconds: dict[Way, float]) -> Way:
    """The fastest way, if it is clearly faster than plain fp32, which every network is first tried in."""
    best = min(seconds, key=seconds.__getitem__, default=Way())
    return best if seconds.get(best, math.inf) <= GAIN * seconds.get(Way(), math.inf) else Way()


def lay_out(module: nn.Module, way: Way) -> None:
    """Give a module's weights, in place, the layout of a way."""
    if way.channels_last:
        module.to(memory_format=torch.channels_last)


def laid_out(batches: Batches, way: Way) -> Batches:
    """The same batches in the layout of a way."""
    if not way.channels_last:
        return batches
    resident: dict[str, Tensor | Stored] = {
        name: last(value) for name, value in batches.inputs.items() if isinstance(value, Tensor)
    }
    if batches.transform is not None or len(resident) < len(batches.inputs):
        return replace(batches, channels_last=True)
    return replace(batches, inputs=resident)


def in_its_way(module: nn.Module, parts: Parts, folder: Path, emit: Emit) -> Parts:
    """The parts for the fastest way of computing; that of an earlier attempt where there was one."""
    way = known_way(folder)
    if way is None:
        choice = fastest_way(module, parts.train, parts.criterion)
        way = choice.way
        keep_way(folder, way)
        emit(Log(message=str(choice)))
    lay_out(module, way)
    return replace(
        parts,
        precision=Precision(way.precision, parts.device),
        train=laid_out(parts.train, way),
        validation=laid_out(parts.validation, way),
    )


class _Rival:
    """A copy of the module that computes in one way."""

    def __init__(self, module: nn.Module, batch: Batch, criterion: Criterion | Heads, way: Way) -> None:
        inputs, self._target = batch
        self._module = copy.deepcopy(module).train()
        self._weights = [weight for weight in self._module.parameters() if weight.requires_grad]
        self._criterion = criterion
        self._device = self._target.device
        self._precision = Precision(way.precision, self._device)
        self._inputs = {name: value.clone() for name, value in inputs.items()}
        lay_out(self._module, way)
        if way.channels_last:
            self._inputs = {name: last(value) for name, value in inputs.items()}

    @classmethod
    def made(cls, module: nn.Module, batch: Batch, criterion: Criterion | Heads, way: Way) -> _Rival | None:
        """One that has warmed up; None where the module or the device does not compute in this way."""
        with suppress(Exception):
            rival = cls(module, batch, criterion, way)
            if all(math.isfinite(rival._pass()) for _ in range(2)):
                return rival
        return None

    def seconds(self) -> float:
        """Of one forward and backward pass."""
        self._wait()
        began = time.perf_counter()
        self._pass()
        self._wait()
        return time.perf_counter() - began

    def _pass(self) -> float:
        inputs = {name: value.clone() for name, value in self._inputs.items()}  # a module may change them in place
        with self._precision.autocast():
            loss = self._criterion(self._module(**inputs), self._target)
        torch.autograd.grad(loss, self._weights, allow_unused=True)
        return float(loss.detach())

    def _wait(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        elif self._device.type == "mps":
            torch.mps.synchronize()


def _ways(module: nn.Module) -> Iterator[Way]:
    images = any(weight.dim() == 4 for weight in module.parameters())
    for precision in ("fp32", "bf16"):
        yield Way(precision=precision)
        if images:
            yield Way(precision=precision, channels_last=True)
