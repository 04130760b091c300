"""What the check says of a network is what torch says of the module that is built from it."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from layerloom.graph import build, check, to_python
from layerloom.graph.checking import checked
from unit.graph.checking.drawing import (
    AUTO,
    Json,
    argument,
    block,
    call,
    codes,
    errors,
    expr,
    function,
    get,
    layer,
    network,
    parsed,
    ref,
    repeat,
    use,
)

X_5 = {"x": {"shape": [5]}}


def outputs(document: Json, *inputs: Tensor) -> Any:
    """Of the real module, on the CPU, with every warning an error."""
    with warnings.catch_warnings(action="error"):
        return build(parsed(document), seed=0)(*inputs)


def shape_told(document: Json) -> list[int | None]:
    report = check(parsed(document))
    assert errors(report) == []
    assert report.outputs is not None
    return report.outputs.model_dump()["shape"]


# --- names


@pytest.mark.parametrize("names", [("torch.nn.functional.relu", "p2"), ("n-1", "p-2"), ("F", "torch"), ("l", "max")])
def test_ids_of_nodes_never_become_source(names: tuple[str, str]) -> None:
    one, two = names
    inner = block(
        [layer("a", "Linear", in_features=8, out_features=8)],
        [call(one, "a", "x"), function(two, "torch.relu", input=ref(one))],
        {"$tuple": [ref(one), ref(two)]},
    )
    nodes = [call("b", "b", x=ref("x")), function("s", "operator.add", a=ref("b", 0), b=ref("b", 1))]
    document = network([use("b", "B")], nodes, blocks={"B": inner})
    document["blocks"]["Net"]["forward"]["nodes"][1]["arguments"] = {"input": ref("b", 0), "other": ref("b", 1)}
    before = F.relu
    result = outputs(document, torch.randn(2, 8))
    assert result.shape == (2, 8)
    assert F.relu is before
    compile(to_python(parsed(document)), "net.py", "exec")


def test_a_choice_from_a_container_called_names() -> None:
    heads = {"kind": "module_dict", "name": "names", "items": [layer("a", "Linear", in_features=8, out_features=2)]}
    node = {"op": "choose", "id": "n", "target": "names", "key": None, "arguments": {"input": ref("x")}}
    assert list(outputs(network([heads], [node]), torch.randn(3, 8))) == ["a"]


# --- operations with a changing number of arguments or results


def test_einsum_takes_its_equation_first() -> None:
    node = function("n", "torch.einsum", equation="bi,bi->b", operands=[ref("x"), ref("x")])
    document = network([], [node])
    x = torch.randn(3, 8)
    torch.testing.assert_close(outputs(document, x), (x * x).sum(1))
    assert shape_told(document) == [2]


def test_chunks_that_are_fewer_than_asked_for() -> None:
    nodes = [
        function("n", "torch.chunk", input=ref("x"), chunks=4, dim=1),
        function("s", "operator.add", input=ref("n", 0), other=ref("n", 1)),
    ]
    x = torch.randn(3, 5)
    assert torch.equal(outputs(network([], nodes, inputs=X_5), x), x[:, :2] + x[:, 2:4])


def test_chunks_that_are_all_read_are_unpacked() -> None:
    nodes = [
        function("n", "torch.chunk", input=ref("x"), chunks=2, dim=1),
        function("s", "operator.mul", input=ref("n", 0), other=ref("n", 1)),
    ]
    assert "x1, x2 = torch.chunk(x, 2, dim=1)" in to_python(parsed(network([], nodes)))


# --- calls that bind, or do not


TWO = block([], [function("s", "operator.add", input=ref("x"), other=ref("y"))], ref("s"), "x y")
ONE = block([], [function("s", "torch.relu", input=ref("x"))], ref("s"), "x")


def over(kind: str, *items: Json, op: str = "loop", **arguments: Any) -> Json:
    held = {"kind": kind, "name": "all", "items": list(items)}
    node = {"op": op, "id": "n", "target": "all", "arguments": {"input": ref("x"), **arguments}}
    return network([held], [node], blocks={"Two": TWO, "One": ONE})


@pytest.mark.parametrize("kind", ["sequential", "module_list"])
def test_a_loop_over_blocks_that_need_more_than_it_carries(kind: str) -> None:
    [problem] = errors(check(parsed(over(kind, use("0", "Two")))))
    assert (problem.code, problem.node) == ("missing_input", "n")
    assert "y" in problem.message


def test_a_loop_that_gives_an_item_what_it_does_not_take() -> None:
    document = over("module_list", use("0", "Two"), use("1", "One"), y=ref("x"))
    [problem] = errors(check(parsed(document)))
    assert (problem.code, problem.node) == ("unknown_port", "n")


def test_heads_may_name_their_inputs_differently() -> None:
    other = block([], [function("s", "torch.tanh", input=ref("y"))], ref("s"), "y")
    heads = {"kind": "module_dict", "name": "heads", "items": [use("a", "One"), use("b", "Other")]}
    node = {"op": "choose", "id": "n", "target": "heads", "key": None, "arguments": {"x": ref("x")}}
    document = network([heads], [node], blocks={"One": ONE, "Other": other})
    report = check(parsed(document))
    assert errors(report) == []
    assert report.outputs is not None
    x = torch.randn(2, 8)
    result = outputs(document, x)
    assert torch.equal(result["a"], x.relu())
    assert torch.equal(result["b"], x.tanh())


@pytest.mark.parametrize(("op", "kind"), [("loop", "module_list"), ("choose", "module_dict")])
def test_a_container_that_nothing_is_connected_to(op: str, kind: str) -> None:
    document = over(kind, use("0", "One"), op=op)
    document["blocks"]["Net"]["forward"]["nodes"][0]["arguments"] = {}
    [problem] = errors(check(parsed(document)))
    assert (problem.code, problem.message) == ("missing_input", "nothing is connected to 'all'.")


def test_problems_call_nodes_as_people_do() -> None:
    document = network([layer("fc", "Linear", in_features=8, out_features=2)], [call("n7", "fc", "x")], ref("x"))
    [problem] = check(parsed(document)).problems
    assert problem.message == "the result of 'fc' is not used by the output."
    assert [fix.title for fix in problem.fixes] == ["Make it an output", "Remove this node of 'fc'"]


def test_a_missing_connection_is_told_once_with_the_name_of_the_layer() -> None:
    members = [layer(name, "Linear", in_features=8, out_features=8) for name in ("a", "b", "c", "d")]
    nodes = [call("n1", "a", "x"), call("n2", "b", "n1"), call("n3", "c", "n2"), call("n4", "d")]
    missing, loose = check(parsed(network(members, nodes, ref("n4")))).problems
    assert (missing.code, missing.message) == ("missing_input", "nothing is connected to input of d (Linear).")
    assert (loose.code, loose.node, loose.data) == ("disconnected", "n3", {"before": 2})
    assert loose.message == "the result of 'c' is not used by the output, nor is what 2 before it give."
    # Two ends are two results that may be missed.
    nodes = [call("n1", "a", "x"), call("n2", "b", "n1"), call("n3", "c", "n1"), call("n4", "d", "x")]
    ends = check(parsed(network(members, nodes, ref("n4")))).problems
    assert [(end.node, end.data["before"]) for end in ends] == [("n2", 1), ("n3", 1)]


def test_a_weight_may_be_read_before_the_call_that_sizes_it() -> None:
    nodes = [
        get("w", "a.weight"),
        call("c", "a", "x"),
        function("s", "torch.nn.functional.linear", input=ref("c"), weight=ref("w")),
    ]
    document = network([layer("a", "Linear", in_features=AUTO, out_features=8)], nodes)
    assert shape_told(document) == [2, 8]
    assert outputs(document, torch.randn(3, 8)).shape == (3, 8)


def test_a_size_that_is_the_batch_is_found() -> None:
    nodes = [call("r", "r", "x"), function("v", "torch.Tensor.view", input=ref("r"), size=[2, 8])]
    [problem] = errors(check(parsed(network([layer("r", "ReLU")], nodes))))
    assert (problem.code, problem.node) == ("batch_fixed", "v")


TOKENS = {"x": {"shape": [6], "dtype": "int64", "high": 50}}


@pytest.mark.parametrize(("rows", "well"), [(50, True), (49, False), (60_000, True)])
def test_a_vocabulary_must_fit_the_embedding(rows: int, well: bool) -> None:
    document = network([layer("e", "Embedding", num_embeddings=rows, embedding_dim=3)], [call("n", "e", "x")])
    report = check(parsed({**document, "inputs": TOKENS}))
    assert [(str(item.code), item.node) for item in errors(report)] == ([] if well else [("argument_range", "n")])


@pytest.mark.parametrize(("classes", "well"), [(50, True), (49, False)])
def test_the_same_of_an_operation(classes: int, well: bool) -> None:
    node = function("n", "torch.nn.functional.one_hot", input=ref("x"), num_classes=classes)
    report = check(parsed({**network([], [node]), "inputs": TOKENS}))
    assert [str(item.code) for item in errors(report)] == ([] if well else ["argument_range"])


# --- sharing


def tied(members: list[Json], name: str, of: str) -> Json:
    alias = {"kind": "alias", "name": name, "of": of}
    linear = layer("fc", "Linear", in_features=8, out_features=8)
    return network([*members, linear, alias], [call("n", "fc", "x")])


PARAMETER = {"kind": "parameter", "name": "p", "shape": [8, 8]}
BUFFER = {"kind": "buffer", "name": "b", "shape": [8, 8]}


@pytest.mark.parametrize(
    ("members", "name", "of", "code"),
    [
        ([BUFFER], "fc.weight", "b", "argument_invalid"),
        ([{**PARAMETER, "dtype": "float64"}], "fc.weight", "p", "dtype_mismatch"),
        ([PARAMETER], "nope.weight", "p", "unknown_member"),
        ([PARAMETER], "fc.in_features", "p", "unknown_member"),
        ([layer("other", "ReLU")], "fc.weight", "other", "argument_invalid"),
        ([layer("bn", "BatchNorm1d", num_features=8)], "mean", "bn.running_mean", "unknown_member"),
    ],
)
def test_what_cannot_be_shared(members: list[Json], name: str, of: str, code: str) -> None:
    assert code in [str(problem.code) for problem in errors(check(parsed(tied(members, name, of))))]


def test_an_item_of_a_block_is_no_tensor_to_be_replaced() -> None:
    inner = block([layer("l", "Linear", in_features=8, out_features=4)], [call("n", "l", "x")], ref("n"))
    other = layer("other", "Linear", in_features=8, out_features=6)
    alias = {"kind": "alias", "name": "e.l", "of": "other"}
    document = network([use("e", "E"), other, alias], [call("n", "e", x=ref("x"))], blocks={"E": inner})
    assert "argument_invalid" in codes(check(parsed(document)))


@pytest.mark.parametrize("persistent", [True, False])
def test_a_shared_buffer_is_registered_twice(persistent: bool) -> None:
    members = [{**BUFFER, "persistent": persistent}, {"kind": "alias", "name": "again", "of": "b"}]
    nodes = [get("g", "again"), function("s", "torch.matmul", input=ref("x"), other=ref("g"))]
    module = build(parsed(network(members, nodes)))
    assert module.again is module.b  # type: ignore[comparison-overlap]
    assert list(dict(module.named_buffers(remove_duplicate=False))) == ["b", "again"]
    assert list(module.state_dict()) == (["b", "again"] if persistent else [])
    assert module.to("meta")(torch.randn(2, 8, device="meta")).shape == (2, 8)


# --- devices


@pytest.mark.parametrize(
    ("target", "arguments"),
    [
        ("torch.zeros", {"size": [8]}),
        ("torch.arange", {"end": 8, "dtype": {"$dtype": "float32"}}),
        ("torch.full", {"size": [8], "fill_value": 0.5}),
        ("torch.eye", {"n": 8}),
    ],
)
def test_a_tensor_from_nothing_is_made_where_the_input_is(target: str, arguments: dict[str, Any]) -> None:
    nodes = [
        call("r", "r", "x"),
        function("f", target, **arguments),
        function("s", "torch.matmul", input=ref("r"), other=ref("f")),
    ]
    document = network([layer("r", "Linear", in_features=8, out_features=8)], nodes)
    assert "device=x.device" in to_python(parsed(document))
    module = build(parsed(document)).to("meta")
    assert module(torch.empty(2, 8, device="meta")).device.type == "meta"


def test_a_tensor_from_nothing_keeps_the_input_alive_until_then() -> None:
    nodes = [
        call("r", "r", "x"),
        function("one", "torch.nn.functional.pad", input=ref("r"), pad=[0, 1]),
        function("f", "torch.zeros", size=[9]),
        function("s", "operator.add", input=ref("one"), other=ref("f")),
    ]
    document = network([layer("r", "ReLU")], nodes)
    assert outputs(document, torch.randn(3, 8)).shape == (3, 9)


# --- values that may not be


def test_a_layer_is_no_value_of_an_argument() -> None:
    """It would be built, however large, before anything has judged it."""
    huge = {"$layer": {"target": "torch.nn.Linear", "arguments": {"in_features": 150_000, "out_features": 150_000}}}
    for value in (huge, {"$layer": {"target": "torch.nn.Linear", "arguments": {}}}):
        document = network([layer("r", "ReLU")], [call("n", "r", "x")], arguments=[argument("a", default=value)])
        assert errors(check(parsed(document)))
        used = network([use("b", "B", a=value)], [call("n", "b", x=ref("x"))], blocks={"B": ONE})
        used["blocks"]["B"]["arguments"] = [argument("a")]
        assert errors(check(parsed(used)))


# --- source that linters accept


def test_no_sign_stands_twice_in_a_row() -> None:
    nodes = [function("a", "operator.neg", input=ref("x")), function("b", "operator.neg", input=ref("a"))]
    assert "-(-x)" in to_python(parsed(network([], nodes)))
    written = to_python(
        parsed(
            network(
                [layer("p", "Linear", in_features=8, out_features=expr("-(-n)"))],
                [call("c", "p", "x")],
                arguments=[argument("n", default=8)],
            )
        )
    )
    assert "-(-n)" in written


def test_identity_is_for_none_alone() -> None:
    def asks(text: str) -> Json:
        return network(
            [{"kind": "sequential", "name": "s", "items": [repeat(text, layer("0", "ReLU"))]}],
            [call("n", "s", "x")],
            arguments=[argument("k", default=1)],
        )

    assert codes(check(parsed(asks("range(1 if k is 1 else 2)")))) == ["expression_invalid"]
    assert checked(parsed(asks("range(1 if k is None else 2)"))).report.ok
