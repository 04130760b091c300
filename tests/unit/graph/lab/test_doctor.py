"""Each warning where it is due, none where it is not, and every fix cures what it was offered for."""

from __future__ import annotations

from typing import Any

import pytest

from layerloom.graph import check
from layerloom.graph.examples import examples
from layerloom.graph.lab import doctor
from layerloom.graph.lab.examining import DRAWN, MADE
from layerloom.graph.lab.examining import signals as rules_of_signals
from layerloom.schema.document import Document
from layerloom.schema.plan import Plan
from layerloom.schema.problems import Problem
from unit.graph.checking.drawing import (
    Json,
    argument,
    block,
    call,
    chain,
    edited,
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
from unit.graph.test_init_functions import CASES
from unit.graph.test_initialize import rule, statement


def linear(name: str, size: int = 8, *init: Json, out: int | None = None) -> Json:
    return layer(name, "Linear", in_features=size, out_features=out or size) | {"init": list(init)}


def plan(loss: str | None = None) -> Plan:
    return Plan.model_validate({"dataset": "digits", "loss": {"name": f"torch.nn.{loss}"} if loss else None})


def found(document: Json | Document, code: str, given: Plan | None = None) -> list[Problem]:
    document = document if isinstance(document, Document) else parsed(document)
    problems = doctor(document, given)
    assert all(problem.severity == "warning" for problem in problems), problems
    return [problem for problem in problems if problem.code == code]


def cured(document: Json | Document, code: str, given: Plan | None = None) -> Document:
    """The document with the fix of every warning of that code applied, one after the other, until none is left."""
    document = document if isinstance(document, Document) else parsed(document)
    for _ in range(10):
        problems = found(document, code, given)
        if not problems:
            return document
        document = edited(document, problems[0].fixes[0].edits)
        assert check(document).ok
    raise AssertionError(f"{code} is still there")


def deep(activation: Json, depth: int = 5, *init: Json, norm: Json | None = None) -> Json:
    """Linear layers, each but the last with an activation behind it."""
    items: list[Json] = []
    for index in range(depth):
        items.append(linear(f"fc{index}", 8, *init))
        if index < depth - 1:
            items += [{**norm, "name": f"norm{index}"}] if norm else []
            items.append({**activation, "name": f"act{index}"})
    return network([sequential("body", *items)], [call("a", "body", "x")])


def test_constant_weights() -> None:
    drawn = chain(linear("a", 8, statement("*", "zeros_")), layer("act", "ReLU"), linear("b", 8), shape=[8])
    (problem,) = found(drawn, "weights_constant")
    assert (problem.member, problem.data) == ("a", {"parameter": "weight", "value": 0.0})
    cured(drawn, "weights_constant")
    assert not found(chain(linear("a", 8), layer("act", "ReLU"), linear("b"), shape=[8]), "weights_constant")


def test_what_is_constant_by_nature_is_well() -> None:
    norm = layer("norm", "LayerNorm", normalized_shape={"$tuple": [4, 8]})
    drawn = chain(linear("a"), norm, layer("act", "ReLU"), linear("b"), shape=[4, 8])
    assert not doctor(parsed(drawn))


def test_xavier_in_a_recurrent_layer_is_well() -> None:
    drawn = recurrent("GRU", statement("weight*", "xavier_uniform_"))
    main = drawn["blocks"]["Net"]
    main["forward"]["nodes"].append(function("r", "torch.relu", input=ref("a", 0)))
    main["forward"]["output"] = ref("r")
    assert not doctor(parsed(drawn))


def test_constant_weights_by_a_rule() -> None:
    init = [rule(["Linear"], statement("weight", "constant_", val=0.5))]
    drawn = chain(linear("a"), layer("act", "Tanh"), linear("b"), shape=[8], init=init)
    assert [problem.member for problem in found(drawn, "weights_constant")] == ["a", "b"]
    cured(drawn, "weights_constant")


@pytest.mark.parametrize(("value", "warned"), [(0.0, True), (0.125, False)])
def test_frozen_weights_are_constant_by_mistake_only_at_zero(value: float, warned: bool) -> None:
    constant = linear("a", 8, statement("weight", "constant_", val=value))
    drawn = chain(constant, layer("act", "ReLU"), linear("b"), shape=[8], frozen=["a.*"])
    assert bool(found(drawn, "weights_constant")) is warned
    cured(drawn, "weights_constant")


def test_one_layer_alone_may_begin_at_zero() -> None:
    assert not found(chain(linear("a", 8, statement("*", "zeros_")), shape=[8]), "weights_constant")


def test_the_last_weights_of_a_residual_branch_may_begin_at_zero() -> None:
    members = [linear("a"), linear("b", 8, statement("*", "zeros_")), linear("c")]
    nodes = [
        call("n1", "a", "x"),
        function("n2", "torch.relu", input=ref("n1")),
        call("n3", "b", "n2"),
        function("n4", "operator.add", input=ref("x"), other=ref("n3")),
        call("n5", "c", "n4"),
    ]
    assert not found(network(members, nodes), "weights_constant")
    ones = [linear("a"), linear("b", 8, statement("*", "ones_")), linear("c")]
    assert found(network(ones, nodes), "weights_constant")


def recurrent(target: str, *init: Json, **arguments: Any) -> Json:
    members = [layer("rnn", target, input_size=8, hidden_size=16, batch_first=True, **arguments) | {"init": list(init)}]
    return network(members, [call("a", "rnn", "x")], ref("a", 0), inputs={"x": {"shape": [5, 8]}})


def test_forget_gates() -> None:
    drawn = recurrent("LSTM", num_layers=2)
    (problem,) = found(drawn, "forget_gate_closed")
    assert problem.member == "rnn"
    assert abs(problem.data["bias"]) < 0.5
    cured(drawn, "forget_gate_closed")
    # What was there already is kept.
    own = recurrent("LSTM", statement("weight_hh*", "orthogonal_"), statement("bias*", "zeros_"))
    document = cured(own, "forget_gate_closed")
    functions = [item.function.rpartition(".")[2] for item in document.blocks["Net"].members[0].init]
    assert functions == ["orthogonal_", "zeros_", "forget_gate_bias"]


@pytest.mark.parametrize(
    "drawn",
    [
        recurrent("GRU"),
        recurrent("RNN"),
        recurrent("LSTM", bias=False),
        recurrent("LSTM", statement("bias_hh*", "layerloom.forget_gate_bias")),
    ],
)
def test_what_has_no_closed_forget_gate(drawn: Json) -> None:
    assert not found(drawn, "forget_gate_closed")


def test_normalization_that_gives_nothing() -> None:
    norm = layer("norm", "BatchNorm1d", num_features=8) | {"init": [statement("weight", "zeros_")]}
    drawn = chain(linear("a"), norm, layer("act", "ReLU"), linear("b"), shape=[8])
    (problem,) = found(drawn, "norm_weight_zero")
    assert problem.member == "norm"
    cured(drawn, "norm_weight_zero")


def test_the_last_normalization_of_a_residual_branch_may_give_nothing() -> None:
    document = parsed(CASES["identity residuals"].drawn())
    assert not found(document, "norm_weight_zero")
    both = [rule(["BatchNorm2d"], statement("weight", "zeros_"))]
    wrong = document.model_copy(
        update={"init": Document.model_validate({**CASES["identity residuals"].drawn(), "init": both}).init}
    )
    assert {problem.member for problem in found(wrong, "norm_weight_zero")} == {"bn1"}


def test_xavier_before_a_rectifier() -> None:
    xavier = [statement("weight", "xavier_normal_"), statement("bias", "constant_", val=0.1)]
    drawn = chain(
        linear("a", 8, *xavier), layer("act", "LeakyReLU", negative_slope=0.2), linear("b", 8, *xavier), shape=[8]
    )
    (problem,) = found(drawn, "initializer_unfit")
    assert problem.member == "a"
    document = cured(drawn, "initializer_unfit")
    first = document.blocks["Net"].members[0].init
    assert [(item.function, item.arguments) for item in first] == [
        ("torch.nn.init.kaiming_normal_", {"nonlinearity": "leaky_relu", "a": 0.2}),
        ("torch.nn.init.constant_", {"val": 0.1}),
    ]


@pytest.mark.parametrize(
    ("activation", "init"),
    [
        (layer("act", "ReLU"), statement("weight", "xavier_normal_", gain=2**0.5)),
        (layer("act", "ReLU"), statement("weight", "kaiming_normal_")),
        (layer("act", "Tanh"), statement("weight", "xavier_normal_")),
        (layer("act", "SELU"), statement("weight", "xavier_normal_")),
    ],
)
def test_initializers_that_fit(activation: Json, init: Json) -> None:
    assert not found(chain(linear("a", 8, init), activation, linear("b"), shape=[8]), "initializer_unfit")


def test_xavier_by_a_rule_is_mended_where_it_is_wrong_alone() -> None:
    init = [rule(["Linear"], statement("weight", "xavier_uniform_"))]
    document = cured(deep(layer("act", "ReLU"), 3) | {"init": init}, "initializer_unfit")
    body = document.blocks["Net"].members[0]
    assert [bool(item.init) for item in body.items if item.target == "torch.nn.Linear"] == [True, True, False]


def test_saturation() -> None:
    for drawn in (deep(layer("act", "Sigmoid"), 5), deep(layer("act", "Tanh"), 4)):
        problems = found(drawn, "activation_saturates")
        assert len(problems) == len(
            [item for item in drawn["blocks"]["Net"]["members"][0]["items"] if "act" in item["name"]]
        )
        cured(drawn, "activation_saturates")


def test_saturating_operations_become_rectifiers_too() -> None:
    nodes = []
    for index in range(4):
        nodes.append(call(f"c{index}", f"fc{index}", f"s{index - 1}" if index else "x"))
        if index < 3:
            nodes.append(function(f"s{index}", "torch.sigmoid", input=ref(f"c{index}")))
    drawn = network([linear(f"fc{index}") for index in range(4)], nodes)
    assert len(found(drawn, "activation_saturates")) == 3
    document = cured(drawn, "activation_saturates")
    assert {node.target for node in document.blocks["Net"].forward.nodes if node.op == "function"} <= {
        "torch.relu",
        "torch.sigmoid",
    }


@pytest.mark.parametrize(
    "drawn",
    [
        deep(layer("act", "Tanh"), 3),  # two in a row are no deep network
        deep(layer("act", "ReLU"), 8),
        deep(layer("act", "Tanh"), 6, norm=layer("norm", "LayerNorm", normalized_shape=8)),
    ],
)
def test_what_does_not_saturate(drawn: Json) -> None:
    assert not found(drawn, "activation_saturates")


def test_gates_are_meant_to_saturate() -> None:
    width = expr("8")
    unit = block(
        [
            layer("value", "Linear", in_features=width, out_features=width),
            layer("gate", "Linear", in_features=width, out_features=width),
        ],
        [
            call("v", "value", "x"),
            call("g", "gate", "x"),
            function("s", "torch.sigmoid", input=ref("g")),
            function("m", "operator.mul", input=ref("v"), other=ref("s")),
        ],
        ref("m"),
    )
    body = sequential("body", repeat("range(5)", use("0", "Unit")))
    drawn = network([body, linear("out")], [call("a", "body", "x"), call("b", "out", "a")], blocks={"Unit": unit})
    assert not found(drawn, "activation_saturates")


def test_softmax_before_cross_entropy() -> None:
    drawn = chain(linear("a", 8, out=10), layer("soft", "Softmax", dim=1), shape=[8])
    for given in (plan(), plan("CrossEntropyLoss")):
        (problem,) = found(drawn, "activation_before_loss", given)
        assert problem.member == "soft"
        document = cured(drawn, "activation_before_loss", given)
        assert [member.name for member in document.blocks["Net"].members] == ["a"]
        assert not found(drawn, "activation_at_output", given)
    assert not found(drawn, "activation_before_loss", plan("MSELoss"))
    log = chain(linear("a", 8, out=10), layer("soft", "LogSoftmax", dim=1), shape=[8])
    assert not found(log, "activation_before_loss", plan("NLLLoss"))


def test_softmax_at_the_output_is_told_before_a_loss_is_chosen() -> None:
    for dim in (1, None):
        drawn = chain(linear("a", 8, out=10), layer("soft", "Softmax", dim=dim), shape=[8])
        (problem,) = found(drawn, "activation_at_output")
        assert not found(drawn, "activation_before_loss")
        assert problem.member == "soft"
        assert problem.message.startswith("soft stands at the output. If the network is trained with Cross")
        document = cured(drawn, "activation_at_output")
        assert [member.name for member in document.blocks["Net"].members] == ["a"]
    for harmless in ("LogSoftmax", "Sigmoid"):
        assert not found(chain(linear("a", 8, out=10), layer("end", harmless), shape=[8]), "activation_at_output")
    inside = chain(linear("a", 8), layer("soft", "Softmax", dim=1), linear("b"), shape=[8])
    assert not found(inside, "activation_at_output")


def test_sigmoid_before_a_loss_of_logits() -> None:
    members = [sequential("body", linear("fc", 8, out=1), layer("act", "Sigmoid"))]
    nodes = [call("a", "body", "x"), function("b", "torch.squeeze", input=ref("a"), dim=1)]
    drawn = network(members, nodes)
    (problem,) = found(drawn, "activation_before_loss", plan("BCEWithLogitsLoss"))
    assert problem.member == "body.act"
    document = cured(drawn, "activation_before_loss", plan("BCEWithLogitsLoss"))
    assert [item.name for item in document.blocks["Net"].members[0].items] == ["fc"]
    # With a loss of the data set's own choice it may be a regression between 0 and 1.
    assert not found(drawn, "activation_before_loss", plan())
    assert not found(drawn, "activation_before_loss", plan("BCELoss"))


def test_an_operation_before_the_loss_is_bridged() -> None:
    nodes = [call("a", "fc", "x"), function("b", "torch.softmax", input=ref("a"), dim=-1)]
    document = cured(network([linear("fc")], nodes), "activation_before_loss", plan())
    assert document.blocks["Net"].forward.output.ref == "a"


def test_dropout_at_the_output() -> None:
    drawn = chain(linear("a"), layer("drop", "Dropout", p=0.3), shape=[8])
    (problem,) = found(drawn, "dropout_at_output")
    assert problem.member == "drop"
    cured(drawn, "dropout_at_output")
    behind = chain(linear("a"), layer("drop", "Dropout"), layer("soft", "Softmax", dim=1), shape=[8])
    assert found(behind, "dropout_at_output")
    for fine in (
        chain(linear("a"), layer("drop", "Dropout", p=0.3), linear("b"), shape=[8]),
        chain(linear("a"), layer("drop", "Dropout", p=0.0), shape=[8]),
    ):
        assert not found(fine, "dropout_at_output")


def test_vanishing_and_exploding_variances() -> None:
    """A perceptron of 20 layers, drawn as torch makes it, and with a normal distribution of deviation 1."""
    vanishing = perceptron(20, 32)
    (problem,) = found(vanishing, "variance_vanishes")
    assert problem.data["direction"] == "backward"
    assert 0 < problem.data["ratio"] < 1e-6
    cured(vanishing, "variance_vanishes")
    drawn = vanishing.model_dump(mode="json", by_alias=True)
    exploding = parsed({**drawn, "init": [rule(["Linear"], statement("weight", "normal_"))]})
    problems = found(exploding, "variance_explodes")
    assert [item.data["direction"] for item in problems] == ["forward", "backward"]
    assert problems[0].member == "body.8", "32 / 2 per layer: beyond 10,000 at the fifth"
    document = cured(exploding, "variance_explodes")
    assert not found(document, "variance_vanishes")


def test_normalized_and_residual_networks_are_well() -> None:
    norm = deep(layer("act", "ReLU"), 20, norm=layer("norm", "BatchNorm1d", num_features=8))
    for drawn in (parsed(norm), parsed(CASES["identity residuals"].drawn()), perceptron(4, 32)):
        assert not found(drawn, "variance_vanishes")
        assert not found(drawn, "variance_explodes")


def test_a_fix_that_would_not_help_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules_of_signals, "FACTORS", {"forward": 1.0001, "backward": 1.0001})
    problems = [item for item in doctor(perceptron(20, 32)) if item.code in ("variance_vanishes", "variance_explodes")]
    assert problems
    assert not any(problem.fixes for problem in problems)


