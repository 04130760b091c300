"""Attention maps of a forward pass, read where torch computes them.

No layer is asked for its weights and none is changed: the functions that attention is made of are watched, be they
called by torch's own layers or by a block that somebody drew.
"""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

_WHOLE = functional.multi_head_attention_forward
_WHOLE_SIGNATURE = inspect.signature(_WHOLE)
_SOFTMAX = {torch.softmax, Tensor.softmax, functional.softmax}
_PRODUCT = {torch.matmul, Tensor.matmul, Tensor.__matmul__, torch.bmm, Tensor.bmm, torch.einsum}


class AttentionMode(TorchFunctionMode):
    """Collects the attention maps of a pass of ``module`` over ``samples`` samples, by the layer that made them."""

    def __init__(self, module: nn.Module, samples: int) -> None:
        super().__init__()
        self._names: dict[int, str] = {id(part): name for name, part in module.named_modules()}
        self._samples = samples
        self._maybe: dict[int, tuple[Tensor, Tensor]] = {}
        """Softmaxes, and what dropout or a cast made of them, until one is multiplied with values."""
        self.maps: dict[str, Tensor] = {}
        """``[N, heads, T, S]``: which share of what a position takes up comes from which."""

    def __torch_function__(
        self,
        function: Callable[..., Any],
        _types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Call it, and keep the weights of what is attention."""
        kwargs = kwargs or {}
        if function is _WHOLE:
            return self._whole(*args, **kwargs)
        if function is functional.scaled_dot_product_attention:
            self._keep(weights_of(*args, **kwargs))
            return function(*args, **kwargs)
        out = function(*args, **kwargs)
        if function in _SOFTMAX:
            if out.dim() >= 3 and _axis(args, kwargs) in (-1, out.dim() - 1):
                self._maybe[id(out)] = (out, out)
        elif self._maybe:
            self._follow(function, args, kwargs, out)
        return out

    def _follow(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], out: Any) -> None:
        given = [one for one in tree_leaves((args, kwargs)) if isinstance(one, Tensor)]
        known = next((self._maybe[id(one)][1] for one in given if id(one) in self._maybe), None)
        if known is None:
            return
        if function in _PRODUCT:
            self._keep(known)
        elif isinstance(out, Tensor) and out.shape == known.shape:
            self._maybe[id(out)] = (out, known)

    def _whole(self, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor | None]:
        asked = _WHOLE_SIGNATURE.bind(*args, **kwargs)
        asked.apply_defaults()
        need, average = asked.arguments["need_weights"], asked.arguments["average_attn_weights"]
        asked.arguments.update(need_weights=True, average_attn_weights=False)
        out, weights = _WHOLE(*asked.args, **asked.kwargs)
        assert weights is not None
        self._keep(weights)
        if not need:
            return out, None
        return out, weights.mean(-3) if average else weights

    def _keep(self, weights: Tensor) -> None:
        """The first map of each layer, if it has one for each sample."""
        owner = self._owner()
        count, rest = divmod(math.prod(weights.shape[:-2]), self._samples)
        if owner is None or owner in self.maps or rest or not count or not weights.numel():
            return
        self.maps[owner] = weights.detach().reshape(self._samples, count, *weights.shape[-2:])

    def _owner(self) -> str | None:
        """The innermost layer that is running."""
        frame: FrameType | None = sys._getframe(2)
        while frame is not None:
            running = frame.f_locals.get("self")
            name = self._names.get(id(running))
            if name is not None and isinstance(running, nn.Module):
                return name
            frame = frame.f_back
        return None


def weights_of(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """What ``scaled_dot_product_attention`` multiplies the values with, ``[..., T, S]``: as its documentation defines
    it, without dropout."""
    del value, dropout_p
    if enable_gqa:
        key = key.repeat_interleave(query.shape[-3] // key.shape[-3], -3)
    scores = query @ key.transpose(-2, -1) * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    if is_causal:
        scores = scores.masked_fill(torch.ones_like(scores, dtype=torch.bool).tril().logical_not(), -math.inf)
    if attn_mask is not None:
        scores = scores.masked_fill(~attn_mask, -math.inf) if attn_mask.dtype == torch.bool else scores + attn_mask
    return scores.softmax(-1)


def _axis(args: tuple[Any, ...], kwargs: dict[str, Any]) -> int | None:
    axis = kwargs.get("dim", args[1] if len(args) > 1 else None)
    return axis if isinstance(axis, int) else None
