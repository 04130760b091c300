# ruff: noqa: E501 - tables
"""Every bad graph that must be answered with a problem at its place, never with an exception."""

from __future__ import annotations

import json
from typing import Any

import pytest

from layerloom.graph.checking import check
from layerloom.schema.document import Document
from unit.graph.checking.drawing import (
    AUTO,
    Json,
    argument,
    block,
    call,
    chain,
    expr,
    function,
    get,
    layer,
    network,
    parsed,
    ref,
    repeat,
    sequential,
    use,
)


def renamed(name: str) -> Json:
    return network([layer(name, "ReLU")], [call("n", name, "x")])


def linear(**arguments: Any) -> Json:
    return chain(layer("fc", "Linear", **{"in_features": 8, "out_features": 4, **arguments}), shape=[8])


def conv(**arguments: Any) -> Json:
    given = {"in_channels": 4, "out_channels": 6, "kernel_size": 3, **arguments}
    return chain(layer("conv", "Conv2d", **given), shape=[4, 9, 9])


def nested(depth: int) -> Json:
    inner = layer("0", "ReLU")
    for _ in range(depth):
        inner = sequential("0", inner)
    return network([{**inner, "name": "deep"}], [call("n", "deep", "x")])


def repeated(over: str, times: int) -> Json:
    item = layer("0", "ReLU")
    for _ in range(times - 1):
        item = sequential("0", repeat(over, item))
    return network([sequential("many", repeat(over, item))], [call("n", "many", "x")])


def doubled(levels: int) -> Json:
    """Each block calls the one below it twice: 2**levels calls from a few lines."""
    blocks = {"B0": block([layer("a", "ReLU")], [call("n", "a", "x")], ref("n"))}
    for level in range(1, levels):
        inner = use("b", f"B{level - 1}")
        nodes = [call("n", "b", x=ref("x")), call("m", "b", x=ref("n"))]
        blocks[f"B{level}"] = block([inner], nodes, ref("m"))
    return network([use("b", f"B{levels - 1}")], [call("n", "b", x=ref("x"))], blocks=blocks)


def wide(count: int) -> Json:
    return network([], [function(f"n{i}", "torch.relu", input=ref("x")) for i in range(count)])


def expression(text: str) -> Json:
    return linear(out_features=expr(text))


TWO = [function("a", "torch.relu", input=ref("b")), function("b", "torch.relu", input=ref("a"))]
RELU = layer("act", "ReLU")
LOOPED = {"A": block([use("b", "B")], [call("n", "b", "x")], ref("n"))}
LOOPED["B"] = block([use("a", "A")], [call("n", "a", "x")], ref("n"))

