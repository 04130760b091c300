"""Initializers against the parameters that they will fill."""

from __future__ import annotations

from typing import Any

from layerloom.graph import build
from layerloom.graph.checking import check
from unit.graph.checking.drawing import (
    AUTO,
    Json,
    call,
    chain,
    codes,
    edited,
    function,
    get,
    layer,
    network,
    parsed,
    ref,
)


def statement(name: str, parameter: str = "*", **arguments: Any) -> Json:
    return {"function": f"torch.nn.init.{name}", "parameter": parameter, "arguments": arguments}


def linear(*init: Json, **rest: Any) -> Json:
    return chain({**layer("fc", "Linear", in_features=AUTO, out_features=4), "init": list(init)}, shape=[8], **rest)


def test_kaiming_cannot_fill_a_bias_and_the_fix_keeps_it_off() -> None:
    document = parsed(linear(statement("kaiming_normal_")))
    (problem,) = check(document).problems
    assert problem.code == "initializer_failed"
    assert problem.member == "fc"
    assert problem.pointer == "/blocks/Net/members/0/init/0"
    mended = edited(document, problem.fixes[0].edits)
    assert check(mended).problems == []
    build(mended, seed=0)


def test_rule_is_told_once_however_many_layers_it_meets() -> None:
    layers = [layer(f"fc{index}", "Linear", in_features=8, out_features=8) for index in range(5)]
    rule = {"types": ["torch.nn.Linear"], "statements": [statement("xavier_uniform_")]}
    (problem,) = check(parsed(chain(*layers, shape=[8], init=[rule]))).problems
    assert problem.code == "initializer_failed"
    assert problem.pointer == "/init/0/statements/0"


def test_first_rule_that_fits_is_the_one_that_is_tried() -> None:
    fits = {"name": "fc*", "statements": [statement("zeros_")]}
    never = {"statements": [statement("dirac_")]}
    assert check(parsed(linear(init=[fits, never]))).problems == []
    assert codes(check(parsed(linear(init=[never, fits])))) == ["initializer_failed"]


def test_own_initializer_keeps_rules_off() -> None:
    rule = {"statements": [statement("dirac_")]}
    assert check(parsed(linear(statement("ones_"), init=[rule]))).problems == []


def test_arguments_are_judged() -> None:
    assert codes(check(parsed(linear(statement("normal_", std="wide"))))) == ["argument_type"]
    assert codes(check(parsed(linear(statement("normal_", mena=1.0))))) == ["unknown_argument"]


def test_parameter_members() -> None:
    members = [{"kind": "parameter", "name": "scale", "shape": [8], "init": [statement("orthogonal_")]}]
    nodes = [get("s", "scale"), function("n", "torch.mul", input=ref("x"), other=ref("s"))]
    (problem,) = check(parsed(network(members, nodes))).problems
    assert (problem.code, problem.member) == ("initializer_failed", "scale")


def test_forget_gate_bias_of_an_lstm() -> None:
    init = [{"function": "layerloom.forget_gate_bias", "parameter": "bias_ih_l0", "arguments": {"value": 1.0}}]
    lstm = {**layer("lstm", "LSTM", input_size=AUTO, hidden_size=4, batch_first=True), "init": init}
    document = network([lstm], [call("n", "lstm", "x")], ref("n", 0), inputs={"x": {"shape": [5, 8]}})
    assert check(parsed(document)).problems == []
