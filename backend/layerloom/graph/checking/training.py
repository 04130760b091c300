"""What runs in evaluation and would fail in training."""

from __future__ import annotations

from torch.nn.modules.batchnorm import _BatchNorm

from layerloom.graph.checking.calls import trains_on
from layerloom.graph.checking.findings import Findings
from layerloom.graph.checking.inference import Inference
from layerloom.graph.checking.layers import built
from layerloom.graph.checking.values import Frozen, TensorSpec
from layerloom.schema.problems import ProblemCode


def check_batch_of_one(findings: Findings, first: Inference, second: Inference, batch: int) -> None:
    """Warn of batch normalization that sees one value per channel when a batch holds one sample.

    The tensors at a batch of one follow from those inferred at ``batch`` and ``batch + 1``: sizes are linear in it.
    """
    calls = zip(first.layer_calls, second.layer_calls, strict=False)
    for (name, config, arguments, place), (other, _, grown, _) in calls:
        if name != other:
            return
        module = built(config).module
        if module is None or not any(isinstance(part, _BatchNorm) for part in module.modules()):
            continue
        single = tuple(
            (key, _at_one(value, more, batch)) for (key, value), (_, more) in zip(arguments, grown, strict=True)
        )
        if (single == arguments and batch != 1) or trains_on(config, single):
            continue
        label = config.target.rpartition(".")[2]
        message = (
            f"{label} sees a single value per channel when a batch holds one sample, and torch refuses that in "
            "training. Use batches of at least 2, drop a last batch of one, or use GroupNorm or LayerNorm."
        )
        findings.add(ProblemCode.BATCH_OF_ONE, message, place, severity="warning", data={"layer": config.target})


def _at_one(value: Frozen, grown: Frozen, batch: int) -> Frozen:
    if not isinstance(value, TensorSpec) or not isinstance(grown, TensorSpec) or len(value.shape) != len(grown.shape):
        return value
    pairs = zip(value.shape, grown.shape, strict=True)
    return TensorSpec(tuple(max(a - (b - a) * (batch - 1), 1) for a, b in pairs), value.dtype)
