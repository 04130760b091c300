"""What one forward reads: which nodes run, who reads them, and which two of them are one variable to a person.

A person writes ``x = f(x)`` under an ``if`` and goes on with ``x``. In a graph this is a node that runs under the
condition, and a choice between it and what was there before wherever that is read. Where the two can share a variable,
the choice needs no words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from layerloom.graph.source.calls import placed_beside
from layerloom.graph.source.lists import Grown, grown, key
from layerloom.graph.walk import SET_ITEM, argument_values, changes, order, references, steps
from layerloom.schema.document import (
    CONTAINERS,
    BlockUse,
    CallNode,
    ChooseNode,
    Container,
    Document,
    FunctionNode,
    Graph,
    LoopNode,
    Node,
    Repeat,
)
from layerloom.schema.values import If, Ref, Value, children, refs

Path = tuple[int | str, ...]
Use = tuple[int, Path]
"""Who reads something (an index; the output counts as the last node) and which part of it."""


@dataclass
class Reading:
    """The nodes of a forward that run, and what is read of each."""

    graph: Graph
    nodes: list[Node]
    uses: dict[str, list[Use]] = field(default_factory=dict)
    chosen: set[str] = field(default_factory=set)
    """What is read inside a choice: it is computed in front of it, whichever side is taken."""
    joined: dict[str, str] = field(default_factory=dict)
    """Nodes that take the variable of an earlier node, or of an input."""
    lists: list[Grown] = field(default_factory=list)
    """Lists that have a variable, to which results are appended."""

    @classmethod
    def of(cls, document: Document, block: str) -> Reading:
        """All of it, for the forward of one block."""
        graph = document.blocks[block].forward
        reading = cls(graph, _needed(graph))
        reading._join()
        reading.lists = grown(reading.nodes, graph.output, lambda node: _gives_back(document, block, node))
        reading.uses = reading._counted()
        for at, node in enumerate(reading.nodes):
            beside = placed_beside(document, block, node)
            if beside is not None:
                reading.uses[beside] = sorted([*reading.uses.get(beside, []), (at, ())])
        reading.chosen = {ref.ref for choice in reading._choices() for ref in refs(choice)}
        reading.chosen |= set(reading.joined) | set(reading.joined.values())
        return reading

    def last(self, name: str, path: Path = ()) -> int:
        """Index of the node that reads this part for the last time."""
        return max((at for at, other in self.uses.get(name, []) if other[: len(path)] == path), default=-1)

    def grown(self, value: Value) -> Grown | None:
        """The list that has a variable, of which a value is what it holds at its place."""
        items = key(value) if self.lists else None
        if items is None:
            return None
        return next((it for it in self.lists if len(items) in it.lengths and it.items[: len(items)] == items), None)

    def appended(self, name: str) -> Grown | None:
        """The list that a node's result is appended to."""
        return next((it for it in self.lists if (name, ()) in it.items[it.first :]), None)

    def choice(self, value: If) -> Ref | None:
        """The one node whose variable holds what is chosen, if the two sides share one."""
        if not self.joined:
            return None
        if id(value) not in self._known:  # choices stand inside one another, and each is looked at from outside, too
            self._known[id(value)] = self._one(value)
        return self._known[id(value)]

    def _one(self, value: If) -> Ref | None:
        for then, otherwise, test in _sides(value, self.choice):
            for later, earlier, negated in ((then, otherwise, False), (otherwise, then, True)):
                if self.joined.get(later.ref) == earlier.ref and _runs(self._by_id.get(later.ref), test, negated):
                    return later
        return None

    # --- two nodes as one variable

    def __post_init__(self) -> None:
        self._by_id = {node.id: node for node in self.nodes}
        self._known: dict[int, Ref | None] = {}

    def _values(self) -> Iterator[tuple[int, Value]]:
        for at, node in enumerate(self.nodes):
            for _, value in argument_values(node):
                yield at, value
        yield len(self.nodes), self.graph.output

    def _choices(self) -> Iterator[If]:
        """The choices that are left to be written."""
        for _, value in self._values():
            yield from (part for part in _walk(value, self.choice) if isinstance(part, If))

    def _join(self) -> None:
        """Find one pair after the other: a choice between two nodes may become a side of the next one."""
        places = {given.name: -1 for given in self.graph.inputs} | {node.id: at for at, node in enumerate(self.nodes)}
        while sum(self._join_one(choice, places) for choice in list(self._choices())):
            pass

    def _join_one(self, choice: If, places: dict[str, int]) -> bool:
        for then, otherwise, test in _sides(choice, self.choice):
            if then.ref not in places or otherwise.ref not in places:
                continue
            negated = places[otherwise.ref] > places[then.ref]
            later, earlier = (otherwise, then) if negated else (then, otherwise)
            node = self._by_id.get(later.ref)
            if node is None or later.ref in self.joined or not _runs(node, test, negated):
                continue
            if self._may_share(node, places[later.ref], earlier.ref):
                self.joined[later.ref] = earlier.ref
                self._known.clear()
                return True
        return False

    def _may_share(self, later: Node, at: int, earlier: str) -> bool:
        """Whether the earlier one's variable may be given to the later one."""
        if not isinstance(later, CallNode | FunctionNode) or getattr(later, "target", "") == SET_ITEM:
            return False
        before = self._by_id.get(earlier)
        if before is not None and getattr(before, "target", "") == SET_ITEM:
            return False
        hint = earlier if before is None else before.name
        if later.name is not None and later.name != hint:
            return False
        if any(_sets(node, earlier) for node in self.nodes):
            return False  # what was written to shares the variable, too
        if earlier in self.joined.values():
            return False
        self.joined[later.id] = earlier
        self._known.clear()
        uses = self._counted()
        del self.joined[later.id]
        self._known.clear()
        if any(path for name in (later.id, earlier) for _, path in uses.get(name, [])):
            return False
        return all(
            use <= at or (use < len(self.nodes) and _against(self.nodes[use].when, later.when))
            for use, _ in uses.get(earlier, [])
        )

    def _counted(self) -> dict[str, list[Use]]:
        found: dict[str, list[Use]] = {node.id: [] for node in self.nodes}
        for at, value in self._values():
            for part in _walk(value, self.choice, self.grown):
                if isinstance(part, Ref):
                    found.setdefault(part.ref, []).append((at, tuple(part.path)))
        for made in self.lists:
            for name, path in made.items[: made.first]:
                found[name] = sorted([*found.get(name, []), (made.start, path)])
        for at, node in enumerate(self.nodes):
            if node.id in self.joined:  # until then the variable is not to be given away
                found[self.joined[node.id]] = sorted([*found.get(self.joined[node.id], []), (at, ())])
        return found


