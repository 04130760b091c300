"""The body of ``forward`` as a graph: each call a node, in the order in which Python makes them."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from layerloom.catalogue import find
from layerloom.graph.importing.python.computing import Computing, opposite, straight
from layerloom.graph.importing.python.drawing import uses
from layerloom.graph.importing.python.errors import kind_of, not_plain
from layerloom.graph.importing.python.names import bind
from layerloom.graph.source.calls import item_inputs
from layerloom.graph.source.parts import parts
from layerloom.graph.walk import steps
from layerloom.schema.document import (
    BlockUse,
    CallNode,
    ChooseNode,
    FunctionNode,
    GetNode,
    Graph,
    GraphInput,
    Layer,
    LoopNode,
    Node,
)
from layerloom.schema.values import Arguments, If, Ref, Tuple, Value, refs

_STATEMENT = 10
"""Effort of a statement, a loop's in each round."""


@dataclass
class ForwardReader(Computing):
    """Reads the statements of one forward."""

    _returned: bool = False
    _output: Value = None
    unpacked: dict[str, list[str]] = field(default_factory=dict)
    """By block: what the parts of its result are called where it is called."""
    _written: list[tuple[int, ast.stmt, frozenset[str]]] = field(default_factory=list)
    """Statements that change a tensor: nothing that shares its memory may be read behind them."""

    def read(self, function: ast.FunctionDef) -> Graph:
        """The graph of a forward. Raises NotPlainError."""
        given = _inputs(function)
        self._ids.update(item.name for item in given)
        self._local.update({item.name: Ref(ref=item.name) for item in given})
        self._statements(function.body)
        if not self._returned:
            raise not_plain(function, "forward returns nothing")
        for at, statement, hidden in self._written:
            later = {ref for node in self.nodes[at:] for value in _values(node) for ref in (r.ref for r in refs(value))}
            if hidden & (later | {ref.ref for ref in refs(self._output)}):
                raise not_plain(statement, "a tensor is changed that is read under another name later")
        return Graph(inputs=given, nodes=self.nodes, output=self._output)

    # --- statements

    def _statements(self, body: Collection[ast.stmt]) -> None:
        for statement in body:
            self.names.imports.spend(_STATEMENT, statement)
            if self._returned:
                raise not_plain(statement, "nothing may follow a return")
            self._statement(statement)

    def _statement(self, statement: ast.stmt) -> None:
        match statement:
            case ast.Pass() | ast.Expr(value=ast.Constant()):
                pass
            case ast.Expr(
                value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[item], keywords=[])
            ) if self._list(name) is not None:
                self._append(statement, name, item)
            case ast.Assert():
                self.notes.append(f"The assertion of line {statement.lineno} is left out.")
            case ast.Assign(targets=[target], value=value) | ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assign(target, value)
            case ast.AugAssign(target=ast.Name(id=name) as target, op=op, value=value):
                self._change(statement, name, ast.BinOp(left=_loaded(target), op=op, right=value))
            case ast.Return(value=ast.expr() as value) if self._when is None:
                self._output = self.value(value)
                self._returned = True
            case ast.For(target=target, iter=iterable, body=body, orelse=[]):
                self._loop(target, iterable, body)
            case ast.If(test=test, body=body, orelse=otherwise):
                self._if(test, body, otherwise)
            case _:
                raise not_plain(statement, f"{kind_of(statement)} cannot be read without running it")

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        match target:
            case ast.Name(id=name) if self.names.pure(value) and not uses(value, self._local):
                self._bind(name, value)
            case ast.Name(id=name):
                self._bind(name, self._named(name, value))
            case ast.Tuple(elts=targets) if isinstance(value, ast.Tuple) and len(value.elts) == len(targets):
                pairs = zip(targets, value.elts, strict=True)
                self._unpack(
                    targets, Tuple(items=[self._named(getattr(target, "id", ""), item) for target, item in pairs])
                )
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                self._unpack(targets, self.value(value))
            case ast.Subscript(value=ast.Name(id=name), slice=index):
                self._set_item(name, index, value)
            case _:
                raise not_plain(target, "this assignment cannot be read without running it")

    def _named(self, name: str, value: ast.expr) -> Value:
        """The value, its node being called as the variable that holds it."""
        before = len(self.nodes)
        made = self.value(value)
        fresh = len(self.nodes) > before and not isinstance(self.nodes[-1], GetNode)
        if fresh and isinstance(made, Ref) and not made.path and self.nodes[-1].id == made.ref:
            return self._rename(self.nodes[-1], name) if name else made
        return made

    def _rename(self, node: Node, name: str) -> Ref:
        self._ids.discard(node.id)
        self._made.pop(node.id, None)
        renamed = node.model_copy(update={"id": self._id(name), "name": name})
        self.nodes[-1] = renamed
        self._made[renamed.id] = renamed
        return Ref(ref=renamed.id)

    def _unpack(self, targets: list[ast.expr], value: Value) -> None:
        if isinstance(value, Ref) and not value.path:
            node = self._made.get(value.ref)
            used = isinstance(node, CallNode) and steps(self.document, self.block, node.target)[-1].member
            plain = [target.id for target in targets if isinstance(target, ast.Name)]
            if isinstance(used, BlockUse) and len(plain) == len(targets):
                self.unpacked[used.block] = plain
            elif node is self.nodes[-1] and not parts(self.document, self.block, self.nodes[-1]):
                # Python has no variable for the whole, but the writer will.
                value = self._rename(self.nodes[-1], "shape" if _is_shape(node) else "parts")
        for index, target in enumerate(targets):
            match value:
                case Tuple(items=items) | list(items) if index < len(items):
                    part: Value = items[index]
                case Ref(ref=ref, path=path):
                    part = Ref(ref=ref, path=[*path, index])
                case _:
                    raise not_plain(target, "what is unpacked here cannot be known without running the code")
            match target:
                case ast.Name(id=name):
                    self._bind(name, part)
                case ast.Tuple(elts=inner):
                    self._unpack(inner, part)
                case _:
                    raise not_plain(target, "this assignment cannot be read without running it")

    def _list(self, name: str) -> list[Value] | None:
        """What a local list holds."""
        constant = self.names.constants.get(name)
        if isinstance(constant, ast.List):
            return [self.value(item) for item in constant.elts]
        known = self._local.get(name)
        return known if isinstance(known, list) else None

    def _append(self, statement: ast.stmt, name: str, item: ast.expr) -> None:
        """``outputs.append(x)``: who reads the list from here on reads one more."""
        before = self._local.get(name)
        if any(known is before for other, known in self._local.items() if other != name):
            raise not_plain(statement, "a list is added to that has another name")
        made = self.value(item)
        self._bind(name, [*(self._list(name) or []), made])

    def _set_item(self, name: str, index: ast.expr, value: ast.expr) -> None:
        """``x[index] = value``: every name of that tensor means the changed one from here on."""
        before = self._local.get(name)
        if not isinstance(before, Ref):
            raise not_plain(index, f"{name} is no tensor")
        made = self.value(value)
        arguments: Arguments = {"input": before, "index": self._index(index), "value": made}
        after = self._add(FunctionNode(id=self._id(name), target="operator.setitem", arguments=arguments))
        for other, known in list(self._local.items()):
            if known == before:
                self._local[other] = after

    def _change(self, statement: ast.stmt, name: str, value: ast.BinOp) -> None:
        """``x += y`` changes the tensor, which is as good as a new one where nobody else sees the old."""
        before = self._local.get(name)
        if not isinstance(before, Ref):
            self._assign(ast.Name(id=name), value)
            return
        if any(known == before for other, known in self._local.items() if other != name):
            raise not_plain(statement, "a tensor is changed that has another name")
        if before.ref not in self._made:
            raise not_plain(statement, "an input is changed, which its giver would see")
        hidden = self._shares(before.ref)
        self._bind(name, self._named(name, value))
        self._written.append((len(self.nodes), statement, frozenset(hidden)))

    def _shares(self, of: str) -> set[str]:
        """Nodes whose memory a node's result may share: all that it was made from without a computing layer."""
        found: set[str] = set()
        waiting = [of]
        while waiting:
            name = waiting.pop()
            node = self._made.get(name)
            found.add(name)
            if node is None or isinstance(node, LoopNode | ChooseNode) or self._computes(node):
                continue
            waiting.extend(ref.ref for value in _values(node) for ref in refs(value) if ref.ref not in found)
        users = {node.id for node in self.nodes for value in _values(node) for ref in refs(value) if ref.ref in found}
        return found | users

    def _computes(self, node: Node) -> bool:
        if isinstance(node, FunctionNode):
            return node.target.startswith("operator.") and node.target not in ("operator.getitem", "operator.setitem")
        if not isinstance(node, CallNode):
            return False
        member = steps(self.document, self.block, node.target)[-1].member
        entry = find(member.target) if isinstance(member, Layer) else None
        return entry is not None and bool(entry.tensors)

    def _if(self, test: ast.expr, body: list[ast.stmt], otherwise: list[ast.stmt]) -> None:
        """``if self.training:``; each side has nodes of its own, and what both name is a choice."""
        if self._when is not None:
            raise not_plain(test, "conditions inside conditions cannot be read")
        text, body, otherwise = straight(self._condition(test), body, otherwise)
        before = dict(self._local)
        sides = []
        for when, statements in ((text, body), (opposite(text), otherwise)):
            self._local = dict(before)
            self._when = when
            self._statements(statements)
            self._when = None
            sides.append(self._local)
        then, other = sides
        self._local = {}
        for name in then | other:
            if name in then and name in other and then[name] != other[name]:
                self._local[name] = If(test=text, then=then[name], otherwise=other[name])
            else:
                self._local[name] = then.get(name, other.get(name))

    def _loop(self, target: ast.expr, iterable: ast.expr, body: list[ast.stmt]) -> None:
        path = self._container(iterable)
        match target, body:
            case ast.Name(id=item), [ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call)] if (
                path is not None
                and isinstance(call.func, ast.Name)
                and call.func.id == item
                and call.args
                and isinstance(call.args[0], ast.Name)
                and call.args[0].id == name
            ):
                specs = item_inputs(self.document, self.block, path)
                arguments = bind(specs, call, self.value)
                arguments = {"input": arguments.pop(specs[0].name), **arguments}
                if not any(
                    ref.ref == name for key, value in arguments.items() if key != "input" for ref in refs(value)
                ):
                    node = LoopNode(id=self._id(name), name=name, when=self._when, target=path, arguments=arguments)
                    self._bind(name, self._add(node))
                    return
        for values in self._rounds(target, iterable):
            for key, value in values.items():
                self._bind(key, value)
            self._statements(body)


def _values(node: Node) -> Iterator[Value]:
    if not isinstance(node, GetNode):
        yield from node.arguments.values()
        if isinstance(node, ChooseNode):
            yield node.key


def _is_shape(node: Node | None) -> bool:
    return isinstance(node, FunctionNode) and node.target in ("torch.Tensor.shape", "torch.Tensor.size")


def _inputs(function: ast.FunctionDef) -> list[GraphInput]:
    given = function.args
    if given.vararg or given.kwarg or given.posonlyargs or given.kwonlyargs:
        raise not_plain(function, "a forward of any number of arguments cannot be read")
    names = [argument.arg for argument in given.args[1:]]
    plain = len(names) - len(given.defaults)
    for default in given.defaults:
        if not isinstance(default, ast.Constant) or default.value is not None:
            raise not_plain(default, "an input that may be left out has to be None then")
    return [GraphInput(name=name, optional=index >= plain) for index, name in enumerate(names)]


def _loaded(target: ast.Name) -> ast.Name:
    return ast.copy_location(ast.Name(id=target.id, ctx=ast.Load()), target)
