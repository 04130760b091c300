"""What a module registers, as the members of a block: layers with their arguments, containers, tensors, shared ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

import torch
from torch import nn

from layerloom.graph.importing.errors import ClosedError
from layerloom.graph.importing.leaves import layer_of, recovered
from layerloom.graph.names import attributes, is_identifier, is_key
from layerloom.schema.document import (
    Alias,
    BlockUse,
    Buffer,
    Container,
    Item,
    Layer,
    Member,
    ModuleDict,
    ModuleList,
    Parameter,
    ParameterDict,
    ParameterList,
    Sequential,
)

_CONTAINERS: dict[type[nn.Module], type[Container]] = {
    nn.Sequential: Sequential,
    nn.ModuleList: ModuleList,
    nn.ModuleDict: ModuleDict,
    nn.ParameterList: ParameterList,
    nn.ParameterDict: ParameterDict,
}


def container_of(module: nn.Module) -> type[Container] | None:
    """The kind of container that a module is, and nothing more: a subclass may only fill itself differently."""
    for cls, kind in _CONTAINERS.items():
        if isinstance(module, cls):
            tensors = bool(module._parameters) and kind not in (ParameterList, ParameterDict)
            own = type(module).forward is not cls.forward or bool(module._buffers) or tensors
            return None if own else kind
    return None


@dataclass
class Members:
    """Reads the members of every module of one network, noticing what stands in several places."""

    modules: dict[int, str] = field(default_factory=dict)
    """Qualified names by identity, the first of each."""
    tensors: dict[int, str] = field(default_factory=dict)
    idle: frozenset[str] = frozenset()
    """Modules without state that no forward calls: nobody would miss them."""

    def of(self, module: nn.Module, path: str) -> list[Member]:
        """The members of one module that is opened as a block; block uses name their class by the qualified name."""
        found: list[Member] = []
        for name, parameter in module._parameters.items():
            if parameter is not None:
                found.append(self._parameter(name, parameter, _join(path, name), path))
        for name, buffer in module._buffers.items():
            if buffer is not None:
                persistent = name not in module._non_persistent_buffers_set
                found.append(_buffer(name, buffer, persistent, _join(path, name)))
        for name, child in module._modules.items():
            if child is not None and _join(path, name) not in self.idle:
                found.extend(self._module(name, child, _join(path, name), path))
        for member in found:
            _check_name(member.name, path)
        return found

    def _module(self, name: str, module: nn.Module, path: str, block: str) -> Iterator[Member]:
        known = self.modules.setdefault(id(module), path)
        if known != path:
            yield Alias(name=name, of=_below(known, block))
            return
        yield cast(Member, self._item(name, module, path, block))
        yield from self._tied(module, path, block)

    def _item(self, name: str, module: nn.Module, path: str, block: str) -> Item:
        if name and self.modules.setdefault(id(module), path) != path:
            raise ClosedError(f"{path} is shared inside a container, which a document cannot say")
        target = layer_of(module)
        if target is not None:
            return Layer(name=name, target=target, arguments=recovered(module, target))
        kind = container_of(module)
        if kind is None:
            return BlockUse(name=name, block=path)
        if issubclass(kind, ParameterList | ParameterDict):
            tensors = ((key, value) for key, value in module._parameters.items() if value is not None)
            held = [self._parameter(key, value, _join(path, key), block) for key, value in tensors]
            if any(isinstance(item, Alias) for item in held):
                raise ClosedError(f"{path} holds a tensor that stands somewhere else, too, which a document cannot say")
            return kind(name=name, items=cast("list[Item]", held))
        for key in module._modules:
            _check_key(key, path)
        children = ((key, child) for key, child in module._modules.items() if child is not None)
        return kind(name=name, items=[self._item(key, child, _join(path, key), block) for key, child in children])

    def _parameter(self, name: str, tensor: nn.Parameter, path: str, block: str) -> Parameter | Alias:
        known = self.tensors.setdefault(id(tensor), path)
        if known != path:
            return Alias(name=name, of=_below(known, block))
        dtype = str(tensor.dtype).removeprefix("torch.")
        return Parameter(name=name, shape=list(tensor.shape), dtype=dtype, requires_grad=tensor.requires_grad)

    def _tied(self, module: nn.Module, path: str, block: str) -> Iterator[Member]:
        """Tensors of layers that stand somewhere else, too: ``decoder.weight`` is ``embed.weight``."""
        for inner, part in module.named_modules(prefix=path):
            if layer_of(part) is None:
                continue
            for name, tensor in part.named_parameters(recurse=True):
                own = _join(inner, name)
                known = self.tensors.setdefault(id(tensor), own)
                if known != own:
                    yield Alias(name=_below(own, block), of=_below(known, block))


def _buffer(name: str, tensor: torch.Tensor, persistent: bool, path: str) -> Buffer:
    """A buffer; the numbers of one that no state_dict keeps have to be said."""
    dtype = str(tensor.dtype).removeprefix("torch.")
    made = Buffer(name=name, shape=list(tensor.shape), dtype=dtype, persistent=persistent)
    if persistent:
        return made
    if tensor.numel() == 0:
        raise ClosedError(f"{path} is an empty buffer")
    first = tensor.flatten()[0].item()
    if bool((tensor == first).all()):
        return made.model_copy(update={"fill": first})
    for fill in _fills(tensor):
        return made.model_copy(update={"fill": fill})
    raise ClosedError(f"{path} is a buffer that no state_dict keeps, with numbers that a document cannot say")


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


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _below(path: str, block: str) -> str:
    """A qualified name as seen from a block. Raises ClosedError where it lies outside."""
    prefix = f"{block}." if block else ""
    if not path.startswith(prefix):
        raise ClosedError(f"{block} shares {path}, which lies outside it")
    return path.removeprefix(prefix)


def _check_name(name: str, path: str) -> None:
    head = name.partition(".")[0]
    if not is_identifier(head) or head in attributes():
        raise ClosedError(f"{path or 'the network'} has a member called {name!r}, which cannot be written")


def _check_key(key: str, path: str) -> None:
    if not (is_key(key) or is_identifier(key)):
        raise ClosedError(f"{path} has a key {key!r}, which cannot be written")
