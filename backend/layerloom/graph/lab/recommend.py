"""The initializer that the literature recommends for each layer, by the activation that takes its products.

The sources stand beside the facts, in ``layerloom.catalogue.advice``: Glorot and Bengio (2010) before activations that
are linear about zero, He and others (2015) before rectifiers with their slope, Klambauer and others (2017) before
SELU, Saxe and others (2013) for what a recurrent layer multiplies with its own state, Jozefowicz and others (2015) for
forget gates.
"""

from __future__ import annotations

from collections import Counter
from glob import escape
from typing import Any

from layerloom.catalogue import find
from layerloom.catalogue.advice import (
    ADDITIONS,
    FORGET_GATE,
    LINEAR,
    RECURRENT,
    Activation,
    activation,
    category,
    forgets,
    recurrent,
    short,
    weighing,
)
from layerloom.graph.expressions import ExpressionError
from layerloom.graph.lab.flow import Flow, Step, flow_of
from layerloom.graph.places import evaluate
from layerloom.schema.document import Document, FunctionNode, InitRule, Layer, ParameterInit

Statements = tuple[ParameterInit, ...]


def recommended_initializers(document: Document) -> list[InitRule]:
    """Rules for every layer that has weights to draw; what torch makes well by itself (normalization, embeddings,
    attention) is left alone. Pure: nothing is built or run.

    Layers of one class that all want the same are told by their class, others by their names.

    Raises:
        GraphError: the document cannot be unrolled.
    """
    return rules(flow_of(document))


def rules(flow: Flow) -> list[InitRule]:
    """The same for a flow."""
    wanted: dict[str, Statements] = {}
    classes: dict[str, str] = {}
    for step in flow.steps:
        if step.located is not None and step.name not in wanted and (statements := advised(flow, step)):
            wanted[step.name] = statements
            classes[step.name] = step.target
    usual = _usual(wanted, classes)
    return [*_exceptions(wanted, classes, usual), *_by_class(usual)]


def advised(flow: Flow, step: Step) -> Statements:
    """Statements for one layer; empty where there is nothing to advise."""
    if step.target in recurrent():
        lines = [(parameter, function) for parameter, function, _ in RECURRENT]
        lines += [FORGET_GATE[:2]] if forgets(step.target) else []
        return tuple(ParameterInit(parameter=parameter, function=function) for parameter, function in lines)
    if step.target not in weighing():
        return ()
    known, arguments = LINEAR, dict(LINEAR.arguments)
    follower = activation_of(flow, step)
    if follower is not None:
        known = activation(follower.target) or LINEAR
        arguments = _arguments(flow, follower, known)
    weight = ParameterInit(parameter="weight", function=known.function, arguments=arguments)
    return (weight, ParameterInit(parameter="bias", function="torch.nn.init.zeros_"))


def activation_of(flow: Flow, step: Step) -> Step | None:
    """The nearest activation that takes what a layer gives, seen through what does not weigh: normalization, pooling,
    dropout, shapes, and one sum, as at the end of a residual branch. None where the next weight, or the output, comes
    first.
    """
    sums: list[Step] = []
    for other in flow.behind(step, _lets_through):
        if activation(other.target) is not None:
            return other
        if short(other.target) in ADDITIONS:
            sums.append(other)
    behind = (other for start in sums for other in flow.behind(start, _lets_through))
    return next((other for other in behind if activation(other.target) is not None), None)


def weighs(step: Step) -> bool:
    """Whether a call multiplies with weights."""
    group = category(step.target)
    if step.located is None:
        return group in ("linear", "convolution", "attention")
    return step.target in weighing() or group in ("recurrent", "attention")


def _lets_through(step: Step) -> bool:
    if weighs(step) or activation(step.target) is not None or short(step.target) in ADDITIONS:
        return False
    return category(step.target) != "embedding"


def _arguments(flow: Flow, follower: Step, known: Activation) -> dict[str, Any]:
    """Arguments of the initializer, with the slope of this very activation."""
    arguments = dict(known.arguments)
    if known.slope:
        slope = argument(flow, follower, known.slope)
        arguments["a"] = float(slope) if isinstance(slope, int | float) else 0.0
    return arguments


def argument(flow: Flow, step: Step, name: str) -> Any:
    """What an activation is given for an argument, or its default."""
    given, environment = _given(flow, step)
    if name in given:
        try:
            return evaluate(given[name], environment)
        except ExpressionError:
            return None
    entry = find(step.target)
    return next((spec.default for spec in entry.parameters if spec.name == name), None) if entry else None


def _given(flow: Flow, step: Step) -> tuple[dict[str, Any], Any]:
    if step.located is not None:
        member = step.located.place.member
        assert isinstance(member, Layer)
        return member.arguments, step.located.place.environment
    nodes = flow.network.document.blocks[step.place.block or ""].forward.nodes
    node = next(node for node in nodes if node.id == step.place.node)
    assert isinstance(node, FunctionNode)
    return node.arguments, flow.network.instances[step.place.instance or ""].environment


def _by_class(usual: dict[str, Statements]) -> list[InitRule]:
    """What most layers of each class want, classes that want the same in one rule."""
    groups: dict[str, tuple[Statements, list[str]]] = {}
    for target, statements in usual.items():
        groups.setdefault(_said(statements), (statements, []))[1].append(target)
    return [InitRule(types=targets, statements=list(statements)) for statements, targets in groups.values()]


def _exceptions(wanted: dict[str, Statements], classes: dict[str, str], usual: dict[str, Statements]) -> list[InitRule]:
    """What the others want, one rule for each layer, in front of the rules by class."""
    said = {target: _said(statements) for target, statements in usual.items()}
    return [
        InitRule(types=[classes[name]], name=escape(name), statements=list(statements))
        for name, statements in wanted.items()
        if _said(statements) != said[classes[name]]
    ]


def _usual(wanted: dict[str, Statements], classes: dict[str, str]) -> dict[str, Statements]:
    """What most layers of each class want, classes in the order of their first layer."""
    votes: dict[str, Counter[str]] = {}
    meant = {_said(statements): statements for statements in wanted.values()}
    for name, statements in wanted.items():
        votes.setdefault(classes[name], Counter())[_said(statements)] += 1
    return {target: meant[counted.most_common(1)[0][0]] for target, counted in votes.items()}


def _said(statements: Statements) -> str:
    """The statements as a text, by which equal ones are found."""
    return "".join(statement.model_dump_json() for statement in statements)
