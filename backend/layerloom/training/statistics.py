"""What is seen of a module while it trains: norms, distributions, activations and images, within a budget of time.

Costs are measured in processor time of the training thread, so that a busy neighbour is not taken for a cost of one's
own. Nothing here changes a bit of the training.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from layerloom.schema.events import (
    Activations,
    Histogram,
    Histograms,
    Images,
    Log,
    ParameterStatistics,
    Sampled,
    Sampling,
)
from layerloom.schema.plan import Statistics
from layerloom.training.activations import Seen, Watch, activations_event
from layerloom.training.budget import GRANT_SECONDS, Kind, Scheduler
from layerloom.training.distributions import distribution, histograms
from layerloom.training.images import Probe, Taken, image_of

UPDATE_LIMIT = 32_000_000
"""Update norms need a copy of all weights; above this many numbers they are left out."""
ROWS_PER_SECOND = 5_000
HISTOGRAMS_PER_SECOND = 400
HISTOGRAMS_PER_EVENT = 200
IMAGES_SECONDS = 2.0
IMAGES_GROWTH = 1 / 32
"""Images are taken ever more rarely: each doubling of the time adds about as many as the one before it."""
IMAGES_PER_EVENT = 16
REPORT_SECONDS = 5.0

Event = ParameterStatistics | Histograms | Activations | Images | Sampling | Log


class Sampler:
    """Statistics of a module around one optimizer step.

    ``arm`` decides before the step, ``gradients`` reads the parameters' gradients after backward, ``collect`` reads
    weights, updates and images after the step, and ``drain`` emits what was read. Nothing is read back from the device
    before ``drain``.
    """

    def __init__(
        self, module: nn.Module, settings: Statistics, probe: Probe | None = None, *, hooks: bool = True
    ) -> None:
        """``probe`` takes the images, and the activations where ``hooks`` are not called."""
        named = [(name, value) for name, value in module.named_parameters() if value.requires_grad]
        self._names = [name for name, _ in named]
        self._weights = [parameter.detach() for _, parameter in named]
        self._budget = settings.budget
        self._probe = probe
        self._hooks = hooks
        self._watch = Watch(module)
        kinds = _kinds(settings, len(named), self._watch.layers, hooks or probe is not None, probe)
        self._scheduler = Scheduler(kinds if settings.budget > 0 else [], settings.budget, time.perf_counter())
        self._updates = sum(weight.numel() for weight in self._weights) <= UPDATE_LIMIT
        self._before: list[Tensor] = []
        self._armed: list[str] = []
        self._costs: dict[str, float] = {}
        self._gradients: list[Tensor | None] = []
        self._gradient_norms = torch.empty(0)
        self._gradient_histograms: tuple[list[str], Tensor, Tensor] | None = None
        self._norms: list[tuple[int, list[bool], Tensor]] = []
        self._distributions: list[tuple[int, list[str], str, Tensor, Tensor]] = []
        self._seen: list[Seen] = []
        self._activations: list[tuple[int, list[Seen]]] = []
        self._images: list[tuple[int, list[Taken]]] = []
        self._failure: Exception | None = None
        self._first: tuple[int, float] | None = None
        self._step = 0
        self.next_look = self._scheduler.next_look
        """``perf_counter()`` at which something can be due; earlier calls of ``arm`` are a waste of time."""

    def arm(self, now: float, *, epoch_end: bool = False) -> bool:
        """Choose what to sample at this step. True when something is; then call ``gradients`` and ``collect``."""
        # An epoch's last step shows something however short the epoch is.
        self._armed = self._scheduler.due(now, shown=epoch_end or self._step == 0)
        self._costs = dict.fromkeys(self._armed, 0.0)
        if "activations" in self._armed and self._hooks:
            self._watch.attach()
        if not self._armed:
            self.next_look = self._scheduler.next_look
        return bool(self._armed)

    def gradients(self, given: Sequence[Tensor | None]) -> None:
        """Read the trainable parameters' gradients, after backward and before clipping and the optimizer's step."""
        if "activations" in self._armed and self._hooks:
            self._seen = self._watch.detach()
            self._costs["activations"] += self._watch.spent
        self._gradients = [_dense(gradient) for gradient in given]
        if "norms" in self._armed:
            with self._timed("norms"):
                if self._updates:
                    if not self._before:
                        self._before = [torch.empty_like(weight) for weight in self._weights]
                    torch._foreach_copy_(self._before, self._weights)
                self._gradient_norms = _norms([grad for grad in self._gradients if grad is not None])
        if "histograms" in self._armed:
            with self._timed("histograms"):
                pairs = zip(self._names, self._gradients, strict=True)
                present = {name: grad for name, grad in pairs if grad is not None}
                found = (list(present), *distribution(list(present.values()))) if present else None
                self._gradient_histograms = found

    def collect(self, step: int) -> None:
        """Read weights, updates and images after the optimizer's step, and pay for everything."""
        if "norms" in self._armed:
            with self._timed("norms"):
                self._collect_norms(step)
        if "histograms" in self._armed:
            with self._timed("histograms"):
                self._distributions.append((step, self._names, "weight", *distribution(self._weights)))
                if self._gradient_histograms is not None:
                    names, edges, counts = self._gradient_histograms
                    self._distributions.append((step, names, "gradient", edges, counts))
        if "activations" in self._armed:
            with self._timed("activations"), self._tried("activations"):
                if not self._hooks and self._probe is not None:
                    self._seen = self._probe.watched(self._watch)
                self._activations.append((step, self._seen))
        if "images" in self._armed and self._probe is not None:
            with self._timed("images"), self._tried("images"):
                self._images.append((step, self._probe.images()))
        self._gradients, self._seen = [], []
        self._pay(step)

    def release(self) -> None:
        """Take hooks away that a step which failed has left."""
        self._watch.detach()

    def drain(self, emit: Callable[[Event], None], *, last: bool = False) -> None:
        """Emit everything sampled since the last call, and now and then what it cost; reads back from the device."""
        if self._norms:
            with self._owed("norms"):
                for sample in self._norms:
                    emit(self._norm_event(*sample))
                self._norms = []
        if self._distributions:
            with self._owed("histograms"):
                self._emit_histograms(emit)
        if self._activations:
            with self._owed("activations"):
                for step, seen in self._activations:
                    if seen:
                        emit(activations_event(step, seen))
                self._activations = []
        if self._images:
            with self._owed("images"):
                for step, taken in self._images:
                    items = [image_of(one) for one in taken]
                    for start in range(0, len(items), IMAGES_PER_EVENT):
                        emit(Images(step=step, items=items[start : start + IMAGES_PER_EVENT]))
                self._images = []
        self._report(emit, last=last)

    def _report(self, emit: Callable[[Event], None], *, last: bool) -> None:
        if self._failure is not None:
            text = f"{type(self._failure).__name__}: {self._failure}"[:2_000]
            emit(Log(level="warning", message=f"Images of layers cannot be taken of this network: {text}"))
            self._failure = None
        now = time.perf_counter()
        kinds = self._scheduler.kinds.values()
        if not (last or self._scheduler.since_report(now) >= REPORT_SECONDS) or not any(kind.samples for kind in kinds):
            return
        dearest = sorted((kind for kind in kinds if kind.shed), key=lambda kind: -(kind.cost or 0.0))
        share, rates = self._scheduler.report(now)
        event = {"rates": {name: float(f"{rate:.3g}") for name, rate in rates.items()}, "share": round(share, 5)}
        slowed, shed = [kind.name for kind in kinds if kind.slowed], [kind.name for kind in dearest]
        told = {"step": self._step, "budget": self._budget, "slowed": slowed, "shed": shed}
        emit(Sampling.model_validate({**event, **told}))

    def _collect_norms(self, step: int) -> None:
        parts = [_norms(self._weights), self._gradient_norms]
        if self._updates:
            torch._foreach_sub_(self._before, self._weights)
            parts.append(_norms(self._before))
        present = [grad is not None for grad in self._gradients]
        self._norms.append((step, present, torch.cat(parts)))

    def _pay(self, step: int) -> None:
        now = time.perf_counter()
        if self._first is None:
            self._first = (step, now)
        elif step > self._first[0]:
            self._scheduler.pace((now - self._first[1]) / (step - self._first[0]))
        for name in self._armed:
            if name in self._scheduler.kinds:
                self._scheduler.pay(name, self._costs[name], now)
        self._armed = []
        self._step = step
        self.next_look = self._scheduler.next_look

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        began = time.thread_time()
        yield
        self._costs[name] += time.thread_time() - began

    @contextmanager
    def _owed(self, name: str) -> Iterator[None]:
        began = time.thread_time()
        yield
        if name in self._scheduler.kinds:
            self._scheduler.owe(name, time.thread_time() - began, time.perf_counter())
            self.next_look = self._scheduler.next_look

    @contextmanager
    def _tried(self, name: str) -> Iterator[None]:
        """What a network refuses to do for a picture must not end its training: that kind is given up."""
        try:
            yield
        except Exception as error:
            self._failure = error
            self._scheduler.drop(name)

    def _emit_histograms(self, emit: Callable[[Event], None]) -> None:
        by_step: dict[int, list[Histogram]] = {}
        for step, names, of, edges, counts in self._distributions:
            by_step.setdefault(step, []).extend(histograms(names, of, edges, counts))
        self._distributions = []
        for step, items in by_step.items():
            for start in range(0, len(items), HISTOGRAMS_PER_EVENT):
                emit(Histograms(step=step, items=items[start : start + HISTOGRAMS_PER_EVENT]))

    def _norm_event(self, step: int, present: list[bool], values: Tensor) -> ParameterStatistics:
        numbers = values.tolist()
        count, given = len(self._names), sum(present)
        found = iter(numbers[count : count + given])
        weight = numbers[:count]
        gradient = [next(found) if has else None for has in present]
        update = numbers[count + given :]
        bad = {
            of: [name for name, value in zip(self._names, column, strict=False) if not _finite(value)]
            for of, column in (("weight", weight), ("gradient", gradient), ("update", update))
        }
        return ParameterStatistics.model_validate(
            {
                "step": step,
                "names": self._names,
                "weight_norm": [value if _finite(value) else None for value in weight],
                "gradient_norm": [value if _finite(value) else None for value in gradient],
                "update_norm": [value if _finite(value) else None for value in update],
                "nonfinite": {of: names for of, names in bad.items() if names},
            }
        )


