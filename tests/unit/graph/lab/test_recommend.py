"""Recommended initializers: what the literature says of each activation, found by following the graph."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from layerloom.catalogue import initializers, layers, operations, resolve
from layerloom.catalogue.advice import ACTIVATIONS, APPLIED_BY_LOSS, activation, recurrent, weighing
from layerloom.graph import build, to_python
from layerloom.graph.lab import init_lab, recommended_initializers
from layerloom.graph.lab.flow import flow_of
from layerloom.schema.document import Document
from unit.graph.checking.drawing import (
    Json,
    argument,
    block,
    call,
    chain,
    expr,
    function,
    layer,
    network,
    parsed,
    ref,
    repeat,
    sequential,
    use,
)
from unit.graph.lab.test_measure import perceptron


def linear(name: str) -> Json:
    return layer(name, "Linear", in_features=8, out_features=8)


def wanted(document: Document) -> dict[str, tuple[str, dict[str, Any]]]:
    """Per layer the function and arguments of its first statement, by the first rule that names it."""
    rules = recommended_initializers(document)
    found = {}
    for step in flow_of(document).steps:
        rule = next((rule for rule in rules if step.target in rule.types and rule.name in ("*", step.name)), None)
        if rule is not None:
            found[step.name] = (rule.statements[0].function.rpartition(".")[2], rule.statements[0].arguments)
    return found


RECTIFIED = ("kaiming_normal_", {"nonlinearity": "relu"})
PLAIN = ("xavier_uniform_", {})


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (layer("act", "ReLU"), RECTIFIED),
        (layer("act", "GELU"), RECTIFIED),
        (layer("act", "SiLU"), RECTIFIED),
        (layer("act", "LeakyReLU"), ("kaiming_normal_", {"nonlinearity": "leaky_relu", "a": 0.01})),
        (layer("act", "LeakyReLU", negative_slope=0.3), ("kaiming_normal_", {"nonlinearity": "leaky_relu", "a": 0.3})),
        (layer("act", "PReLU"), ("kaiming_normal_", {"nonlinearity": "leaky_relu", "a": 0.25})),
        (layer("act", "SELU"), ("kaiming_normal_", {"nonlinearity": "linear"})),
        (layer("act", "Tanh"), ("xavier_uniform_", {"gain": 5 / 3})),
        (layer("act", "Sigmoid"), ("xavier_uniform_", {"gain": 1.0})),
    ],
)
def test_each_activation_has_its_initializer(act: Json, expected: Any) -> None:
    document = parsed(chain(linear("a"), act, linear("b"), shape=[8]))
    assert wanted(document) == {"a": expected, "b": PLAIN}


def test_operations_are_activations_too() -> None:
    nodes = [
        call("a", "one", "x"),
        function("b", "torch.nn.functional.leaky_relu", input=ref("a"), negative_slope=0.4),
        call("c", "two", "b"),
        function("d", "torch.Tensor.relu_", input=ref("c")),
        call("e", "three", "d"),
    ]
    found = wanted(parsed(network([linear("one"), linear("two"), linear("three")], nodes)))
    assert found["one"] == ("kaiming_normal_", {"nonlinearity": "leaky_relu", "a": 0.4})
    assert (found["two"], found["three"]) == (RECTIFIED, PLAIN)


def test_the_graph_is_followed_through_what_does_not_weigh() -> None:
    """Normalization, dropout, a sum with what went around, blocks, containers and loops."""
    unit = block(
        [
            layer("fc", "Linear", in_features=expr("n"), out_features=expr("n")),
            layer("norm", "LayerNorm", normalized_shape=expr("n")),
        ],
        [call("a", "fc", "x"), call("b", "norm", "a"), function("c", "operator.add", input=ref("x"), other=ref("b"))],
        ref("c"),
        arguments=[argument("n", default=8)],
    )
    body = {"kind": "module_list", "name": "body", "items": [repeat("range(2)", use("0", "Unit"))]}
    tail = sequential("tail", layer("drop", "Dropout"), layer("act", "ReLU"), linear("out"))
    loop = {"op": "loop", "id": "l", "target": "body", "arguments": {"input": ref("x")}}
    drawn = network([body, tail], [loop, call("t", "tail", "l")], blocks={"Unit": unit})
    # What the first unit gives goes into the second's weight; around it a second sum is no end of its branch.
    assert wanted(parsed(drawn)) == {"body.0.fc": PLAIN, "body.1.fc": RECTIFIED, "tail.out": PLAIN}


def test_branches_of_a_tuple_are_told_apart() -> None:
    pair = block(
        [linear("left"), linear("right")],
        [call("a", "left", "x"), call("b", "right", "x")],
        {"$tuple": [ref("a"), ref("b")]},
    )
    nodes = [
        call("p", "pair", x=ref("x")),
        function("r", "torch.relu", input=ref("p", 0)),
        function("s", "torch.tanh", input=ref("p", 1)),
        function("m", "operator.add", input=ref("r"), other=ref("s")),
    ]
    found = wanted(parsed(network([use("pair", "Pair")], nodes, blocks={"Pair": pair})))
    assert found == {"pair.left": RECTIFIED, "pair.right": ("xavier_uniform_", {"gain": 5 / 3})}


def test_recurrent_layers() -> None:
    members = [layer("rnn", "LSTM", input_size=8, hidden_size=8, batch_first=True), linear("out")]
    drawn = network(members, [call("a", "rnn", "x"), call("b", "out", ref("a", 0))], inputs={"x": {"shape": [5, 8]}})
    document = parsed(drawn)
    document = document.model_copy(update={"init": recommended_initializers(document)})
    module: Any = build(document, seed=0)
    lstm = module.rnn
    assert torch.allclose(lstm.weight_hh_l0.T @ lstm.weight_hh_l0, torch.eye(8), atol=1e-5)
    assert (lstm.bias_ih_l0 + lstm.bias_hh_l0).tolist() == [0.0] * 8 + [1.0] * 8 + [0.0] * 16


def test_most_layers_are_told_by_their_class() -> None:
    rules = recommended_initializers(perceptron(50, 8))
    assert [(rule.types, rule.name) for rule in rules] == [(["torch.nn.Linear"], "body.98"), (["torch.nn.Linear"], "*")]
    drawn = perceptron(50, 8)
    source = to_python(drawn.model_copy(update={"init": rules}))
    assert source.count("kaiming_normal_") == 1


def test_without_weights_there_is_nothing_to_recommend() -> None:
    assert recommended_initializers(parsed(chain(layer("act", "ReLU"), shape=[8]))) == []


def test_the_table_covers_every_activation_of_this_torch() -> None:
    entries = {**layers(), **operations()}
    assert [name for name, entry in entries.items() if entry.category == "activation" and not activation(name)] == []
    known = {label for line in ACTIVATIONS for label in line.names}
    existing = {name.rpartition(".")[2].replace("_", "").lower() for name in entries}
    assert known <= existing
    assert all(line.function in initializers() and line.source for line in ACTIVATIONS)
    assert set(APPLIED_BY_LOSS) <= set(layers())
    assert len(weighing()) >= 8
    assert len(recurrent()) >= 6


def _gain(function: str, arguments: dict[str, Any]) -> float:
    """The deviation of a weight that an initializer draws, times the root of its fan_in."""
    torch.manual_seed(0)
    weight = torch.empty(400, 400)
    resolve(function)(weight, **arguments)
    return float(weight.std()) * 20


@pytest.mark.parametrize(
    ("line", "label"),
    [
        (line, label)
        for line in ACTIVATIONS
        if line.family in ("rectifier", "normalizing itself")
        for label in line.names
    ],
)
def test_the_recommended_gain_keeps_the_variance(line: Any, label: str) -> None:
    """He's condition: gain² · E f(z)² = 1 for standard normal z. Exact for rectifiers and SELU; for smooth ones the
    papers take the rectifier's."""
    arguments = dict(line.arguments)
    if line.slope:
        arguments["a"] = 0.25
    options = {"threshold": {"threshold": 0.0, "value": 0.0}, "leakyrelu": {"negative_slope": 0.25}}.get(label, {})
    cls = next(resolve(name) for name in layers() if name.rpartition(".")[2].lower() == label)
    z = torch.randn(400_000, generator=torch.Generator().manual_seed(1))
    kept = _gain(line.function, arguments) ** 2 * float(cls(**options)(z).detach().square().mean())
    exact = label in ("relu", "relu6", "threshold", "leakyrelu", "prelu", "rrelu", "selu")
    assert kept == pytest.approx(1, abs=0.02) if exact else 0.6 < kept < 2


def test_recommended_keeps_a_self_normalizing_network_at_variance_one() -> None:
    """Klambauer and others (2017): mean 0 and variance 1 are a fixed point under weights of variance 1 / fan_in."""
    items = []
    for index in range(30):
        items += [layer(f"fc{index}", "Linear", in_features=128, out_features=128), layer(f"act{index}", "SELU")]
    drawn = network([sequential("body", *items)], [call("a", "body", "x")], inputs={"x": {"shape": [128]}})
    report = init_lab(parsed(drawn), ["recommended"], seeds=2, batch=128)
    last = report.schemes[0].outputs[-3]  # the last activation that is not the output's
    assert all(variance == pytest.approx(1, abs=0.35) for variance in last.variance)
    assert all(mean == pytest.approx(0, abs=0.2) for mean in last.mean)