def test_what_is_drawn_is_judged_without_computing_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = chain(layer("fc", "Linear", in_features=8, out_features=4), layer("soft", "Softmax", dim=1), shape=[8])
    monkeypatch.setattr("layerloom.graph.lab.examining.MADE", {"a module is made": lambda *_: pytest.fail("made")})
    found = doctor(parsed(drawn), Plan(dataset="digits"), measure=False)
    assert [problem.code for problem in found] == ["activation_before_loss"]


def test_the_checks_own_warnings_come_first() -> None:
    members = [linear("a"), linear("spare"), layer("lstm", "LSTM", input_size=8, hidden_size=8)]
    nodes = [call("n1", "a", "x"), call("n2", "lstm", "n1"), function("n3", "torch.relu", input=ref("n1"))]
    codes = [problem.code for problem in doctor(parsed(network(members, nodes, ref("n2", 0))))]
    assert codes == ["disconnected", "unused_member", "forget_gate_closed"]


def test_errors_come_alone() -> None:
    wrong = chain(layer("a", "Linear", in_features=5, out_features=2), layer("drop", "Dropout"), shape=[8])
    assert [(problem.code, problem.severity) for problem in doctor(parsed(wrong))] == [("shape_mismatch", "error")]


def test_what_is_too_large_is_judged_by_what_is_drawn() -> None:
    large = chain(linear("a", 8000), layer("drop", "Dropout"), shape=[8000])
    assert [problem.code for problem in doctor(parsed(large))] == ["dropout_at_output", "too_large"]


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.id)
def test_the_bundled_networks_are_well(example: Any) -> None:
    """LeNet-5 but for its tanh, which is that of 1998."""
    meant = {"activation_saturates"} if example.id == "lenet5" else set()
    assert {problem.code for problem in doctor(example.document, example.plan)} == meant


def test_each_rule_is_listed() -> None:
    assert len(DRAWN) + len(MADE) == 8


def test_blocks_are_judged_in_every_instance() -> None:
    inner = block(
        [
            layer("fc", "Linear", in_features=expr("n"), out_features=expr("n"))
            | {"init": [statement("weight", "xavier_uniform_")]}
        ],
        [call("a", "fc", "x"), function("b", "torch.relu", input=ref("a"))],
        ref("b"),
        arguments=[argument("n", default=8)],
    )
    drawn = network(
        [use("one", "Part"), use("two", "Part")],
        [call("a", "one", x=ref("x")), call("b", "two", x=ref("a"))],
        blocks={"Part": inner},
    )
    (problem,) = found(drawn, "initializer_unfit")
    assert (problem.block, problem.member) == ("Part", "fc")
    cured(drawn, "initializer_unfit")
