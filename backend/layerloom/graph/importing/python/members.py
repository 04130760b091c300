"""The body of ``__init__`` as members: what it registers, written out, in comprehensions or by ``append``."""

from __future__ import annotations

import ast
import copy
from collections.abc import Collection, Iterator

from layerloom.catalogue import find
from layerloom.graph.expressions import ExpressionError, parse
from layerloom.graph.importing.python.errors import kind_of, not_plain
from layerloom.graph.importing.python.layers import LayerReader, numbered, variables_of
from layerloom.graph.importing.python.names import UNROLLED, Names, self_path
from layerloom.graph.importing.python.tensors import buffer
from layerloom.schema.document import (
    Alias,
    BlockArgument,
    Member,
    ModuleDict,
    ModuleList,
    ParameterDict,
    ParameterList,
    Sequential,
)

_STATEMENT = 10
"""Effort of a statement, a loop's in each round."""


class MemberReader(LayerReader):
    """Reads the statements of one ``__init__``."""

    def __init__(self, names: Names, classes: dict[str, list[BlockArgument]], notes: list[str]) -> None:
        super().__init__(names, classes)
        self.members: dict[str, Member] = {}
        self.left: list[ast.stmt] = []
        """Statements that initialize or freeze what is registered."""
        self.functions: dict[str, str] = {}
        """Attributes that hold a function of torch."""
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
                without = self._under(text, body) | self._under(f"not ({text})", otherwise)
                for name in without:
                    # None in one case, a module in the other: nothing else is a member, or a number, in both.
                    member = self.members.get(name)
                    if member is None or isinstance(member, Alias) or member.when is None:
                        raise not_plain(statement, "what this if decides cannot be read without running it")
                    self._there(name, member.when)
            case ast.Expr(value=ast.Call() as call):
                self._call(statement, call)
            case _:
                raise not_plain(statement, f"an __init__ with {kind_of(statement)} cannot be read without running it")

    def _under(self, condition: str, body: list[ast.stmt]) -> set[str]:
        """Statements that run where an expression over arguments holds: what they register has that condition.

        Gives the names of the attributes that they set to None.
        """
        self._when = condition
        before, without = dict(self.members), set()
        try:
            for statement in body:
                if (name := _none(statement)) is not None:
                    without.add(name)
                    continue
                if not self._registers(statement):
                    raise not_plain(statement, "what this if decides cannot be read without running it")
                self._statement(statement)
        finally:
            self._when = None
        for name, member in self.members.items():
            if member is before.get(name):
                continue
            if name in before or isinstance(member, Alias):
                raise not_plain(
                    body[0],
                    f"{name} is registered in two ways, which cannot be read without running it (one may be None, "
                    f"where forward says `if self.{name} is not None`)",
                )
            self.members[name] = member.model_copy(update={"when": condition})
            if f"self.{name}" in self.names.constants:
                self._there(name, condition)
        return without

    def _there(self, name: str, condition: str) -> None:
        """An attribute is a module where the condition holds, and None elsewhere."""
        before = self.names.constants.pop(f"self.{name}", None)
        if before is None or (isinstance(before, ast.Constant) and before.value is None):
            self.names.present[f"self.{name}"] = ast.parse(f"({condition})", mode="eval").body

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
            self._lists[name] = self.items(value)
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
            if self._when is None and f"self.{name}" in self.names.constants:
                self._there(name, "True")
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
        made = self.items(value) if several else [("", value)]
        if isinstance(owner, ast.Name) and owner.id in self._lists:
            self._lists[owner.id] += [item if several else self.item("", value) for item in made]
            return
        path = self_path(owner)
        holder = self.members.get(path or "")
        if not isinstance(holder, ModuleList | Sequential | ParameterList):
            raise not_plain(owner, "what this is appended to cannot be known without running the code")
        added = made if several else [self.item("", value)]
        items = numbered([*holder.items, *added])
        self.members[holder.name] = holder.model_copy(update={"items": items})

    def _loop(self, target: ast.expr, iterable: ast.expr, body: list[ast.stmt]) -> None:
        """One ``append`` in a loop is a repeat; a loop of known length is written out."""
        match body:
            case [ast.Expr(value=ast.Call(func=ast.Attribute(value=owner, attr="append"), args=[value], keywords=[]))]:
                clause = ast.comprehension(target=target, iter=iterable, ifs=[], is_async=0)
                repeat = self.repeat(value, [clause])
                if isinstance(owner, ast.Name) and owner.id in self._lists:
                    self._lists[owner.id].append(repeat)
                    return
                holder = self.members.get(self_path(owner) or "")
                if isinstance(holder, ModuleList | ParameterList | Sequential):
                    items = numbered([*holder.items, repeat])
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
        variables = variables_of(target)
        try:
            values = list(parse(self.names.expression(iterable).expr).evaluate({}))
        except (ExpressionError, ValueError, TypeError):
            raise not_plain(iterable, "how often this loop runs cannot be known without running the code") from None
        if len(values) > UNROLLED:
            raise not_plain(iterable, f"a loop of more than {UNROLLED} rounds is not written out")
        for value in values:
            parts = [value] if isinstance(target, ast.Name) else list(value)
            yield {name: ast.parse(repr(part), mode="eval").body for name, part in zip(variables, parts, strict=True)}


def _none(statement: ast.stmt) -> str | None:
    """The attribute that a statement sets to None."""
    match statement:
        case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)], value=ast.Constant(value=None)):
            return name
    return None
