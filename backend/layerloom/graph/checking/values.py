"""What flows through a graph during the check: hashable descriptions of values, so that equal calls run once.

A tensor is its shape, dtype and strides; everything else is its own value. ``freeze`` describes a live value, ``thaw``
makes a live one, on the meta device or for real.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal, TypeAlias

import torch

Frozen: TypeAlias = Hashable
"""A TensorSpec, Group, LayerConfig or Number, or a value that is hashable and unlike any other: int, str, None…"""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """A tensor without its numbers."""

    shape: tuple[int, ...]
    dtype: torch.dtype
    stride: tuple[int, ...] | None = None
    """None when contiguous. Strides decide whether ``view`` works after ``permute``, so they are part of the type."""
    high: int | None = None
    """Its whole numbers are below this, where an example input says so: a vocabulary's size."""
    # Hashes are kept: every node of every check looks its call up by them.
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.shape, self.dtype, self.stride, self.high)))

    def __hash__(self) -> int:
        return self._hash

    def sized(self, shape: tuple[int, ...]) -> TensorSpec:
        """The same with another shape (``dataclasses.replace`` takes three times as long)."""
        return TensorSpec(shape, self.dtype, self.stride, self.high)

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        count = 1
        for size in self.shape:
            count *= size
        return count

    @property
    def bytes(self) -> int:
        """Memory of its numbers."""
        return self.elements * self.dtype.itemsize


@dataclass(frozen=True, slots=True)
class Group:
    """A tuple, list, dict or slice of frozen values."""

    kind: Literal["tuple", "list", "dict", "slice"]
    items: tuple[Frozen, ...]
    keys: tuple[str, ...] = ()
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.kind, self.items, self.keys)))

    def __hash__(self) -> int:
        return self._hash


@dataclass(frozen=True, slots=True)
class Number:
    """A bool or a float: in Python ``True == 1 == 1.0``, but torch treats them differently."""

    kind: Literal["bool", "float"]
    value: bool | float


@dataclass(frozen=True, slots=True)
class LayerConfig:
    """A catalogue layer with the arguments that construct it."""

    target: str
    arguments: tuple[tuple[str, Frozen], ...]
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.target, self.arguments)))

    def __hash__(self) -> int:
        return self._hash

    def changed(self, name: str, value: Frozen) -> LayerConfig:
        """The same layer with one argument set."""
        return LayerConfig(self.target, tuple((key, value if key == name else old) for key, old in self.arguments))


class Automatic(Enum):
    """Stands in a configuration for a size that is not known yet."""

    SIZE = "auto"


class UnfreezableError(TypeError):
    """A result that the check has no description for (a sparse tensor, a generator)."""


def freeze(value: Any) -> Frozen:
    """Describe a live value. Raises UnfreezableError."""
    match value:
        case torch.Tensor():
            if value.layout is not torch.strided:
                raise UnfreezableError(f"a tensor of layout {value.layout}")
            stride = None if value.is_contiguous() else tuple(value.stride())
            return TensorSpec(tuple(value.shape), value.dtype, stride)
        case bool():
            return Number("bool", value)
        case float():
            return Number("float", value)
        case tuple():
            return Group("tuple", tuple(freeze(item) for item in value))
        case list():
            return Group("list", tuple(freeze(item) for item in value))
        case range():
            return Group("list", tuple(value))
        case dict():
            return Group("dict", tuple(freeze(item) for item in value.values()), tuple(str(key) for key in value))
        case slice():
            return Group("slice", (freeze(value.start), freeze(value.stop), freeze(value.step)))
        case None | int() | str() | torch.dtype() | torch.device() | torch.layout() | torch.memory_format():
            return value
        case _ if value is ...:
            return value
        case _:
            raise UnfreezableError(f"a {type(value).__name__}")


def thaw(value: Frozen, tensor: Callable[[TensorSpec], Any], layer: Callable[[LayerConfig], Any]) -> Any:
    """A live value; ``tensor`` and ``layer`` make what has to be made."""
    match value:
        case TensorSpec():
            return tensor(value)
        case Number():
            return value.value
        case LayerConfig():
            return layer(value)
        case Group():
            items = [thaw(item, tensor, layer) for item in value.items]
            match value.kind:
                case "tuple":
                    return tuple(items)
                case "list":
                    return items
                case "dict":
                    return dict(zip(value.keys, items, strict=True))
                case "slice":
                    return slice(*items)
        case _:
            return value


def on_meta(spec: TensorSpec) -> torch.Tensor:
    """A tensor of that type without memory."""
    if spec.stride is None:
        return torch.empty(spec.shape, dtype=spec.dtype, device="meta")
    return torch.empty_strided(spec.shape, spec.stride, dtype=spec.dtype, device="meta")


def zeros(spec: TensorSpec) -> torch.Tensor:
    """A contiguous tensor of that type, filled with zeros, which every index and every label may be."""
    return torch.zeros(spec.shape, dtype=spec.dtype, device="cpu")


def ones(spec: TensorSpec) -> torch.Tensor:
    """The same, filled with ones."""
    return torch.ones(spec.shape, dtype=spec.dtype, device="cpu")


def drawn(spec: TensorSpec) -> torch.Tensor:
    """The same, filled with random numbers below 3."""
    return (3 * torch.rand(spec.shape, device="cpu")).to(spec.dtype)


def far(spec: TensorSpec) -> torch.Tensor:
    """The same, filled with random numbers below 100."""
    return (100 * torch.rand(spec.shape, device="cpu")).to(spec.dtype)


def highest(spec: TensorSpec) -> torch.Tensor:
    """The same, filled with the largest number that may come."""
    return torch.full(spec.shape, 0 if spec.high is None else spec.high - 1, dtype=spec.dtype, device="cpu")


def tensors(value: Frozen) -> Iterator[TensorSpec]:
    """Every tensor inside a value, in reading order."""
    if isinstance(value, TensorSpec):
        yield value
    elif isinstance(value, Group):
        for item in value.items:
            yield from tensors(item)


def mapped(value: Frozen, change: Callable[[TensorSpec], TensorSpec]) -> Frozen:
    """The value with every tensor replaced."""
    if isinstance(value, TensorSpec):
        return change(value)
    if isinstance(value, Group):
        return Group(value.kind, tuple(mapped(item, change) for item in value.items), value.keys)
    return value


def select(value: Frozen, path: Sequence[int | str]) -> Frozen:
    """What stands at ``path`` inside a tuple, list or dict. Raises LookupError."""
    for key in path:
        if not isinstance(value, Group) or value.kind == "slice":
            raise LookupError(key)
        if isinstance(key, str):
            if key not in value.keys:
                raise LookupError(key)
            value = value.items[value.keys.index(key)]
        else:
            if value.kind == "dict" or not -len(value.items) <= key < len(value.items):
                raise LookupError(key)
            value = value.items[key]
    return value
