"""The body of ``__init__`` as members: what it registers, written out, in comprehensions or by ``append``."""

from __future__ import annotations

import ast
import copy
from collections.abc import Collection, Iterator
from typing import Any

from layerloom.catalogue import find, parametrizations
from layerloom.graph.expressions import ExpressionError, parse
from layerloom.graph.importing.python.errors import not_plain
from layerloom.graph.importing.python.names import Names, bind, is_layer
from layerloom.graph.importing.python.tensors import buffer, parameter
from layerloom.schema.catalogue import ParameterSpec
from layerloom.schema.document import (
    Alias,
    BlockArgument,
    BlockUse,
    Item,
    Layer,
    Member,
    ModuleDict,
    ModuleList,
    ParameterDict,
    ParameterList,
    Parametrization,
    Repeat,
    Sequential,
)

_CONTAINERS: dict[str, Any] = {
    "torch.nn.Sequential": Sequential,
    "torch.nn.ModuleList": ModuleList,
    "torch.nn.ModuleDict": ModuleDict,
    "torch.nn.ParameterList": ParameterList,
    "torch.nn.ParameterDict": ParameterDict,
}
_STATEMENT = 10
"""Effort of a statement, a loop's in each round."""
_UNROLLED = 256
"""Rounds of a loop that are written out."""


