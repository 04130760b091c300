"""Images as something to look at: bytes in base64, which take a tenth of the same numbers in JSON."""

from __future__ import annotations

import base64

import numpy as np
import torch
from torch import Tensor

from layerloom.schema.run import Picture

CHANNELS = (1, 3)
"""Of what can be shown."""
_MAX_BYTES = 3 * 2**20
"""Of a preview's pixels."""


def floats(values: Tensor) -> Tensor:
    """Samples as a network takes them: 8-bit pixels between 0 and 1, all else as it is."""
    return values.float().div_(255) if values.dtype == torch.uint8 else values


def is_image(shape: list[int]) -> bool:
    """Whether samples of this shape can be shown as images."""
    return len(shape) == 3 and shape[0] in CHANNELS


def at_most(count: int, shape: list[int]) -> int:
    """How many images of a shape fit into an answer; one always does."""
    return max(1, min(count, _MAX_BYTES // max(1, int(np.prod(shape)))))


def pictures(images: Tensor) -> list[Picture]:
    """``N×C×H×W`` of floats. All share one scale: 0…1 where they lie in it, else from the least to the largest."""
    values = images.float().nan_to_num()
    low, high = (float(values.min()), float(values.max())) if values.numel() else (0.0, 1.0)
    if low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    scaled = ((values - low) * (255 / ((high - low) or 1))).round_().to(torch.uint8)
    return [
        Picture(
            shape=list(image.shape),
            low=low,
            high=high,
            pixels=base64.b64encode(image.contiguous().numpy().tobytes()).decode(),
        )
        for image in scaled
    ]
