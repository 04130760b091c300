"""What a person would call a value: by what it is for, by the layer that made it, or by the operation.

Nothing here looks at ids or at which variables are taken, so that a text that is read again gets the same names.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from layerloom.catalogue import find
from layerloom.graph.source.calls import inputs
from layerloom.graph.source.parts import parts
from layerloom.graph.source.reading import Path, Reading
from layerloom.graph.source.variables import CARRIED, Called, counted, speaking
from layerloom.graph.source.words import FIRM, FLOWS, FRESH, MASKS, NOISE, NOUNS, SILENT, letter, numbered, word
from layerloom.graph.walk import argument_values, steps
from layerloom.schema.catalogue import Entry
from layerloom.schema.document import (
    BlockUse,
    CallNode,
    ChooseNode,
    Document,
    FunctionNode,
    GetNode,
    Layer,
    LoopNode,
    Node,
)
from layerloom.schema.values import Expr, Mapping, Ref, Tuple, Value, refs


class _Made(NamedTuple):
    """What something is called by its maker."""

    name: str = ""
    firm: bool = False
    """Whether that says more than ``out`` does: ``conv2`` is a place in a row."""
    sure: bool = False
    """Whether that is better than ``x``, too."""


@dataclass(frozen=True)
class _Roles:
    """Under which names a value is given on."""

    names: frozenset[str] = frozenset()
    carried: bool = False
    """Whether it is also what simply goes on, as the first argument of a module."""

    def __or__(self, other: _Roles) -> _Roles:
        return _Roles(self.names | other.names, self.carried or other.carried)


class Naming:
    """Names for the values of one forward."""

    def __init__(
        self, document: Document, block: str, reading: Reading, others: dict[str, Naming] | None = None
    ) -> None:
        self._document, self._block, self._reading = document, block, reading
        self._others = {} if others is None else others
        """Of the blocks that are called."""
        self._nodes = {node.id: node for node in reading.nodes}
        self._at = {node.id: at for at, node in enumerate(reading.nodes)}
        self._inputs = {given.name for given in reading.graph.inputs}
        self._callers: dict[tuple[str, Path], list[CallNode]] = {}
        self._related: dict[str, frozenset[str]] = {name: frozenset({name}) for name in self._inputs}
        self._numbers: dict[str, str] = {}
        self._made: dict[tuple[str, Path], _Made] = {}
        self._roles: dict[tuple[str, Path], _Roles] = {}
        self._ends: dict[str, int] = {}
        for node in reading.nodes:
            self._numbers[node.id] = self._counts(node)
            self._related[node.id] = self._relations(node)
            if isinstance(node, CallNode):
                for ref in _given(node):
                    self._callers.setdefault((ref.ref, tuple(ref.path)), []).append(node)
        for node in reversed(reading.nodes):  # each looks ahead at its readers
            self._ends[node.id] = self._end(node)
            for path in self._paths(node):
                self._roles[node.id, path] = self._role(node.id, path)
        for node in reading.nodes:  # and back at its sources
            for path in self._paths(node):
                role = self._given_as(node, path)
                made = self._part(node, path) if path else self._whole(node)
                self._made[node.id, path] = _Made(role, True) if role else made
        self._alike = Counter(called.name or called.otherwise for called in map(self.called, reading.nodes))

    def called(self, node: Node, path: Path = ()) -> Called:
        """What the result of a node, or a part of it, is called."""
        count = self._number(Ref(ref=node.id, path=list(path)))
        if count:
            return Called(count, sure=True)
        made = self._made.get((node.id, path), _Made())
        if not self.may_take(node, made.name):
            made = _Made()
        if isinstance(node, LoopNode):
            return Called()
        if made.name and not path and (made.sure or self._branch(node) or not self._related[node.id]):
            return Called(made.name, sure=True)
        roles = self._roles.get((node.id, path), _Roles()).names
        role = next(iter(roles)) if len(roles) == 1 else ""
        sure = bool(role) and role == self._given_as(node, path)
        return Called(role or (made.name if made.firm else ""), sure, made.name)

    def sample(self, node: Node, path: Path = ()) -> str:
        """A name as long as that of the variable will be at most; of two with one name, one is counted."""
        called = self.called(node, path)
        name = called.name or called.otherwise or "x"
        return name if path or self._alike[name] < 2 else f"{name}_{self._alike[name]}"

    def may_take(self, node: Node, name: str) -> bool:
        """Whether the value may be called as an input is: only one that was made from it."""
        return name not in self._inputs or name in self._related[node.id]

    def follows(self, node: Node) -> bool:
        """Whether the value was made from an input at all: nothing else is an ``x``."""
        return bool(self._related[node.id]) and not self._number(Ref(ref=node.id))

    def _paths(self, node: Node) -> set[Path]:
        return {(), *(path for _, path in self._reading.uses.get(node.id, []))}

    # --- what it is

    def _number(self, value: Value) -> str:
        """What a size is called; nothing for a tensor."""
        node = self._nodes.get(value.ref) if isinstance(value, Ref) else None
        if not isinstance(node, FunctionNode) or not isinstance(value, Ref):
            return ""
        if value.path and node.target.rpartition(".")[2] in ("size", "shape") and "dim" not in node.arguments:
            return "batch" if value.path[0] == 0 else "size"
        return "" if value.path else self._numbers.get(value.ref, "")

    def _counts(self, node: Node) -> str:
        """What the whole of a node's result is called, if it is a size."""
        if not isinstance(node, FunctionNode):
            return ""
        label = node.target.rpartition(".")[2]
        if label == "numel":
            return "count"
        if label == "size":
            axis = node.arguments.get("dim")
            return "" if axis is None else "batch" if axis == 0 else "size"
        operands = list(node.arguments.values()) if node.target.startswith("operator.") else []
        counted = all(isinstance(item, int | float | Expr) or self._number(item) for item in operands)
        return "size" if counted and any(self._number(item) for item in operands) else ""

    def _relations(self, node: Node) -> frozenset[str]:
        """The inputs whose numbers are in a value."""
        if isinstance(node, FunctionNode):
            label = node.target.rpartition(".")[2]
            if _category(node) in FRESH or label in ("size", "shape", "numel"):
                return frozenset()
        return frozenset[str]().union(*(self._related.get(ref.ref, frozenset()) for ref in _given(node)))

    # --- by what it is for

    def _role(self, name: str, path: Path) -> _Roles:
        found = _Roles()
        for at, other in self._reading.uses.get(name, []):
            if other == path:
                found |= self._role_at(at, Ref(ref=name, path=list(path)))
        related = self._related[name]
        return _Roles(
            frozenset(role for role in found.names if role not in self._inputs or role in related), found.carried
        )

    def _given_as(self, node: Node, path: Path) -> str:
        """The one name under which a value is given on, where that is all that is done with it."""
        roles = self._roles.get((node.id, path), _Roles())
        return next(iter(roles.names)) if len(roles.names) == 1 and not roles.carried else ""

    def _role_at(self, at: int, value: Ref) -> _Roles:
        if at == len(self._reading.nodes):
            output = self._reading.graph.output
            items = output.items if isinstance(output, Mapping) else {}
            return _Roles(frozenset(key for key, item in items.items() if item == value and speaking(key)))
        node = self._reading.nodes[at]
        found = _Roles()
        for key, given in argument_values(node):
            if given != value:
                continue
            if isinstance(node, FunctionNode) and node.target.rpartition(".")[2] in NOISE:
                found |= _Roles(frozenset({"noise"}))
            elif key == _source(node) and self._flows(node):
                whole = not isinstance(node, CallNode) or not self._tensors(node)
                found |= self._roles[node.id, ()] if whole else _Roles(carried=True)
            elif self._goes_through(node, key):
                found |= _Roles(carried=True)
            elif key not in SILENT and len(key) > 2 and speaking(key):
                found |= _Roles(frozenset({key}))
        return found

    def _goes_through(self, node: Node, key: str) -> bool:
        """Whether an argument is the one that goes through a module: the first, unless its name speaks."""
        if isinstance(node, LoopNode | ChooseNode):
            return key in ("input", "key")
        if not isinstance(node, CallNode):
            return False
        member = steps(self._document, self._block, node.target)[-1].member
        taken = inputs(self._document, member)
        return bool(taken) and taken[0].name == key and (isinstance(member, BlockUse) or key in SILENT)

    # --- by what made it

    def _maker(self, given: Value) -> _Made:
        return self._made.get((given.ref, tuple(given.path)), _Made()) if isinstance(given, Ref) else _Made()

    def _whole(self, node: Node) -> _Made:
        if isinstance(node, GetNode):
            return _Made(word(node.target), True)
        shared = self._reading.joined.get(node.id)
        if shared is not None:
            return self._maker(Ref(ref=shared))
        if node.name and node.name not in CARRIED and not counted(node.name):
            return _Made(node.name, True)
        if isinstance(node, ChooseNode):
            return _Made(node.key, True) if isinstance(node.key, str) and speaking(node.key) else _Made()
        if isinstance(node, LoopNode):
            return _Made()
        if self._flows(node):
            return self._flown(node, node.arguments.get(_source(node)))
        if isinstance(node, CallNode):
            name = word(node.target)
            if any(path and isinstance(path[0], str) for _, path in self._reading.uses[node.id]):
                return _Made(f"{name}_outputs" if name else "outputs", True)
            return _Made(name, not numbered(node.target))
        return self._by_function(node)

    def _flown(self, node: Node, given: Value) -> _Made:
        made = self._maker(given)
        if isinstance(node, FunctionNode) and node.target == "operator.getitem" and isinstance(given, Ref):
            made = made._replace(name=made.name.removesuffix("_table"))  # what is looked up in a table is none
            index = node.arguments.get("index")
            initial = letter(made.name, index, self._rows(given)) if isinstance(index, int) else ""
            return _Made(initial, True, True) if initial else made
        return made

    def _rows(self, given: Ref) -> int:
        """How many rows are taken out of a value, one by one and nothing else; zero where that is not so."""
        rows = set()
        for at, path in self._reading.uses.get(given.ref, []):
            node = self._reading.nodes[at] if at < len(self._reading.nodes) else None
            if path != tuple(given.path) or not isinstance(node, FunctionNode) or node.target != "operator.getitem":
                return 0
            index = node.arguments["index"]
            rows.add(index if isinstance(index, int) else None)
        return len(rows) if rows == set(range(len(rows))) else 0

    def _by_function(self, node: FunctionNode) -> _Made:
        label = node.target.rpartition(".")[2].strip("_")
        if node.target.rpartition(".")[2] in MASKS:
            return _Made("mask", True)
        for value in node.arguments.values():  # F.linear(x, self.qkv.weight) gives a qkv
            used = self._nodes.get(value.ref) if isinstance(value, Ref) else None
            if isinstance(used, GetNode) and used.target.endswith(".weight"):
                name = word(used.target.removesuffix(".weight"))
                return _Made(name, not numbered(used.target.removesuffix(".weight")))
        if _category(node) == "pooling":
            return _Made("pooled")
        label = label.removeprefix("new_").removesuffix("_like")
        noun = NOUNS.get(label, label)
        return _Made(noun, _category(node) in FIRM) if speaking(noun) else _Made()

    def _part(self, node: Node, path: Path) -> _Made:
        """The name of one of the parts that a result has."""
        level = made = parts(self._document, self._block, node)
        name = ""
        for place in path:
            if not isinstance(place, int) or not 0 <= place < len(level):
                return _Made()
            name, level = level[place]
        index = path[0]
        if name and name not in CARRIED:
            return _Made(name, True)
        if len(path) > 1 or not isinstance(index, int) or isinstance(node, GetNode):
            return _Made()
        if isinstance(node, CallNode):
            return self._returned(node, index)
        initial = letter(self._maker(node.arguments.get("input")).name, index, len(made))
        return _Made(initial, bool(initial), bool(initial))

    def _returned(self, node: CallNode, index: int) -> _Made:
        """What the called block itself calls a part of its result."""
        member = steps(self._document, self._block, node.target)[-1].member
        if not isinstance(member, BlockUse):
            return _Made()
        inner = self._others.get(member.block)
        if inner is None:
            reading = Reading.of(self._document, member.block)
            inner = self._others[member.block] = Naming(self._document, member.block, reading, self._others)
        output = inner._reading.graph.output
        item = output.items[index] if isinstance(output, Tuple) else None
        if isinstance(item, Ref) and item.ref in inner._inputs:
            told = speaking(item.ref) and item.ref not in CARRIED
            return _Made(item.ref, True) if told else _Made()
        known = inner._nodes.get(item.ref) if isinstance(item, Ref) else None
        called = inner.called(known, tuple(item.path)) if known is not None and isinstance(item, Ref) else Called()
        return _Made(called.name or called.otherwise, True)

    # --- the way of a value

    def _flows(self, node: Node) -> bool:
        """Whether a node's result is still what it was given, only changed."""
        if isinstance(node, FunctionNode):
            label = node.target.rpartition(".")[2]
            entry = find(node.target)
            first = entry.parameters[0].name if entry is not None and entry.parameters else ""
            return _category(node) in FLOWS and first == "input" and label not in NOUNS
        if not isinstance(node, CallNode):
            return False
        entry = self._entry(node)
        return entry is not None and (not entry.tensors or entry.category == "normalization")

    def _tensors(self, node: CallNode) -> bool:
        """Whether what is called has parameters."""
        entry = self._entry(node)
        return entry is None or bool(entry.tensors)

    def _entry(self, node: CallNode) -> Entry | None:
        member = steps(self._document, self._block, node.target)[-1].member
        return find(member.target) if isinstance(member, Layer) else None

    def _branch(self, node: Node) -> bool:
        """Whether a call is one of several on the same value whose results stand side by side.

        Of two that do so, the one that is used up sooner is the main road.
        """
        if self._listed(node):
            return True
        if not isinstance(node, CallNode):
            return False
        at, end = self._at[node.id], self._ends[node.id]
        others = {other.id: other for ref in _given(node) for other in self._callers[ref.ref, tuple(ref.path)]}
        return any(
            other.target != node.target and self._at[other.id] < end and at < self._ends[other.id] <= end
            for other in others.values()
        )

    def _listed(self, node: Node) -> bool:
        """Whether a value is one of several in a row: the branches that are joined in the end."""
        for at, path in self._reading.uses.get(node.id, []):
            if at == len(self._reading.nodes) or path:
                continue
            for _, value in argument_values(self._reading.nodes[at]):
                items = value.items if isinstance(value, Tuple) else value
                if isinstance(items, list) and Ref(ref=node.id) in items:
                    made = {item.ref for item in items if isinstance(item, Ref) and item.ref in self._nodes}
                    if len(made) > 2 and len(
                        {self._made[name, ()].name for name in made if (name, ()) in self._made}
                    ) == len(made):
                        return True
        return False

    def _end(self, node: Node) -> int:
        """The index of the node at which a value is used up, in whatever shape."""
        last = self._reading.last(node.id)
        for at, _ in self._reading.uses.get(node.id, []):
            reader = self._reading.nodes[at] if at < len(self._reading.nodes) else None
            if isinstance(reader, FunctionNode) and self._flows(reader):
                last = max(last, self._ends[reader.id])
        return last


def _given(node: Node) -> list[Ref]:
    return [ref for _, value in argument_values(node) for ref in refs(value)]


def _category(node: FunctionNode) -> str:
    entry = find(node.target)
    return entry.category if entry is not None else ""


def _source(node: Node) -> str:
    """The argument that flows through a node."""
    if isinstance(node, FunctionNode) and node.target.startswith("operator."):
        return "input" if isinstance(node.arguments.get("input"), Ref) else "other"
    return "input"