class MemberReader:
    """Reads the statements of one ``__init__``."""

    def __init__(self, names: Names, classes: dict[str, list[BlockArgument]], notes: list[str]) -> None:
        self.names = names
        self.members: dict[str, Member] = {}
        self.left: list[ast.stmt] = []
        """Statements that initialize or freeze what is registered."""
        self.functions: dict[str, str] = {}
        """Attributes that hold a function of torch."""
        self._classes = classes
        self._lists: dict[str, list[Any]] = {}
        self._when: str | None = None
        self._notes = notes

    def statements(self, body: Collection[ast.stmt]) -> None:
        """Read statements one after the other. Raises NotPlainError."""
        for statement in body:
            self.names.imports.spend(_STATEMENT, statement)
            self._statement(statement)

    def _statement(self, statement: ast.stmt) -> None:
        match statement:
            case ast.Pass() | ast.Expr(value=ast.Constant()):
                pass
            case ast.Assert():
                self._notes.append(f"The assertion of line {statement.lineno} is left out.")
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="super"))))):
                pass
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assign(target, value)
            case ast.Assign(targets=[target], value=value):
                self._assign(target, value)
            case ast.For(
                iter=ast.Call(
                    func=ast.Attribute(
                        value=ast.Name(id="self"), attr="modules" | "named_modules" | "named_parameters" | "parameters"
                    )
                )
            ):
                self.left.append(statement)
            case ast.For(target=target, iter=iterable, body=body, orelse=[]):
                self._loop(target, iterable, body)
            case ast.If(test=test, body=body, orelse=otherwise) if self._when is None and self.names.pure(test):
                text = self.names.expression(test).expr
                self._under(text, body)
                self._under(f"not ({text})", otherwise)
            case ast.Expr(value=ast.Call() as call):
                self._call(statement, call)
            case _:
                raise not_plain(statement, f"an __init__ with {_kind(statement)} cannot be read without running it")

    def _under(self, condition: str, body: list[ast.stmt]) -> None:
        """Statements that run where an expression over arguments holds: what they register has that condition."""
        self._when = condition
        before = dict(self.members)
        try:
            for statement in body:
                if not self._registers(statement):
                    raise not_plain(statement, "what this if decides cannot be read without running it")
                self._statement(statement)
        finally:
            self._when = None
        for name, member in self.members.items():
            if member is before.get(name):
                continue
            if name in before or isinstance(member, Alias):
                raise not_plain(body[0], f"{name} is registered in two ways, which cannot be read without running it")
            self.members[name] = member.model_copy(update={"when": condition})

    def _registers(self, statement: ast.stmt) -> bool:
        """Whether a statement registers a member and does nothing else."""
        match statement:
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"))], value=ast.Call() as value):
                return not self.names.pure(value)
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="self"), attr=name))):
                return name in ("register_buffer", "register_parameter", "add_module", "register_module")
        return False

    # --- what a statement does

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        match target:
            case ast.Name(id=name):
                self._local(name, value)
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                self._attribute(name, value)
            case ast.Attribute() | ast.Subscript():
                self._deep(target, value)
            case _:
                raise not_plain(target, "this assignment cannot be read without running it")

    def _local(self, name: str, value: ast.expr) -> None:
        if isinstance(value, ast.List) and (not value.elts or not self.names.pure(value)):
            self._lists[name] = self._items(value)
        elif self.names.pure(value):
            self.names.constants[name] = ast.parse(f"({self.names.expression(value).expr})", mode="eval").body
        else:
            raise not_plain(value, f"what {name} is cannot be known without running the code")

    def _attribute(self, name: str, value: ast.expr) -> None:
        path = self_path(value)
        if path is not None and path.partition(".")[0] in self.members:
            self.members[name] = Alias(name=name, of=path)
        elif self.names.pure(value):
            tree = ast.parse(f"({self.names.expression(value).expr})", mode="eval").body
            self.names.constants[f"self.{name}"] = tree
        elif isinstance(value, ast.Call):
            self.members[name] = self.member(name, value)
        elif (function := self.names.imports.dotted(value)) is not None and find(function) is not None:
            self.functions[name] = function
        else:
            raise not_plain(value, f"what self.{name} is cannot be known without running the code")

    def _deep(self, target: ast.expr, value: ast.expr) -> None:
        path, source = self_path(target), self_path(value)
        holder = self.members.get((path or "").rpartition(".")[0])
        if path is not None and isinstance(holder, ModuleDict | ParameterDict) and isinstance(target, ast.Subscript):
            key = path.rpartition(".")[2]
            self.members[holder.name] = holder.model_copy(update={"items": [*holder.items, self.item(key, value)]})
        elif path is not None and source is not None:
            self.members[path] = Alias(name=path, of=source)
        else:
            raise not_plain(target, "this assignment cannot be read without running it")

    def _call(self, statement: ast.stmt, call: ast.Call) -> None:
        match call.func:
            case ast.Attribute(value=ast.Name(id="self"), attr="register_buffer"):
                made = buffer(call, self.names)
                source = self_path(call.args[1]) if made is None and len(call.args) > 1 else None
                if made is None and (source is None or not isinstance(call.args[0], ast.Constant)):
                    raise not_plain(call, "what this buffer holds cannot be known without running the code")
                self._register(made or Alias(name=call.args[0].value, of=str(source)))  # type: ignore[attr-defined]
            case ast.Attribute(value=ast.Name(id="self"), attr="register_parameter" | "add_module" | "register_module"):
                match call.args:
                    case [ast.Constant(value=str() as name), ast.Call() as value]:
                        self._register(self.member(name, value))
                    case _:
                        raise not_plain(call, "what is registered here cannot be known without running the code")
            case ast.Attribute(value=owner, attr="append" | "extend" as method) if len(call.args) == 1:
                self._append(owner, call.args[0], method == "extend")
            case _:
                self.left.append(statement)

    def _register(self, member: Member) -> None:
        self.members[member.name] = member

    def _append(self, owner: ast.expr, value: ast.expr, several: bool) -> None:
        made = self._items(value) if several else [("", value)]
        if isinstance(owner, ast.Name) and owner.id in self._lists:
            self._lists[owner.id] += [item if several else self.item("", value) for item in made]
            return
        path = self_path(owner)
        holder = self.members.get(path or "")
        if not isinstance(holder, ModuleList | Sequential | ParameterList):
            raise not_plain(owner, "what this is appended to cannot be known without running the code")
        added = made if several else [self.item("", value)]
        items = _numbered([*holder.items, *added])
        self.members[holder.name] = holder.model_copy(update={"items": items})

    def _loop(self, target: ast.expr, iterable: ast.expr, body: list[ast.stmt]) -> None:
        """One ``append`` in a loop is a repeat; a loop of known length is written out."""
        match body:
            case [ast.Expr(value=ast.Call(func=ast.Attribute(value=owner, attr="append"), args=[value], keywords=[]))]:
                clause = ast.comprehension(target=target, iter=iterable, ifs=[], is_async=0)
                repeat = self._repeat(value, [clause])
                if isinstance(owner, ast.Name) and owner.id in self._lists:
                    self._lists[owner.id].append(repeat)
                    return
                holder = self.members.get(self_path(owner) or "")
                if isinstance(holder, ModuleList | ParameterList | Sequential):
                    items = _numbered([*holder.items, repeat])
                    self.members[holder.name] = holder.model_copy(update={"items": items})
                    return
        for values in self._rounds(target, iterable):
            before = dict(self.names.constants)
            self.names.constants.update(values)
            self.statements(copy.deepcopy(body))
            for name in values:
                self.names.constants.pop(name, None)
                if name in before:
                    self.names.constants[name] = before[name]

    def _rounds(self, target: ast.expr, iterable: ast.expr) -> Iterator[dict[str, ast.expr]]:
        variables = _variables(target)
        try:
            values = list(parse(self.names.expression(iterable).expr).evaluate({}))
        except (ExpressionError, ValueError, TypeError):
            raise not_plain(iterable, "how often this loop runs cannot be known without running the code") from None
        if len(values) > _UNROLLED:
            raise not_plain(iterable, f"a loop of more than {_UNROLLED} rounds is not written out")
        for value in values:
            parts = [value] if isinstance(target, ast.Name) else list(value)
            yield {name: ast.parse(repr(part), mode="eval").body for name, part in zip(variables, parts, strict=True)}

    # --- members

    def member(self, name: str, value: ast.expr) -> Any:
        """What a call makes, under this name. Raises NotPlainError."""
        if not isinstance(value, ast.Call):
            raise not_plain(value, f"what {name or 'this'} is cannot be known without running the code")
        dotted = self.names.imports.dotted(value.func)
        if dotted in _CONTAINERS:
            return self._container(_CONTAINERS[dotted], name, value)
        if dotted == "torch.nn.Parameter":
            return parameter(name, value, self.names)
        if is_layer(dotted):
            entry = find(dotted or "")
            assert entry is not None
            given = bind(entry.parameters, value, self.names.value)
            return Layer(name=name, target=entry.name, arguments=given)
        if dotted in parametrizations() and value.args:
            return self._parametrized(dotted, name, value)
        if isinstance(value.func, ast.Name) and value.func.id in self._classes:
            specs = [
                ParameterSpec(name=argument.name, kinds=["any"], required=argument.required)
                for argument in self._classes[value.func.id]
            ]
            return BlockUse(name=name, block=value.func.id, arguments=bind(specs, value, self.names.value))
        raise not_plain(value, f"{ast.unparse(value.func)} is no layer of torch and no class of this file")

    def _parametrized(self, function: str, name: str, call: ast.Call) -> Layer:
        """``nn.utils.parametrizations.weight_norm(nn.Linear(4, 3), dim=1)``."""
        layer = self.member(name, call.args[0])
        if not isinstance(layer, Layer):
            raise not_plain(call, "only a layer of torch can have its parameters made from others")
        rest = ast.copy_location(ast.Call(func=call.func, args=call.args[1:], keywords=call.keywords), call)
        arguments = bind(parametrizations()[function].parameters, rest, self.names.value)
        made = Parametrization(function=function, arguments=arguments)
        return layer.model_copy(update={"parametrizations": [*layer.parametrizations, made]})

    def item(self, name: str, value: ast.expr) -> Item:
        """A member of a container; a star in front of a comprehension, or the comprehension, is a repeat."""
        match value:
            case ast.Starred(value=ast.ListComp() | ast.GeneratorExp() as inner):
                return self._repeat(inner.elt, inner.generators)
            case _:
                return self.member(name, value)  # type: ignore[no-any-return]

    def _repeat(self, value: ast.expr, clauses: list[ast.comprehension], key: ast.expr | None = None) -> Repeat:
        clause, *inner = clauses
        if clause.ifs or clause.is_async:
            raise not_plain(value, "a comprehension with a condition cannot be read without running it")
        variables = _variables(clause.target)
        over = self.names.value(clause.iter)
        if not hasattr(over, "expr"):
            over = self.names.expression(clause.iter)
        inside = copy.copy(self)
        inside.names = self.names.inside(variables)
        if inner:
            item: Any = inside._repeat(value, inner, key)
        else:
            name = inside.names.expression(key).expr if key is not None else ""
            item = inside.member(name, value)
        return Repeat(variables=variables, over=over, item=item)

    def _container(self, kind: Any, name: str, call: ast.Call) -> Any:
        if call.keywords:
            raise not_plain(call, "a container takes no keywords here")
        if kind is Sequential:
            return Sequential(name=name, items=self._sequence(call.args))
        if not call.args:
            return kind(name=name)
        [given] = call.args if len(call.args) == 1 else [call]
        if kind in (ModuleDict, ParameterDict):
            return kind(name=name, items=self._pairs(given))
        return kind(name=name, items=_numbered(self._items(given)))

    def _sequence(self, arguments: list[ast.expr]) -> list[Any]:
        if len(arguments) == 1 and isinstance(arguments[0], ast.Call):
            call = arguments[0]
            if self.names.imports.dotted(call.func) == "collections.OrderedDict":
                return self._pairs(call.args[0]) if call.args else []
        items: list[Any] = []
        for argument in arguments:
            if isinstance(argument, ast.Starred) and not isinstance(argument.value, ast.ListComp | ast.GeneratorExp):
                items += self._items(argument.value)
            else:
                items.append(self.item("", argument))
        return _numbered(items)

    def _items(self, value: ast.expr) -> list[Any]:
        """The items of a list."""
        match value:
            case ast.List(elts=items) | ast.Tuple(elts=items):
                found: list[Any] = []
                for item in items:
                    if isinstance(item, ast.Starred) and isinstance(item.value, ast.Name | ast.List):
                        found += self._items(item.value)
                    else:
                        found.append(self.item("", item))
                return found
            case ast.ListComp(elt=inner, generators=clauses) | ast.GeneratorExp(elt=inner, generators=clauses):
                return [self._repeat(inner, clauses)]
            case ast.Name(id=name) if name in self._lists:
                return list(self._lists[name])
        raise not_plain(value, "what this list holds cannot be known without running the code")

    def _pairs(self, value: ast.expr) -> list[Any]:
        """Items with names: of a dict, or of a list of pairs."""
        match value:
            case ast.DictComp(key=key, value=inner, generators=clauses):
                return [self._repeat(inner, clauses, key)]
            case ast.Dict(keys=keys, values=items):
                return [item for key, inner in zip(keys, items, strict=True) for item in self._pair(key, inner)]
            case ast.List(elts=pairs):
                found: list[Any] = []
                for pair in pairs:
                    if not isinstance(pair, ast.Tuple | ast.List) or len(pair.elts) != 2:
                        raise not_plain(pair, "a pair of name and layer is needed here")
                    found += self._pair(pair.elts[0], pair.elts[1])
                return found
        raise not_plain(value, "what this container holds cannot be known without running the code")

    def _pair(self, key: ast.expr | None, value: ast.expr) -> list[Any]:
        if key is None:  # {**{...}}
            return self._pairs(value)
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            return [self.item(key.value, value)]
        raise not_plain(key, "a name has to be written out")


