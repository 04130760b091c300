# ruff: noqa: E501 - tables
"""Networks that check and do not run: each is found, at the node where it happens."""

from __future__ import annotations

import pytest
import torch

import layerloom
from layerloom.graph import check
from layerloom.graph.confirming import confirm
from layerloom.graph.examples import examples
from layerloom.schema.problems import Problem
from unit.graph.checking import networks
from unit.graph.checking.drawing import (
    Json,
    block,
    call,
    edited,
    function,
    get,
    layer,
    network,
    parsed,
    ref,
    sequential,
    use,
)

X = ref("x")
FC = layer("fc", "Linear", in_features=8, out_features=8)
IDS = {"x": {"shape": [7], "dtype": "int64", "high": 50}}
EMBEDDING = layer("emb", "Embedding", num_embeddings=50, embedding_dim=8)
SCALE = {"kind": "parameter", "name": "scale", "shape": [8]}
POSITIONS = {"kind": "buffer", "name": "positions", "shape": [16], "dtype": "int64", "fill": "arange"}
GATE = block(
    [
        layer("fc", "Linear", in_features=8, out_features=8),
        layer("act", "Sigmoid"),
        layer("drop", "ReLU", inplace=True),
    ],
    [call("a", "fc", "x"), call("b", "act", "a"), call("c", "drop", "b")],
    ref("c"),
)

# document, code, block, node, member, instance
BAD: dict[str, tuple[Json, str, str, str, str | None, str]] = {
    "an operation in place on what a gradient needs": (
        network(
            [FC],
            [
                call("a", "fc", "x"),
                function("s", "torch.sigmoid", input=ref("a")),
                function("b", "torch.Tensor.add_", input=ref("s"), other=1),
            ],
        ),
        "in_place", "Net", "s", None, "",
    ),
    "a layer in place behind a sigmoid": (
        network([FC, layer("act", "Sigmoid"), layer("relu", "ReLU", inplace=True)], [call("a", "fc", "x"), call("s", "act", "a"), call("r", "relu", "s")]),
        "in_place", "Net", "s", "act", "",
    ),
    "a parameter in place": (
        network([SCALE], [get("p", "scale"), function("q", "torch.Tensor.mul_", input=ref("p"), other=2.0), function("r", "operator.mul", input=X, other=ref("q"))]),
        "in_place", "Net", "q", None, "",
    ),
    "numbers of a buffer beyond an embedding": (
        network([layer("emb", "Embedding", num_embeddings=8, embedding_dim=8), POSITIONS], [get("p", "positions"), call("e", "emb", "p"), function("r", "operator.add", input=X, other=ref("e"))], inputs={"x": {"shape": [16, 8]}}),
        "argument_range", "Net", "e", "emb", "",
    ),
    "a vocabulary that is moved beyond an embedding": (
        network([EMBEDDING], [function("s", "operator.add", input=X, other=1), call("e", "emb", "s")], inputs=IDS),
        "argument_range", "Net", "e", "emb", "",
    ),
    "a constant index beyond its axis": (
        network([POSITIONS], [get("p", "positions"), function("i", "torch.index_select", input=X, dim=1, index=ref("p"))], inputs={"x": {"shape": [8]}}),
        "argument_range", "Net", "i", None, "",
    ),
    "one value per channel": (
        network([layer("norm", "BatchNorm1d", num_features=8)], [call("n", "norm", "x")], inputs={"x": {"shape": [1, 8], "batch": False}}),
        "batch_of_one", "Net", "n", "norm", "",
    ),
    "a dtype that a large layer does not take": (
        network([layer("norm", "LayerNorm", normalized_shape=[400, 400])], [call("n", "norm", "x")], inputs={"x": {"shape": [400, 400], "dtype": "float64"}}),
        "dtype_mismatch", "Net", "n", "norm", "",
    ),
    "no gradient for an operation": (
        network([FC], [call("a", "fc", "x"), function("e", "torch.exp", input=ref("a")), function("g", "torch.igamma", input=ref("e"), other=ref("e"))]),
        "layer_failed", "Net", "g", None, "",
    ),
    "inside a block inside a container": (
        network([sequential("stages", use("0", "Gate"), use("1", "Gate"))], [call("n", "stages", "x")], blocks={"Gate": GATE}),
        "in_place", "Gate", "b", "act", "",
    ),
    "an embedding inside a loop": (
        network(
            [{"kind": "module_list", "name": "tables", "items": [layer("0", "Embedding", num_embeddings=8, embedding_dim=8)]}, POSITIONS],
            [get("p", "positions"), {"op": "loop", "id": "e", "target": "tables", "arguments": {"input": ref("p")}}, function("r", "operator.add", input=X, other=ref("e"))],
            inputs={"x": {"shape": [16, 8]}},
        ),
        "argument_range", "Net", "e", "tables.0", "",
    ),
}  # fmt: skip


