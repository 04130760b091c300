"""What a network's numbers and gradients look like before any training, measured on the module that would train.

For each scheme and seed: the generators are set to the seed, the module is made and initialized from its very source, a
batch is drawn from a generator of its own with the same seed, and one forward and one backward pass are run in
training mode. Into the network's outputs go standard normal gradients, drawn from that generator after the batch, as in
the analysis of He and others (2015): what arrives at a layer then tells how gradients grow or shrink on their way.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import isfinite, nan
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from layerloom.graph.build import load, to_python
from layerloom.graph.checking import checked
from layerloom.graph.checking.failures import clean
from layerloom.graph.checking.layers import quietly
from layerloom.graph.errors import GraphError, refuse
from layerloom.graph.lab.flow import flow_of
from layerloom.graph.lab.recommend import weighs
from layerloom.graph.lab.samples import batch_of, tensors
from layerloom.graph.lab.schemes import READY, USUAL, ready, with_scheme
from layerloom.schema.document import Document
from layerloom.schema.lab import LabCall, LabReport, Moments, Scheme, SchemeResult
from layerloom.schema.problems import ProblemCode

PARAMETERS = 30_000_000
ACTIVATION_BYTES = 2**30
"""Of all results of one pass."""
FLOPS = 3 * 10**12
"""Of all passes, backward ones included: some tens of seconds on a few cores."""
CALLS = 200_000
"""Of layers, in all passes: each is a row of an answer."""
SECONDS = 60.0
"""After which no further pass is begun."""
FACTORS = {"forward": 1e4, "backward": 1e6}
"""By which the variance may change on its way. Behind batch normalization alone gradients grow by about 1.5 in every
layer (Yang and others, A mean field theory of batch normalization, 2019), and some tens of layers still learn.
"""
STEADY = {"forward": 10.0, "backward": 100.0}
"""Within which the way is called steady; between these and ``FACTORS`` a network learns, and worse with every layer
that is added. Gradients have more room: a layer of few outputs, or pooling, alone changes theirs by its own size.
"""
PAUSE = 0.002
"""Seconds between passes: whoever waits to check a network gets its turn."""


class Measured(NamedTuple):
    """Of all numbers of one tensor; NaN where they have no moments."""

    mean: float = nan
    variance: float = nan
    """Unbiased."""
    numbers: int = 0


@dataclass
class Pass:
    """Moments of one forward and backward pass, per call of a layer."""

    calls: list[tuple[str, int]] = field(default_factory=list)
    """Qualified name, and which call of that layer."""
    often: Counter[str] = field(default_factory=Counter)
    outputs: list[Measured] = field(default_factory=list)
    gradients: dict[int, Measured] = field(default_factory=dict)
    """By the index of the call."""


def init_lab(
    document: Document, schemes: Sequence[str | Scheme] = USUAL, *, seeds: int = 3, batch: int = 32
) -> LabReport:
    """Compare initializers on a network: mean and variance of each layer's output, and of the gradient that arrives
    there, for the seeds ``0 … seeds-1`` at ``batch`` samples.

    ``schemes`` are names of ready ones (``layerloom.graph.lab.READY``) or schemes with rules. Bounded in time and
    memory.

    Raises:
        ValueError: there is no seed, or no sample.
        GraphError: the document has errors, a scheme does not fit it or is unknown, or the network is too large
            (``too_large``, with the figure and the limit).
    """
    if seeds < 1 or batch < 1:
        raise ValueError(f"a pass needs a seed and a sample, and there are {seeds} seeds and {batch} samples")
    chosen = [ready(scheme, document) if isinstance(scheme, str) else scheme for scheme in schemes]
    refuse_too_large(document, batch, passes=max(1, len(chosen)) * seeds)
    numbers = list(range(seeds))
    began = time.monotonic()
    called = [step for step in flow_of(document).steps if step.located is not None]
    _refuse_beyond("calls of layers", len(called) * len(chosen) * seeds, CALLS)
    layers = {step.name: step for step in called}
    results: list[SchemeResult] = []
    calls: list[LabCall] = []
    for scheme in chosen:
        passes = measured(with_scheme(document, scheme), layers, numbers, batch, began + SECONDS)
        results.append(_result(scheme, passes))
        calls = [
            LabCall(name=name, target=layers[name].target, call=call, weighs=weighs(layers[name]))
            for name, call in passes[0].calls
        ]
    return LabReport(
        batch=batch,
        seeds=numbers,
        calls=calls,
        schemes=results,
        steady=STEADY,
        factors=FACTORS,
        ready=list(READY),
    )


def refuse_too_large(document: Document, batch: int, passes: int) -> None:
    """Raise GraphError for a document that has errors, or is too large for so many passes."""
    report = checked(document, batch).report
    if not report.ok:
        raise GraphError([problem for problem in report.problems if problem.severity == "error"])
    totals = report.totals
    for what, size, limit in (
        ("parameters", totals.parameters + totals.buffers, PARAMETERS),
        ("bytes of results in one pass", totals.activation_bytes, ACTIVATION_BYTES),
        ("floating point operations", 3 * totals.flops * passes, FLOPS),
    ):
        _refuse_beyond(what, size, limit)


def _refuse_beyond(what: str, size: int, limit: int) -> None:
    if size > limit:
        message = (
            f"the network is too large to be measured here: {size:,} {what}, and the limit is {limit:,}. "
            "Measure a smaller one of the same depth, or fewer samples, seeds or schemes."
        )
        raise refuse(ProblemCode.TOO_LARGE, message)


def measured(
    document: Document, layers: Collection[str], seeds: Sequence[int], batch: int, deadline: float
) -> list[Pass]:
    """One pass per seed, with the calls of ``layers`` (qualified names).

    Raises:
        GraphError: torch refuses, or ``deadline`` (of ``time.monotonic``) is over.
    """
    network = getattr(load(to_python(document)), document.main)
    passes: list[Pass] = []
    for seed in seeds:
        if passes:
            time.sleep(PAUSE)
        if time.monotonic() > deadline:
            message = f"measuring takes longer than {SECONDS:.0f} s. Ask for fewer samples, seeds or schemes."
            raise refuse(ProblemCode.TOO_LARGE, message)
        try:
            with quietly("cpu"), torch.enable_grad():
                passes.append(_one_pass(document, network, layers, seed, batch))
        except (RuntimeError, ValueError, TypeError, IndexError, AssertionError) as error:
            message = f"the network cannot run a step of training: {clean(error)}"
            raise refuse(ProblemCode.LAYER_FAILED, message) from None
    return passes


def _one_pass(document: Document, network: type[nn.Module], layers: Collection[str], seed: int, batch: int) -> Pass:
    torch.manual_seed(seed)
    module = network().train()
    generator = torch.Generator().manual_seed(seed)
    inputs = batch_of(document, batch, generator)
    found = Pass()
    for name, part in module.named_modules():
        if name in layers:
            part.register_forward_hook(partial(_note, found, name))
    output = module(**inputs)
    ends = [tensor for tensor in tensors(output) if tensor.requires_grad]
    if ends:
        torch.autograd.backward(ends, [torch.randn(end.shape, generator=generator).to(end.dtype) for end in ends])
    return found


def _note(found: Pass, name: str, _module: nn.Module, _inputs: Any, output: Any) -> None:
    """A hook: write down a call, and see to it that the gradient is written down when it arrives."""
    index = len(found.outputs)
    found.calls.append((name, found.often[name]))
    found.often[name] += 1
    # Of a recurrent layer the first is the output of every step.
    tensor = next(iter(tensors(output)), None)
    found.outputs.append(_moments(tensor))
    if tensor is not None and tensor.requires_grad:
        tensor.register_hook(partial(_note_gradient, found, index))  # type: ignore[no-untyped-call]


def _note_gradient(found: Pass, index: int, gradient: Tensor) -> None:
    found.gradients[index] = _moments(gradient)


def _moments(tensor: Tensor | None) -> Measured:
    """Mean and variance, summed in float64: what explodes in float32 shall be seen for as long as it is finite."""
    if tensor is None or not tensor.is_floating_point() or tensor.layout is not torch.strided or tensor.numel() < 2:
        return Measured()
    variance, mean = torch.var_mean(tensor.detach().double())
    return Measured(float(mean), float(variance), tensor.numel())


def _result(scheme: Scheme, passes: list[Pass]) -> SchemeResult:
    count = len(passes[0].calls)
    return SchemeResult(
        name=scheme.name,
        rules=scheme.rules,
        outputs=[_over_seeds([one.outputs[index] for one in passes]) for index in range(count)],
        gradients=[_over_seeds([one.gradients.get(index, Measured()) for one in passes]) for index in range(count)],
    )


def _over_seeds(found: list[Measured]) -> Moments:
    return Moments(
        mean=[one.mean if isfinite(one.mean) else None for one in found],
        variance=[one.variance if isfinite(one.variance) else None for one in found],
    )
