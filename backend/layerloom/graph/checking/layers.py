"""Layers without memory: built once per configuration on the meta device, counted, and kept for later checks."""

from __future__ import annotations

import inspect
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.overrides import TorchFunctionMode
from torch.utils._device import _device_constructors

from layerloom.catalogue import parametrizations, resolve
from layerloom.graph.checking.arguments import faults
from layerloom.graph.checking.failures import Failure, explain
from layerloom.graph.checking.values import Frozen, LayerConfig, thaw

LOCK = threading.RLock()
"""Held while torch builds or runs anything for a check: ``warnings`` and torch's random state are process-wide."""

_INITIALIZERS = frozenset(
    function for name, function in vars(nn.init).items() if name.endswith("_") and inspect.isfunction(function)
)


_CONSTRUCTORS = frozenset(_device_constructors())


class _Bare(TorchFunctionMode):
    """Makes tensors on a device, and leaves parameters as allocated: their numbers are never read, and drawing them is
    most of a layer's cost.

    A function mode holds for its own thread only, where a patch of ``torch.nn.init`` would hold for all; and one mode
    costs half of what ``torch.device`` costs beside another.
    """

    def __init__(self, device: str) -> None:
        super().__init__()
        self._device = device

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in _INITIALIZERS:
            return args[0] if args else kwargs["tensor"]
        if func in _CONSTRUCTORS:
            kwargs = kwargs or {}
            if kwargs.get("device") is None:
                kwargs["device"] = self._device
        return func(*args, **kwargs) if kwargs else func(*args)


@contextmanager
def quietly(device: str) -> Iterator[None]:
    """Build and run on ``device`` with nothing left behind: no warning, no gradient, no random number drawn."""
    with (
        LOCK,
        warnings.catch_warnings(action="ignore"),
        torch.device(device),
        torch.no_grad(),
        torch.random.fork_rng(devices=[], enabled=device != "meta"),
    ):
        yield


@dataclass(frozen=True, slots=True)
class BuiltLayer:
    """A layer on the meta device, in evaluation mode, and what it holds."""

    module: nn.Module | None
    parameters: int = 0
    trainable: int = 0
    buffers: int = 0
    bytes: int = 0
    """Of parameters and buffers."""
    failure: Failure | None = None
    """Why ``module`` is None."""
    normalizes: Literal["itself", "inside"] | None = None
    """Whether it is a batch normalization, or has one inside it."""


@lru_cache(maxsize=2048)
def built(config: LayerConfig) -> BuiltLayer:
    """The layer of that configuration. It is shared by all who ask: nobody may change it."""
    wrong = faults(config.target, config.arguments)
    if wrong:
        return BuiltLayer(None, failure=Failure(wrong[0].code, wrong[0].sentence))
    try:
        module = construct(config, "meta")
    except Exception as error:
        return BuiltLayer(None, failure=explain(error, building=True))
    parameters = list(module.parameters())
    buffers = list(module.buffers())
    return BuiltLayer(
        module,
        parameters=sum(tensor.numel() for tensor in parameters),
        trainable=sum(tensor.numel() for tensor in parameters if tensor.requires_grad),
        buffers=sum(tensor.numel() for tensor in buffers),
        bytes=sum(tensor.nbytes for tensor in (*parameters, *buffers)),
        normalizes=_normalizes(module),
    )


def _normalizes(module: nn.Module) -> Literal["itself", "inside"] | None:
    if isinstance(module, _BatchNorm):
        return "itself"
    return "inside" if any(isinstance(part, _BatchNorm) for part in module.modules()) else None


def construct(config: LayerConfig, device: str) -> nn.Module:
    """A layer of its own on ``device`` in evaluation mode, its parameters uninitialized. Raises what torch raises."""
    resolve(config.target)  # the first look-up introspects torch, which needs real tensors
    if config.target in parametrizations():
        # They compute with the layer's numbers as soon as they are put around it.
        with quietly("cpu"):
            return _make(config).eval().to(device)
    kept = nullcontext() if device == "meta" else torch.random.fork_rng(devices=[])
    with LOCK, warnings.catch_warnings(action="ignore"), torch.no_grad(), kept, _Bare(device):
        return _make(config).eval()


def _make(config: LayerConfig) -> nn.Module:
    arguments = {name: thaw(value, _no_tensor, _make) for name, value in config.arguments}
    module = resolve(config.target)(**arguments)
    assert isinstance(module, nn.Module)
    return module


def _no_tensor(spec: Frozen) -> torch.Tensor:
    raise TypeError(f"a layer is built from sizes and choices, not from {spec}")
