# ruff: noqa: E501 - tables
"""Every offered fix is applied and the document checked again: its problem must be gone and no other come."""

from __future__ import annotations

from typing import Any

import pytest

from layerloom.graph.checking import check
from layerloom.schema.problems import Fix
from unit.graph.checking.drawing import (
    AUTO,
    Json,
    block,
    call,
    chain,
    codes,
    edited,
    errors,
    expr,
    function,
    layer,
    network,
    parsed,
    ref,
    sequential,
    use,
)

RELU = layer("act", "ReLU")


def conv(name: str = "conv", **arguments: Any) -> Json:
    return layer(name, "Conv2d", **{"in_channels": 3, "out_channels": 6, "kernel_size": 3, **arguments})


def images(*layers: Json) -> Json:
    return chain(*layers, shape=[3, 8, 8])


def embedded(nodes: list[Json], dtype: str) -> Json:
    members = [layer("e", "Embedding", num_embeddings=10, embedding_dim=4)]
    return network(members, nodes, inputs={"x": {"shape": [6], "dtype": dtype}})


HEADS = {"kind": "module_dict", "name": "heads", "items": [{**RELU, "name": "keys"}]}
BLOCK = {"my block": block([RELU], [call("n", "act", "x")], ref("n"))}
VIEW = [
    function("t", "torch.transpose", input=ref("x"), dim0=1, dim1=2),
    function("v", "torch.Tensor.view", input=ref("t"), size=[-1, 12]),
]
SHARED = {"B": block([layer("fc", "Linear", in_features=AUTO, out_features=4)], [call("n", "fc", "x")], ref("n"))}