def one(problems: list[Problem]) -> Problem:
    (problem,) = problems
    return problem


@pytest.mark.parametrize("name", BAD)
def test_what_checks_and_does_not_run_is_found_at_its_node(name: str) -> None:
    drawn, code, block_, node, member, instance = BAD[name]
    document = parsed(drawn)
    assert check(document).ok
    problem = one(confirm(document))
    assert (problem.code, problem.severity) == (code, "error")
    assert (problem.block, problem.node, problem.member, problem.instance) == (block_, node, member, instance)
    found = document.blocks[block_].forward.nodes[int((problem.pointer or "").rpartition("/")[2])]
    assert found.id == node
    assert problem.message.endswith(".")
    assert problem.data["torch"] in problem.message


def test_the_instance_of_a_block_is_told() -> None:
    """Forward errors know it; a gradient's place is known by its line alone."""
    table = block([layer("emb", "Embedding", num_embeddings=8, embedding_dim=8)], [call("e", "emb", "x")], ref("e"))
    nodes = [get("p", "positions"), call("n", "tables.one", x=ref("p")), function("r", "operator.add", input=X, other=ref("n"))]  # fmt: skip
    tables = {"kind": "module_dict", "name": "tables", "items": [use("one", "Table")]}
    document = network([tables, POSITIONS], nodes, blocks={"Table": table}, inputs={"x": {"shape": [16, 8]}})
    problem = one(confirm(parsed(document)))
    assert (problem.block, problem.node, problem.member, problem.instance) == ("Table", "e", "emb", "tables.one")


def test_a_layer_in_place_is_named_and_can_be_mended() -> None:
    document = parsed(BAD["a layer in place behind a sigmoid"][0])
    problem = one(confirm(document))
    assert problem.data["by"] == ["r"]
    assert "relu" in problem.message
    assert confirm(edited(document, one_fix(problem))) == []


def one_fix(problem: Problem) -> list:  # type: ignore[type-arg]
    (fix,) = problem.fixes
    return fix.edits


def test_numbers_that_do_not_suit_are_no_error() -> None:
    """A network may be given probabilities only; ours are normal numbers."""
    document = parsed(network([], [function("b", "torch.bernoulli", input=X)]))
    problem = one(confirm(document))
    assert (problem.code, problem.severity, problem.node) == ("layer_failed", "warning", "b")


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.id)
def test_every_example_runs(example: layerloom.Document) -> None:
    assert confirm(example.document) == []


@pytest.mark.parametrize("name", networks.every())
def test_what_runs_is_confirmed(name: str) -> None:
    assert confirm(parsed(networks.every()[name])) == []


def test_errors_of_the_check_are_given_back_and_nothing_is_run() -> None:
    document = parsed(network([layer("fc", "Linear", in_features=9, out_features=8)], [call("a", "fc", "x")]))
    assert [problem.code for problem in confirm(document)] == ["shape_mismatch"]


@pytest.mark.parametrize(
    ("members", "shape"),
    [
        ([layer("fc", "Linear", in_features=20_000, out_features=20_000)], [20_000]),
        ([layer("fc", "Conv2d", in_channels=3, out_channels=64, kernel_size=7, padding=3)], [3, 2_000, 2_000]),
    ],
)
def test_what_is_too_large_is_not_run(members: list[Json], shape: list[int]) -> None:
    document = parsed(network(members, [call("a", "fc", "x")], inputs={"x": {"shape": shape}}))
    problem = one(confirm(document))
    assert (problem.code, problem.severity) == ("not_confirmed", "warning")
    assert "because" in problem.message
    assert "GiB" in problem.message or "GFLOP" in problem.message


def test_nothing_is_left_behind() -> None:
    torch.manual_seed(4)
    before = torch.get_rng_state()
    for name in ("a parameter in place", "one value per channel"):
        confirm(parsed(BAD[name][0]))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.is_grad_enabled()
    assert not torch.is_anomaly_enabled()


def test_it_is_part_of_the_library() -> None:
    assert layerloom.confirm(examples()[1].document) == []
