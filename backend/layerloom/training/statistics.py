"""Norms and distributions of every parameter, sampled so that they cost no more than a share of the wall time.

Each kind has a highest rate and a cost, measured whenever it runs (in processor time, so that a busy neighbour is not
taken for a cost of its own). A credit grows by ``budget`` seconds per second; a
kind runs when the credit covers it. A small grant, spent once, lets short runs show something in every epoch.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from layerloom.schema.events import Histogram, Histograms, ParameterStatistics
from layerloom.schema.plan import Statistics

BINS = 32
SAMPLE = 2_048
"""Values of one tensor in its histogram, at equal distances."""
SAMPLE_TOTAL = 65_536
GRANT_SECONDS = 0.1
MAXIMUM_CREDIT = 0.05
"""Seconds that may be saved up, so that a pause is not followed by a burst."""
UPDATE_LIMIT = 32_000_000
"""Update norms need a copy of all weights; above this many numbers they are left out."""
ROWS_PER_SECOND = 5_000
HISTOGRAMS_PER_SECOND = 400
HISTOGRAMS_PER_EVENT = 200


@dataclass
class Kind:
    """One kind of sampling and what is known of it."""

    period: float
    """Shortest time between two samples, in seconds."""
    last: float = -math.inf
    cost: float = 0.0


class Budget:
    """Credit in seconds that grows with the wall time."""

    def __init__(self, share: float, now: float) -> None:
        self._share = share
        self._then = now
        self._credit = 0.0
        self._grant = GRANT_SECONDS if share > 0 else 0.0

    def covers(self, cost: float, now: float, *, reserve: float = math.inf) -> bool:
        """Whether a sample of this cost may be taken; from the grant, too, as long as ``reserve`` of it is left."""
        self._credit = min(self._credit + self._share * (now - self._then), MAXIMUM_CREDIT)
        self._then = now
        return self._credit >= cost or self._grant - cost >= reserve

    def spend(self, cost: float) -> None:
        """Pay: from the credit as far as it reaches, the rest from the grant."""
        from_credit = min(cost, max(self._credit, 0.0)) if self._grant > 0 else cost
        self._credit -= from_credit
        self._grant -= cost - from_credit

    def wait(self, cost: float) -> float:
        """Seconds until the credit covers ``cost``; infinite without a budget."""
        return max(0.0, cost - self._credit) / self._share if self._share > 0 else math.inf


class Sampler:
    """Statistics of a module's trainable parameters around one optimizer step.

    ``arm`` decides before the step, ``gradients`` reads them after backward, ``collect`` reads weights and updates
    after the step, and ``drain`` emits what was read. Nothing is read back from the device before ``drain``.
    """

    def __init__(self, module: nn.Module, settings: Statistics) -> None:
        named = [(name, value) for name, value in module.named_parameters() if value.requires_grad]
        self._names = [name for name, _ in named]
        self._parameters = [parameter for _, parameter in named]
        self._weights = [parameter.detach() for parameter in self._parameters]
        count = max(1, len(named))
        now = time.perf_counter()
        self._budget = Budget(settings.budget, now)
        self._kinds: dict[str, Kind] = {}
        if settings.norms and settings.budget > 0 and named:
            self._kinds["norms"] = Kind(max(0.1, count / ROWS_PER_SECOND))
        if settings.histograms and settings.budget > 0 and named:
            self._kinds["histograms"] = Kind(max(0.5, 2 * count / HISTOGRAMS_PER_SECOND))
        self._updates = sum(weight.numel() for weight in self._weights) <= UPDATE_LIMIT
        self._before: list[Tensor] = []
        self._armed: list[str] = []
        self._began = 0.0
        self._spent = 0.0
        self._gradients: list[Tensor | None] = []
        self._gradient_norms = torch.empty(0)
        self._pending_gradients: tuple[list[str], Tensor, Tensor] | None = None
        self._norms: list[tuple[int, list[bool], Tensor]] = []
        self._distributions: list[tuple[int, list[str], str, Tensor, Tensor]] = []
        self.next_look = 0.0
        """``perf_counter()`` at which something can be due; earlier calls of ``arm`` are a waste of time."""

    def arm(self, now: float, *, epoch_end: bool = False) -> bool:
        """Choose what to sample at this step. True when something is; then call ``gradients`` and ``collect``."""
        if not self._kinds:
            self.next_look = math.inf
            return False
        self._armed = [name for name, kind in self._kinds.items() if self._due(name, kind, now, epoch_end)]
        if self._armed:
            self._spent = 0.0
        else:
            self._look_again(now)
        return bool(self._armed)

    def gradients(self) -> None:
        """Read the gradients, after backward and before clipping and the optimizer's step."""
        began = time.thread_time()
        self._gradients = [_dense(parameter.grad) for parameter in self._parameters]
        if "norms" in self._armed and self._updates:
            if not self._before:
                self._before = [torch.empty_like(weight) for weight in self._weights]
            torch._foreach_copy_(self._before, self._weights)
        if "histograms" in self._armed:
            present = [
                (name, grad) for name, grad in zip(self._names, self._gradients, strict=True) if grad is not None
            ]
            names = [name for name, _ in present]
            self._pending_gradients = (names, *distribution([grad for _, grad in present])) if present else None
        if "norms" in self._armed:
            self._gradient_norms = _norms([grad for grad in self._gradients if grad is not None])
        self._spent += time.thread_time() - began

    def collect(self, step: int) -> None:
        """Read weights and updates after the optimizer's step, and pay for it."""
        began = time.thread_time()
        if "norms" in self._armed:
            parts = [_norms(self._weights), self._gradient_norms]
            if self._updates:
                torch._foreach_sub_(self._before, self._weights)
                parts.append(_norms(self._before))
            present = [grad is not None for grad in self._gradients]
            self._norms.append((step, present, torch.cat(parts)))
        if "histograms" in self._armed:
            self._distributions.append((step, self._names, "weight", *distribution(self._weights)))
            if self._pending_gradients is not None:
                names, edges, counts = self._pending_gradients
                self._distributions.append((step, names, "gradient", edges, counts))
        self._gradients = []
        self._pay(self._spent + time.thread_time() - began, time.perf_counter())

    def drain(self, emit: Callable[[ParameterStatistics | Histograms], None]) -> None:
        """Emit everything sampled since the last call; reads back from the device."""
        if not self._norms and not self._distributions:
            return
        began = time.thread_time()
        for sample in self._norms:
            emit(self._norm_event(*sample))
        by_step: dict[int, list[Histogram]] = {}
        for step, names, of, edges, counts in self._distributions:
            by_step.setdefault(step, []).extend(_histograms(names, of, edges, counts))
        for step, items in by_step.items():
            for start in range(0, len(items), HISTOGRAMS_PER_EVENT):
                emit(Histograms(step=step, items=items[start : start + HISTOGRAMS_PER_EVENT]))
        self._norms, self._distributions = [], []
        self._budget.spend(time.thread_time() - began)

    def _due(self, name: str, kind: Kind, now: float, epoch_end: bool) -> bool:
        first = kind.last == -math.inf
        # An epoch's last step shows something however short the epoch is, as long as the grant lasts. Half of it is for
        # norms alone, which cost less.
        shown = first or epoch_end
        reserve = math.inf if not shown else 0.0 if name == "norms" else GRANT_SECONDS / 2
        return (shown or now - kind.last >= kind.period) and self._budget.covers(kind.cost, now, reserve=reserve)

    def _look_again(self, now: float) -> None:
        self.next_look = min(
            max(kind.last + kind.period, now + self._budget.wait(kind.cost)) for kind in self._kinds.values()
        )

    def _pay(self, cost: float, now: float) -> None:
        self._budget.spend(cost)
        for name in self._armed:
            kind = self._kinds[name]
            share = cost / len(self._armed)
            kind.cost = share if kind.last == -math.inf else 0.8 * kind.cost + 0.2 * share
            kind.last = now
        self._armed = []
        self._look_again(now)

    def _norm_event(self, step: int, present: list[bool], values: Tensor) -> ParameterStatistics:
        numbers = [value if math.isfinite(value) else None for value in values.tolist()]
        count = len(self._names)
        with_gradient = sum(present)
        gradients = iter(numbers[count : count + with_gradient])
        return ParameterStatistics(
            step=step,
            names=self._names,
            weight_norm=numbers[:count],
            gradient_norm=[next(gradients) if has else None for has in present],
            update_norm=numbers[count + with_gradient :],
        )


