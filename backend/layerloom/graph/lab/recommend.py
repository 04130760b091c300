"""The initializer that the literature recommends for each layer, by the activation that takes its products.

The sources stand beside the facts, in ``layerloom.catalogue.advice``: Glorot and Bengio (2010) before activations that
are linear about zero, He and others (2015) before rectifiers with their slope, Klambauer and others (2017) before
SELU, Saxe and others (2013) for what a recurrent layer multiplies with its own state, Jozefowicz and others (2015) for
forget gates.
"""

from __future__ import annotations

from collections.abc import Sequence
from glob import escape
from typing import Any

from layerloom.catalogue import find
from layerloom.catalogue.advice import (
    FORGET_GATE,
    LINEAR,
    RECURRENT,
    Activation,
    activation,
    category,
    forgets,
    recurrent,
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
    return [*_exceptions(wanted, classes), *_by_class(wanted, classes)]


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
    """The nearest activation that takes what a layer gives, seen through what does not weigh: normalization, sums,
    pooling, dropout, shapes. None where the next weight, or the output, comes first.
    """
    for other in flow.behind(step, _lets_through):
        if activation(other.target) is not None:
            return other
    return None


def weighs(step: Step) -> bool:
    """Whether a call multiplies with weights."""
    group = category(step.target)
    if step.located is None:
        return group in ("linear", "convolution", "attention")
    return step.target in weighing() or group in ("recurrent", "attention")


def _lets_through(step: Step) -> bool:
    return not weighs(step) and activation(step.target) is None and category(step.target) != "embedding"


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


def _by_class(wanted: dict[str, Statements], classes: dict[str, str]) -> list[InitRule]:
    """What most layers of each class want, classes that want the same in one rule."""
    groups: list[tuple[Statements, list[str]]] = []
    for target in dict.fromkeys(classes.values()):
        statements = _most(wanted, classes, target)
        group = next((group for group in groups if group[0] == statements), None)
        if group is None:
            groups.append((statements, [target]))
        else:
            group[1].append(target)
    return [InitRule(types=targets, statements=list(statements)) for statements, targets in groups]


def _exceptions(wanted: dict[str, Statements], classes: dict[str, str]) -> list[InitRule]:
    """What the others want, one rule for each layer, in front of the rules by class."""
    return [
        InitRule(types=[classes[name]], name=escape(name), statements=list(statements))
        for name, statements in wanted.items()
        if statements != _most(wanted, classes, classes[name])
    ]


def _most(wanted: dict[str, Statements], classes: dict[str, str], target: str) -> Statements:
    votes: Sequence[Statements] = [statements for name, statements in wanted.items() if classes[name] == target]
    return max(votes, key=votes.count)
