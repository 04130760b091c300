"""The graph of one module while its forward runs: nodes so far, and which values they made."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensor

from layerloom.graph.importing.errors import ClosedError
from layerloom.graph.importing.leaves import function_name
from layerloom.graph.names import is_identifier
from layerloom.schema import values
from layerloom.schema.document import CallNode, FunctionNode, GetNode, Graph, GraphInput, Node
from layerloom.schema.values import Arguments, DType, Ellipsis, FunctionRef, NonFinite, Ref, Slice, Tuple, Value

Path = tuple[int | str, ...]
BATCH = 1_000_003
"""Samples in a recorded batch: a prime, so that a number divides by it only where the batch is meant."""
SIZE = "torch.Tensor.size"
PARTS = 8
"""Results of one operation that get a name each."""


@dataclass
class Scope:
    """What is known inside one call of one module."""

    path: str
    """Qualified name of the module."""
    module: nn.Module
    tensors: Mapping[int, list[str]]
    """Qualified names of the parameters and buffers of the whole network, by identity."""
    constants: dict[str, torch.Tensor]
    """Tensors that the module reads and nobody registers, by the names that they get; filled here."""
    nodes: list[Node] = field(default_factory=list)
    inputs: list[GraphInput] = field(default_factory=list)
    _made: dict[int, Ref] = field(default_factory=dict)
    _held: dict[int, tuple[int, ...]] = field(default_factory=dict)
    """What lists and dicts held when they were made: one that was added to since is another."""
    _alive: list[Any] = field(default_factory=list)
    """Held, so that no identity is used twice."""
    _sized: list[torch.Tensor] = field(default_factory=list)
    """Tensors whose sizes may be asked for."""
    _sizes: dict[Any, Ref] = field(default_factory=dict)

    def take(self, name: str, value: Any) -> None:
        """A forward input."""
        self.inputs.append(GraphInput(name=name))
        self._bind(name, value)

    def call(self, target: str, arguments: Arguments, result: Any) -> None:
        """A call of a member by its path below this module."""
        self._bind(self._add(CallNode(id=self._id(target), target=target, arguments=arguments)), result)

    def function(self, target: str, arguments: Mapping[str, Any], result: Any) -> None:
        """A call of an operation."""
        written = {name: self.value(item) for name, item in _in_parts(target, arguments, result).items()}
        self._bind(self._add(FunctionNode(id=self._id(target), target=target, arguments=written)), result)

    def graph(self, result: Any) -> Graph:
        """The whole forward, once it has returned."""
        output = self.value(result)
        return Graph(inputs=self.inputs, nodes=self.nodes, output=output)

    def knows(self, tensor: torch.Tensor) -> bool:
        """Whether a tensor was made here, came in, or belongs to the module."""
        return id(tensor) in self._made or id(tensor) in self.tensors

    def value(self, item: Any) -> Value:
        """A Python value as a document's. Raises ClosedError for what has none."""
        if follows(item):
            return self._size(item)
        whole = self._made.get(id(item)) if isinstance(item, list | tuple | dict) else None
        if whole is not None and self._held[id(item)] == _items(item):
            return whole
        match item:
            case torch.Tensor():
                return self._tensor(item)
            case None | bool() | int() | str():
                return item
            case float():
                return item if math.isfinite(item) else NonFinite(text=str(item))
            case slice():
                return Slice(parts=[self.value(part) for part in (item.start, item.stop, item.step)])
            case torch.Size() | list():
                return [self.value(part) for part in item]
            case tuple():
                return Tuple(items=[self.value(part) for part in item])
            case dict() if all(isinstance(key, str) for key in item):
                return values.Mapping(items={key: self.value(part) for key, part in item.items()})
            case torch.dtype():
                return DType(dtype=str(item).removeprefix("torch."))
            case torch.device():
                return str(item)
            case _ if item is ...:
                return Ellipsis()
            case _ if callable(item) and (name := function_name(item)) is not None:
                return FunctionRef(name=name)
        raise ClosedError(f"a document cannot carry a {'.'.join((type(item).__module__, type(item).__qualname__))}")

    def _tensor(self, tensor: torch.Tensor) -> Ref:
        known = self._made.get(id(tensor))
        if known is not None:
            return known
        names = self.tensors.get(id(tensor), [])
        prefix = f"{self.path}." if self.path else ""
        own = next((name.removeprefix(prefix) for name in names if name.startswith(prefix)), None)
        if own is None and not names and not isinstance(tensor, FakeTensor | nn.Parameter):
            own = self._constant(tensor)
        if own is None:
            where = f"{names[0]}, which belongs to another module" if names else "a tensor that nothing made"
            raise ClosedError(f"{self.path or 'the network'} reads {where} here")
        made = self._add(GetNode(id=self._id(own), target=own))
        self._bind(made, tensor)
        return self._made[id(tensor)]

    def _constant(self, tensor: torch.Tensor) -> str:
        """A name for a tensor that was made outside: that of the attribute which holds it, where one does."""
        for name, known in self.constants.items():
            if known is tensor:
                return name
        held = (name for name, value in vars(self.module).items() if value is tensor and is_identifier(name))
        name = next(held, f"constant_{len(self.constants) + 1}")
        self.constants[name] = tensor
        return name

    def _size(self, wanted: int) -> Value:
        """A size that depends on the batch: read from a tensor that has it, or a multiple of the batch's own."""
        if wanted not in self._sizes:
            self._sizes[wanted] = Ref(ref=self._sized_node(wanted))
        return self._sizes[wanted]

    def _sized_node(self, wanted: int) -> str:
        for tensor in self._sized:
            for axis, size in enumerate(tensor.shape):
                if size == wanted:
                    return self._read_size(self._made[id(tensor)], axis)
        known = [size for tensor in self._sized for size in tensor.shape if follows(size)] + [*self._sizes]
        whole = next((size for size in known if wanted % size == 0), None)
        part = next((size for size in known if size % wanted == 0), None)
        if whole is not None:
            arguments = {"input": self._size(whole), "other": wanted // whole}
            return self._add(FunctionNode(id=self._id("size"), target="operator.mul", arguments=arguments))
        if part is not None:
            arguments = {"input": self._size(part), "other": part // wanted}
            return self._add(FunctionNode(id=self._id("size"), target="operator.floordiv", arguments=arguments))
        raise ClosedError(f"{self.path or 'the network'} computes a size from the batch in a way that has no node")

    def _read_size(self, of: Ref, axis: int) -> str:
        """A node that reads a size, put where a person would: as soon as there is something to read it from."""
        node = FunctionNode(id=self._id("size"), target=SIZE, arguments={"input": of, "dim": axis})
        behind = next((at + 1 for at, other in enumerate(self.nodes) if other.id == of.ref), 0)
        while behind < len(self.nodes) and getattr(self.nodes[behind], "target", "") == SIZE:
            behind += 1
        self.nodes.insert(behind, node)
        return node.id

    def _bind(self, node: str, result: Any) -> None:
        for path, made in _parts(result):
            if type(made) is int:
                self._sizes[made] = Ref(ref=node, path=list(path))
                continue
            self._made[id(made)] = Ref(ref=node, path=list(path))
            self._held[id(made)] = _items(made)
            self._alive.append(made)
            if isinstance(made, torch.Tensor) and not isinstance(made, nn.Parameter):
                self._sized.append(made)

    def _add(self, node: Node) -> str:
        self.nodes.append(node)
        return node.id

    def _id(self, target: str) -> str:
        stem = "".join(part if part.isalnum() else "_" for part in target.rpartition(".")[2]).strip("_") or "n"
        return f"{stem}_{len(self.nodes) + 1}"


def _in_parts(target: str, arguments: Mapping[str, Any], result: Any) -> Mapping[str, Any]:
    """The arguments of ``x.split(64)`` with the sizes of all parts, so that the parts can have names."""
    size = arguments.get("split_size_or_sections", arguments.get("split_size"))
    if target.rpartition(".")[2] != "split" or type(size) is not int or len(result) > PARTS:
        return arguments
    axis = arguments.get("dim", 0)
    sizes = [part.shape[axis] for part in result]
    if any(follows(length) for length in sizes):
        return arguments
    name = "split_size" if "split_size" in arguments else "split_size_or_sections"
    return {**arguments, name: sizes}


def _items(value: Any) -> tuple[int, ...]:
    """The identities of what a list, tuple or dict holds."""
    held = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return tuple(id(item) for item in held)


def follows(value: Any) -> bool:
    """Whether a number is a size that follows from the batch."""
    return type(value) is int and value > 0 and value % BATCH == 0


def _parts(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every tensor in a nested result, and every list, tuple and dict of them, with the way to it."""
    match value:
        case torch.Tensor():
            yield path, value
        case int() if follows(value):
            yield path, value
        case list() | tuple() if value:
            yield path, value
            for index, item in enumerate(value):
                yield from _parts(item, (*path, index))
        case dict() if value:
            yield path, value
            for key, item in value.items():
                yield from _parts(item, (*path, key))
