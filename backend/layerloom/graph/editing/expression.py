"""A block from one expression over tensors: ``x * sigmoid(gate)``.

The text is parsed by Python's own parser, judged part by part against a list of what is allowed, and read as the
statement ``return …`` of a forward would be. Nothing of it is run; what may be called are operations of the catalogue.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from layerloom.catalogue import nearest, operations, resolve
from layerloom.graph.errors import GraphError
from layerloom.graph.expressions import ExpressionError, check_text, parse
from layerloom.graph.importing.python.computing import Computing
from layerloom.graph.importing.python.errors import NotPlainError
from layerloom.graph.importing.python.names import Imports, Names
from layerloom.graph.names import CLASSES, LOCALS, attributes, is_identifier
from layerloom.schema.document import Block, Document, FunctionNode, Graph, GraphInput, Node, Parameter
from layerloom.schema.problems import Problem, ProblemCode
from layerloom.schema.values import Ref, Value, expressions, refs

DEPTH_LIMIT = 100
"""Nesting of operations, calls and brackets; a sum of a hundred terms is nested so deep."""
_MODULES = {"torch": "torch", "F": "torch.nn.functional"}
_SHORT = (("torch", "torch."), ("F", "torch.nn.functional."))
_OF_TWO = {"max": "maximum", "min": "minimum"}
"""The first takes an axis as its second argument."""
_ALLOWED = (
    *(ast.Name, ast.Constant, ast.BinOp, ast.UnaryOp, ast.Subscript, ast.Slice, ast.Tuple, ast.List, ast.Call),
    *(ast.keyword, ast.Attribute, ast.operator, ast.unaryop, ast.cmpop, ast.expr_context),
)
_INSTEAD: dict[type[ast.AST], str] = {
    ast.BoolOp: "of tensors, write & and | with brackets around each side",
    ast.IfExp: "of tensors, write where(condition, a, b)",
    ast.Not: "of tensors, write ~",
    ast.In: "of tensors, write isin(a, b)",
    ast.Is: "compare with ==",
}


def block_from_expression(text: str, name: str = "", parameters: Mapping[str, Sequence[int]] | None = None) -> Block:
    """The block whose forward returns the value of an expression.

    Its inputs are the names that the text leaves free, in the order in which they are read. Names of ``parameters``,
    with their shapes, become parameters of the block instead. Functions go by their short names in ``torch`` and
    ``torch.nn.functional`` (``sigmoid``, ``silu``) or in full (``torch.fft.rfft``), methods and properties are those of
    tensors (``x.mean(-1)``, ``x.mT``); arithmetic, comparison, indexing and slicing are Python's. ``name`` is what the
    block is to be called in a document, and is only looked at.

    Raises:
        GraphError: the problems say what is wrong; ``data["column"]`` is where in the text, from 1.
    """
    given = dict(parameters or {})
    _check_names(name, given)
    tree = _parsed(text)
    _judge(text, tree)
    free = [found for found in dict.fromkeys(_names(tree)) if found not in given]
    _check_free(text, tree, free, given)
    members = [Parameter(name=key, shape=list(shape)) for key, shape in given.items()]
    block = Block(members=members)
    reader = _Reader(Document(main="Net", blocks={"Net": block}), "Net", Names(Imports(dict(_MODULES))), {}, [])
    try:
        output = reader.take(free, _Spelled(given).visit(tree))
    except NotPlainError as error:
        raise _wrong(ProblemCode.EXPRESSION_INVALID, f"{error.what or error}.", text, error.place) from None
    _check_numbers(reader.nodes, output)
    inputs = [GraphInput(name=found) for found in free]
    return block.model_copy(update={"forward": Graph(inputs=inputs, nodes=reader.nodes, output=output)})


class _Reader(Computing):
    """Reads one expression as the value that a forward returns."""

    def take(self, inputs: Sequence[str], tree: ast.expr) -> Value:
        self._ids.update(inputs)
        self._local.update({name: Ref(ref=name) for name in inputs})
        output = self.value(tree)
        if not any(True for _ in refs(output)):
            raise NotPlainError("an expression over tensors names at least one: an input, or a parameter")
        return output


class _Spelled(ast.NodeTransformer):
    """Short names in full, and parameters as attributes of the block."""

    def __init__(self, parameters: Mapping[str, object]) -> None:
        self._parameters = parameters

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Name):
            name = node.func.id
            if name in _OF_TWO and len(node.args) == 2 and any(True for _ in _names(node.args[1])):
                name = _OF_TWO[name]
            owner = ast.copy_location(ast.Name(id=_module_of(name) or "", ctx=ast.Load()), node.func)
            node.func = ast.copy_location(ast.Attribute(value=owner, attr=name, ctx=ast.Load()), node.func)
        else:
            node.func = self.visit(node.func)
        node.args = [self.visit(argument) for argument in node.args]
        node.keywords = [self.visit(keyword) for keyword in node.keywords]
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id not in self._parameters:
            return node
        owner = ast.copy_location(ast.Name(id="self", ctx=ast.Load()), node)
        return ast.copy_location(ast.Attribute(value=owner, attr=node.id, ctx=ast.Load()), node)


def _check_names(name: str, parameters: Mapping[str, Sequence[int]]) -> None:
    if name and not is_identifier(name):
        raise _wrong(ProblemCode.NAME_INVALID, f"{name[:80]!r} is no name for a block.")
    if name in CLASSES:
        raise _wrong(ProblemCode.NAME_RESERVED, f"{name} cannot be the name of a block.")
    for key in parameters:
        if not is_identifier(key):
            raise _wrong(ProblemCode.NAME_INVALID, f"{key[:80]!r} is no name for a parameter.")
        if key in attributes() | LOCALS:
            raise _wrong(ProblemCode.NAME_RESERVED, f"{key} cannot be the name of a parameter.")


def _parsed(text: str) -> ast.expr:
    try:
        check_text(text)
        return ast.parse(text, mode="eval").body
    except ExpressionError as error:
        raise _wrong(ProblemCode.EXPRESSION_INVALID, f"{error}.") from None
    except SyntaxError as error:
        raise _wrong(
            ProblemCode.EXPRESSION_INVALID, f"this is no expression: {error.msg}.", column=max(1, error.offset or 1)
        ) from None
    except (ValueError, RecursionError, MemoryError):
        raise _wrong(ProblemCode.EXPRESSION_INVALID, "this expression is nested too deeply to be read.") from None


def _judge(text: str, tree: ast.expr) -> None:
    """Refuse every construct that is not on the list, and functions that nobody knows."""
    pending: list[tuple[ast.AST, ast.AST, int]] = [(tree, tree, 1)]
    while pending:
        node, place, depth = pending.pop()
        place = node if hasattr(node, "col_offset") else place
        if depth > DEPTH_LIMIT:
            raise _wrong(
                ProblemCode.EXPRESSION_INVALID, f"an expression is nested at most {DEPTH_LIMIT} deep.", text, place
            )
        if isinstance(node, ast.Compare) and len(node.ops) > 1:
            message = "a < b < c cannot be said of tensors: write (a < b) & (b < c)."
            raise _wrong(ProblemCode.EXPRESSION_INVALID, message, text, place)
        if type(node) in _INSTEAD:
            raise _wrong(
                ProblemCode.EXPRESSION_INVALID, f"this cannot be used here; {_INSTEAD[type(node)]}.", text, place
            )
        if not isinstance(node, (*_ALLOWED, ast.Compare)):
            what = type(node).__name__
            raise _wrong(ProblemCode.EXPRESSION_INVALID, f"{what} cannot be used in an expression.", text, place)
        if isinstance(node, ast.Constant):
            _check_constant(text, node)
        children: list[ast.AST] = list(ast.iter_child_nodes(node))
        if isinstance(node, ast.Call):
            _check_function(text, node)
            children.remove(node.func)
            if isinstance(node.func, ast.Attribute) and _dotted(node.func) is None:
                children.append(node.func.value)
        elif isinstance(node, ast.Attribute) and _dotted(node) is None:
            _check_property(text, node)
        pending.extend((child, place, depth + 1) for child in children)


def _check_constant(text: str, node: ast.Constant) -> None:
    if isinstance(node.value, bytes | complex):
        kind = type(node.value).__name__
        raise _wrong(ProblemCode.EXPRESSION_INVALID, f"{kind} cannot be used in an expression.", text, node)
    if isinstance(node.value, int) and abs(node.value) >= 2**63:
        raise _wrong(ProblemCode.EXPRESSION_INVALID, "an integer here may not exceed 2**63.", text, node)


def _check_function(text: str, call: ast.Call) -> None:
    """Refuse a call of what is no operation of the catalogue."""
    match call.func:
        case ast.Name(id=name):
            if _module_of(name) is None:
                raise _unknown(text, call.func, name)
        case ast.Attribute(value=owner, attr=name):
            full = _dotted(call.func)
            target = full if full is not None else f"torch.Tensor.{name}"
            if target not in operations():
                raise _unknown(text, owner if full else call.func, target)
        case _:
            raise _wrong(ProblemCode.EXPRESSION_INVALID, "only functions and methods can be called.", text, call)


def _check_property(text: str, node: ast.Attribute) -> None:
    target = f"torch.Tensor.{node.attr}"
    if target not in operations():
        raise _unknown(text, node, target)
    if callable(resolve(target)):
        message = f"{node.attr} is a method: write .{node.attr}(…)."
        raise _wrong(ProblemCode.EXPRESSION_INVALID, message, text, node)


def _dotted(node: ast.expr) -> str | None:
    """``torch.fft.rfft`` for what begins with a module; None for a method of a value."""
    return Imports(dict(_MODULES)).dotted(node)


def _module_of(name: str) -> str | None:
    return next((module for module, prefix in _SHORT if prefix + name in operations()), None)


def _names(tree: ast.expr) -> Iterator[str]:
    """The names of values, in the order of the text."""
    match tree:
        case ast.Name(id=name):
            yield name
        case ast.Call(func=function, args=arguments, keywords=keywords):
            if isinstance(function, ast.Attribute) and _dotted(function) is None:
                yield from _names(function.value)
            for item in (*arguments, *(keyword.value for keyword in keywords)):
                yield from _names(item)
        case ast.Attribute() if _dotted(tree) is not None:
            return
        case _:
            for child in ast.iter_child_nodes(tree):
                if isinstance(child, ast.expr):
                    yield from _names(child)


def _check_free(text: str, tree: ast.expr, free: Sequence[str], parameters: Mapping[str, object]) -> None:
    places = {node.id: node for node in reversed(list(ast.walk(tree))) if isinstance(node, ast.Name)}
    for name in free:
        if not is_identifier(name):
            raise _wrong(ProblemCode.NAME_INVALID, f"{name[:80]!r} is no name for an input.", text, places[name])
        if name in LOCALS:
            raise _wrong(ProblemCode.NAME_RESERVED, f"{name} cannot be the name of an input.", text, places[name])
    unread = [name for name in parameters if name not in places]
    if unread:
        raise _wrong(ProblemCode.UNUSED_MEMBER, f"the expression does not read the parameter {unread[0][:80]}.")


def _check_numbers(nodes: Sequence[Node], output: Value) -> None:
    """Compute what is made of numbers alone, within the bounds of expressions: ``9**9**9`` has no value."""
    values = [output]
    for node in nodes:
        if isinstance(node, FunctionNode):
            given = list(node.arguments.values())
            values += given
            if node.target.startswith("operator.") and not any(True for value in given for _ in refs(value)):
                message = f"{node.target.rpartition('.')[2]} of numbers alone cannot be used in an expression."
                raise _wrong(ProblemCode.EXPRESSION_INVALID, message)
    for written in (text for value in values for text in expressions(value)):
        try:
            parse(written).evaluate({})
        except ExpressionError as error:
            raise _wrong(ProblemCode.EXPRESSION_INVALID, f"{written[:80]}: {error}.") from None


def _unknown(text: str, place: ast.AST, name: str) -> GraphError:
    close = [found for found in nearest(name, 8) if found in operations()][:3]
    hint = f" Did you mean {', '.join(_spelling(found) for found in close)}?" if close else ""
    message = f"there is no operation {name.rpartition('.')[2][:80]}.{hint}"
    return _wrong(ProblemCode.UNKNOWN_OPERATION, message, text, place, nearest=close)


def _spelling(target: str) -> str:
    """How the expression says it."""
    short = target.rpartition(".")[2]
    if target.startswith("torch.Tensor."):
        return f"x.{short}"
    module = _module_of(short)
    return short if module is not None and dict(_SHORT)[module] + short == target else target


def _wrong(
    code: ProblemCode,
    message: str,
    text: str = "",
    place: ast.AST | None = None,
    *,
    column: int | None = None,
    nearest: Sequence[str] = (),
) -> GraphError:
    """The one problem, with the column of its place; columns of Python's parser count bytes."""
    offset = getattr(place, "col_offset", None)
    if offset is not None:
        column = len(text.encode()[:offset].decode(errors="ignore")) + 1
    data = ({"column": column} if column is not None else {}) | ({"nearest": list(nearest)} if nearest else {})
    where = f"at character {column}: " if column is not None else ""
    return GraphError([Problem(code=code, message=f"{where}{message}", data=data)])
