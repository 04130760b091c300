"""Initializers do what ``model.apply`` does with the function that one would write: the same bits from one seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from layerloom.graph import build, to_python
from layerloom.graph.initialize import branches
from layerloom.schema.document import Document

INIT = "torch.nn.init."


def statement(parameter: str, function: str, **arguments: Any) -> dict[str, Any]:
    function = function if "." in function else INIT + function
    return {"parameter": parameter, "function": function, "arguments": arguments}


def rule(types: list[str], *statements: Any, name: str = "*", order: str = "parameters") -> dict[str, Any]:
    types = [f"torch.nn.{text}" for text in types]
    return {"types": types, "name": name, "order": order, "statements": list(statements)}


def layer(name: str, target: str, *init: Any, **arguments: Any) -> dict[str, Any]:
    return {"kind": "layer", "name": name, "target": f"torch.nn.{target}", "arguments": arguments, "init": list(init)}


def call(name: str, target: str, argument: str, *path: int) -> dict[str, Any]:
    return {"op": "call", "id": name, "target": target, "arguments": {"input": {"$ref": argument, "path": list(path)}}}


def network(**document: Any) -> Document:
    """Convolution, normalization, a block used twice, an LSTM and a linear layer without bias."""
    block = {
        "arguments": [{"name": "width", "required": True}, {"name": "std", "type": "float", "default": 0.5}],
        "members": document.pop(
            "block", [layer("fc", "Linear", in_features={"$expr": "width"}, out_features={"$expr": "width"})]
        ),
        "forward": {"inputs": [{"name": "input"}], "nodes": [call("a", "fc", "input")], "output": {"$ref": "a"}},
    }
    members = document.pop("members", None) or [
        layer("conv", "Conv1d", in_channels=3, out_channels=6, kernel_size=1),
        layer("norm", "BatchNorm1d", num_features=6, affine=True),
        {"kind": "block", "name": "one", "block": "Part", "arguments": {"width": 6}},
        {"kind": "block", "name": "two", "block": "Part", "arguments": {"width": 6, "std": 0.25}},
        layer("lstm", "LSTM", input_size=6, hidden_size=4, num_layers=2, batch_first=True),
        layer("out", "Linear", in_features=4, out_features=2, bias=False),
    ]
    nodes = [
        call("a", "conv", "x"),
        call("b", "norm", "a"),
        {
            "op": "function",
            "id": "c",
            "target": "torch.Tensor.transpose",
            "arguments": {"input": {"$ref": "b"}, "dim0": 1, "dim1": 2},
        },
        call("d", "one", "c"),
        call("e", "two", "d"),
        call("f", "lstm", "e"),
        call("g", "out", "f", 0),
    ]
    main = {"members": members, "forward": {"inputs": [{"name": "x"}], "nodes": nodes, "output": {"$ref": "g"}}}
    blocks = {"Part": block, "Net": main}
    return Document.model_validate({"main": "Net", "blocks": blocks, "inputs": {"x": {"shape": [3, 5]}}, **document})


class Part(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(6, 6)


class ByHand(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv1d(3, 6, 1), nn.BatchNorm1d(6)
        self.one, self.two = Part(), Part()
        self.lstm, self.out = nn.LSTM(6, 4, 2, batch_first=True), nn.Linear(4, 2, bias=False)


def dcgan(module):
    if isinstance(module, nn.Conv1d):
        nn.init.normal_(module.weight.data, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm1d):
        nn.init.normal_(module.weight.data, 1.0, 0.02)
        nn.init.constant_(module.bias.data, 0)


def transformer(module):
    if isinstance(module, (nn.Linear, nn.Conv1d)):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.uniform_(module.bias, -0.1, 0.1)
    elif isinstance(module, nn.BatchNorm1d):
        nn.init.uniform_(module.bias)
        nn.init.uniform_(module.weight)


def recurrent_by_parameter(module):
    if isinstance(module, nn.LSTM):
        for name, parameter in module.named_parameters():
            if "weight_ih" in name:
                nn.init.xavier_uniform_(parameter)
            elif "weight_hh" in name:
                nn.init.orthogonal_(parameter)
            elif "bias_ih" in name:
                nn.init.normal_(parameter)
                parameter.data[4:8].fill_(1.0)


def recurrent_by_statement(module):
    if isinstance(module, nn.LSTM):
        for name in ("weight_hh_l0", "weight_hh_l1"):
            nn.init.orthogonal_(getattr(module, name))
        for name in ("weight_ih_l0", "weight_ih_l1"):
            nn.init.kaiming_normal_(getattr(module, name))


def by_name(model):
    def visit(module, name):
        for key, child in module.named_children():
            visit(child, f"{name}.{key}" if name else key)
        if name == "two.fc":
            nn.init.normal_(module.weight, std=3.0)
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.1)

    visit(model, "")


RECURRENT = [statement("weight_hh*", "orthogonal_"), statement("weight_ih*", "kaiming_normal_")]
CASES: dict[str, tuple[list[Any], Callable[[nn.Module], Any]]] = {
    "dcgan": (
        [
            rule(["Conv1d", "Conv2d"], statement("weight", "normal_", mean=0.0, std=0.02)),
            rule(
                ["BatchNorm1d"],
                statement("weight", "normal_", mean=1.0, std=0.02),
                statement("bias", "constant_", val=0),
            ),
        ],
        lambda model: model.apply(dcgan),
    ),
    "transformer": (
        [
            rule(
                ["Linear", "Conv1d"],
                statement("weight", "trunc_normal_", std=0.02),
                statement("bias", "uniform_", a=-0.1, b=0.1),
            ),
            rule(["BatchNorm1d"], statement("bias", "uniform_"), statement("weight", "uniform_"), order="statements"),
        ],
        lambda model: model.apply(transformer),
    ),
    "parameters outside": (
        [
            rule(
                ["LSTM"],
                statement("weight_ih*", "xavier_uniform_"),
                statement("weight_hh*", "orthogonal_"),
                statement("bias_ih*", "normal_"),
                statement("bias_ih*", "layerloom.forget_gate_bias", value=1.0),
            )
        ],
        lambda model: model.apply(recurrent_by_parameter),
    ),
    "statements outside": (
        [rule(["LSTM"], *RECURRENT, order="statements")],
        lambda model: model.apply(recurrent_by_statement),
    ),
    "names": (
        [
            rule([], statement("weight", "normal_", std=3.0), name="two.*"),
            rule(["Linear"], statement("weight", "normal_", std=0.1)),
        ],
        by_name,
    ),
}


def same(drawn: nn.Module, written: nn.Module) -> bool:
    pairs = zip(drawn.state_dict().items(), written.state_dict().items(), strict=True)
    return all(a == b and torch.equal(x, y) for (a, x), (b, y) in pairs)


@pytest.mark.parametrize("case", CASES)
def test_rules_equal_model_apply(case: str) -> None:
    rules, apply = CASES[case]
    drawn = build(network(init=rules), seed=3)
    after = torch.rand(3)
    torch.manual_seed(3)
    written = ByHand()
    plain = {key: value.clone() for key, value in written.state_dict().items()}
    apply(written)
    assert any(not torch.equal(plain[key], value) for key, value in written.state_dict().items())
    assert same(drawn, written)
    assert torch.equal(after, torch.rand(3))


def test_the_order_of_the_loops_matters() -> None:
    one = build(network(init=[rule(["LSTM"], *RECURRENT)]), seed=0)
    two = build(network(init=[rule(["LSTM"], *RECURRENT, order="statements")]), seed=0)
    assert not same(one, two)


def test_a_members_own_initializer_comes_before_rules() -> None:
    own = layer(
        "conv", "Conv1d", statement("weight", "constant_", val=2.0), in_channels=3, out_channels=6, kernel_size=1
    )
    members = [own, *network().model_dump(mode="json", by_alias=True)["blocks"]["Net"]["members"][1:]]
    module = build(network(members=members, init=[rule(["Conv1d"], statement("*", "zeros_"))]))
    assert torch.equal(module.conv.weight, torch.full((6, 3, 1), 2.0))
    assert not torch.equal(module.conv.bias, torch.zeros(6))


def test_an_initializer_in_a_block_knows_its_arguments() -> None:
    fc = layer(
        "fc",
        "Linear",
        statement("weight", "constant_", val={"$expr": "std * 2"}),
        in_features={"$expr": "width"},
        out_features={"$expr": "width"},
    )
    module = build(network(block=[fc]))
    assert module.one.fc.weight.unique().tolist() == [1.0]
    assert module.two.fc.weight.unique().tolist() == [0.5]


def test_bare_parameters_are_told_by_their_class() -> None:
    parameter = {"kind": "parameter", "name": "scale", "shape": [3], "init": [statement("*", "constant_", val=7.0)]}
    zeros = {"kind": "parameter", "name": "shift", "shape": [3], "init": [statement("*", "zeros_")]}
    fc = layer("fc", "Linear", in_features=6, out_features=6)
    drawn = network(block=[fc, parameter, zeros])
    module = build(drawn)
    source = to_python(drawn)
    assert "isinstance(module, Part)" in source
    assert "names" not in source
    assert source.count("torch.zeros(3)") == 2
    for part in (module.one, module.two):
        assert part.scale.tolist() == [7.0] * 3
        assert part.shift.tolist() == [0.0] * 3


def test_rules_for_any_class_keep_off_parameters_with_initializers() -> None:
    zeros = {"kind": "parameter", "name": "shift", "shape": [3], "init": [statement("*", "zeros_")]}
    fc = layer("fc", "Linear", in_features=6, out_features=6)
    module = build(network(block=[fc, zeros], init=[rule([], statement("*", "normal_"))]))
    assert module.one.shift.tolist() == [0.0] * 3


def test_a_rule_without_statements_leaves_what_it_names_as_it_was_made() -> None:
    ones = statement("weight", "ones_")
    document = network(init=[rule(["Conv1d"]), rule([], name="out"), rule([], statement("weight", "zeros_"), name="*")])
    torch.manual_seed(0)
    plain = build(network())
    made = build(document, seed=0)
    for name in ("conv", "out"):
        assert torch.equal(made.get_submodule(name).weight, plain.get_submodule(name).weight)
    assert not made.norm.weight.any()
    assert build(network(init=[rule([]), rule([], ones)]), seed=0).norm.weight.all()


def test_frozen_parameters_do_not_train() -> None:
    module = build(network(frozen=["conv.*", "*.fc.bias", "lstm.weight_hh_l?"]))
    frozen = {name for name, parameter in module.named_parameters() if not parameter.requires_grad}
    assert frozen == {
        "conv.weight",
        "conv.bias",
        "one.fc.bias",
        "two.fc.bias",
        "lstm.weight_hh_l0",
        "lstm.weight_hh_l1",
    }
    assert not any(parameter.requires_grad for parameter in build(network(frozen=["*"])).parameters())


def test_without_initializers_nothing_is_written() -> None:
    assert branches(network()) == []
    source = to_python(network())
    assert "init_weights" not in source
    assert "apply" not in source