# name: (document, code, place). The place is a subset of the problem's fields.
CASES: dict[str, tuple[Json, str, Json]] = {
    "cycle": (network([], TWO), "cycle", {"block": "Net"}),
    "self-loop": (network([], [function("a", "torch.relu", input=ref("a"))]), "cycle", {"node": "a"}),
    "unknown layer": (chain(layer("c", "Conv2D"), shape=[8]), "unknown_layer", {"member": "c"}),
    "unknown operation": (network([], [function("n", "torch.os.system", input=ref("x"))]), "unknown_operation", {"node": "n"}),
    "dunder operation": (network([], [function("n", "torch.Tensor.__reduce__", input=ref("x"))]), "unknown_operation", {"node": "n"}),
    "unknown block": (network([use("b", "Gone")], [call("n", "b", "x")]), "unknown_block", {"member": "b"}),
    "unknown member": (network([RELU], [call("n", "akt", "x")]), "unknown_member", {"node": "n"}),
    "unknown argument": (linear(out_feature=4), "unknown_argument", {"member": "fc", "port": "out_feature"}),
    "missing argument": (chain(layer("fc", "Linear", in_features=8), shape=[8]), "missing_argument", {"port": "out_features"}),
    "dangling edge": (network([RELU], [call("n", "act", "gone")]), "unknown_reference", {"node": "n", "port": "input"}),
    "dangling output": (network([RELU], [call("n", "act", "x")], ref("m")), "unknown_reference", {"port": "output"}),
    "unknown port": (network([RELU], [call("n", "act", "x", other=ref("x"))]), "unknown_port", {"node": "n", "port": "other"}),
    "two edges into one port": (network([RELU], [call("n", "act", input=[ref("x"), ref("x")])]), "argument_type", {"port": "input"}),
    "missing required input": (network([RELU], [call("n", "act")]), "missing_input", {"node": "n", "port": "input"}),
    "missing operand": (network([], [function("n", "torch.add", input=ref("x"))]), "missing_input", {"port": "other"}),
    "no input": (network([RELU], [call("n", "act", 1)], inputs={}), "no_input", {"block": "Net"}),
    "no example of an input": ({**linear(), "inputs": {}}, "missing_input", {"port": "x"}),
    "no output": (network([], []), "no_output", {"block": "Net"}),
    "constant output": (network([RELU], [call("n", "act", "x")], 3), "no_output", {"block": "Net"}),
    "duplicate node id": (network([RELU], [call("n", "act", "x"), call("n", "act", "x")]), "node_duplicate", {"node": "n", "pointer": "/blocks/Net/forward/nodes/1"}),
    "node id of an input": (network([RELU], [call("x", "act", "x")]), "node_duplicate", {"node": "x"}),
    "main missing": ({**linear(), "main": "Nett"}, "main_missing", {"pointer": "/main"}),
    "future version": ({**linear(), "format": 2}, "format_unsupported", {"pointer": "/format"}),
    "too large": (linear(in_features=10**6, out_features=10**6), "too_large", {"member": "fc"}),
    "overflowing product": (linear(in_features=10**10, out_features=10**10), "overflow", {"member": "fc"}),
    "overflowing size": (linear(out_features=2**63), "overflow", {"member": "fc", "port": "out_features"}),
    "overflowing input": (chain(RELU, shape=[2**63]), "overflow", {"port": "x"}),
    "large parameter": (network([{"kind": "parameter", "name": "w", "shape": [10**6, 10**6]}], [get("w", "w"), function("n", "torch.add", input=ref("x"), other=ref("w"))]), "too_large", {"member": "w"}),
    "negative dimension": (linear(out_features=-4), "argument_range", {"port": "out_features"}),
    "input of too many bytes": (chain(layer("e", "Embedding", num_embeddings=5, embedding_dim=2), shape=[2**61], dtype="int64"), "overflow", {"port": "x"}),
    "whole numbers that a dtype does not hold": (network([], [], ref("x"), inputs={"x": {"shape": [5], "dtype": "int8", "high": 129}}), "argument_range", {"port": "x"}),
    "whole numbers below a negative one": (network([], [], ref("x"), inputs={"x": {"shape": [5], "dtype": "int64", "high": -1}}), "argument_range", {"port": "x"}),
    "zero dimension": (linear(out_features=0), "argument_range", {"port": "out_features"}),
    "zero axis of an input": (chain(RELU, shape=[0]), "argument_range", {"port": "x"}),
    "kernel 0": (conv(kernel_size=0), "argument_range", {"port": "kernel_size"}),
    "stride 0": (conv(stride=0), "argument_range", {"port": "stride"}),
    "dilation 0": (conv(dilation=0), "argument_range", {"port": "dilation"}),
    "negative padding": (conv(padding=-1), "argument_range", {"port": "padding"}),
    "padding 10**6": (conv(padding=10**6), "argument_range", {"port": "padding"}),
    "groups that do not divide": (conv(groups=3), "argument_invalid", {"member": "conv"}),
    "heads that do not divide": (chain(layer("a", "TransformerEncoderLayer", d_model=8, nhead=3), shape=[5, 8]), "argument_invalid", {"member": "a"}),
    "true for an int": (linear(out_features=True), "argument_type", {"port": "out_features"}),
    "text for an int": (linear(out_features="3"), "argument_type", {"port": "out_features"}),
    "fraction for an int": (linear(out_features=1.5), "argument_type", {"port": "out_features"}),
    "int for a bool": (linear(bias=1), "argument_type", {"port": "bias"}),
    "unknown choice": (conv(padding_mode="mirror"), "argument_type", {"port": "padding_mode"}),
    "text for a number of an operation": (network([], [function("n", "torch.flatten", input=ref("x"), start_dim="1")]), "argument_type", {"node": "n"}),
    "NaN": (chain(layer("d", "Dropout", p={"$float": "nan"}), shape=[8]), "argument_range", {"port": "p"}),
    "probability above 1": (chain(layer("d", "Dropout", p=1.5), shape=[8]), "argument_range", {"port": "p"}),
    "a thousand layers of one": (chain(layer("r", "LSTM", input_size=8, hidden_size=4, num_layers=10**6), shape=[5, 8]), "argument_range", {"port": "num_layers"}),
    "shape mismatch": (linear(in_features=9), "shape_mismatch", {"node": "call_fc", "member": "fc"}),
    "shapes that cannot be added": (network([layer("a", "Linear", in_features=8, out_features=4)], [call("n", "a", "x"), function("s", "operator.add", input=ref("x"), other=ref("n"))]), "shape_mismatch", {"node": "s"}),
    "whole numbers into a Linear": (chain(layer("fc", "Linear", in_features=8, out_features=4), shape=[8], dtype="int64"), "dtype_mismatch", {"node": "call_fc"}),
    "fractions into an Embedding": (chain(layer("e", "Embedding", num_embeddings=10, embedding_dim=4), shape=[8]), "dtype_mismatch", {"node": "call_e"}),
    "unknown dtype": (chain(RELU, shape=[8], dtype="float23"), "unknown_dtype", {"port": "x"}),
    "unknown dtype of a parameter": (network([RELU, {"kind": "parameter", "name": "w", "dtype": "os"}], [call("n", "act", "x")]), "unknown_dtype", {"member": "w"}),
    "automatic where nothing determines it": (linear(out_features=AUTO), "argument_type", {"port": "out_features"}),
    "automatic but never called": (network([RELU, layer("fc", "Linear", in_features=AUTO, out_features=4)], [call("n", "act", "x")]), "auto_unresolved", {"member": "fc"}),
    "call of a list": (network([{"kind": "module_list", "name": "many", "items": [RELU]}], [call("n", "many", "x")]), "not_callable", {"node": "n"}),
    "empty name": (renamed(""), "name_invalid", {"block": "Net"}),
    "dotted name": (renamed("a.b"), "name_invalid", {"member": "a.b"}),
    "keyword": (renamed("class"), "name_invalid", {"member": "class"}),
    "forward": (renamed("forward"), "name_reserved", {"member": "forward"}),
    "training": (renamed("training"), "name_reserved", {"member": "training"}),
    "_modules": (renamed("_modules"), "name_reserved", {"member": "_modules"}),
    "method of a module": (renamed("register_buffer"), "name_reserved", {"member": "register_buffer"}),
    "key of a dict that is a method": (network([{"kind": "module_dict", "name": "heads", "items": [{**RELU, "name": "keys"}]}], [call("n", "heads.keys", "x")]), "name_reserved", {"member": "heads.keys"}),
    "NUL in a name": (renamed("a\0b"), "name_invalid", {"member": "a\0b"}),
    "two lines in a name": (renamed("a\nb"), "name_invalid", {"member": "a\nb"}),
    "bidi override in a name": (renamed("a\u202eb"), "name_invalid", {"member": "a\u202eb"}),
    "10,000 characters": (renamed("a" * 10_000), "name_invalid", {"block": "Net"}),
    "invisible node id": (network([RELU], [call("a\u200b", "act", "x")]), "name_invalid", {"node": "a\u200b"}),
    "duplicate name": (network([RELU, RELU], [call("n", "act", "x")]), "name_duplicate", {"member": "act", "pointer": "/blocks/Net/members/1"}),
    "invalid class name": ({"main": "my net", "blocks": {"my net": linear()["blocks"]["Net"]}, "inputs": {"x": {"shape": [8]}}}, "name_invalid", {"block": "my net"}),
    "nesting deeper than 16": (nested(20), "too_deep", {"block": "Net"}),
    "block containing itself": (network([use("b", "Net")], [call("n", "b", "x")]), "recursion", {"block": "Net"}),
    "blocks containing each other": (network([use("a", "A")], [call("n", "a", "x")], blocks=LOOPED), "recursion", {}),
    "a billion repeats": (repeated("range(1000)", 3), "too_many_nodes", {"block": "Net"}),
    "a million in one range": (repeated("range(10**6)", 1), "expression_invalid", {"block": "Net"}),
    "6,000 nodes": (wide(6_000), "too_many_nodes", {}),
    "calls that double": (doubled(14), "too_many_nodes", {}),
    "import in an expression": (expression("__import__('os')"), "expression_invalid", {"member": "fc"}),
    "class of a tuple": (expression("().__class__"), "expression_invalid", {"member": "fc"}),
    "globals": (expression("x.__globals__"), "expression_invalid", {"member": "fc"}),
    "tower of powers": (expression("9**9**9"), "expression_invalid", {"member": "fc"}),
    "1,000 parentheses": (expression("(" * 999 + "1" + ")" * 999), "expression_invalid", {"member": "fc"}),
    "unknown name in an expression": (expression("2 * widht"), "expression_invalid", {"port": "out_features"}),
    "division by zero": (expression("1 // 0"), "expression_invalid", {"member": "fc"}),
    "power of constants in forward": (network([], [function("p", "operator.pow", input=9, other=10**8), function("n", "torch.add", input=ref("x"), other=ref("p"))]), "overflow", {"node": "p"}),
    "billions of pieces": (network([], [function("s", "torch.unbind", input=ref("x"), dim=1)], ref("s", 0), inputs={"x": {"shape": [10**9]}}), "argument_range", {"node": "s"}),
    "missing block argument": (network([use("b", "B")], [call("n", "b", "x")], blocks={"B": block([RELU], [call("n", "act", "x")], ref("n"), arguments=[argument("width", required=True)])}), "missing_argument", {"member": "b"}),
    "block argument of another type": (network([use("b", "B", width="wide")], [call("n", "b", "x")], blocks={"B": block([RELU], [call("n", "act", "x")], ref("n"), arguments=[argument("width")])}), "argument_type", {"member": "b", "port": "width"}),
    "triangle of one axis": (network([{"kind": "buffer", "name": "m", "shape": [4], "fill": "tril"}], [get("m", "m"), function("n", "torch.add", input=ref("x"), other=ref("m"))]), "argument_type", {"member": "m", "port": "fill"}),
    "no number as a whole number": (network([{"kind": "buffer", "name": "m", "shape": [8], "fill": {"$float": "nan"}, "dtype": "int64"}], [get("m", "m"), function("n", "torch.add", input=ref("x"), other=ref("m"))]), "argument_type", {"member": "m", "port": "fill"}),
    "pattern that a dtype has not": (network([{"kind": "buffer", "name": "m", "shape": [8], "fill": "arange", "dtype": "bool"}], [get("m", "m"), function("n", "torch.add", input=ref("x"), other=ref("m"))]), "argument_type", {"member": "m", "port": "fill"}),
    "fill computed to be a text": (network([{"kind": "buffer", "name": "m", "shape": [8], "fill": expr("'text'"), "dtype": "float32"}], [get("m", "m"), function("n", "torch.add", input=ref("x"), other=ref("m"))]), "argument_type", {"member": "m", "port": "fill"}),
    "fill computed to be a list": (network([{"kind": "buffer", "name": "m", "shape": [8], "fill": expr("[1, 2]"), "dtype": "float32"}], [get("m", "m"), function("n", "torch.add", input=ref("x"), other=ref("m"))]), "argument_type", {"member": "m", "port": "fill"}),
    "fill computed to be too large": (network([{"kind": "buffer", "name": "m", "shape": [8], "fill": expr("2**40"), "dtype": "int8"}], [get("m", "m"), function("n", "torch.add", input=ref("x"), other=ref("m"))]), "argument_type", {"member": "m", "port": "fill"}),
    "fill of a dtype that holds none": (network([{"kind": "buffer", "name": "m", "shape": [8], "fill": 0, "dtype": "qint8"}], [get("m", "m"), function("n", "torch.add", input=ref("x"), other=ref("m"))]), "argument_type", {"member": "m", "port": "fill"}),
    "fill that a dtype cannot hold": (network([{"kind": "buffer", "name": "m", "shape": [8], "fill": 1e308}], [get("m", "m"), function("n", "torch.add", input=ref("x"), other=ref("m"))]), "argument_type", {"member": "m", "port": "fill"}),
    "index beyond its axis": (network([], [function("n", "operator.getitem", input=ref("x"), index={"$tuple": [{"$slice": [None, None, None]}, [1, 8]]})]), "shape_mismatch", {"node": "n"}),
    "sharing of different shapes": (
        network([layer("e", "Embedding", num_embeddings=9, embedding_dim=4), layer("out", "Linear", in_features=4, out_features=8), {"kind": "alias", "name": "out.weight", "of": "e.weight"}],
                [call("n", "e", "x"), call("m", "out", "n")], inputs={"x": {"shape": [5], "dtype": "int64"}}),
        "shape_mismatch", {"member": "out.weight"},
    ),
    "shift of fractions": (network([], [function("n", "torch.bitwise_right_shift", input=ref("x"), other=ref("x"))]), "dtype_mismatch", {"node": "n"}),
    "unknown initializer": (network([{**RELU, "init": [{"function": "torch.nn.init.os"}]}], [call("n", "act", "x")]), "unknown_initializer", {"member": "act"}),
    "alias of nothing": (network([RELU, {"kind": "alias", "name": "again", "of": "gone"}], [call("n", "act", "x")]), "unknown_member", {"member": "again"}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_bad_document_gets_its_problem_at_its_place(name: str) -> None:
    document, code, place = CASES[name]
    report = check(parsed(document))
    assert not report.ok
    found = [problem for problem in report.problems if problem.code == code]
    assert found, [(str(problem.code), problem.message) for problem in report.problems]
    assert any(all(getattr(problem, field) == value for field, value in place.items()) for problem in found), found
    assert all(problem.message and problem.message.isprintable() for problem in report.problems)
    report.model_dump_json()


def test_warnings_do_not_make_a_document_unusable() -> None:
    nodes = [call("n", "act", "x"), call("lost", "act", "x")]
    report = check(parsed(network([RELU, layer("spare", "Tanh"), layer("Act", "ReLU")], nodes, ref("n"))))
    assert report.ok
    found = {(str(problem.code), problem.node, problem.member) for problem in report.problems}
    assert ("disconnected", "lost", None) in found
    assert ("unused_member", None, "spare") in found
    assert ("name_duplicate", None, "Act") in found


def test_batch_normalization_of_a_single_value_is_warned_of() -> None:
    alone = check(parsed(chain(layer("bn", "BatchNorm1d", num_features=8), shape=[8])))
    assert alone.ok
    assert [str(problem.code) for problem in alone.problems] == ["batch_of_one"]
    assert alone.problems[0].member == "bn"
    image = check(parsed(chain(layer("bn", "BatchNorm2d", num_features=8), shape=[8, 4, 4])))
    assert image.problems == []


def test_too_large_names_the_count() -> None:
    report = check(parsed(CASES["too large"][0]))
    assert report.problems[0].data["parameters"] == 10**12 + 10**6
    assert "1,000,001,000,000" in report.problems[0].message


def test_cycle_names_its_nodes() -> None:
    (problem,) = [found for found in check(parsed(CASES["cycle"][0])).problems if found.code == "cycle"]
    assert sorted(problem.data["nodes"]) == ["a", "b"]


def test_unknown_layer_suggests_the_nearest() -> None:
    (problem,) = [found for found in check(parsed(CASES["unknown layer"][0])).problems if found.code == "unknown_layer"]
    assert problem.data["nearest"][0] == "torch.nn.Conv2d"


def test_what_comes_before_a_cycle_keeps_its_shapes() -> None:
    report = check(parsed(network([RELU], [call("n", "act", "x"), *TWO, call("m", "act", "b")], ref("m"))))
    assert report.nodes["#n"].output is not None
    assert report.nodes["#m"].output is None
    assert "a" not in {key.removeprefix("#") for key in report.nodes}


def test_thousands_of_cycles_answer_at_once() -> None:
    nodes = [function(f"n{index}", "torch.relu", input=ref(f"n{index ^ 1}")) for index in range(4_000)]
    report = check(parsed(network([], nodes)))
    assert [problem.code for problem in report.problems].count("cycle") == 20


def test_what_comes_before_a_failure_keeps_its_shapes_and_what_comes_after_is_no_further_problem() -> None:
    items = [
        layer("0", "Linear", in_features=8, out_features=6),
        layer("1", "ReLU"),
        layer("2", "Linear", in_features=5, out_features=4),
    ]
    report = check(
        parsed(
            network(
                [sequential("body", *items), layer("end", "Linear", in_features=4, out_features=2)],
                [call("n", "body", "x"), call("m", "end", "n")],
            )
        )
    )
    (problem,) = report.problems
    assert (problem.code, problem.node, problem.member) == ("shape_mismatch", "n", "body.2")
    assert problem.pointer == "/blocks/Net/members/0/items/2"
    assert problem.data["expected"] == {"in_features": 5}
    assert problem.data["arriving"] == 6
    assert "float32 [2, 6]" in problem.message
    assert report.modules["body.1"].output is not None
    assert report.nodes["#n"].output is None
    assert report.nodes["#m"].output is None


def test_numbers_beyond_64_bits_are_problems_with_a_place() -> None:
    """JSON may say them, and Python hands them on to torch, which raises OverflowError."""
    filled = {"kind": "buffer", "name": "m", "shape": [8], "fill": 0}
    text = json.dumps(network([filled], [get("m", "m"), function("n", "torch.add", input=ref("x"), other=ref("m"))]))
    report = check(Document.model_validate_json(text.replace('"fill": 0', f'"fill": {10**30}')))
    assert [(it.code, it.member, it.port) for it in report.problems] == [("argument_type", "m", "fill")]
    sized = json.dumps(network([], [], ref("x"), inputs={"x": {"shape": [5], "dtype": "int64", "high": 0}}))
    report = check(Document.model_validate_json(sized.replace('"high": 0', f'"high": {10**30}')))
    assert [(it.code, it.port) for it in report.problems] == [("argument_range", "x")]


@pytest.mark.parametrize(
    ("spare", "said"),
    [
        (layer("spare", "Linear", in_features=8, out_features=8), "its parameters are never trained"),
        (layer("spare", "Dropout"), "it is never called"),
        (sequential("spare", layer("0", "ReLU")), "it is never called"),
        ({"kind": "parameter", "name": "spare", "shape": [8]}, "it is never trained"),
        ({"kind": "buffer", "name": "spare", "shape": [8]}, "nothing is computed with it"),
    ],
)
def test_what_an_unused_member_misses_is_said_truly(spare: Json, said: str) -> None:
    [problem] = check(parsed(network([RELU, spare], [call("n", "act", "x")]))).problems
    assert (problem.code, problem.message) == ("unused_member", f"'spare' is not used in forward: {said}.")
