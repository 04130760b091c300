"""Torch's Lazy layers as the authority on which size of a tensor a layer's argument is."""

from __future__ import annotations

import inspect
from functools import cache, lru_cache

import torch
from torch import nn

from layerloom.graph.checking.layers import quietly
from layerloom.graph.checking.values import Frozen, LayerConfig, TensorSpec, on_meta, thaw


@cache
def _twin(target: str) -> tuple[type[nn.Module], str] | None:
    """The Lazy class of a layer and the one argument that it infers."""
    module, _, name = target.rpartition(".")
    twin = getattr(torch.nn, f"Lazy{name}", None)
    if module != "torch.nn" or twin is None:
        return None
    known = inspect.signature(twin).parameters
    missing = [name for name in inspect.signature(getattr(torch.nn, name)).parameters if name not in known]
    return (twin, missing[0]) if len(missing) == 1 else None


@lru_cache(maxsize=4096)
def inferred_size(config: LayerConfig, arguments: tuple[tuple[str, Frozen], ...]) -> tuple[str, int] | None:
    """The argument that a layer's Lazy twin infers from its first input, and the size; None where it cannot tell."""
    found = _twin(config.target)
    given = _first(arguments)
    if found is None or given is None:
        return None
    twin, name = found
    axis = _axes.get((config.target, len(given.shape)))
    if axis is not None:
        return name, given.shape[axis]
    try:
        with quietly("meta"):
            rest = {key: thaw(value, on_meta, _no_layer) for key, value in config.arguments if key != name}
            layer = twin(**rest)
            layer.initialize_parameters(on_meta(given))  # type: ignore[operator]
            size = getattr(layer, name)
    except Exception:
        return None  # not a tensor that this layer takes; the call itself says why
    if not isinstance(size, int):
        return None
    if given.shape.count(size) == 1:
        _axes[config.target, len(given.shape)] = given.shape.index(size)
    return name, size


_axes: dict[tuple[str, int], int] = {}
"""The axis that a twin reads of an input of that many axes, as those have shown that read a size that is there once."""


def forget() -> None:
    """As in a process that has checked nothing yet."""
    _axes.clear()
    inferred_size.cache_clear()


def fits(config: LayerConfig, arguments: tuple[tuple[str, Frozen], ...]) -> bool:
    """Whether a layer surely has the size that its twin would infer; False where only the twin can tell."""
    found, given = _twin(config.target), _first(arguments)
    if found is None or given is None:
        return False
    axis = _axes.get((config.target, len(given.shape)))
    return axis is not None and dict(config.arguments).get(found[1]) == given.shape[axis]


def surely_fits(config: LayerConfig, arguments: tuple[tuple[str, Frozen], ...]) -> bool:
    """The same, the twin asked where ``fits`` has nothing to tell it from."""
    if fits(config, arguments):
        return True
    inferred_size(config, arguments)
    return fits(config, arguments)


def _first(arguments: tuple[tuple[str, Frozen], ...]) -> TensorSpec | None:
    return next((value for _, value in arguments if isinstance(value, TensorSpec)), None)


def _no_layer(config: LayerConfig) -> nn.Module:
    raise TypeError(f"{config.target} is no argument of a lazy layer")
