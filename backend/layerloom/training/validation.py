"""Loss and metrics over the whole validation part."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from layerloom.training.control import Control
from layerloom.training.criterion import leaves
from layerloom.training.setup import Parts

JOINED_NUMBERS = 2**20
"""Outputs are joined up to so many numbers before the loss and the metrics see them: few large calls cost less."""


def validate(module: nn.Module, parts: Parts, control: Control) -> dict[str, float] | None:
    """``validation/loss`` and ``validation/<metric>``, or None when the control wants something else meanwhile.

    The module is in eval mode and returns to training mode; random numbers drawn here are given back, so that
    validating changes nothing of what follows.
    """
    devices = [parts.device] if parts.device.type == "cuda" else []
    module.eval()
    try:
        with torch.inference_mode(), torch.random.fork_rng(devices, enabled=True):
            return _run(module, parts, control)
    finally:
        module.train()


def _run(module: nn.Module, parts: Parts, control: Control) -> dict[str, float] | None:
    losses: list[Tensor] = []
    counts: list[int] = []
    waiting: list[tuple[Any, Tensor]] = []
    numbers = 0

    def measure() -> None:
        for output, target in joined(waiting):
            losses.append(parts.criterion(output, target).float())
            counts.append(len(target))
            parts.meters.update(output, target)
        waiting.clear()

    for inputs, target in parts.validation.ordered():
        if not control.going():
            parts.meters.reset()
            return None
        with parts.precision.autocast():
            output = module(**inputs)
        waiting.append((output, target))
        numbers += sum(leaf.numel() for leaf in leaves(output))
        if numbers >= JOINED_NUMBERS:
            measure()
            numbers = 0
    measure()
    weights = torch.tensor(counts, dtype=torch.float64)
    # Each loss is a mean over its samples, so their weighted mean is the mean over all.
    total = torch.stack(losses).double().cpu() @ weights / weights.sum()
    values = {f"validation/{name}": value for name, value in parts.meters.compute().items()}
    return {"validation/loss": float(total), **values}


def joined(pairs: list[tuple[Any, Tensor]]) -> list[tuple[Any, Tensor]]:
    """Outputs and targets of batches, joined along the samples where every tensor has them first."""
    rows = [leaves(output) for output, _ in pairs]
    samples_first = all(
        leaf.dim() > 0 and len(leaf) == len(target)
        for row, (_, target) in zip(rows, pairs, strict=True)
        for leaf in row
    )
    if len(pairs) < 2 or not samples_first:
        return pairs
    outputs = [torch.cat(parts) for parts in zip(*rows, strict=True)]
    targets = torch.cat([target for _, target in pairs])
    return [(outputs if len(outputs) > 1 else outputs[0], targets)]
