"""The body of ``forward``.

A node becomes part of a larger expression where a person would write it so: when it is read once, the line stays
short, and Python evaluates the whole in the very order of the nodes (two dropouts draw their random numbers in turn).
Otherwise it becomes a statement.

Nodes that are not yet written stand in ``_pending`` in the order in which they run. Before any statement is written,
everything pending that is no part of it is written in front of it; so no expression ever moves past another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from layerloom.catalogue import find
from layerloom.graph import code
from layerloom.graph.code import Code
from layerloom.graph.names import is_identifier
from layerloom.graph.source.calls import (
    Parts,
    evaluated_often,
    item_inputs,
    may_give_fewer,
    parts,
    placed_beside,
    write_call,
)
from layerloom.graph.source.members import access
from layerloom.graph.source.values import Values
from layerloom.graph.source.variables import Variables, unlike, usable
from layerloom.graph.walk import SET_ITEM, argument_values, changes, order, references, steps
from layerloom.schema.document import (
    ChooseNode,
    Document,
    FunctionNode,
    GetNode,
    Graph,
    Layer,
    LoopNode,
    ModuleDict,
    Node,
)
from layerloom.schema.values import Expr, If, Ref, Tuple, Value, refs, walk

CALLS_DEEP = 3
"""Calls inside one another on a line."""
LINE = 76
"""Longest expression, in columns, that others are folded into."""

Path = tuple[int | str, ...]


@dataclass(frozen=True)
class _Written:
    """A node as an expression that is not yet part of a statement."""

    node: Node
    at: int
    code: Code
    deep: int
    reads: tuple[str, ...]
    """Variables in it, in the order of their evaluation."""


class ForwardWriter:
    """Writes the forward graph of one block."""

    def __init__(self, document: Document, name: str, values: Values) -> None:
        self._document, self._name = document, name
        self._graph: Graph = document.blocks[name].forward
        self._values = values
        self._nodes = _needed(self._graph)
        self._ids = {node.id: node for node in self._nodes}
        self._uses = _uses(self._nodes, self._graph.output)
        for at, node in enumerate(self._nodes):
            beside = placed_beside(document, name, node)
            if beside is not None:
                self._uses[beside] = sorted([*self._uses.get(beside, []), (at, ())])
        self._chosen = _chosen(self._nodes, self._graph.output)
        self._variables = Variables()
        self._bound: dict[str, dict[Path, str]] = {}
        self._pending: list[_Written] = []
        self._lines: list[str] = []
        self._when: str | None = None
        """Condition of the last statement."""

    def lines(self) -> list[str]:
        """Statements at the indentation of a method's body."""
        for given in self._graph.inputs:
            self._bound[given.name] = {(): given.name}
            self._variables.bind(given.name, self._last(given.name, ()))
        for at, node in enumerate(self._nodes):
            if isinstance(node, GetNode):
                continue
            if isinstance(node, LoopNode):
                self._loop(node, at)
                continue
            if isinstance(node, FunctionNode) and node.target == SET_ITEM:
                self._set_item(node)
                continue
            written = self._fold(node, at)
            self._pending.append(written)
            if not self._stays_pending(written):
                self._flush(len(self._pending))
        self._return()
        return self._lines

    # --- expressions

    def _fold(self, node: Node, at: int) -> _Written:
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
        for start in range(len(waiting)):
            run = waiting[start:]
            alike = all(written.node.when == node.when for written in self._pending[start:])
            if alike and [name for name in seen if name in run] == run:
                written = self._write(node, at, frozenset(run), [])
                if written.deep <= CALLS_DEEP and len(str(written.code)) <= LINE:
                    return run
        return []

    def _write(self, node: Node, at: int, inside: frozenset[str], seen: list[str]) -> _Written:
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
            return _select(pending.code, ref.path)

        values = replace(self._values, reference=reference)
        if isinstance(node, ChooseNode) and node.key is None:
            made = self._every(node, values, reads)
        else:
            made = write_call(self._document, self._name, node, values)
        return _Written(node, at, made, deepest + (0 if _is_operator(node) else 1), tuple(reads))

    def _read(self, ref: Ref, reads: list[str]) -> Code:
        """A forward input, a variable, a part of one, or a parameter or buffer."""
        node = self._ids.get(ref.ref)
        if isinstance(node, GetNode):
            return _select(access(self._document, self._name, node.target), ref.path)
        bound = self._bound.get(ref.ref)
        if bound is None:
            raise ValueError(f"nothing is called {ref.ref[:80]!r} here")
        path = tuple(ref.path)
        prefix = next(path[:length] for length in range(len(path), -1, -1) if path[:length] in bound)
        reads.append(bound[prefix])
        return _select(code.name(bound[prefix]), path[len(prefix) :])

    def _every(self, node: ChooseNode, values: Values, reads: list[str]) -> Code:
        """``{name: head(x) for name, head in self.heads.items()}``."""
        container = access(self._document, self._name, node.target)
        specs = item_inputs(self._document, self._name, node.target)
        arguments = values.arguments(specs, node.arguments)
        key = unlike(reads, "name")
        item = unlike([*reads, key], _singular(node.target))
        pair = code.pair(code.name(key), code.call(code.name(item), arguments))
        items = code.call(code.attribute(container, "items"), [])
        return code.comprehension(pair, [(Code((f"{key}, {item}",)), items)], "{}")

    def _stays_pending(self, written: _Written) -> bool:
        """Whether the expression may become part of the one that reads it."""
        uses = self._uses[written.node.id]
        if len(uses) != 1 or written.node.name is not None or written.node.id in self._chosen:
            return False
        [(reader, path)] = uses
        if path and self._parts(written.node):
            return False
        if reader == len(self._nodes):
            return True
        return not evaluated_often(written.node) and not evaluated_often(self._nodes[reader])

    # --- statements

    def _flush(self, count: int) -> None:
        """Write the first ``count`` pending expressions as statements."""
        ready, self._pending = self._pending[:count], self._pending[count:]
        for written in ready:
            self._assign(written)

    def _assign(self, written: _Written) -> None:
        node = written.node
        if not self._uses[node.id] and changes(node):
            self._statement(node, "", written.code)
            return
        if any(path for _, path in self._uses[node.id]) and self._parts(node):
            target = self._unpack(written)
        else:
            target = self._variables.pick(node.name, written.reads, self._maker(node), written.at)
            self._bind(node, (), target)
        self._statement(node, f"{target} = ", written.code)

    def _set_item(self, node: FunctionNode) -> None:
        """``x[index] = value``, after which the result is the same ``x``."""
        self._flush(len(self._pending))
        reads: list[str] = []
        values = self._reading(reads)
        given = node.arguments["input"]
        whole = values.write(given)
        path = tuple(given.path) if isinstance(given, Ref) else ()
        if str(whole) not in reads:  # a part of something, or a buffer: it gets a name first
            name = self._variables.pick(node.name, [], "out", self._last(node.id, ()))
            self._statement(node, f"{name} = ", whole)
        else:
            name = str(whole)
        place = code.index(code.name(name), values.index(node.arguments["index"]))
        self._statement(node, f"{place} = ", values.write(node.arguments["value"]))
        self._bound.setdefault(node.id, {})[()] = name
        last = self._last(given.ref, path) if isinstance(given, Ref) else -1
        self._variables.bind(name, max(last, self._last(node.id, ())))

    def _statement(self, node: Node, before: str, value: Code) -> None:
        """A statement under the condition of its node."""
        self._under(node)
        self._line(code.statement(before, value, 8 + self._inside()))

    def _under(self, node: Node) -> None:
        """Open and close ``if self.training:`` as the next statement demands."""
        if node.when == self._when:
            return
        negated = self._when is not None and node.when in (f"not {self._when}", f"not ({self._when})")
        self._when = None
        if negated:
            self._line("else:")
        elif node.when is not None:
            self._line(code.statement("if ", self._values.write(Expr(expr=node.when)), 8) + ":")
        self._when = node.when

    def _inside(self) -> int:
        return 0 if self._when is None else 4

    def _unpack(self, written: _Written) -> str:
        """``output, (h_n, c_n)``: a variable for every part that is read, ``_`` for the others."""
        node, at = written.node, written.at
        read = {tuple(path) for _, path in self._uses[node.id]}

        def target(path: Path, name: str, inner: Parts) -> str:
            if not any(other[: len(path)] == path for other in read):
                return "_"
            if inner and path not in read:
                listed = ", ".join(target((*path, index), *part) for index, part in enumerate(inner))
                listed += "," if len(inner) == 1 else ""
                return f"({listed})" if path else listed
            alone = len(read) == 1
            picked = (
                self._variables.pick(node.name, written.reads, name, at) if alone else self._variables.fresh(name, at)
            )
            self._bind(node, path, picked)
            return picked

        return target((), "", self._parts(node))

    def _parts(self, node: Node) -> Parts:
        """The parts that the node's result is unpacked into; none where a reader wants the whole, or ``[-1]`` of it."""
        made = parts(self._document, self._name, node)
        read = [path for _, path in self._uses[node.id]]
        if may_give_fewer(node) and not any(path[:1] == (len(made) - 1,) for path in read):
            return []  # the check has seen the parts that are read, and no more
        return made if all(_within(made, path) for path in read) else []

    def _maker(self, node: Node) -> str:
        """The name of the member that made the value, where it says more than the place in a row: no ``bn2``."""
        if isinstance(node, FunctionNode):
            return self._made_by_function(node)
        member = steps(self._document, self._name, node.target)[-1].member
        entry = find(member.target) if isinstance(member, Layer) else None
        if entry is not None and (not entry.tensors or entry.category == "normalization"):
            return "out"
        name = next((part for part in reversed(node.target.split(".")) if is_identifier(part)), "out")
        return "out" if name[-1].isdigit() else name

    def _made_by_function(self, node: FunctionNode) -> str:
        """A rearranged value is called as before; what has more sources than one is just a result."""
        entry = find(node.target)
        label = node.target.rpartition(".")[2].strip("_")
        if entry is None or (node.target.startswith("operator.") and label != "getitem"):
            return "out"
        if label in ("size", "shape"):
            return label
        if entry.category in ("shape", "indexing", "type"):
            given = node.arguments.get("input")
            before = self._ids.get(given.ref) if isinstance(given, Ref) else None
            return self._maker(before) if before is not None and not isinstance(before, GetNode) else "out"
        if entry.category in ("creation", "reduction"):
            return label
        return entry.category if entry.category == "attention" else "out"

    def _bind(self, node: Node, path: Path, name: str) -> None:
        self._bound.setdefault(node.id, {})[path] = name
        self._variables.bind(name, self._last(node.id, path))

    def _last(self, name: str, path: Path) -> int:
        """Index of the node that reads this part for the last time."""
        return max((at for at, other in self._uses.get(name, []) if other[: len(path)] == path), default=-1)

    def _loop(self, node: LoopNode, at: int) -> None:
        """``for layer in self.layers: x = layer(x)``."""
        self._flush(len(self._pending))
        carried_reads: list[str] = []
        other_reads: list[str] = []
        carried = self._reading(carried_reads).write(node.arguments.get("input"))
        others = {key: value for key, value in node.arguments.items() if key != "input"}
        specs = item_inputs(self._document, self._name, node.target)[1:]
        named = [spec.model_copy(update={"required": False}) for spec in specs]
        given = self._reading(other_reads).arguments(named, others)
        target = self._variables.pick(node.name, carried_reads, self._maker(node), at)
        if target in other_reads:
            target = self._variables.fresh("out", at, other_reads)
        self._under(node)
        if str(carried) != target:
            self._statement(node, f"{target} = ", carried)
        self._bind(node, (), target)
        item = self._variables.fresh(_singular(node.target), at, [target, *other_reads])
        container = access(self._document, self._name, node.target)
        kind = steps(self._document, self._name, node.target)[-1].member
        if isinstance(kind, ModuleDict):
            container = code.call(code.attribute(container, "values"), [])
        self._line(f"for {item} in {container}:")
        step = code.call(code.name(item), [code.name(target), *given])
        self._line("    " + code.statement(f"{target} = ", step, 12 + self._inside()))

    def _reading(self, reads: list[str]) -> Values:
        """Values whose references are all variables by now."""
        return replace(self._values, reference=lambda ref: self._read(ref, reads))

    def _return(self) -> None:
        output = self._graph.output
        conditional = [at for at, written in enumerate(self._pending) if written.node.when is not None]
        self._flush(conditional[-1] + 1 if conditional else 0)
        self._flush(self._before_return([ref.ref for ref in refs(output)]))
        inside = {written.node.id: written.code for written in self._pending}

        def reference(ref: Ref) -> Code:
            return _select(inside[ref.ref], ref.path) if ref.ref in inside else self._read(ref, [])

        values = replace(self._values, reference=reference)
        self._when = None
        if isinstance(output, Tuple) and len(output.items) > 1:
            self._line(code.tuple_statement("return ", [values.write(item) for item in output.items], 8))
        else:
            self._line(code.statement("return ", values.write(output), 8))

    def _before_return(self, seen: list[str]) -> int:
        """How many pending expressions need statements, because the result does not read the rest in their order."""
        waiting = [written.node.id for written in self._pending]
        for start in range(len(waiting)):
            run = waiting[start:]
            length = sum(len(str(written.code)) for written in self._pending[start:])
            if length <= LINE and [name for name in seen if name in run] == run:
                return start
        return len(waiting)

    def _line(self, text: str) -> None:
        self._lines.append(" " * (8 + self._inside()) + text)


