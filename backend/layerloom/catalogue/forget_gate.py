"""Initializers that torch lacks."""

from __future__ import annotations

import torch


def forget_gate_bias(tensor: torch.Tensor, value: float = 1.0) -> torch.Tensor:
    """Fill the forget gate's part of an LSTM bias, so that the cell remembers from the start.

    An LSTM's bias holds four gates of equal length in the order input, forget, cell, output; the second quarter is
    filled with ``value`` and the rest is left as it is. torch adds two biases (``bias_ih`` and ``bias_hh``), so that
    a value given to both counts twice. Source: Gers, Schmidhuber and Cummins, "Learning to forget", 2000; Jozefowicz
    and others, "An empirical exploration of recurrent network architectures", 2015.

    Args:
        tensor (Tensor): a vector of length ``4 * hidden_size``
        value (float): what the forget gate's bias becomes

    Raises:
        ValueError: the tensor is no vector of four equal parts.
    """
    if tensor.dim() != 1 or tensor.numel() % 4:
        raise ValueError(f"forget_gate_bias needs a vector of 4 * hidden_size numbers, not shape {tuple(tensor.shape)}")
    hidden = tensor.numel() // 4
    with torch.no_grad():
        tensor[hidden : 2 * hidden].fill_(value)
    return tensor
