"""Expressions of a forward: what they compute becomes nodes, in the order in which Python would compute it."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from layerloom.catalogue import find, resolve
from layerloom.graph.errors import GraphError
from layerloom.graph.importing.python.errors import not_plain
from layerloom.graph.importing.python.members import self_path
from layerloom.graph.importing.python.names import NOTHING, Names, bind, literal
from layerloom.graph.places import TRAINING
from layerloom.graph.source.calls import INFIX, PREFIX, inputs, item_inputs
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
    ModuleDict,
    Node,
    Parameter,
    Repeat,
)
from layerloom.schema.values import Arguments, If, Mapping, Ref, Slice, Tuple, Value

_SIGNS = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.MatMult: "@",
    ast.Pow: "**",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.USub: "-",
    ast.UAdd: "+",
    ast.Invert: "~",
}
_OPERATORS = {sign: name for name, sign in INFIX.items()}
_SIGNED = {sign: name for name, sign in PREFIX.items()}
_SEQUENCES = frozenset({"shape", "size", "chunk", "split", "tensor_split", "unbind", "split_with_sizes", "meshgrid"})
"""Operations that give a list: ``[0]`` of it is a part, and not an index into a tensor."""
_UNROLLED = 256


@dataclass(frozen=True)
class MemberName:
    """A local name of a member: the variable of a loop that is written out."""

    path: str


@dataclass
class Computing:
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

    def value(self, node: ast.expr) -> Value:
        """What an expression gives, its calls being nodes now. Raises NotPlainError."""
        if isinstance(node, ast.Name) and node.id in self._local:
            found = self._local[node.id]
            if isinstance(found, MemberName):
                raise not_plain(node, "a layer is no tensor")
            return found  # type: ignore[no-any-return]
        if not uses(node, self._local):
            plain = literal(node, self.value, self.names.imports)
            if plain is not NOTHING and not isinstance(node, ast.Tuple | ast.List | ast.Dict):
                return plain  # type: ignore[no-any-return]
            if plain is NOTHING and self.names.pure(node):
                return self.names.expression(node)
        return self._computed(node)

    def _computed(self, node: ast.expr) -> Value:
        match node:
            case ast.Call():
                return self._call(node)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _SIGNS:
                return self._operator(_OPERATORS[_SIGNS[type(op)]], [left, right])
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _SIGNS:
                return self._operator(_OPERATORS[_SIGNS[type(op)]], [left, right])
            case ast.UnaryOp(op=op, operand=operand) if type(op) in _SIGNS:
                return self._operator(_SIGNED[_SIGNS[type(op)]], [operand])
            case ast.Subscript(value=inner, slice=index):
                return self._subscript(node, inner, index)
            case ast.Attribute(value=inner, attr=name):
                return self._attribute(node, inner, name)
            case ast.IfExp(test=test, body=body, orelse=other):
                return _choice(self._condition(test), self.value(body), self.value(other))
            case ast.DictComp():
                return self._every(node)
            case ast.ListComp(elt=inner, generators=[ast.comprehension(target=target, iter=iterable, ifs=[])]):
                return self._each(inner, target, iterable)
        plain = literal(node, self.value, self.names.imports)
        if plain is NOTHING:
            raise not_plain(node, f"{ast.unparse(node)[:60]} cannot be read without running it")
        return plain  # type: ignore[no-any-return]

    def _operator(self, target: str, operands: list[ast.expr]) -> Value:
        entry = find(target)
        assert entry is not None
        arguments = {spec.name: self.value(item) for spec, item in zip(entry.parameters, operands, strict=True)}
        return self._function(target, arguments)

    def _subscript(self, node: ast.expr, inner: ast.expr, index: ast.expr) -> Value:
        path = self._path(node)
        if path is not None:
            return self._get(node, path)
        value = self.value(inner)
        key = index.value if isinstance(index, ast.Constant) else None
        if (
            isinstance(index, ast.UnaryOp)
            and isinstance(index.op, ast.USub)
            and isinstance(index.operand, ast.Constant)
        ):
            key = -index.operand.value if isinstance(index.operand.value, int) else None
        if isinstance(key, int | str) and not isinstance(key, bool):
            match value:
                case Tuple(items=items) | list(items) if isinstance(key, int) and -len(items) <= key < len(items):
                    return items[key]
                case Mapping(items=named) if isinstance(key, str) and key in named:
                    return named[key]
                case Ref(ref=ref, path=into) if self._holds(value):
                    return Ref(ref=ref, path=[*into, key])
        return self._function("operator.getitem", {"input": value, "index": self._index(index)})

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

    def _index(self, index: ast.expr) -> Value:
        match index:
            case ast.Slice(lower=lower, upper=upper, step=step):
                return Slice(parts=[None if part is None else self.value(part) for part in (lower, upper, step)])
            case ast.Tuple(elts=items):
                return Tuple(items=[self._index(item) for item in items])
        return self.value(index)

    def _attribute(self, node: ast.expr, inner: ast.expr, name: str) -> Value:
        path = self._path(node)
        if path is not None and not self._is_tensor(inner):
            return self._get(node, path)
        target = f"torch.Tensor.{name}"
        if find(target) is None or callable(resolve(target)):
            raise not_plain(node, f"{ast.unparse(node)[:60]} cannot be read without running it")
        return self._function(target, {"input": self.value(inner)})

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

    # --- calls

    def _call(self, call: ast.Call) -> Value:
        path = self._path(call.func)
        if path is not None and not (isinstance(call.func, ast.Attribute) and self._is_tensor(call.func.value)):
            return self._member(call, path)
        if isinstance(call.func, ast.Subscript) and (path := self._path(call.func.value)) is not None:
            return self._chosen(call, path, call.func.slice)
        name = self.names.imports.dotted(call.func)
        function = self_path(call.func)
        if function in self.functions:
            name = self.functions[function or ""]
        if isinstance(call.func, ast.Name) and call.func.id == "abs":
            name = "operator.abs"
        if name is not None:
            return self._operation(call, name)
        if isinstance(call.func, ast.Attribute):
            return self._method(call, call.func)
        plain = literal(call, self.value, self.names.imports)
        if plain is not NOTHING:
            return plain  # type: ignore[no-any-return]
        raise not_plain(call, f"{ast.unparse(call.func)[:60]} cannot be called without running the code")

    def _is_tensor(self, node: ast.expr) -> bool:
        """Whether an expression is a parameter or buffer, whose attributes are a tensor's."""
        path = self._path(node)
        try:
            member = steps(self.document, self.block, path)[-1].member if path is not None else self
        except GraphError:
            return False
        return member is None or isinstance(member, Parameter | Buffer)

    def _member(self, call: ast.Call, path: str) -> Value:
        try:
            member = steps(self.document, self.block, path)[-1].member
        except GraphError:
            raise not_plain(call, f"nothing that __init__ registers is called {path}") from None
        arguments = bind(inputs(self.document, member), call, self.value)
        return self._add(CallNode(id=self._id(_stem(path)), target=path, arguments=arguments))

    def _chosen(self, call: ast.Call, path: str, key: ast.expr) -> Value:
        arguments = bind(item_inputs(self.document, self.block, path), call, self.value)
        return self._add(ChooseNode(id=self._id(_stem(path)), target=path, key=self.value(key), arguments=arguments))

    def _operation(self, call: ast.Call, name: str) -> Value:
        entry = find(name)
        if entry is None or not (name.startswith("operator.") or name.startswith("torch.")) or not entry.parameters:
            raise not_plain(call, f"{name} is no operation of torch that is known")
        return self._function(name, bind(entry.parameters, _portable(call), self.value))

    def _method(self, call: ast.Call, function: ast.Attribute) -> Value:
        target = f"torch.Tensor.{function.attr}"
        entry = find(target)
        if entry is None:
            raise not_plain(call, f"tensors have no operation {function.attr} that is known")
        receiver = self.value(function.value)
        rest = bind(entry.parameters, _portable(call), self.value, skip=1)
        return self._function(target, {entry.parameters[0].name: receiver, **rest})

    def _every(self, node: ast.DictComp) -> Value:
        """``{name: head(x) for name, head in self.heads.items()}``."""
        match node:
            case ast.DictComp(
                key=ast.Name(id=key),
                value=ast.Call(func=ast.Name(id=called)) as call,
                generators=[
                    ast.comprehension(
                        target=ast.Tuple(elts=[ast.Name(id=first), ast.Name(id=second)]),
                        iter=ast.Call(func=ast.Attribute(value=container, attr="items"), args=[], keywords=[]),
                        ifs=[],
                    )
                ],
            ) if key == first and called == second:
                path = self._path(container)
                if path is not None and isinstance(steps(self.document, self.block, path)[-1].member, ModuleDict):
                    arguments = bind(item_inputs(self.document, self.block, path), call, self.value)
                    return self._add(ChooseNode(id=self._id(_stem(path)), target=path, arguments=arguments))
        raise not_plain(node, "this comprehension cannot be read without running it")

    def _each(self, inner: ast.expr, target: ast.expr, iterable: ast.expr) -> Value:
        before = dict(self._local), dict(self.names.constants)
        found: list[Value] = []
        for values in self._rounds(target, iterable):
            for key, value in values.items():
                self._bind(key, value)
            self.names.imports.spend(10, inner)
            found.append(self.value(inner))
        self._local, self.names.constants = before
        return found

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
        if len(items) > _UNROLLED:
            raise not_plain(iterable, f"a loop of more than {_UNROLLED} rounds is not written out")
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
                return [ast.Constant(index) for index in range(min(count, _UNROLLED + 1))]
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


def _choice(test: str, then: Value, otherwise: Value) -> If:
    """One of two values; what was chosen by the same test before is known on either side."""
    if isinstance(then, If) and then.test == test:
        then = then.then
    if isinstance(otherwise, If) and otherwise.test == test:
        otherwise = otherwise.otherwise
    return If(test=test, then=then, otherwise=otherwise)


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


def _portable(call: ast.Call) -> ast.Call:
    """The call without ``device=x.device``, which the writer says itself where it is needed."""
    kept = [
        keyword
        for keyword in call.keywords
        if not (keyword.arg == "device" and isinstance(keyword.value, ast.Attribute) and keyword.value.attr == "device")
    ]
    return ast.copy_location(ast.Call(func=call.func, args=call.args, keywords=kept), call)


def _stem(path: str) -> str:
    return next((part for part in reversed(path.split(".")) if part.isidentifier()), "out")
