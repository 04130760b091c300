"""Initializers against the parameters that they will fill: Kaiming's need two axes, and a bias has one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache

import torch
from torch import nn

from layerloom.catalogue import initializers, layers, resolve
from layerloom.graph.checking.arguments import faults
from layerloom.graph.checking.failures import Failure, clean
from layerloom.graph.checking.findings import Findings, Place, pointer, replacing
from layerloom.graph.checking.inference import Inference
from layerloom.graph.checking.layers import built, quietly
from layerloom.graph.checking.network import Located, Network
from layerloom.graph.checking.reading import read
from layerloom.graph.checking.records import Stopped
from layerloom.graph.checking.values import Frozen, thaw
from layerloom.graph.expressions import ExpressionError
from layerloom.graph.walk import members
from layerloom.schema.document import InitRule, Layer, Parameter, ParameterInit
from layerloom.schema.problems import ProblemCode

LONGEST = 4_096
"""Longest axis of a parameter that an initializer is tried on: some loop over columns."""


@dataclass(frozen=True, slots=True)
class _Target:
    """Parameters of one module, and what is to fill them."""

    located: Located
    statements: list[ParameterInit]
    pointer: str
    """Of the list of statements."""
    parameters: dict[str, tuple[int, ...]]
    """Shapes by own name."""


def check_initializers(network: Network, inference: Inference, findings: Findings) -> None:
    """Try every initializer on a tensor of the shape of every parameter that it is meant for."""
    rules = network.document.init
    inside = (member for block in network.document.blocks.values() for member in members(block))
    if not rules and not any(getattr(member, "init", None) for member in inside):
        return
    told: set[tuple[str, str]] = set()
    for located in network.places():
        if not (rules or getattr(located.place.member, "init", None)) or located.place.pointer in findings.broken:
            continue
        for target in _targets(inference, located, rules):
            _check(findings, target, told)


def _targets(inference: Inference, located: Located, rules: list[InitRule]) -> Iterator[_Target]:
    member = located.place.member
    where = pointer(located.place.pointer, "init")
    if isinstance(member, Parameter) and member.init:
        try:
            shape = inference.layers.tensor(located).shape
        except Stopped:
            return
        name = located.place.path.rpartition(".")[2]
        yield _Target(located, member.init, where, {name: shape})
    if not isinstance(member, Layer) or not (member.init or rules) or located.name in inference.layers.automatic:
        return
    config = inference.layers.configs.get(located.name)
    module = built(config).module if config else None
    if module is None:
        return
    for inner, part in module.named_modules():
        own = {name: tuple(tensor.shape) for name, tensor in part.named_parameters(recurse=False)}
        if not own:
            continue
        if not inner and member.init:
            yield _Target(located, member.init, where, own)
            continue
        name = f"{located.name}.{inner}" if inner else located.name
        index = next((index for index, rule in enumerate(rules) if _fits(rule, part, name)), None)
        if index is not None:
            yield _Target(located, rules[index].statements, pointer("/init", index, "statements"), own)


def _fits(rule: InitRule, module: nn.Module, name: str) -> bool:
    classes = tuple(resolve(target) for target in rule.types if target in layers())
    return (not rule.types or isinstance(module, classes)) and fnmatchcase(name, rule.name)


def _check(findings: Findings, target: _Target, told: set[tuple[str, str]]) -> None:
    for index, statement in enumerate(target.statements):
        where = pointer(target.pointer, index)
        if statement.function not in initializers() or where in findings.broken:
            continue
        place = Place(target.located.instance.block, None, target.located.place.path, target.located.instance.name)
        try:
            environment = target.located.place.environment
            arguments = tuple((name, read(value, environment)) for name, value in statement.arguments.items())
        except ExpressionError as error:
            findings.add(ProblemCode.EXPRESSION_INVALID, f"{error}.", place._replace(pointer=where))
            continue
        for name, shape in target.parameters.items():
            if not fnmatchcase(name, statement.parameter):
                continue
            failure = _tried(statement.function, arguments, tuple(min(size, LONGEST) for size in shape))
            # A rule that fails fails for every layer that it meets: one of them is enough.
            if failure is not None and (where, failure.sentence) not in told:
                told.add((where, failure.sentence))
                _report(findings, statement, name, shape, failure, place._replace(pointer=where))


def _report(
    findings: Findings, statement: ParameterInit, name: str, shape: tuple[int, ...], failure: Failure, place: Place
) -> None:
    label = statement.function.rpartition(".")[2]
    message = f"{label} cannot fill {name} of shape {list(shape)}: {failure.sentence}"
    fixes = []
    if statement.parameter == "*" and failure.code is ProblemCode.INITIALIZER_FAILED and len(shape) < 2:
        fixes = [replacing("Use it for weights only", pointer(place.pointer or "", "parameter"), "weight*")]
    data = {"initializer": statement.function, "parameter": name, "shape": list(shape)}
    findings.add(failure.code, message, place, data=data, fixes=fixes)


@lru_cache(maxsize=4096)
def _tried(function: str, arguments: tuple[tuple[str, Frozen], ...], shape: tuple[int, ...]) -> Failure | None:
    wrong = faults(function, arguments)
    if wrong:
        return Failure(wrong[0].code, wrong[0].sentence)
    try:
        with quietly("meta"):
            given = {name: thaw(value, lambda spec: spec, lambda config: config) for name, value in arguments}
            resolve(function)(torch.empty(shape), **given)
    except NotImplementedError:
        return None  # meta has no kernel for it
    except Exception as error:
        return Failure(ProblemCode.INITIALIZER_FAILED, clean(error))
    return None
