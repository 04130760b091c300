"""The function given to ``model.apply``, and what an ``__init__`` does to the numbers of its members."""

from __future__ import annotations

import ast
from typing import Any

from layerloom.catalogue import find
from layerloom.graph.errors import GraphError
from layerloom.graph.importing.python.errors import NotPlainError, not_plain
from layerloom.graph.importing.python.members import MemberReader
from layerloom.graph.importing.python.names import Imports, Names, bind, is_layer, self_path
from layerloom.graph.walk import join, steps
from layerloom.schema.document import CONTAINERS, Document, InitRule, Layer, Parameter, ParameterInit

_FORGET_GATE = "layerloom.forget_gate_bias"
_IN_PLACE = {"zero_": "zeros_", "fill_": "constant_", "normal_": "normal_", "uniform_": "uniform_"}


class InitializerReader:
    """Adds what it reads to a document: rules, and initializers of its members."""

    def __init__(
        self, document: Document, imports: Imports, functions: dict[str, ast.FunctionDef], notes: list[str]
    ) -> None:
        self._document, self._imports, self._functions, self._notes = document, imports, functions, notes

    def statements(self, block: str, found: ast.ClassDef, reader: MemberReader) -> None:
        """What is left of an ``__init__`` when its members are read. Raises NotPlainError."""
        for statement in reader.left:
            self._statement(block, found, reader, statement)

    def _statement(self, block: str, found: ast.ClassDef, reader: MemberReader, statement: ast.stmt) -> None:
        match statement:
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="self"), attr="apply"), args=[function])):
                self._function(block, statement, self._named(found, function), reader)
            case ast.Expr(value=ast.Call(func=ast.Name(id=name), args=[ast.Name(id="self")])) if (
                name in self._functions
            ):
                self._function(block, statement, self._functions[name], reader)
            case ast.Expr(
                value=ast.Call(
                    func=ast.Attribute(value=ast.Name(id="self"), attr="requires_grad_"),
                    args=[ast.Constant(value=False)],
                )
            ):
                self._freeze(block, statement, ["*"])
            case ast.For(iter=ast.Call(func=ast.Attribute(attr="named_parameters")), body=[ast.If(test=test)]):
                self._freeze(block, statement, _patterns(test))
            case ast.For(target=ast.Name(id=variable), iter=ast.Call(func=ast.Attribute(attr="modules")), body=body):
                self._require_main(block, statement)
                self._notes.append("Initial values are drawn in another order than in the original: children first.")
                self._branches(body, _Place(variable, None), reader)
            case ast.Expr(value=ast.Call() as call):
                self._single(block, call, reader)
            case _:
                raise not_plain(statement, "this statement of __init__ cannot be read without running it")

    def _named(self, found: ast.ClassDef, function: ast.expr) -> ast.FunctionDef | None:
        match function:
            case ast.Name(id=name):
                return self._functions.get(name)
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                return next((p for p in found.body if isinstance(p, ast.FunctionDef) and p.name == name), None)
        return None

    def _require_main(self, block: str, statement: ast.stmt) -> None:
        if block != self._document.main:
            raise not_plain(statement, "only the outermost class may initialize all of its modules")

    def _freeze(self, block: str, statement: ast.stmt, patterns: list[str] | None) -> None:
        self._require_main(block, statement)
        if patterns is None:
            raise not_plain(statement, "which parameters are frozen cannot be known without running the code")
        self._document.frozen[:] = patterns

    def _single(self, block: str, call: ast.Call, reader: MemberReader) -> None:
        """``nn.init.zeros_(self.fc.weight)``."""
        parameter, statement = self._initializer(call, reader.names)
        path = self_path(parameter)
        if path is None:
            raise not_plain(call, "this statement of __init__ cannot be read without running it")
        owner, _, name = path.rpartition(".")
        members = {member.name: member for member in self._document.blocks[block].members}
        if isinstance(members.get(path), Parameter):
            self._of_block(block, [statement.model_copy(update={"parameter": path})], call)
            return
        try:
            member = steps(self._document, block, owner)[-1].member if owner else None
        except GraphError as error:
            raise NotPlainError(str(error)) from None
        if not isinstance(member, Layer):
            raise not_plain(call, "this statement of __init__ cannot be read without running it")
        init = [*member.init, statement.model_copy(update={"parameter": name})]
        changed = member.model_copy(update={"init": init})
        self._replace(block, owner, changed.model_dump(mode="json", by_alias=True))

    def _initializer(self, call: ast.Call, names: Names) -> tuple[ast.expr, ParameterInit]:
        """The parameter, and what is done to it."""
        function, given = self._imports.dotted(call.func), call.args
        match call.func:
            case ast.Name(id="forget_gate_bias") if "forget_gate_bias" in self._functions:
                function = _FORGET_GATE
            case ast.Attribute(value=ast.Attribute(value=inner, attr="data"), attr=name) if name in _IN_PLACE:
                function, given = f"torch.nn.init.{_IN_PLACE[name]}", [inner, *call.args]
        entry = find(function) if function is not None else None
        known = function is not None and (function.startswith("torch.nn.init.") or function == _FORGET_GATE)
        if entry is None or not known or not given:
            raise not_plain(call, f"{ast.unparse(call.func)[:60]} is no initializer that is known")
        specs = [spec for spec in entry.parameters if spec.name not in ("tensor", "bias", "generator")]
        rest = ast.copy_location(ast.Call(func=call.func, args=given[1:], keywords=call.keywords), call)
        return given[0], ParameterInit(function=entry.name, arguments=bind(specs, rest, names.value))

    # --- functions for ``model.apply``

    def _function(
        self, block: str, statement: ast.stmt, function: ast.FunctionDef | None, reader: MemberReader
    ) -> None:
        self._require_main(block, statement)
        if function is None:
            raise not_plain(statement, "the function that initializes is not in this file")
        module = function.args.args[-1].arg
        names: str | None = None
        body = _without_docstring(function.body)
        match body:
            case [
                ast.Assign(targets=[ast.Name(id=known)], value=ast.DictComp()),
                ast.FunctionDef() as inner,
                ast.Expr(),
            ]:
                names, module, body = known, inner.args.args[-1].arg, _without_docstring(inner.body)
        self._branches(body, _Place(module, names), reader)

    def _branches(self, body: list[ast.stmt], place: _Place, reader: MemberReader) -> None:
        match body:
            case [ast.If(test=test, body=inner, orelse=rest)] if not _guards(test, place):
                self._branch(self._test(test, place), inner, place)
                if rest:
                    self._branches(rest, place, reader)
            case [ast.If(orelse=[]) as first, *others] if others and not _guards(first.test, place):
                self._notes.append("Of several tests that hold for a module, the first initializes it.")
                self._branches([first], place, reader)
                self._branches(others, place, reader)
            case _:
                self._branch(_Test(), body, place)

    def _test(self, test: ast.expr, place: _Place) -> _Test:
        match test:
            case ast.BoolOp(op=ast.And(), values=values):
                found = _Test()
                for value in values:
                    inner = self._test(value, place)
                    found = _Test(
                        found.types or inner.types, found.names or inner.names, inner.pattern or found.pattern
                    )
                return found
            case ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name(id=module), classes]) if (
                module == place.module
            ):
                several = classes.elts if isinstance(classes, ast.Tuple) else [classes]
                return _Test(types=[self._class(item) for item in several])
            case ast.Compare(
                left=ast.Subscript(value=ast.Name(id=names)), ops=[ast.Eq() | ast.In()], comparators=[right]
            ) if names == place.names:
                several = right.elts if isinstance(right, ast.Tuple | ast.List) else [right]
                texts = [
                    item.value for item in several if isinstance(item, ast.Constant) and isinstance(item.value, str)
                ]
                return _Test(names=texts)
        pattern = _pattern(test)
        if pattern is None:
            raise not_plain(test, "this test of an initializer cannot be read without running it")
        return _Test(pattern=pattern)

    def _class(self, node: ast.expr) -> str:
        dotted = self._imports.dotted(node)
        if dotted is not None and is_layer(dotted):
            return dotted
        if isinstance(node, ast.Name) and node.id in self._document.blocks:
            return node.id
        raise not_plain(node, f"{ast.unparse(node)[:60]} is no class that is known")

    def _branch(self, test: _Test, body: list[ast.stmt], place: _Place) -> None:
        order, statements = self._body(body, place)
        blocks = [name for name in test.types if name in self._document.blocks]
        if blocks:
            for name in blocks:
                self._of_block(name, statements, body[0])
        elif test.names:
            for name in test.names:
                self._of_member(name, statements, order, body[0])
        else:
            rule = InitRule(types=test.types, name=test.pattern or "*", order=order, statements=statements)
            self._document.init.append(rule)

    def _of_block(self, block: str, statements: list[ParameterInit], place: ast.AST) -> None:
        members = list(self._document.blocks[block].members)
        for statement in statements:
            for index, member in enumerate(members):
                if isinstance(member, Parameter) and member.name == statement.parameter:
                    changed = [statement.model_copy(update={"parameter": "*"})]
                    members[index] = member.model_copy(update={"init": changed})
                    break
            else:
                raise not_plain(place, f"{block} has no parameter {statement.parameter}")
        self._document.blocks[block] = self._document.blocks[block].model_copy(update={"members": members})

    def _of_member(self, name: str, statements: list[ParameterInit], order: Any, place: ast.stmt) -> None:
        """Initializers of the member at a qualified name: its own ones."""
        block, _, path = _home(self._document, name)
        try:
            member = steps(self._document, block, path)[-1].member if path else None
        except GraphError as error:
            raise NotPlainError(str(error)) from None
        if isinstance(member, Layer):
            init = [item.model_dump(mode="json", by_alias=True) for item in statements]
            self._replace(block, path, {**member.model_dump(mode="json", by_alias=True), "init": init})
        elif isinstance(member, CONTAINERS):
            for statement in statements:
                changed = statement.model_dump(mode="json", by_alias=True) | {"parameter": "*"}
                inner = steps(self._document, block, f"{path}.{statement.parameter}")[-1].member
                if not isinstance(inner, Parameter):
                    raise not_plain(place, f"{name} has no parameter {statement.parameter}")
                written = {**inner.model_dump(mode="json", by_alias=True), "init": [changed]}
                self._replace(block, f"{path}.{statement.parameter}", written)
        else:
            rule = InitRule(name=name, order=order, statements=statements)
            self._document.init.append(rule)

    def _replace(self, block: str, path: str, changed: dict[str, Any]) -> None:
        """Put another item at a path of a block."""
        whole = self._document.blocks[block].model_dump(mode="json", by_alias=True)
        items: list[dict[str, Any]] = whole["members"]
        *before, last = path.split(".")
        for name in before:
            items = _item(items, name)["items"]
        found = _item(items, last)
        found.update(changed)
        self._document.blocks[block] = type(self._document.blocks[block]).model_validate(whole)

    def _body(self, body: list[ast.stmt], place: _Place) -> tuple[Any, list[ParameterInit]]:
        """Statements of a branch, and which of its loops is the outer one."""
        statements: list[ParameterInit] = []
        loops = 0
        for statement in body:
            match statement:
                case ast.Pass():
                    pass
                case ast.Expr(value=ast.Call() as call):
                    statements.append(self._direct(call, place))
                case ast.If(test=test, body=inner, orelse=[]) if _guards(test, place):
                    for part in inner:
                        if not isinstance(part, ast.Expr) or not isinstance(part.value, ast.Call):
                            raise not_plain(part, "this initializer cannot be read without running it")
                        statements.append(self._direct(part.value, place))
                case ast.For(iter=ast.Call(func=ast.Attribute(attr="named_parameters" | "parameters")), body=inner):
                    loops += 1
                    statements += self._looped(inner)
                case _:
                    raise not_plain(statement, "this initializer cannot be read without running it")
        if loops:
            return ("statements" if loops > 1 else "parameters"), statements
        return self._direct_order(statements), statements

    def _direct_order(self, statements: list[ParameterInit]) -> str:
        return "statements" if len({s.parameter for s in statements}) < len(statements) else "parameters"

    def _direct(self, call: ast.Call, place: _Place) -> ParameterInit:
        parameter, statement = self._initializer(call, Names(self._imports))
        match parameter:
            case ast.Attribute(value=ast.Name(id=module), attr=name) if module == place.module:
                return statement.model_copy(update={"parameter": name})
            case ast.Subscript(value=ast.Name(id=module), slice=ast.Constant(value=key)) if module == place.module:
                return statement.model_copy(update={"parameter": str(key)})
        raise not_plain(call, "which parameter this initializes cannot be known without running the code")

    def _looped(self, body: list[ast.stmt]) -> list[ParameterInit]:
        found: list[ParameterInit] = []
        for statement in body:
            match statement:
                case ast.Expr(value=ast.Call() as call):
                    _, made = self._initializer(call, Names(self._imports))
                    found.append(made.model_copy(update={"parameter": "*"}))
                case ast.If(test=test, body=inner, orelse=rest):
                    pattern = _pattern(test)
                    if pattern is None or rest:
                        raise not_plain(test, "this initializer cannot be read without running it")
                    found += [item.model_copy(update={"parameter": pattern}) for item in self._looped(inner)]
                case _:
                    raise not_plain(statement, "this initializer cannot be read without running it")
        return found