def _within(made: Parts, path: Sequence[int | str]) -> bool:
    """Whether a reference names one of the parts, or something inside one."""
    if not path or not isinstance(path[0], int) or not 0 <= path[0] < len(made):
        return False
    _, inner = made[path[0]]
    return not inner or len(path) == 1 or _within(inner, path[1:])


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


def _chosen(nodes: Sequence[Node], output: Value) -> set[str]:
    """What is read inside a choice: it is computed in front of it, whichever side is taken."""
    values = [value for node in nodes for _, value in argument_values(node)]
    choices = (part for value in [*values, output] for part in walk(value) if isinstance(part, If))
    return {ref.ref for choice in choices for ref in refs(choice)}


def _uses(nodes: Sequence[Node], output: Value) -> dict[str, list[tuple[int, Path]]]:
    """For every id, who reads it (an index; the output counts as the last node) and which part."""
    found: dict[str, list[tuple[int, Path]]] = {node.id: [] for node in nodes}
    for at, node in enumerate(nodes):
        for _, value in argument_values(node):
            for ref in refs(value):
                found.setdefault(ref.ref, []).append((at, tuple(ref.path)))
    for ref in refs(output):
        found.setdefault(ref.ref, []).append((len(nodes), tuple(ref.path)))
    return found


def _select(value: Code, path: Sequence[int | str]) -> Code:
    for part in path:
        value = code.index(value, [code.literal(part)])
    return value


def _is_operator(node: Node) -> bool:
    return isinstance(node, FunctionNode) and node.target.startswith("operator.")


def _singular(path: str) -> str:
    """What one item of a container is called: a ``stage`` of ``stages``."""
    last = path.rpartition(".")[2]
    return last[:-1] if last.endswith("s") and usable(last[:-1]) else "layer"
