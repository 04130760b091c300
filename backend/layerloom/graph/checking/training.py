"""What runs in evaluation and would fail in training."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from torch.nn.modules.batchnorm import _BatchNorm

from layerloom.graph.checking.calls import Arguments, trains_on
from layerloom.graph.checking.findings import Findings
from layerloom.graph.checking.inference import Inference
from layerloom.graph.checking.layers import built
from layerloom.graph.checking.values import Frozen, LayerConfig, TensorSpec, tensors
from layerloom.schema.problems import ProblemCode


def check_batch_of_one(findings: Findings, first: Inference, second: Inference, batch: int) -> None:
    """Warn of batch normalization that sees one value per channel when a batch holds one sample.

    The tensors at a batch of one follow from those inferred at ``batch`` and ``batch + 1``: sizes are linear in it.
    """
    calls = zip(first.layer_calls, second.layer_calls, strict=False)
    for (name, config, arguments, place), (other, _, grown, _) in calls:
        if name != other:
            return
        where = _normalizes(config)
        if where is None:
            continue
        single = tuple(
            (key, _at_one(value, more, batch)) for (key, value), (_, more) in zip(arguments, grown, strict=True)
        )
        if (single == arguments and batch != 1) or (where == "itself" and _several(single)):
            continue
        if trains_on(config, single):
            continue
        label = config.target.rpartition(".")[2]
        message = (
            f"{label} sees a single value per channel when a batch holds one sample, and torch refuses that in "
            "training. Use batches of at least 2, drop a last batch of one, or use GroupNorm or LayerNorm."
        )
        findings.add(ProblemCode.BATCH_OF_ONE, message, place, severity="warning", data={"layer": config.target})


@lru_cache(maxsize=2048)
def _normalizes(config: LayerConfig) -> Literal["itself", "inside"] | None:
    """Whether a layer is a batch normalization, or has one inside it."""
    module = built(config).module
    if isinstance(module, _BatchNorm):
        return "itself"
    parts = module.modules() if module is not None else ()
    return "inside" if any(isinstance(part, _BatchNorm) for part in parts) else None


def _several(arguments: Arguments) -> bool:
    """Whether every tensor has two axes longer than one: whichever holds the channels, a channel has several values."""
    given = [spec for _, value in arguments for spec in tensors(value)]
    return bool(given) and all(sum(size > 1 for size in spec.shape) > 1 for spec in given)


def _at_one(value: Frozen, grown: Frozen, batch: int) -> Frozen:
    if not isinstance(value, TensorSpec) or not isinstance(grown, TensorSpec) or len(value.shape) != len(grown.shape):
        return value
    pairs = zip(value.shape, grown.shape, strict=True)
    return TensorSpec(tuple(max(a - (b - a) * (batch - 1), 1) for a, b in pairs), value.dtype)
