"""Members that are an identity in one case: there they are left out, and forward passes on what it would give them.

``nn.Identity()`` and an empty ``nn.Sequential()`` have no state and give back what they are given, so that

>>> self.short = nn.Identity()
>>> if stride != 1:
>>>     self.short = nn.Conv2d(...)

with ``self.short(x)`` computes what this does with ``None`` for the identity, which is the form that is read:

>>> self.short(x) if self.short is not None else x
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Collection

from layerloom.catalogue.overrides import PASSES_ON

_Passes = Callable[[ast.expr], bool]
_EMPTY = "torch.nn.Sequential"


def without_identities(
    init: ast.FunctionDef, forward: ast.FunctionDef, dotted: Callable[[ast.expr], str | None]
) -> list[str]:
    """Rewrite both methods in place; gives the names of the members that are left out in one case.

    A member is let alone unless all that forward does with it is to call it with one variable.
    """

    def passes(value: ast.expr) -> bool:
        match value:
            case ast.Call(func=made, args=[], keywords=[]):
                return dotted(made) in (PASSES_ON, _EMPTY)
        return False

    mentions, calls = _mentions(forward), Counter(filter(None, map(_call, ast.walk(forward))))
    names = [name for name in _chosen(init, passes) if 0 < mentions[name] == calls[name]]
    for name in names:
        init.body = [new for statement in init.body for new in _rewritten(statement, name, passes)]
    if names:
        _Chosen(names).visit(forward)
    return names


def _registered(statement: ast.stmt) -> tuple[str, ast.expr] | None:
    match statement:
        case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)], value=value):
            return name, value
    return None


def _chosen(init: ast.FunctionDef, passes: _Passes) -> list[str]:
    """Members that are an identity in one case and another module in the other, and nothing else meanwhile."""
    found: dict[str, list[tuple[int, str, bool]]] = {}
    for index, statement in enumerate(init.body):
        one = _registered(statement)
        if one is not None and isinstance(one[1], ast.IfExp):
            cases = [("then", one[1].body), ("else", one[1].orelse)]
            found.setdefault(one[0], []).extend((index, branch, passes(value)) for branch, value in cases)
        elif one is not None:
            found.setdefault(one[0], []).append((index, "always", passes(one[1])))
        elif isinstance(statement, ast.If):
            for branch, body in (("then", statement.body), ("else", statement.orelse)):
                for inner in filter(None, map(_registered, body)):
                    found.setdefault(inner[0], []).append((index, branch, passes(inner[1])))
    names, mentions = [], _mentions(init)
    for name, ways in found.items():
        written = {index for index, _, _ in ways}
        mentioned = mentions[name]
        match ways:
            # One after the other: a module registered in between would come before it, and behind it in the text.
            case [(at, "always", True), (then, "then" | "else", False)] if mentioned == 2 and then == at + 1:
                names.append(name)
            case [(_, "then", first), (_, "else", second)] if first != second and len(written) == 1:
                stored = 1 if isinstance(init.body[written.pop()], ast.Assign) else 2
                names += [name] if mentioned == stored else []
    return names


def _mentions(function: ast.FunctionDef) -> Counter[str]:
    """How often each member is named; counted once for all, because a text may have thousands of them."""
    return Counter(filter(None, map(_member, ast.walk(function))))


def _member(node: ast.AST) -> str | None:
    match node:
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return name
    return None


def _call(node: ast.AST) -> str | None:
    """The member that is called with one variable."""
    match node:
        case ast.Call(func=called, args=[ast.Name()], keywords=[]):
            return _member(called)
    return None


def _rewritten(statement: ast.stmt, name: str, passes: _Passes) -> list[ast.stmt]:
    """The statement with None for the identity, which stands in front of the case that is left."""
    found = _registered(statement)
    nothing = ast.copy_location(ast.parse(f"self.{name} = None").body[0], statement)
    if found is not None and found[0] == name and isinstance(statement, ast.Assign):
        if passes(found[1]):
            return [nothing]
        if isinstance(found[1], ast.IfExp):
            choice = found[1]
            first, second = (
                [ast.copy_location(ast.Assign(targets=statement.targets, value=value), value)]
                for value in (choice.body, choice.orelse)
            )
            statement = ast.copy_location(ast.If(test=choice.test, body=[*first], orelse=[*second]), statement)
    if not isinstance(statement, ast.If):
        return [statement]

    def kept(part: ast.stmt) -> bool:
        inner = _registered(part)
        return inner is None or inner[0] != name or not passes(inner[1])

    body, otherwise = list(filter(kept, statement.body)), list(filter(kept, statement.orelse))
    if len(body) == len(statement.body) and len(otherwise) == len(statement.orelse):
        return [statement]
    test = statement.test
    if not body:
        test, body, otherwise = ast.copy_location(ast.UnaryOp(op=ast.Not(), operand=test), test), otherwise, []
    statement.test, statement.body, statement.orelse = test, body, otherwise
    return [ast.fix_missing_locations(nothing), statement]


class _Chosen(ast.NodeTransformer):
    """What members are given in place of their calls, where they are not there."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = frozenset(names)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        name = _call(node)
        if name not in self._names:
            return self.generic_visit(node)
        test = ast.parse(f"self.{name} is not None", mode="eval").body
        chosen = ast.IfExp(test=test, body=node, orelse=node.args[0])
        for part in (chosen, *ast.walk(test)):
            ast.copy_location(part, node)
        return chosen
