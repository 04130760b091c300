"""Histograms of many tensors in a handful of operations."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor

from layerloom.schema.events import Histogram

BINS = 32
SAMPLE = 2_048
"""Values of one tensor in its histogram, at equal distances."""
SAMPLE_TOTAL = 65_536


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


def histograms(names: list[str], of: str, edges: Tensor, counts: Tensor) -> list[Histogram]:
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