def self_path(node: ast.expr) -> str | None:
    """``stages.0.conv`` for ``self.stages[0].conv``; None for what is no such path."""
    match node:
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return name
        case ast.Attribute(value=inner, attr=name) if (before := self_path(inner)) is not None:
            return f"{before}.{name}"
        case ast.Subscript(value=inner, slice=ast.Constant(value=int() | str() as key)):
            before = self_path(inner)
            return None if before is None else f"{before}.{key}"
        case ast.Call(func=ast.Name(id="getattr"), args=[inner, ast.Constant(value=str() as name)], keywords=[]):
            before = "" if isinstance(inner, ast.Name) and inner.id == "self" else self_path(inner)
            return None if before is None else f"{before}.{name}".lstrip(".")
    return None


def _variables(target: ast.expr) -> list[str]:
    match target:
        case ast.Name(id=name):
            return [name]
        case ast.Tuple(elts=parts) if all(isinstance(part, ast.Name) for part in parts):
            return [part.id for part in parts if isinstance(part, ast.Name)]
    raise not_plain(target, "the variables of a loop have to be plain names")


def _numbered(items: list[Any]) -> list[Any]:
    """Items named by their place, those of repeats too."""
    found = []
    for index, item in enumerate(items):
        if isinstance(item, Repeat):
            found.append(_renamed(item, str(index)))
        else:
            found.append(item.model_copy(update={"name": str(index)}))
    return found


def _renamed(repeat: Repeat, name: str) -> Repeat:
    inner = repeat.item
    changed = _renamed(inner, name) if isinstance(inner, Repeat) else inner.model_copy(update={"name": name})
    return repeat.model_copy(update={"item": changed})


def _kind(statement: ast.stmt) -> str:
    names = {ast.If: "an if", ast.While: "a while", ast.With: "a with", ast.Try: "a try", ast.FunctionDef: "a function"}
    return names.get(type(statement), f"this statement ({type(statement).__name__})")