def _kinds(settings: Statistics, parameters: int, layers: int, watched: bool, probe: Probe | None) -> list[Kind]:
    """What the settings ask for and the module has. Half of the grant is for norms, which cost least."""
    asked: list[tuple[bool, Sampled, float, float, float]] = [
        (settings.norms and parameters > 0, "norms", max(0.1, parameters / ROWS_PER_SECOND), 0.5, 0.0),
        (settings.activations and watched, "activations", max(0.5, 2 * layers / HISTOGRAMS_PER_SECOND), 0.2, 0.0),
        (
            settings.histograms and parameters > 0,
            "histograms",
            max(0.5, 2 * parameters / HISTOGRAMS_PER_SECOND),
            0.2,
            0.0,
        ),
        (probe is not None and probe.layers > 0, "images", IMAGES_SECONDS, 0.1, IMAGES_GROWTH),
    ]
    return [
        Kind(name, period, GRANT_SECONDS * share, growth) for wanted, name, period, share, growth in asked if wanted
    ]


def _finite(value: float | None) -> bool:
    return value is None or math.isfinite(value)


def _dense(gradient: Tensor | None) -> Tensor | None:
    if gradient is None:
        return None
    return gradient.coalesce().values() if gradient.is_sparse else gradient.detach()


def _norms(tensors: list[Tensor]) -> Tensor:
    """Euclidean norm of each, ``[P]``."""
    if not tensors:
        return torch.empty(0)
    return torch.stack([norm.float() for norm in torch._foreach_norm(tensors)])