class _Place:
    """Names inside the function: of the module, and of the dictionary of qualified names."""

    def __init__(self, module: str, names: str | None) -> None:
        self.module, self.names = module, names


class _Test:
    """Which modules a branch is for."""

    def __init__(self, types: list[str] | None = None, names: list[str] | None = None, pattern: str = "") -> None:
        self.types, self.names, self.pattern = types or [], names or [], pattern


def _home(document: Document, name: str) -> tuple[str, str, str]:
    """The block whose member is at a qualified name, and its path there."""
    block, path = document.main, ""
    for part in name.split("."):
        path = join(path, part)
        try:
            member = steps(document, block, path)[-1].member
        except GraphError:
            break
        inner = getattr(member, "block", None)
        if inner is not None:
            block, path = inner, ""
    return block, "", path


def _item(items: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """The item of a name or place, a repeat's own where it stands there."""
    named = next((item for item in items if item.get("name") == name), None)
    found = named if named is not None else items[min(int(name), len(items) - 1) if name.isdecimal() else 0]
    while found["kind"] == "repeat":
        found = found["item"]
    return found


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    match body:
        case [ast.Expr(value=ast.Constant()), *rest]:
            return rest
    return body


def _guards(test: ast.expr, place: _Place) -> bool:
    """``module.bias is not None``."""
    match test:
        case ast.Compare(
            left=ast.Attribute(value=ast.Name(id=module)), ops=[ast.IsNot()], comparators=[ast.Constant(value=None)]
        ):
            return module == place.module
    return False


def _pattern(test: ast.expr) -> str | None:
    """The glob that a test of a text says."""
    match test:
        case ast.Compare(left=ast.Constant(value=str() as text), ops=[ast.In()]):
            return f"*{text}*"
        case ast.Compare(ops=[ast.Eq()], comparators=[ast.Constant(value=str() as text)]):
            return text
        case ast.Call(func=ast.Attribute(attr="startswith"), args=[ast.Constant(value=str() as text)]):
            return f"{text}*"
        case ast.Call(func=ast.Attribute(attr="endswith"), args=[ast.Constant(value=str() as text)]):
            return f"*{text}"
        case ast.Call(func=ast.Name(id="fnmatchcase"), args=[_, ast.Constant(value=str() as text)]):
            return text
    return None


def _patterns(test: ast.expr) -> list[str] | None:
    several = test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or) else [test]
    found = [_pattern(item) for item in several]
    return [text for text in found if text is not None] if None not in found else None
