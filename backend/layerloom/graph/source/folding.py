"""Nodes as expressions, and those that become part of a larger one.

A node becomes part of a larger expression where a person would write it so: when it is read once, the line stays
short, and Python evaluates the whole in the very order of the nodes (two dropouts draw their random numbers in turn).

Nodes that are not yet written stand in ``_pending`` in the order in which they run. Before any statement is written,
everything pending that is no part of it is written in front of it; so no expression ever moves past another.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from layerloom.graph import code
from layerloom.graph.code import Code
from layerloom.graph.source.calls import evaluated_often, item_inputs, write_call
from layerloom.graph.source.lists import Items
from layerloom.graph.source.members import access
from layerloom.graph.source.naming import Naming
from layerloom.graph.source.parts import Parts, may_give_fewer, parts, within
from layerloom.graph.source.reading import Path, Reading
from layerloom.graph.source.values import Values
from layerloom.graph.source.variables import singular, unlike
from layerloom.schema.document import ChooseNode, Document, FunctionNode, GetNode, Graph, Node
from layerloom.schema.values import Ref, Value

CALLS_DEEP = 3
"""Calls inside one another on a line."""
LINE = 76
"""Longest expression, in columns, that others are folded into."""


@dataclass(frozen=True)
class Written:
    """A node as an expression that is not yet part of a statement."""

    node: Node
    at: int
    code: Code
    deep: int
    reads: tuple[str, ...]
    """Variables in it, in the order of their evaluation."""
    sample: Code
    """The same with the names that the variables should have, by which its length is judged: a text that is read again
    has names for more of them, and is to be folded in the same way."""


class Folding:
    """The expressions of one forward. What becomes a statement is written by ``_assign``."""

    def __init__(self, document: Document, name: str, values: Values) -> None:
        self._document, self._name = document, name
        self._graph: Graph = document.blocks[name].forward
        self._reading = Reading.of(document, name)
        self._values = replace(values, choice=self._reading.choice, listed=self._list)
        self._lists: dict[Items, str] = {}
        """Variables of lists that grow."""
        self._nodes, self._uses = self._reading.nodes, self._reading.uses
        self._naming = Naming(document, name, self._reading)
        self._ids = {node.id: node for node in self._nodes}
        self._bound: dict[str, dict[Path, str]] = {}
        self._pending: list[Written] = []

    @abstractmethod
    def _assign(self, written: Written) -> None:
        """Write an expression as a statement, so that its value has a variable."""

    def _flush(self, count: int) -> None:
        """Write the first ``count`` pending expressions as statements."""
        ready, self._pending = self._pending[:count], self._pending[count:]
        for written in ready:
            self._assign(written)

    def _add(self, node: Node, at: int) -> None:
        """Let a node wait for the one that reads it, or write it."""
        written = self._fold(node, at)
        self._pending.append(written)
        if not self._stays_pending(written):
            self._flush(len(self._pending))

    def _fold(self, node: Node, at: int) -> Written:
        """The node's expression, with as many of the last pending ones inside it as order and length allow."""
        seen: list[str] = []
        self._write(node, at, frozenset(), seen)
        inside = self._foldable(node, at, seen)
        others = len(self._pending) - len(inside)
        read = [index for index, written in enumerate(self._pending[:others]) if written.node.id in seen]
        if read:
            self._flush(read[-1] + 1)
        written = self._write(node, at, frozenset(inside), [])
        del self._pending[len(self._pending) - len(inside) :]
        return written

    def _foldable(self, node: Node, at: int, seen: list[str]) -> list[str]:
        """Ids of the longest run of last pending nodes that the node reads in just this order."""
        waiting = [written.node.id for written in self._pending]
        room = min(LINE, code.WIDTH - 8 - len(f"{self._naming.sample(node)} = "))
        for start in range(max(0, len(waiting) - len(seen)), len(waiting)):
            run = waiting[start:]
            alike = all(written.node.when == node.when for written in self._pending[start:])
            if alike and [name for name in seen if name in run] == run:
                written = self._write(node, at, frozenset(run), [])
                if written.deep <= CALLS_DEEP and len(str(written.sample)) <= room:
                    return run
        return []

    def _write(self, node: Node, at: int, inside: frozenset[str], seen: list[str]) -> Written:
        """The node's expression with the pending ones of ``inside`` in it; ``seen`` gets what it reads, in order."""
        reads: list[str] = []
        deepest = 0

        def reference(ref: Ref) -> Code:
            nonlocal deepest
            seen.append(ref.ref)
            pending = next((item for item in self._pending if item.node.id == ref.ref), None)
            if pending is None:
                return self._read(ref, reads)
            if ref.ref not in inside:
                return code.name("x")  # about to become a variable
            reads.extend(pending.reads)
            deepest = max(deepest, pending.deep)
            return select(pending.code, ref.path)

        def sample(ref: Ref) -> Code:
            pending = next((item for item in self._pending if item.node.id == ref.ref), None)
            if pending is not None and ref.ref in inside:
                return select(pending.sample, ref.path)
            known = self._ids.get(ref.ref)
            if known is None or isinstance(known, GetNode):
                return self._read(ref, [])
            return code.name(self._naming.sample(known, tuple(ref.path)))

        made = self._expression(node, reference, reads)
        deep = deepest + (0 if _is_operator(node) else 1)
        return Written(node, at, made, deep, tuple(reads), self._expression(node, sample, []))

    def _expression(self, node: Node, reference: Callable[[Ref], Code], reads: list[str]) -> Code:
        values = replace(self._values, reference=reference)
        if isinstance(node, ChooseNode) and node.key is None:
            return self._every(node, values, reads)
        return write_call(self._document, self._name, node, values)

    def _read(self, ref: Ref, reads: list[str]) -> Code:
        """A forward input, a variable, a part of one, or a parameter or buffer."""
        node = self._ids.get(ref.ref)
        if isinstance(node, GetNode):
            return select(access(self._document, self._name, node.target), ref.path)
        bound = self._bound.get(ref.ref)
        if bound is None:
            raise ValueError(f"nothing is called {ref.ref[:80]!r} here")
        path = tuple(ref.path)
        prefix = next(path[:length] for length in range(len(path), -1, -1) if path[:length] in bound)
        reads.append(bound[prefix])
        return select(code.name(bound[prefix]), path[len(prefix) :])

    def _list(self, value: Value) -> Code | None:
        """The variable of a list to which results are appended."""
        made = self._reading.grown(value)
        name = self._lists.get(made.items) if made is not None else None
        return None if name is None else code.name(name)

    def _variables_only(self, reads: list[str]) -> Values:
        """Values whose references are all variables by now."""
        return replace(self._values, reference=lambda ref: self._read(ref, reads))

    def _every(self, node: ChooseNode, values: Values, reads: list[str]) -> Code:
        """``{name: head(x) for name, head in self.heads.items()}``."""
        container = access(self._document, self._name, node.target)
        specs = item_inputs(self._document, self._name, node.target)
        arguments = values.arguments(specs, node.arguments)
        key = unlike(reads, "name")
        item = unlike([*reads, key], singular(node.target))
        pair = code.pair(code.name(key), code.call(code.name(item), arguments))
        items = code.call(code.attribute(container, "items"), [])
        return code.comprehension(pair, [(Code((f"{key}, {item}",)), items)], "{}")

    def _stays_pending(self, written: Written) -> bool:
        """Whether the expression may become part of the one that reads it."""
        uses = self._uses[written.node.id]
        if self._reading.appended(written.node.id) is not None:
            return False
        if len(uses) != 1 or written.node.name is not None or written.node.id in self._reading.chosen:
            return False
        [(reader, path)] = uses
        if path and self._parts(written.node):
            return False
        if reader == len(self._nodes):
            return True
        return not evaluated_often(written.node) and not evaluated_often(self._nodes[reader])

    def _parts(self, node: Node) -> Parts:
        """The parts that the node's result is unpacked into; none where a reader wants the whole, or ``[-1]`` of it."""
        made = parts(self._document, self._name, node)
        read = [path for _, path in self._uses[node.id]]
        if may_give_fewer(node) and not any(path[:1] == (len(made) - 1,) for path in read):
            return []  # the check has seen the parts that are read, and no more
        return made if all(within(made, path) for path in read) else []

    def _before_return(self, seen: list[str]) -> int:
        """How many pending expressions need statements, because the result does not read the rest in their order."""
        waiting = [written.node.id for written in self._pending]
        if seen == waiting[-1:]:
            return len(waiting) - 1
        lengths = [len(str(written.sample)) for written in self._pending]
        start = len(waiting)
        while start > 0 and sum(lengths[start - 1 :]) <= LINE:
            start -= 1
        return next(
            (
                at
                for at in range(start, len(waiting))
                if [name for name in seen if name in waiting[at:]] == waiting[at:]
            ),
            len(waiting),
        )


def select(value: Code, path: Sequence[int | str]) -> Code:
    """A part of a value: ``shape[0]``."""
    for part in path:
        value = code.index(value, [code.literal(part)])
    return value


def _is_operator(node: Node) -> bool:
    return isinstance(node, FunctionNode) and node.target.startswith("operator.")