def distribution(tensors: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Histograms of many tensors in a handful of operations.

    Returns:
        Smallest and largest value of each tensor's sample, ``[P, 2]``, and counts of equal bins, ``[P, BINS]``.
        Values that are not finite are counted nowhere.
    """
    most = max(64, min(SAMPLE, SAMPLE_TOTAL // len(tensors)))
    samples = [_sample(tensor, most) for tensor in tensors]
    sizes = [len(sample) for sample in samples]
    values = torch.cat(samples)
    device = values.device
    count = len(tensors)
    segment = torch.repeat_interleave(torch.arange(count, device=device), torch.tensor(sizes, device=device))
    finite = values.isfinite()
    low = torch.full((count,), math.inf, device=device)
    low = low.scatter_reduce(0, segment, values.where(finite, math.inf), "amin")
    high = torch.full((count,), -math.inf, device=device)
    high = high.scatter_reduce(0, segment, values.where(finite, -math.inf), "amax")
    low, high = low.where(low.isfinite(), 0.0), high.where(high.isfinite(), 0.0)
    # A tensor of equal numbers gets a bin around them.
    margin = torch.where(high - low <= 1e-6 * torch.maximum(low.abs(), high.abs()), 0.5 * high.abs() + 1e-3, 0.0)
    low, high = low - margin, high + margin
    place = (values - low[segment]) / (high - low)[segment] * BINS
    place = place.nan_to_num(0.0, 0.0, 0.0).long().clamp_(0, BINS - 1) + segment * BINS
    # The last, extra bin takes what is not finite and is thrown away.
    place = place.where(finite, count * BINS)
    counts = torch.bincount(place, minlength=count * BINS + 1)[: count * BINS].view(count, BINS)
    return torch.stack((low, high), 1), counts


def _sample(tensor: Tensor, most: int) -> Tensor:
    flat = torch.view_as_real(tensor).flatten() if tensor.is_complex() else tensor.flatten()
    stride = max(1, flat.numel() // most)
    return flat[::stride][:most].float()


def _histograms(names: list[str], of: str, edges: Tensor, counts: Tensor) -> list[Histogram]:
    items = []
    for name, (low, high), row in zip(names, edges.tolist(), counts.tolist(), strict=True):
        width = (high - low) / BINS
        borders = [low + width * index for index in range(BINS)] + [high]
        items.append(Histogram.model_validate({"name": name, "of": of, "edges": _rising(borders), "counts": row}))
    return items


def _rising(borders: list[float]) -> list[float]:
    """Edges shortened to seven digits, which halves their text, where they stay apart."""
    short = [float(f"{border:.7g}") for border in borders]
    return short if all(left < right for left, right in pairwise(short)) else borders


def _dense(gradient: Tensor | None) -> Tensor | None:
    if gradient is None:
        return None
    return gradient.coalesce().values() if gradient.is_sparse else gradient.detach()


def _norms(tensors: list[Tensor]) -> Tensor:
    """Euclidean norm of each, ``[P]``."""
    if not tensors:
        return torch.empty(0)
    return torch.stack([norm.float() for norm in torch._foreach_norm(tensors)])