def _sets(node: Node, name: str) -> bool:
    """Whether a node writes into a value."""
    return isinstance(node, FunctionNode) and node.target == SET_ITEM and name in references(node)


def _gives_back(document: Document, block: str, node: Node) -> bool:
    """Whether a call may give what it was given, as it is."""
    if not isinstance(node, CallNode | ChooseNode | LoopNode):
        return False
    called: Any = steps(document, block, node.target)[-1].member
    for member in _items(called) if isinstance(called, CONTAINERS) else [called]:
        if not isinstance(member, BlockUse):
            continue
        graph = document.blocks[member.block].forward
        inner = {node.id: node for node in graph.nodes}
        for ref in refs(graph.output):
            if ref.ref not in inner or _gives_back(document, member.block, inner[ref.ref]):
                return True
    return False


def _items(container: Container) -> Iterator[Any]:
    """What is called when a container is, those of containers inside it, too."""
    for item in container.items:
        part: Any = item
        while isinstance(part, Repeat):
            part = part.item
        if isinstance(part, CONTAINERS):
            yield from _items(part)
        else:
            yield part


def _needed(graph: Graph) -> list[Node]:
    """The nodes that the output needs, or that change something, in the order in which they run.

    What is connected to nothing does not run.
    """
    ordered = order(graph)
    needed = {ref.ref for ref in refs(graph.output)}
    for node in reversed(ordered):
        if changes(node):
            needed.add(node.id)
        if node.id in needed:
            needed.update(references(node))
    return [node for node in ordered if node.id in needed]


def _walk(
    value: Value, joined: Callable[[If], Ref | None], listed: Callable[[Value], object] = lambda _: None
) -> Iterator[Value]:
    """A value and everything inside it, where what one variable holds is just that variable."""
    if listed(value) is not None:
        return
    if isinstance(value, If):
        ref = joined(value)
        if ref is not None:
            yield ref
            return
    yield value
    for child in children(value):
        yield from _walk(child, joined, listed)


def _sides(choice: If, joined: Callable[[If], Ref | None]) -> Iterator[tuple[Ref, Ref, str]]:
    """The two nodes between which a choice is, and the test; of a choice inside one, both tests together."""

    def whole(value: Value) -> Ref | None:
        ref = joined(value) if isinstance(value, If) else value
        return ref if isinstance(ref, Ref) and not ref.path else None

    then, otherwise = whole(choice.then), whole(choice.otherwise)
    if then is not None and otherwise is not None:
        if then.ref != otherwise.ref:
            yield then, otherwise, choice.test
    elif isinstance(choice.then, If) and otherwise is not None:
        inner, other = whole(choice.then.then), whole(choice.then.otherwise)
        if inner is not None and other is not None and inner.ref != otherwise.ref == other.ref:
            yield inner, other, f"{choice.test} and {choice.then.test}"


def _negations(test: str) -> tuple[str, str]:
    return f"not {test}", f"not ({test})"


def _runs(node: Node | None, test: str, negated: bool) -> bool:
    """Whether a node runs under just this condition."""
    return node is not None and node.when in (_negations(test) if negated else (test,))


def _against(one: str | None, other: str | None) -> bool:
    """Whether of two conditions one holds just where the other does not."""
    return one is not None and other is not None and (one in _negations(other) or other in _negations(one))
