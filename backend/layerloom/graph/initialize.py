"""Which modules are initialized how: a document's initializers as branches of the function given to ``model.apply``.

``model.apply`` visits the children of a module before the module itself. For each module the first branch that fits is
taken: those of its own member first, then the document's rules in order. A module whose parameters are initialized one
by one (``Parameter.init``) is a module with a branch of its own, so that no rule touches it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, Literal

from layerloom.catalogue import find
from layerloom.graph.places import Environment, Instance, evaluate, instances
from layerloom.graph.walk import join
from layerloom.schema.document import Document, Layer, Parameter, ParameterInit
from layerloom.schema.values import Expr, Tuple, Value
from layerloom.schema.values import replace as replace_value


@dataclass(frozen=True)
class Branch:
    """Statements for the modules that all conditions fit."""

    statements: tuple[ParameterInit, ...]
    order: Literal["parameters", "statements"] = "parameters"
    """Which loop is the outer one where a statement names several parameters."""
    names: tuple[str, ...] = ()
    """Qualified names of the modules that are meant; empty means any."""
    types: tuple[str, ...] = ()
    """Catalogue names of their classes, or for ``owner`` block its own name; empty means any."""
    pattern: str = "*"
    """Glob on their qualified names."""
    owner: Literal["layer", "block", "parameter_list", "parameter_dict"] = "layer"
    """How a parameter of theirs is reached: ``module.weight``, ``module[0]``, ``module["key"]``."""
    complete: bool = False
    """All modules that are meant have every parameter that their class can have: nothing is switched off."""


def branches(document: Document) -> list[Branch]:
    """All branches in the order in which they are tried. Raises GraphError as ``instances`` does."""
    own = _by_class([branch for instance in instances(document).values() for branch in _own(instance)])
    rules = [
        Branch(
            statements=tuple(_plain(statement, {}) for statement in rule.statements),
            order=rule.order,
            types=tuple(rule.types),
            pattern=rule.name,
        )
        for rule in document.init
    ]
    return [*_merged(own), *rules]


def _own(instance: Instance) -> list[Branch]:
    """Branches of the members of one block: one for each layer, one for each module that holds parameters."""
    found: list[Branch] = []
    owned: dict[str, list[ParameterInit]] = {}
    for path, place in instance.places.items():
        member = place.member
        if not isinstance(member, Layer | Parameter) or not member.init:
            continue
        statements = [_plain(statement, place.environment) for statement in member.init]
        if isinstance(member, Layer):
            names = (join(instance.name, path),)
            types = (member.target,)
            found.append(Branch(tuple(statements), names=names, types=types, complete=_complete(member)))
            continue
        owner, _, name = path.rpartition(".")
        owned.setdefault(owner, []).extend(
            statement.model_copy(update={"parameter": name})
            for statement in statements
            if fnmatchcase(name, statement.parameter)
        )
    for owner, statements in owned.items():
        kind = instance.places[owner].member.kind if owner else "block"
        assert kind in ("block", "parameter_list", "parameter_dict")
        names = (join(instance.name, owner),)
        found.append(Branch(tuple(statements), "statements", names, () if owner else (instance.block,), owner=kind))
    return found


def _complete(layer: Layer) -> bool:
    """Whether no argument switches a parameter off, as ``bias=False`` does, or may do so."""
    entry = find(layer.target)
    switches = {spec.name for spec in entry.parameters if "bool" in spec.kinds} if entry else set()
    return not any(
        value is False or (isinstance(value, Expr) and name in switches) for name, value in layer.arguments.items()
    )


def _by_class(found: list[Branch]) -> list[Branch]:
    """Blocks that are initialized alike in all their instances are told by their class instead of by their names."""
    by_block: dict[tuple[str, ...], set[str]] = {}
    for branch in found:
        if branch.owner == "block":
            by_block.setdefault(branch.types, set()).add(repr(branch.statements))
    return [
        replace(branch, names=()) if branch.owner == "block" and len(by_block[branch.types]) == 1 else branch
        for branch in found
    ]


def _plain(statement: ParameterInit, environment: Environment) -> ParameterInit:
    """The statement with its expressions computed, because the function that runs it knows no block arguments."""

    def compute(value: Value) -> Value:
        return _as_value(evaluate(value, environment)) if isinstance(value, Expr) else value

    arguments = {name: replace_value(value, compute) for name, value in statement.arguments.items()}
    return statement.model_copy(update={"arguments": arguments})


def _as_value(result: Any) -> Value:
    if isinstance(result, tuple):
        return Tuple(items=[_as_value(item) for item in result])
    return [_as_value(item) for item in result] if isinstance(result, list | range) else result


def _merged(found: list[Branch]) -> list[Branch]:
    """Branches that differ in their modules only, as one. At most one fits a module, so their order is free."""
    merged: list[Branch] = []
    for branch in found:
        for index, other in enumerate(merged):
            if replace(branch, names=other.names) == other:
                merged[index] = replace(other, names=(*other.names, *branch.names))
                break
        else:
            merged.append(branch)
    return merged
