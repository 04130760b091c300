"""What a module registers, as the members of a block: layers with their arguments, containers, tensors, shared ones."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

import torch
from torch import nn

from layerloom.graph.importing.closing import Closing
from layerloom.graph.importing.containers import container_of
from layerloom.graph.importing.errors import ClosedError
from layerloom.graph.importing.leaves import layer_of, parametrizations_of, recovered
from layerloom.graph.importing.sharing import Sharing, below
from layerloom.graph.names import attributes, is_identifier, is_key, is_member
from layerloom.graph.numbers import packed, shortest
from layerloom.graph.walk import join
from layerloom.schema.document import (
    Alias,
    BlockUse,
    Buffer,
    Item,
    Layer,
    Member,
    Parameter,
    ParameterDict,
    ParameterInit,
    ParameterList,
)
from layerloom.schema.values import Arguments, NonFinite


@dataclass
class Members:
    """Reads the members of every module of one network."""

    sharing: Sharing
    idle: frozenset[str] = frozenset()
    """Modules without state that no forward calls: nobody would miss them."""
    constants: Mapping[str, Mapping[str, torch.Tensor]] = field(default_factory=dict)
    """Tensors that a forward reads and no module registers, by the block that reads them and a name."""
    closing: Closing = field(default_factory=Closing)
    """Modules that stay closed. A layer that cannot be made anew is added, where it may be."""

    def of(self, module: nn.Module, path: str) -> list[Member]:
        """The members of one module that is opened as a block; block uses name their class by the qualified name."""
        found: list[Member] = []
        said = {alias.name for alias in self.sharing.aliases(path)}
        for name, parameter in module._parameters.items():
            if parameter is not None and name not in said:
                found.append(_parameter(name, parameter))
        for name, buffer in module._buffers.items():
            if buffer is not None and name not in said:
                found.append(_buffer(name, buffer, name not in module._non_persistent_buffers_set, join(path, name)))
        found += [_buffer(name, value, False, join(path, name)) for name, value in self.constants.get(path, {}).items()]
        for name, child in module._modules.items():
            if child is not None and join(path, name) not in self.idle:
                found.append(self._module(name, child, join(path, name), path))
        found += self.sharing.aliases(path)
        for member in found:
            _check_name(member.name, path)
        return found

    def _module(self, name: str, module: nn.Module, path: str, block: str) -> Member:
        first = self.sharing.whole(path)
        of = below(first, block) if first is not None else None
        return Alias(name=name, of=of) if of is not None else cast(Member, self._item(name, module, path))

    def _item(self, name: str, module: nn.Module, path: str) -> Item:
        first = self.sharing.first(module)
        if first in self.closing.notes:
            return self.closing.member(name, module, first)
        target = layer_of(module)
        if target is not None:
            try:
                return _layer(name, module, target)
            except ClosedError as error:
                self.closing.close(first, error)
                return self.closing.member(name, module, first)
        kind = container_of(module)
        if kind is None:
            return BlockUse(name=name, block=self.sharing.first(module))
        if issubclass(kind, ParameterList | ParameterDict):
            held = [_parameter(key, value) for key, value in module._parameters.items() if value is not None]
            return kind(name=name, items=cast("list[Item]", held))
        for key in module._modules:
            _check_key(key, path, self.sharing.block_of(path))
        children = ((key, child) for key, child in module._modules.items() if child is not None)
        return kind(name=name, items=[self._item(key, child, join(path, key)) for key, child in children])


def _layer(name: str, module: nn.Module, target: str) -> Layer:
    made = parametrizations_of(module)
    return Layer(name=name, target=target, arguments=recovered(module, target), parametrizations=made)


def _parameter(name: str, tensor: nn.Parameter) -> Parameter:
    """A parameter. Its numbers are the state_dict's; one that holds a single number is made with it, too."""
    dtype = str(tensor.dtype).removeprefix("torch.")
    made = Parameter(name=name, shape=list(tensor.shape), dtype=dtype, requires_grad=tensor.requires_grad)
    value = _only(tensor)
    if value is None:
        return made
    short = {0.0: "zeros_", 1.0: "ones_"}.get(value)
    function = f"torch.nn.init.{short or 'constant_'}"
    arguments: Arguments = {} if short else {"val": shortest(value, tensor.dtype)}
    return made.model_copy(update={"init": [ParameterInit(function=function, arguments=arguments)]})


def _only(tensor: torch.Tensor) -> float | None:
    """The number that a tensor is full of."""
    if tensor.numel() == 0 or tensor.is_meta or tensor.is_complex():
        return None
    first = tensor.detach().flatten()[0]
    value = first.item()
    return float(value) if bool((tensor == first).all()) and math.isfinite(value) else None


def _buffer(name: str, tensor: torch.Tensor, persistent: bool, path: str) -> Buffer:
    """A buffer; the numbers of one that no state_dict keeps have to be said."""
    dtype = str(tensor.dtype).removeprefix("torch.")
    made = Buffer(name=name, shape=list(tensor.shape), dtype=dtype, persistent=persistent)
    value = _only(tensor)
    if persistent:
        return made.model_copy(update={"fill": 1}) if value == 1 else made
    if tensor.numel() == 0:
        raise ClosedError(f"{path} is an empty buffer", path.rpartition(".")[0])
    tensor = tensor.detach().cpu()
    first = tensor.flatten()[0].item()
    if isinstance(first, int | float) and bool((tensor == first).all()):
        return made.model_copy(update={"fill": first if math.isfinite(first) else NonFinite(text=str(first))})
    for fill in _fills(tensor):
        return made.model_copy(update={"fill": fill})
    try:
        return made.model_copy(update={"fill": packed(tensor)})
    except ValueError as error:
        sentence = f"{path} is a buffer that no state_dict keeps, of {error}"
        raise ClosedError(sentence, path.rpartition(".")[0]) from error


def _fills(tensor: torch.Tensor) -> Iterator[str]:
    shape, dtype = tensor.shape, tensor.dtype
    if tensor.dim() >= 1 and torch.equal(tensor, torch.arange(shape[-1]).expand(shape).to(dtype)):
        yield "arange"
    if tensor.dim() == 2 and torch.equal(tensor, torch.eye(*shape).to(dtype)):
        yield "eye"
    if tensor.dim() >= 2:
        ones = torch.ones(shape)
        for fill, made in (("tril", ones.tril()), ("triu", ones.triu())):
            if torch.equal(tensor, made.to(dtype)):
                yield fill


def _check_name(name: str, path: str) -> None:
    head = name.partition(".")[0]
    if not is_member(head) or head in attributes():
        raise ClosedError(f"{path or 'the network'} has a member called {name!r}, which cannot be written", path)


def _check_key(key: str, path: str, block: str) -> None:
    if not (is_key(key) or is_identifier(key)):
        raise ClosedError(f"{path} has a key {key!r}, which cannot be written", block)
