"""The graph of a forward while it is read: its nodes, its local names, and the members that these lead to."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from layerloom.catalogue import find
from layerloom.graph.errors import GraphError
from layerloom.graph.importing.python.errors import not_plain
from layerloom.graph.importing.python.names import UNROLLED, Names, self_path
from layerloom.graph.places import TRAINING
from layerloom.graph.walk import steps
from layerloom.schema.document import (
    CONTAINERS,
    BlockUse,
    Buffer,
    CallNode,
    ChooseNode,
    Document,
    FunctionNode,
    GetNode,
    Layer,
    Node,
    Parameter,
    Repeat,
)
from layerloom.schema.values import Arguments, Mapping, Ref, Tuple, Value

_SEQUENCES = frozenset({"shape", "size", "chunk", "split", "tensor_split", "unbind", "split_with_sizes", "meshgrid"})
"""Operations that give a list: ``[0]`` of it is a part, and not an index into a tensor."""


@dataclass(frozen=True)
class MemberName:
    """A local name of a member: the variable of a loop that is written out."""

    path: str


@dataclass
class Drawing:
    """What is known while one forward is read. ``document`` has the members of its block, and all blocks of those."""

    document: Document
    block: str
    names: Names
    functions: dict[str, str]
    notes: list[str]
    nodes: list[Node] = field(default_factory=list)
    _local: dict[str, Any] = field(default_factory=dict)
    _ids: set[str] = field(default_factory=set)
    _made: dict[str, Node] = field(default_factory=dict)
    _gets: dict[str, Ref] = field(default_factory=dict)
    _when: str | None = None

    # --- members

    def _get(self, node: ast.expr, path: str) -> Ref:
        try:
            steps(self.document, self.block, path)
        except GraphError:
            raise not_plain(node, f"nothing that __init__ registers is called {path}") from None
        if path not in self._gets:
            self._gets[path] = self._add(GetNode(id=self._id(path.rpartition(".")[2]), target=path), when=False)
        return self._gets[path]

    def _path(self, node: ast.expr) -> str | None:
        """The path of a member, loop variables followed."""
        match node:
            case ast.Name(id=name):
                found = self._local.get(name)
                return found.path if isinstance(found, MemberName) else None
            case ast.Attribute(value=ast.Name(id=name) as inner, attr=attribute) if name != "self":
                before = self._path(inner)
                return None if before is None else f"{before}.{attribute}"
        found = self_path(self._known(node))
        if found is None or found.partition(".")[0] not in {m.name for m in self.document.blocks[self.block].members}:
            return None
        return found

    def _known(self, node: ast.expr) -> ast.expr:
        """``self.layers[i]`` with the number that the variable of a loop stands for."""
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Name):
            index = self.names.constants.get(node.slice.id)
            if isinstance(index, ast.Constant):
                return ast.Subscript(value=self._known(node.value), slice=index)
        if isinstance(node, ast.Attribute):
            return ast.Attribute(value=self._known(node.value), attr=node.attr)
        return node

    def _is_tensor(self, node: ast.expr) -> bool:
        """Whether an expression is a parameter or buffer, whose attributes are a tensor's."""
        path = self._path(node)
        try:
            member = steps(self.document, self.block, path)[-1].member if path is not None else self
        except GraphError:
            return False
        return member is None or isinstance(member, Parameter | Buffer)

    def _holds(self, value: Ref) -> bool:
        """Whether a value is a tuple, list or dict of tensors, and no tensor."""
        node = self._made.get(value.ref)
        match node:
            case FunctionNode(target=target, arguments=arguments):
                name = target.rpartition(".")[2]
                if name == "size" and "dim" in arguments:
                    return False
                entry = find(target)
                several = entry is not None and any(port.path for port in entry.outputs)
                return not value.path and (name in _SEQUENCES or several)
            case ChooseNode(key=None):
                return not value.path
            case CallNode(target=target):
                member = steps(self.document, self.block, target)[-1].member
                if isinstance(member, BlockUse):
                    return isinstance(
                        _part(self.document.blocks[member.block].forward.output, value.path), Tuple | Mapping | list
                    )
                entry = find(member.target) if isinstance(member, Layer) else None
                paths = [port.path for port in entry.outputs] if entry else []
                return any(path[: len(value.path)] == value.path and len(path) > len(value.path) for path in paths)
        return False

    # --- nodes

    def _function(self, target: str, arguments: Arguments) -> Ref:
        stem = "out" if target.startswith("operator.") else target.rpartition(".")[2]
        return self._add(FunctionNode(id=self._id(stem), target=target, arguments=arguments))

    def _add(self, node: Node, when: bool = True) -> Ref:
        made = node.model_copy(update={"when": self._when}) if when and self._when else node
        self.nodes.append(made)
        self._made[made.id] = made
        return Ref(ref=made.id)

    def _id(self, stem: str) -> str:
        candidate, number = stem, 1
        while candidate in self._ids:
            number += 1
            candidate = f"{stem[:60]}_{number}"
        self._ids.add(candidate)
        return candidate

    # --- loops of known length

    def _container(self, iterable: ast.expr) -> str | None:
        match iterable:
            case ast.Call(func=ast.Attribute(value=inner, attr="values" | "children"), args=[], keywords=[]):
                return self._path(inner)
        return self._path(iterable)

    def _rounds(self, target: ast.expr, iterable: ast.expr) -> Iterator[dict[str, Any]]:
        """The values of a loop's variables, round by round, where they are known."""
        items = self._listed(iterable)
        if len(items) > UNROLLED:
            raise not_plain(iterable, f"a loop of more than {UNROLLED} rounds is not written out")
        for item in items:
            yield dict(_matched(target, item))

    def _listed(self, iterable: ast.expr) -> list[Any]:
        match iterable:
            case ast.Call(func=ast.Name(id="enumerate"), args=[inner], keywords=[]):
                return [(ast.Constant(index), item) for index, item in enumerate(self._listed(inner))]
            case ast.Call(func=ast.Name(id="zip"), args=inners, keywords=[]):
                return list(zip(*map(self._listed, inners), strict=False))
            case ast.Call(func=ast.Name(id="reversed"), args=[inner], keywords=[]):
                return self._listed(inner)[::-1]
            case ast.Call(func=ast.Attribute(value=inner, attr="items"), args=[], keywords=[]):
                return [(ast.Constant(member.path.rpartition(".")[2]), member) for member in self._listed(inner)]
            case ast.Call(func=ast.Name(id="range"), args=[ast.Constant(value=int() as count)], keywords=[]):
                return [ast.Constant(index) for index in range(min(count, UNROLLED + 1))]
        path = self._container(iterable)
        member = steps(self.document, self.block, path)[-1].member if path is not None else None
        if not isinstance(member, CONTAINERS) or any(isinstance(item, Repeat) for item in member.items):
            raise not_plain(iterable, "what this loop runs over cannot be known without running the code")
        return [MemberName(f"{path}.{item.name}") for item in member.items if not isinstance(item, Repeat)]

    def _bind(self, name: str, value: Any) -> None:
        """Let a local name stand for a value, or for an expression over arguments."""
        self.names.constants.pop(name, None)
        self._local.pop(name, None)
        if isinstance(value, ast.expr):
            self.names.constants[name] = value
        else:
            self._local[name] = value

    def _condition(self, test: ast.expr) -> str:
        names = self.names.inside([TRAINING])
        names.constants["self.training"] = ast.Name(id=TRAINING)
        try:
            return names.expression(test).expr
        except ValueError:
            raise not_plain(test, "a condition on what flows through the network cannot be read") from None


def uses(node: ast.expr, local: Collection[str]) -> bool:
    return any(isinstance(part, ast.Name) and part.id in local for part in ast.walk(node))


def _matched(target: ast.expr, item: Any) -> Iterator[tuple[str, Any]]:
    match target, item:
        case ast.Name(id=name), _:
            yield name, item
        case ast.Tuple(elts=targets), tuple() if len(targets) == len(item):
            for inner, part in zip(targets, item, strict=True):
                yield from _matched(inner, part)
        case _:
            raise not_plain(target, "the variables of this loop cannot be read")


def _part(value: Value, path: list[int | str]) -> Value:
    for key in path:
        match value:
            case Tuple(items=items) | list(items) if isinstance(key, int):
                value = items[key] if -len(items) <= key < len(items) else None
            case Mapping(items=named) if isinstance(key, str):
                value = named.get(key)
            case _:
                return None
    return value
