"""What is known to be otherwise, each with its reason. A line that no longer holds fails a test."""

from __future__ import annotations

DEPENDS = "the shape of its result, or the number that it gives, depends on the numbers in the tensor"
OTHER_KERNEL = "torch's meta kernel gives another shape than its CPU kernel"

REFUSED: dict[str, str] = {
    **dict.fromkeys(
        (
            *("torch.argwhere", "torch.bincount", "torch.is_nonzero", "torch.masked_select", "torch.nonzero"),
            *("torch.Tensor.argwhere", "torch.Tensor.bincount", "torch.Tensor.is_nonzero"),
            *("torch.Tensor.masked_select", "torch.Tensor.nonzero"),
        ),
        DEPENDS,
    ),
}
"""Operations that the check refuses on all of torch's samples."""

CLOSED: dict[str, str] = dict.fromkeys(
    ("torch.nn.AdaptiveLogSoftmaxWithLoss", "torch.nn.CTCLoss", "torch.nn.GaussianNLLLoss"),
    "fake tensors cannot follow it: it branches on numbers, or has no meta kernel",
)
"""Layers of which no sample comes back from a module."""

OTHERWISE: dict[str, str] = {
    "torch.embedding_bag": f"{OTHER_KERNEL} for the inner results beside the output",
    "torch.nn.MultiLabelMarginLoss": f"{OTHER_KERNEL} for a single sample",
}
"""Of which some sample is told another shape than it has."""