# name: (document, code, words of the fix's title)
CASES: dict[str, tuple[Json, str, str]] = {
    "in_features": (chain(layer("fc", "Linear", in_features=9, out_features=4), shape=[8]), "shape_mismatch", "Set in_features to 8"),
    "in_channels": (images(conv(in_channels=4)), "shape_mismatch", "Set in_channels to 3"),
    "in_channels of a large transposed convolution": (
        chain(layer("up", "ConvTranspose2d", in_channels=64, out_channels=64, kernel_size=3), shape=[32, 100, 100]), "shape_mismatch", "Set in_channels to 32",
    ),
    "num_features": (images(layer("bn", "BatchNorm2d", num_features=4)), "shape_mismatch", "Set num_features to 3"),
    "input_size": (chain(layer("r", "GRU", input_size=3, hidden_size=4), shape=[5, 8]), "shape_mismatch", "Set input_size to 8"),
    "normalized_shape": (chain(layer("n", "LayerNorm", normalized_shape=9), shape=[8]), "shape_mismatch", "Set normalized_shape to 8"),
    "flatten before a call": (images(layer("fc", "Linear", in_features=192, out_features=4)), "shape_mismatch", "Flatten the input to 192"),
    "flatten and size": (images(layer("fc", "Linear", in_features=190, out_features=4)), "shape_mismatch", "Flatten the input to 192 features and set in_features"),
    "flatten inside a Sequential": (
        network([sequential("s", conv("0"), layer("1", "Linear", in_features=216, out_features=4), layer("2", "ReLU"))], [call("n", "s", "x")], inputs={"x": {"shape": [3, 8, 8]}}),
        "shape_mismatch", "Flatten the input to 216",
    ),
    "dtype of an input": (embedded([call("n", "e", "x")], "float32"), "dtype_mismatch", "Make the input x int64"),
    "conversion": (embedded([function("r", "torch.relu", input=ref("x")), call("n", "e", "r")], "float32"), "dtype_mismatch", "Convert to int64"),
    "whole numbers into a Linear": (chain(layer("fc", "Linear", in_features=8, out_features=4), shape=[8], dtype="int64"), "dtype_mismatch", "Make the input x float32"),
    "whole numbers into a large Linear": (chain(layer("fc", "Linear", in_features=800, out_features=400), shape=[800], dtype="int64"), "dtype_mismatch", "Convert to float32"),
    "reserved name": (network([layer("forward", "ReLU")], [call("n", "forward", "x"), call("m", "forward", "n")]), "name_reserved", "Rename it to forward_2"),
    "invalid name": (network([layer("my layer", "ReLU")], [call("n", "my layer", "x")]), "name_invalid", "Rename it to my_layer"),
    "invalid name of a container": (network([sequential("a-b", conv("0"))], [call("n", "a-b.0", "x")], inputs={"x": {"shape": [3, 8, 8]}}), "name_invalid", "Rename it to a_b"),
    "duplicate name": (network([RELU, RELU], [call("n", "act", "x")]), "name_duplicate", "Rename it to act_2"),
    "reserved key": (network([HEADS], [call("n", "heads.keys", "x")]), "name_reserved", "Rename it to keys_2"),
    "invalid class name": (network([use("b", "my block")], [call("n", "b", x=ref("x"))], blocks=BLOCK), "name_invalid", "Rename it to my_block"),
    "duplicate node id": (network([RELU], [call("n", "act", "x"), call("n", "act", "x")], ref("n")), "node_duplicate", "Give it the id n_2"),
    "no output": ({**network([RELU], [call("n", "act", "x")], 0)}, "no_output", "Return the result of 'act'"),
    "main missing": ({**images(conv()), "main": "Nett"}, "main_missing", "Make 'Net' the main block"),
    "groups": (images(conv(in_channels=3, groups=2)), "argument_invalid", "Set groups to 1"),
    "heads": (chain(layer("a", "TransformerEncoderLayer", d_model=8, nhead=3), shape=[5, 8]), "argument_invalid", "Set nhead to 2"),
    "unknown layer": (chain(layer("act", "Relu"), shape=[8]), "unknown_layer", "Use torch.nn.ReLU"),
    "unknown operation": (network([], [function("n", "torch.rellu", input=ref("x"))]), "unknown_operation", "Use torch.relu"),
    "unknown member": (network([RELU], [call("n", "akt", "x")]), "unknown_member", "Call act"),
    "unknown reference": (network([RELU], [call("node1", "act", "x"), call("node2", "act", "node11")]), "unknown_reference", "Connect it to node1"),
    "unknown argument": (chain(layer("act", "ReLU", in_place=True), shape=[8]), "unknown_argument", "Remove 'in_place'"),
    "unknown dtype": (chain(RELU, shape=[8], dtype="flaot32"), "unknown_dtype", "Use float32"),
    "missing size": (chain(layer("fc", "Linear", out_features=4), shape=[8]), "missing_argument", "Let the input determine in_features"),
    "unused member": (network([RELU, layer("spare", "Tanh")], [call("n", "act", "x")]), "unused_member", "Remove 'spare'"),
    "disconnected node": (network([RELU], [call("n", "act", "x"), call("lost", "act", "x")], ref("n")), "disconnected", "Remove this node of 'act'"),
    "text for a number": (chain(layer("fc", "Linear", in_features=8, out_features="4"), shape=[8]), "argument_type", "Set out_features to 4"),
    "zero": (images(conv(stride=0)), "argument_range", "Set stride to 1"),
    "view of a transposed tensor": (network([], VIEW, inputs={"x": {"shape": [3, 4]}}), "shape_mismatch", "Use reshape"),
    "ambiguous size": (
        network([use("a", "B"), use("b", "B")], [call("n", "a", x=ref("x")), call("m", "b", x=ref("n"))], blocks=SHARED), "auto_ambiguous", "Make in_features an argument of B",
    ),
    "port of another name": (network([layer("t", "TransformerEncoderLayer", d_model=8, nhead=2)], [call("n", "t", "x")], inputs={"x": {"shape": [5, 8]}}), "unknown_port", "Connect it to src"),
    "unknown block": (network([use("b", "MyBlok")], [call("n", "b", x=ref("x"))], blocks={"MyBlock": BLOCK["my block"]}), "unknown_block", "Use MyBlock"),
    "alias": (network([RELU, {"kind": "alias", "name": "again", "of": "akt"}], [call("n", "act", "x"), call("m", "again", "n")]), "unknown_member", "Stand for act"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_fix_mends(name: str) -> None:
    document, code, title = CASES[name]
    before = parsed(document)
    problems = [problem for problem in check(before).problems if problem.code == code]
    assert problems, codes(check(before))
    fixes = [fix for problem in problems for fix in problem.fixes if title in fix.title]
    assert fixes, [fix.title for problem in problems for fix in problem.fixes]
    after = check(edited(before, fixes[0].edits))
    assert errors(after) == []
    assert code not in codes(after)


@pytest.mark.parametrize("name", CASES)
def test_every_offered_fix_can_be_applied_and_ends_its_problem(name: str) -> None:
    document, _, _ = CASES[name]
    before = parsed(document)
    for problem in check(before).problems:
        for fix in problem.fixes:
            after = check(edited(before, fix.edits))
            left = [(found.code, found.pointer, found.message) for found in after.problems]
            assert (problem.code, problem.pointer, problem.message) not in left, fix


def test_an_expression_is_never_overwritten() -> None:
    document = network(
        [layer("fc", "Linear", in_features=expr("width"), out_features=4)],
        [call("n", "fc", "x")],
        arguments=[{"name": "width", "default": 9}],
    )
    (problem,) = check(parsed(document)).problems
    assert problem.code == "shape_mismatch"
    fixes: list[Fix] = problem.fixes
    assert fixes == []
