"""What runs in evaluation and would fail in training."""

from __future__ import annotations

from functools import lru_cache

from layerloom.graph.checking.calls import trains_on
from layerloom.graph.checking.findings import Findings
from layerloom.graph.checking.inference import Inference
from layerloom.graph.checking.layers import built
from layerloom.graph.checking.running import Arguments
from layerloom.graph.checking.values import Frozen, LayerConfig, TensorSpec, tensors
from layerloom.schema.problems import ProblemCode


def check_batch_of_one(findings: Findings, first: Inference, second: Inference, batch: int) -> None:
    """Warn of batch normalization that sees one value per channel when a batch holds one sample.

    The tensors at a batch of one follow from those inferred at ``batch`` and ``batch + 1``: sizes are linear in it.
    """
    for call, grown in zip(first.normalized, second.normalized, strict=False):
        config = call.config
        if call.name != grown.name:
            return
        if not _fails_alone(config, call.arguments, grown.arguments, batch):
            continue
        label = config.target.rpartition(".")[2]
        message = (
            f"{label} sees a single value per channel when a batch holds one sample, and torch refuses that in "
            "training. Use batches of at least 2, drop a last batch of one, or use GroupNorm or LayerNorm."
        )
        findings.add(ProblemCode.BATCH_OF_ONE, message, call.place, severity="warning", data={"layer": config.target})


@lru_cache(maxsize=4096)
def _fails_alone(config: LayerConfig, arguments: Arguments, grown: Arguments, batch: int) -> bool:
    """Whether a call with batch normalization would fail in training on a batch of one."""
    single = tuple((key, _at_one(value, more, batch)) for (key, value), (_, more) in zip(arguments, grown, strict=True))
    if (single == arguments and batch != 1) or (built(config).normalizes == "itself" and _several(single)):
        return False
    return not trains_on(config, single)


def _several(arguments: Arguments) -> bool:
    """Whether every tensor has two axes longer than one: whichever holds the channels, a channel has several values."""
    given = [spec for _, value in arguments for spec in tensors(value)]
    return bool(given) and all(sum(size > 1 for size in spec.shape) > 1 for spec in given)


def _at_one(value: Frozen, grown: Frozen, batch: int) -> Frozen:
    if not isinstance(value, TensorSpec) or not isinstance(grown, TensorSpec) or len(value.shape) != len(grown.shape):
        return value
    pairs = zip(value.shape, grown.shape, strict=True)
    return TensorSpec(tuple(max(a - (b - a) * (batch - 1), 1) for a, b in pairs), value.dtype)
