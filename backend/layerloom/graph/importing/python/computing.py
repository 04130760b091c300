"""Expressions of a forward: what they compute becomes nodes, in the order in which Python would compute it."""

from __future__ import annotations

import ast
from typing import TypeVar

from layerloom.catalogue import find, resolve
from layerloom.graph.errors import GraphError
from layerloom.graph.importing.python.drawing import Drawing, MemberName, uses
from layerloom.graph.importing.python.errors import not_plain
from layerloom.graph.importing.python.names import NOTHING, bind, literal, self_path
from layerloom.graph.places import TRAINING
from layerloom.graph.source.calls import INFIX, PREFIX, inputs, item_inputs
from layerloom.graph.walk import steps
from layerloom.schema.document import CallNode, ChooseNode, ModuleDict
from layerloom.schema.values import Expr, If, Mapping, Ref, Slice, Tuple, Value

Side = TypeVar("Side")
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


class Computing(Drawing):
    """Reads the expressions of one forward into its graph."""

    def value(self, node: ast.expr) -> Value:
        """What an expression gives, its calls being nodes now. Raises NotPlainError."""
        if isinstance(node, ast.Name) and node.id in self._local:
            found = self._local[node.id]
            if isinstance(found, MemberName):
                raise not_plain(node, "a layer is no tensor")
            return found  # type: ignore[no-any-return]
        if isinstance(node, ast.Attribute) and self_path(node) == TRAINING:
            return Expr(expr=TRAINING)
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
                return self._either(test, body, other)
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

    def _either(self, test: ast.expr, body: ast.expr, other: ast.expr) -> Value:
        """A conditional expression: what is called on one side is called only where that side counts."""
        text, body, other = straight(self._condition(test), body, other)
        sides, nodes = [], len(self.nodes)
        for when, side in ((text, body), (opposite(text), other)):
            within = self._when
            self._when = within or when
            sides.append(self.value(side))
            self._when = within
            if within is not None and len(self.nodes) > nodes:
                raise not_plain(test, "conditions inside conditions cannot be read")
        return _choice(text, *sides)

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


def opposite(test: str) -> str:
    """Where a condition does not hold."""
    return f"not ({test})" if " " in test else f"not {test}"


def straight(test: str, then: Side, otherwise: Side) -> tuple[str, Side, Side]:
    """A choice without ``not`` in front of its condition, so that two that ask for the same are written the same."""
    tree = ast.parse(test, mode="eval").body
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not):
        return straight(ast.unparse(tree.operand), otherwise, then)
    return test, then, otherwise


def _choice(test: str, then: Value, otherwise: Value) -> If:
    """One of two values; what was chosen by the same test before is known on either side."""
    if isinstance(then, If) and then.test == test:
        then = then.then
    if isinstance(otherwise, If) and otherwise.test == test:
        otherwise = otherwise.otherwise
    return If(test=test, then=then, otherwise=otherwise)


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
