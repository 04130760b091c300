"""A second way from a document to its results: its nodes run one by one on the modules of a built network.

It shares no code with the writer of the source, so that the two agree only where both are right.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from layerloom.catalogue import find, resolve
from layerloom.graph.places import TRAINING, Environment, Instance, evaluate, instances
from layerloom.schema import values
from layerloom.schema.document import BlockUse, Document, Node
from layerloom.schema.values import Expr, If, Ref, Slice, Tuple, Value


class Interpreter:
    """Runs a document's graphs, taking nothing but leaf modules and tensors from the network."""

    def __init__(self, document: Document, network: nn.Module) -> None:
        self._document, self._network = document, network
        self._instances = instances(document)

    def run(self, *given: Any) -> Any:
        """What ``network(*given)`` should give."""
        names = [item.name for item in self._document.blocks[self._document.main].forward.inputs]
        return self._forward(self._instances[""], dict(zip(names, given, strict=True)))

    def _forward(self, instance: Instance, given: dict[str, Any]) -> Any:
        graph = self._document.blocks[instance.block].forward
        known = {item.name: given.get(item.name) for item in graph.inputs}
        scope = {**instance.environment, TRAINING: self._network.training}
        for node in graph.nodes:
            if node.when is not None and not evaluate(Expr(expr=node.when), scope):
                continue
            known[node.id] = self._node(instance, node, known, scope)
        return _value(graph.output, known, scope)

    def _node(self, instance: Instance, node: Node, known: dict[str, Any], scope: Environment) -> Any:
        if node.op == "get":
            return self._tensor(instance, node.target)
        given = {name: _value(value, known, scope) for name, value in node.arguments.items()}
        match node.op:
            case "function":
                return _function(node.target, given)
            case "call":
                return self._call(instance, node.target, given)
            case "loop":
                carried = given.pop("input")
                for name in self._items(instance, node.target):
                    carried = self._call(instance, name, {"input": carried, **given})
                return carried
        every = {name.rpartition(".")[2]: name for name in self._items(instance, node.target)}
        if node.key is None:
            return {key: self._call(instance, name, given) for key, name in every.items()}
        return self._call(instance, every[_value(node.key, known, scope)], given)

    def _items(self, instance: Instance, path: str) -> list[str]:
        depth = path.count(".") + 1
        return [name for name in instance.places if name.startswith(f"{path}.") and name.count(".") == depth]

    def _call(self, instance: Instance, path: str, given: dict[str, Any]) -> Any:
        member = instance.places[path].member
        if member.kind == "alias":
            return self._call(instance, member.of, given)
        if isinstance(member, BlockUse):
            inner = self._instances[f"{instance.name}.{path}" if instance.name else path]
            names = [item.name for item in self._document.blocks[inner.block].forward.inputs]
            if list(given) == ["input"]:  # from a container, which gives by position
                given = {names[0]: given["input"]}
            return self._forward(inner, given)
        if member.kind == "sequential":
            carried = given["input"]
            for name in self._items(instance, path):
                carried = self._call(instance, name, {"input": carried})
            return carried
        return self._at(instance, path)(**given)

    def _at(self, instance: Instance, path: str) -> nn.Module:
        return self._network.get_submodule(f"{instance.name}.{path}" if instance.name else path)

    def _tensor(self, instance: Instance, path: str) -> Any:
        found: Any = self._network
        for name in [part for part in (*instance.name.split("."), *path.split(".")) if part]:
            found = (
                found[int(name)] if name.isdecimal() and isinstance(found, nn.ParameterList) else getattr(found, name)
            )
        return found


def _function(target: str, given: dict[str, Any]) -> Any:
    entry = find(target)
    assert entry is not None
    first, *_ = (spec.name for spec in entry.parameters if spec.name in given)
    if target.startswith("operator."):
        return resolve(target)(*given.values())
    return resolve(target)(given.pop(first), **given)


def _value(value: Value, known: dict[str, Any], scope: Environment) -> Any:
    match value:
        case Ref(ref=name, path=path):
            found = known[name]
            for step in path:
                found = found[step]
            return found
        case list():
            return [_value(item, known, scope) for item in value]
        case Tuple(items=items):
            return tuple(_value(item, known, scope) for item in items)
        case values.Mapping(items=mapping):
            return {key: _value(item, known, scope) for key, item in mapping.items()}
        case Slice(parts=parts):
            return slice(*(_value(part, known, scope) for part in parts))
        case Expr():
            return evaluate(value, scope)
        case If(test=test, then=then, otherwise=otherwise):
            return _value(then if evaluate(Expr(expr=test), scope) else otherwise, known, scope)
    return evaluate(value, {})


def equal(one: Any, other: Any) -> bool:
    """Whether two results are the same, bit for bit; NaN is itself."""
    if isinstance(one, torch.Tensor):
        return (
            isinstance(other, torch.Tensor)
            and one.dtype == other.dtype
            and torch.equal(one.nan_to_num(), other.nan_to_num())
        )
    if isinstance(one, dict):
        return list(one) == list(other) and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, tuple | list):
        return type(one) is type(other) and len(one) == len(other) and all(map(equal, one, other))
    return bool(one == other)
