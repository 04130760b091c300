"""Batch normalization over the shares of all ranks: the mean and variance of the whole batch, and their gradients.

torch's own synchronized layer needs CUDA. This is the same arithmetic in plain operations, on whatever device two
processes can exchange tensors: two sums forward, their gradients backward. The layers stay what they are; only their
``forward`` is another one while the module trains on several ranks.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from layerloom.training.ranks import Ranks


class Synced:
    """The batch normalization of one module, synchronized until ``undo``."""

    def __init__(self, module: nn.Module, ranks: Ranks) -> None:
        self._layers = [layer for layer in module.modules() if isinstance(layer, _BatchNorm)]
        self._ranks = ranks
        self.idle = False
        """This rank has no share of the present batch: what it computes does not count."""
        for layer in self._layers:
            layer.forward = partial(self._forward, layer)  # type: ignore[method-assign]

    def undo(self) -> None:
        """Give the layers back their own ``forward``."""
        for layer in self._layers:
            del layer.forward

    def _forward(self, layer: _BatchNorm, given: Tensor) -> Tensor:
        """``layer``'s output for this rank's share, ``[N, C, …]``."""
        if not layer.training:
            return type(layer).forward(layer, given)
        layer._check_input_dim(given)  # type: ignore[no-untyped-call]
        value = given.float() if given.dtype in (torch.float16, torch.bfloat16) else given
        axes = [0, *range(2, value.dim())]
        counts = 0.0 if self.idle else 1.0
        size = value.new_tensor([counts * value.numel() / value.shape[1]])
        sums: Tensor = _Sum.apply(torch.cat([value.sum(axes) * counts, size]), self._ranks)
        count = sums[-1]
        mean = sums[:-1] / count
        shape = [1, -1] + [1] * (value.dim() - 2)
        centred = value - mean.view(shape)
        variance: Tensor = _Sum.apply(centred.square().sum(axes) * counts, self._ranks) / count
        with torch.no_grad():
            _follow(layer, mean, variance * count / (count - 1))
        scale = (variance + layer.eps).rsqrt()
        if layer.weight is not None:
            scale = scale * layer.weight
        output = centred * scale.view(shape)
        if layer.bias is not None:
            output = output + layer.bias.view(shape)
        return output.to(given.dtype)


class _Sum(torch.autograd.Function):
    """The sum of all ranks' values; its gradient is the sum of theirs."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, ranks: Ranks) -> Tensor:
        ctx.ranks = ranks
        return ranks.sum(value.clone())

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return ctx.ranks.sum(gradient.contiguous().clone()), None


def _follow(layer: _BatchNorm, mean: Tensor, variance: Tensor) -> None:
    """Let the running statistics follow, as ``layer`` itself would."""
    if layer.running_mean is None or layer.running_var is None or layer.num_batches_tracked is None:
        return
    layer.num_batches_tracked.add_(1)
    share = layer.momentum if layer.momentum is not None else 1.0 / float(layer.num_batches_tracked)
    layer.running_mean.lerp_(mean.to(layer.running_mean.dtype), share)
    layer.running_var.lerp_(variance.to(layer.running_var.dtype), share)
