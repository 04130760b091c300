"""The body of ``forward``: a statement for what does not become part of a larger expression."""

from __future__ import annotations

from dataclasses import replace

from layerloom.graph import code
from layerloom.graph.code import Code
from layerloom.graph.source.calls import item_inputs
from layerloom.graph.source.folding import Folding, Written, select
from layerloom.graph.source.lists import Grown
from layerloom.graph.source.members import access
from layerloom.graph.source.parts import Parts
from layerloom.graph.source.reading import Path
from layerloom.graph.source.values import Values
from layerloom.graph.source.variables import Called, Variables, singular
from layerloom.graph.walk import SET_ITEM, changes, steps
from layerloom.schema.document import CallNode, Document, FunctionNode, GetNode, LoopNode, ModuleDict, Node
from layerloom.schema.values import Expr, Ref, Tuple, Value, refs


class ForwardWriter(Folding):
    """Writes the forward graph of one block."""

    def __init__(self, document: Document, name: str, values: Values) -> None:
        super().__init__(document, name, values)
        self._variables = Variables()
        self._lines: list[str] = []
        self._when: str | None = None
        """Condition of the last statement."""

    def lines(self) -> list[str]:
        """Statements at the indentation of a method's body."""
        for given in self._graph.inputs:
            self._bound[given.name] = {(): given.name}
            self._variables.bind(given.name, self._reading.last(given.name))
        for at, node in enumerate(self._nodes):
            if isinstance(node, GetNode):
                continue
            for made in self._reading.lists:
                if made.first and made.start == at:
                    self._flush(len(self._pending))
                    self._new_list(made)
            if isinstance(node, LoopNode):
                self._loop(node, at)
            elif isinstance(node, FunctionNode) and node.target == SET_ITEM:
                self._set_item(node)
            else:
                self._add(node, at)
        self._return()
        return self._lines

    # --- statements

    def _assign(self, written: Written) -> None:
        node = written.node
        made = self._reading.appended(node.id)
        if made is not None:
            if made.items not in self._lists:
                self._new_list(made)
            append = code.attribute(code.name(self._lists[made.items]), "append")
            self._statement(node, "", code.call(append, [written.code]))
            return
        if not self._uses[node.id] and changes(node):
            self._statement(node, "", written.code)
            return
        if any(path for _, path in self._uses[node.id]) and self._parts(node):
            target = self._unpack(written)
        else:
            target = self._variable(written)
            self._bind(node, (), target)
        self._statement(node, f"{target} = ", written.code)

    def _new_list(self, made: Grown) -> None:
        """``outputs = [x]``, in front of the first that reads it or is appended to it."""
        items: list[Value] = [Ref(ref=name, path=list(path)) for name, path in made.items[: made.first]]
        name = self._variables.fresh("outputs", made.start)
        self._under(None)
        self._line(code.statement(f"{name} = ", self._variables_only([]).write(items), 8))
        self._lists[made.items] = name
        self._variables.bind(name, made.last)

    def _variable(self, written: Written, path: Path = ()) -> str:
        """The name of the variable for a node's result, or for the one part of it that is read."""
        node = written.node
        shared = self._reading.joined.get(node.id)
        if shared is not None:
            return self._bound[shared][()]
        return self._pick(node, self._naming.called(node, path), written.reads, written.at)

    def _pick(self, node: Node, called: Called, reads: tuple[str, ...], at: int) -> str:
        def carries(name: str) -> bool:
            return self._naming.follows(node) and self._naming.may_take(node, name)

        hint = None if isinstance(node, GetNode) else node.name
        return self._variables.pick(hint, called, reads, at, carries)

    def _set_item(self, node: FunctionNode) -> None:
        """``x[index] = value``, after which the result is the same ``x``."""
        self._flush(len(self._pending))
        reads: list[str] = []
        values = self._variables_only(reads)
        given = node.arguments["input"]
        whole = values.write(given)
        path = tuple(given.path) if isinstance(given, Ref) else ()
        if str(whole) not in reads:  # a part of something, or a buffer: it gets a name first
            name = self._pick(node, self._naming.called(node), (), self._reading.last(node.id))
            self._statement(node, f"{name} = ", whole)
        else:
            name = str(whole)
        place = code.index(code.name(name), values.index(node.arguments["index"]))
        self._statement(node, f"{place} = ", values.write(node.arguments["value"]))
        self._bound.setdefault(node.id, {})[()] = name
        last = self._reading.last(given.ref, path) if isinstance(given, Ref) else -1
        self._variables.bind(name, max(last, self._reading.last(node.id)))

    def _statement(self, node: Node, before: str, value: Code) -> None:
        """A statement under the condition of its node."""
        self._under(node.when)
        self._line(code.statement(before, value, 8 + self._inside()))

    def _under(self, when: str | None) -> None:
        """Open and close ``if self.training:`` as the next statement demands."""
        if when == self._when:
            return
        negated = self._when is not None and when in (f"not {self._when}", f"not ({self._when})")
        self._when = None
        if negated:
            self._line("else:")
        elif when is not None:
            self._line(code.statement("if ", self._values.write(Expr(expr=when)), 8) + ":")
        self._when = when

    def _inside(self) -> int:
        return 0 if self._when is None else 4

    def _unpack(self, written: Written) -> str:
        """``output, (h_n, c_n)``: a variable for every part that is read, ``_`` for the others."""
        node, at = written.node, written.at
        made = self._parts(node)
        read = {tuple(path) for _, path in self._uses[node.id]}
        row = self._variables.row(len(made), at)

        def target(path: Path, inner: Parts) -> str:
            if not any(other[: len(path)] == path for other in read):
                return "_"
            if inner and path not in read:
                listed = ", ".join(target((*path, index), parts) for index, (_, parts) in enumerate(inner))
                listed += "," if len(inner) == 1 else ""
                return f"({listed})" if path else listed
            if len(read) == 1 or (path == (0,) and isinstance(node, CallNode) and not made[0][0]):
                picked = self._variable(written, path)  # what goes on through the network
            else:
                called = self._naming.called(node, path)
                picked = self._variables.fresh(
                    called.name or called.otherwise or row[path[0] if isinstance(path[0], int) else 0], at
                )
            self._bind(node, path, picked)
            return picked

        return target((), made)

    def _bind(self, node: Node, path: Path, name: str) -> None:
        self._bound.setdefault(node.id, {})[path] = name
        last = self._reading.last(node.id, path)
        shared = node.id in self._reading.joined
        self._variables.bind(name, max(last, self._variables.until(name)) if shared else last)

    def _loop(self, node: LoopNode, at: int) -> None:
        """``for layer in self.layers: x = layer(x)``."""
        self._flush(len(self._pending))
        carried_reads: list[str] = []
        other_reads: list[str] = []
        carried = self._variables_only(carried_reads).write(node.arguments.get("input"))
        others = {key: value for key, value in node.arguments.items() if key != "input"}
        specs = item_inputs(self._document, self._name, node.target)[1:]
        named = [spec.model_copy(update={"required": False}) for spec in specs]
        given = self._variables_only(other_reads).arguments(named, others)
        target = self._pick(node, self._naming.called(node), tuple(carried_reads), at)
        if target in other_reads:
            target = self._variables.fresh("out", at, other_reads)
        self._under(node.when)
        if str(carried) != target:
            self._statement(node, f"{target} = ", carried)
        self._bind(node, (), target)
        item = self._variables.fresh(singular(node.target), at, [target, *other_reads])
        container = access(self._document, self._name, node.target)
        kind = steps(self._document, self._name, node.target)[-1].member
        if isinstance(kind, ModuleDict):
            container = code.call(code.attribute(container, "values"), [])
        self._line(f"for {item} in {container}:")
        step = code.call(code.name(item), [code.name(target), *given])
        self._line("    " + code.statement(f"{target} = ", step, 12 + self._inside()))

    def _return(self) -> None:
        output = self._graph.output
        conditional = [at for at, written in enumerate(self._pending) if written.node.when is not None]
        self._flush(conditional[-1] + 1 if conditional else 0)
        self._flush(self._before_return([ref.ref for ref in refs(output)]))
        inside = {written.node.id: written.code for written in self._pending}

        def reference(ref: Ref) -> Code:
            return select(inside[ref.ref], ref.path) if ref.ref in inside else self._read(ref, [])

        values = replace(self._values, reference=reference)
        self._when = None
        if isinstance(output, Tuple) and len(output.items) > 1:
            self._line(code.tuple_statement("return ", [values.write(item) for item in output.items], 8))
        else:
            self._line(code.statement("return ", values.write(output), 8))

    def _line(self, text: str) -> None:
        self._lines.append(" " * (8 + self._inside()) + text)
