# ruff: noqa: E501 - tables
"""One network per kind of mend: the problem appears and has its mend, and the mended network is built and trained."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest
import torch

from layerloom.graph import build
from layerloom.graph.checking import check
from layerloom.graph.lab import doctor
from layerloom.schema.document import Document
from layerloom.schema.plan import Plan
from layerloom.schema.problems import Fix
from layerloom.schema.values import Expr
from unit.graph.checking.drawing import (
    Json,
    argument,
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
    repeat,
    sequential,
    use,
)

RELU = layer("act", "ReLU")


def conv(name: str, given: int, out: int, kernel: int = 3, **rest: Any) -> Json:
    return layer(name, "Conv2d", in_channels=given, out_channels=out, kernel_size=kernel, **rest)


def linear(name: str, given: int, out: int = 4) -> Json:
    return layer(name, "Linear", in_features=given, out_features=out)


def up(name: str, given: int, out: int, **rest: Any) -> Json:
    return layer(name, "ConvTranspose2d", in_channels=given, out_channels=out, kernel_size=2, stride=2, **rest)


def taking(shape: list[int], dtype: str = "float32", **rest: Any) -> Json:
    return {"x": {"shape": shape, "dtype": dtype, **rest}}


def inside(members: list[Json], nodes: list[Json], output: Any, shape: list[int], uses: int = 1) -> Json:
    """A network of a block that is used once or several times, one behind the other."""
    names = [f"b{index}" for index in range(uses)]
    chained = [call(name, name, x=ref(before)) for name, before in zip(names, ["x", *names], strict=False)]
    return network(
        [use(name, "B") for name in names], chained, inputs=taking(shape), blocks={"B": block(members, nodes, output)}
    )


def repeated(item: Json, shape: list[int], times: int = 2) -> Json:
    return network([sequential("s", repeat(f"range({times})", item))], [call("n", "s", "x")], inputs=taking(shape))


def residual(*main: Json, shape: list[int], target: str = "torch.add") -> Json:
    """Layers, and what goes around them."""
    body = sequential("body", *main)
    return network(
        [body],
        [call("main", "body", "x"), function("sum", target, input=ref("main"), other=ref("x"))],
        inputs=taking(shape),
    )


def u_net(size: list[int], join: str = "cat", padding: int = 0, **rest: Any) -> Json:
    """Down by two and up again, joined with what it came from."""
    members = [
        conv("first", 3, 4, padding=1),
        conv("down", 4, 8, padding=padding, stride=2),
        layer("pool", "MaxPool2d", kernel_size=1),
        up("up", 8, 4, **rest),
        RELU,
    ]
    if join == "cat":
        joined = function("both", "torch.cat", tensors=[ref("u2"), ref("a")], dim=1)
    else:
        joined = function("both", "operator.add", input=ref("a"), other=ref("u2"))
    nodes = [
        call("a", "first", "x"),
        call("d", "down", "a"),
        call("p", "pool", "d"),
        call("u1", "up", "p"),
        call("u2", "act", "u1"),
        joined,
    ]
    return network(members, nodes, inputs=taking([3, *size]))


POOLED = [layer("pool", "MaxPool2d", kernel_size=2), layer("up", "Upsample", scale_factor=2)]
MAX_POOL = [
    call("p", "pool", "x"),
    call("u", "up", "p"),
    function("both", "torch.cat", tensors=[ref("x"), ref("u")], dim=1),
]
WORDS = [layer("e", "Embedding", num_embeddings=10, embedding_dim=4)]
SEQUENCE = sequential("s", conv("0", 3, 6), layer("1", "ReLU"), linear("2", 216))

X = ref("x")
ENCODER = layer("e", "TransformerEncoderLayer", d_model=8, nhead=2, dim_feedforward=16)


def with_last(recurrent: Json) -> Json:
    """A sequence of 5 vectors of 8, read by a layer whose outputs are given."""
    return network([recurrent], [call("n", "r", "x")], ref("n", 0), inputs=taking([5, 8]))


# name: (document, code, title of the mend)
CASES: dict[str, tuple[Json, str, str]] = {
    # 1 sizes
    "size of a node's layer": (chain(linear("fc", 9), shape=[8]), "shape_mismatch", "Set in_features to 8"),
    "size of an item": (network([sequential("s", conv("0", 3, 6), conv("1", 5, 4))], [call("n", "s", "x")], inputs=taking([3, 8, 8])), "shape_mismatch", "Set in_channels to 6"),
    "size in a block of two uses": (inside([conv("c", 4, 3, padding=1)], [call("n", "c", "x")], ref("n"), [3, 8, 8], uses=2), "shape_mismatch", "Set in_channels to 3"),
    "size in a repeat": (repeated(linear("fc", 9, 8), [8]), "shape_mismatch", "Set in_features to 8"),
    # 2 flatten
    "flatten before a node": (chain(conv("c", 3, 6), linear("fc", 216), shape=[3, 8, 8]), "shape_mismatch", "Flatten the input to 216 features"),
    "flatten between items": (network([SEQUENCE], [call("n", "s", "x")], inputs=taking([3, 8, 8])), "shape_mismatch", "Flatten the input to 216 features"),
    "flatten in a block": (inside([SEQUENCE], [call("n", "s", "x")], ref("n"), [3, 8, 8]), "shape_mismatch", "Flatten the input to 216 features"),
    # 3 projections
    "projection of channels": (residual(conv("0", 3, 6, padding=1), shape=[3, 8, 8]), "shape_mismatch", "Project the shortcut with a Conv2d"),
    "projection with a stride": (residual(conv("0", 3, 6, padding=1, stride=2), shape=[3, 8, 8], target="operator.add"), "shape_mismatch", "Project the shortcut with a Conv2d"),
    "projection of an odd size": (residual(conv("0", 3, 6, padding=1, stride=2), shape=[3, 7, 9]), "shape_mismatch", "Project the shortcut with a Conv2d"),
    "projection with two strides": (residual(conv("0", 3, 3, padding=1, stride={"$tuple": [2, 1]}), shape=[3, 8, 8], target="torch.Tensor.add"), "shape_mismatch", "Project the shortcut with a Conv2d"),
    "projection of features": (residual(linear("0", 8, 16), shape=[8]), "shape_mismatch", "Project the shortcut with a Linear"),
    "projection of features in time": (residual(linear("0", 8, 16), shape=[5, 8]), "shape_mismatch", "Project the shortcut with a Linear"),
    "projection of a signal": (residual(layer("0", "Conv1d", in_channels=3, out_channels=6, kernel_size=3, stride=2, padding=1), shape=[3, 8]), "shape_mismatch", "Project the shortcut with a Conv1d"),
    "projection of a volume": (residual(layer("0", "Conv3d", in_channels=2, out_channels=4, kernel_size=3, padding=1), shape=[2, 4, 4, 4]), "shape_mismatch", "Project the shortcut with a Conv3d"),
    "projection in a block": (
        inside([conv("c", 3, 6, padding=1)], [call("m", "c", "x"), function("sum", "torch.add", input=ref("x"), other=ref("m"))], ref("sum"), [3, 8, 8]), "shape_mismatch", "Project the shortcut with a Conv2d",
    ),
    # 4 the order of axes
    "LSTM": (with_last(layer("r", "LSTM", input_size=8, hidden_size=4)), "batch_as_time", "Set batch_first to True"),
    "GRU": (with_last(layer("r", "GRU", input_size=8, hidden_size=4, batch_first=False)), "batch_as_time", "Set batch_first to True"),
    "attention": (network([layer("a", "MultiheadAttention", embed_dim=8, num_heads=2)], [call("n", "a", query=X, key=X, value=X)], ref("n", 0), inputs=taking([5, 8])), "batch_as_time", "Set batch_first to True"),
    "encoder layer in a block": (inside([ENCODER], [call("n", "e", src=X)], ref("n"), [5, 8], uses=2), "batch_as_time", "Set batch_first to True"),
    "encoder layer in a repeat": (repeated(ENCODER, [5, 8]), "batch_as_time", "Set batch_first to True"),
    "encoder of a layer": (
        network([layer("e", "TransformerEncoder", encoder_layer={"$layer": {"target": ENCODER["target"], "arguments": ENCODER["arguments"]}}, num_layers=2)], [call("n", "e", src=X)], inputs=taking([5, 8])),
        "batch_as_time", "Set batch_first to True",
    ),
    # 5 outputs
    "no output": ({**network([linear("fc", 8)], [call("n", "fc", "x")], 0)}, "no_output", "Return the result of 'fc'"),
    "a second output": (network([linear("a", 8), linear("b", 8)], [call("n", "a", "x"), call("m", "b", "x")], ref("n")), "disconnected", "Make it an output"),
    "a third output": (network([linear("a", 8), linear("b", 8)], [call("n", "a", "x"), call("m", "b", "x"), call("o", "b", "x")], {"$tuple": [ref("n"), ref("o")]}), "disconnected", "Make it an output"),
    "a named output": (network([linear("a", 8), linear("b", 8)], [call("n", "a", "x"), call("m", "b", "x")], {"$dict": {"first": ref("n")}}), "disconnected", "Make it an output"),
    # 6 names
    "clashing attribute": (network([linear("fc", 8), linear("fc", 8)], [call("n", "fc", "x")]), "name_duplicate", "Rename it to fc_2"),
    "attribute of torch's": (network([linear("train", 8)], [call("n", "train", "x")]), "name_reserved", "Rename it to train_2"),
    # 7 axes
    "channels last": (chain(conv("c", 3, 6), shape=[8, 9, 3]), "shape_mismatch", "Move the channels to the front: permute(0, 3, 1, 2)"),
    "channels last in a block": (inside([conv("c", 3, 6)], [call("n", "c", "x")], ref("n"), [8, 9, 3]), "shape_mismatch", "Move the channels to the front: permute(0, 3, 1, 2)"),
    "channels last before a Sequential": (network([sequential("s", conv("0", 3, 6), layer("1", "ReLU"))], [call("n", "s", "x")], inputs=taking([8, 9, 3])), "shape_mismatch", "Move the channels to the front: permute(0, 3, 1, 2)"),
    "a sequence before a Conv1d": (chain(layer("c", "Conv1d", in_channels=6, out_channels=4, kernel_size=3), shape=[5, 6]), "shape_mismatch", "Move the channels to the front: permute(0, 2, 1)"),
    "features before a LayerNorm": (chain(layer("n", "LayerNorm", normalized_shape=6), shape=[6, 4, 5]), "shape_mismatch", "Move the features to the end: permute(0, 2, 3, 1)"),
    "no channel axis": (chain(conv("c", 1, 6), shape=[8, 9]), "shape_mismatch", "Add a channel axis"),
    # 8 normalizations
    "BatchNorm": (chain(conv("c", 3, 6), layer("bn", "BatchNorm2d", num_features=4), shape=[3, 8, 8]), "shape_mismatch", "Set num_features to 6"),
    "BatchNorm as an item": (network([sequential("s", conv("0", 3, 6), layer("1", "BatchNorm2d", num_features=4))], [call("n", "s", "x")], inputs=taking([3, 8, 8])), "shape_mismatch", "Set num_features to 6"),
    "InstanceNorm": (chain(layer("n", "InstanceNorm2d", num_features=4, affine=True), shape=[3, 8, 8]), "shape_mismatch", "Set num_features to 3"),
    "GroupNorm": (chain(layer("n", "GroupNorm", num_groups=2, num_channels=8), shape=[6, 8, 8]), "shape_mismatch", "Set num_channels to 6"),
    "GroupNorm whose groups do not fit": (chain(layer("n", "GroupNorm", num_groups=4, num_channels=8), shape=[6, 5, 5]), "shape_mismatch", "Set num_channels to 6 and num_groups to 3"),
    "LayerNorm": (chain(layer("n", "LayerNorm", normalized_shape=9), shape=[5, 8]), "shape_mismatch", "Set normalized_shape to 8"),
    "LayerNorm of two axes": (chain(layer("n", "LayerNorm", normalized_shape=[5, 9]), shape=[5, 8]), "shape_mismatch", "Set normalized_shape to [5, 8]"),
    "LayerNorm in a repeat": (repeated(layer("n", "LayerNorm", normalized_shape=9), [8]), "shape_mismatch", "Set normalized_shape to 8"),
    # 9 lengths
    "output_padding before cat": (u_net([9, 9]), "shape_mismatch", "Set output_padding to 1"),
    "output_padding before an addition": (u_net([9, 9], "add", output_padding=0), "shape_mismatch", "Set output_padding to 1"),
    "padded before cat": (network(POOLED, MAX_POOL, inputs=taking([3, 9, 8])), "shape_mismatch", "Pad it to 9 × 8"),
    "cropped before cat": (u_net([9, 9], padding=1), "shape_mismatch", "Crop it to 9 × 9"),
    "resized in a block": (
        network(
            [use("b", "B"), layer("down", "MaxPool2d", kernel_size=2), use("c", "B")], [call("n", "b", x=ref("x")), call("d", "down", "n"), call("m", "c", x=ref("d"))],
            inputs=taking([3, 15, 15]), blocks={"B": block(POOLED, MAX_POOL, ref("both"))},
        ), "shape_mismatch", "Resize it to the size of the other",
    ),
    # 10 numbers
    "float input of an Embedding": (network(WORDS, [call("n", "e", "x")], inputs=taking([6])), "dtype_mismatch", "Make the input x int64"),
    "conversion before an Embedding": (network(WORDS, [call("n", "e", "x")], inputs=taking([6])), "dtype_mismatch", "Convert to int64 first"),
    "conversion in a block": (inside(WORDS, [call("n", "e", "x")], ref("n"), [6]), "dtype_mismatch", "Convert to int64 first"),
    # 12 groups and heads
    "groups": (chain(conv("c", 6, 6, groups=4), shape=[6, 8, 8]), "argument_invalid", "Set groups to 3"),
    "heads": (chain(layer("a", "TransformerEncoderLayer", d_model=8, nhead=3, batch_first=True), shape=[5, 8]), "argument_invalid", "Set nhead to 2"),
    "groups in a repeat": (repeated(conv("c", 6, 6, padding=1, groups=4), [6, 8, 8]), "argument_invalid", "Set groups to 3"),
    # more
    "cat along the wrong axis": (network([linear("fc", 8, 6)], [call("n", "fc", "x"), function("both", "torch.cat", tensors=[ref("x"), ref("n")], dim=0)]), "shape_mismatch", "Join along axis 1"),
    "matrix product": (network([linear("q", 8), linear("k", 8)], [call("a", "q", "x"), call("b", "k", "x"), function("m", "torch.matmul", input=ref("a"), other=ref("b"))], inputs=taking([5, 8])), "shape_mismatch", "Transpose the second factor"),
    "@": (network([linear("q", 8), linear("k", 8)], [call("a", "q", "x"), call("b", "k", "x"), function("m", "operator.matmul", input=ref("a"), other=ref("b"))], inputs=taking([5, 8])), "shape_mismatch", "Transpose the second factor"),
    "view": (network([], [function("t", "torch.transpose", input=ref("x"), dim0=1, dim1=2), function("v", "torch.Tensor.view", input=ref("t"), size=[-1, 12])], inputs=taking([3, 4])), "shape_mismatch", "Use reshape, which copies where view cannot"),
}  # fmt: skip


def mends(document: Document, code: str) -> list[Fix]:
    return [fix for problem in check(document).problems if problem.code == code for fix in problem.fixes]


@pytest.mark.parametrize("name", CASES)
def test_mended_network_trains(name: str) -> None:
    drawn, code, title = CASES[name]
    before = parsed(drawn)
    assert code in codes(check(before)), check(before).problems
    found = {fix.title: fix for fix in mends(before, code)}
    assert title in found, list(found)
    assert any(pattern.fullmatch(title) for pattern in translated())
    assert all(any(pattern.match(problem.message) for pattern in translated()) for problem in check(before).problems)
    after = edited(before, found[title].edits)
    report = check(after)
    assert errors(report) == []
    assert code not in codes(report)
    train(after)


SOFTMAX = layer("soft", "Softmax", dim=1)

# 11 activations that the loss applies itself: name: (document, loss, title of the mend)
LOGITS: dict[str, tuple[Json, str, str]] = {
    "node": (chain(linear("fc", 8), SOFTMAX, shape=[8]), "CrossEntropyLoss", "Remove soft"),
    "operation": (network([linear("fc", 8)], [call("n", "fc", "x"), function("s", "torch.softmax", input=ref("n"), dim=1)]), "CrossEntropyLoss", "Remove softmax"),
    "item": (network([sequential("s", linear("0", 8), layer("1", "Softmax", dim=1))], [call("n", "s", "x")]), "CrossEntropyLoss", "Remove s.1"),
    "sigmoid": (network([sequential("s", linear("fc", 8), layer("act", "Sigmoid"))], [call("n", "s", "x")]), "BCEWithLogitsLoss", "Remove s.act"),
    "node in a block": (inside([linear("fc", 8), SOFTMAX], [call("n", "fc", "x"), call("s", "soft", "n")], ref("s"), [8]), "CrossEntropyLoss", "Remove soft"),
}  # fmt: skip


@pytest.mark.parametrize("name", LOGITS)
def test_network_gives_logits_after_the_mend(name: str) -> None:
    drawn, loss, title = LOGITS[name]
    plan = Plan.model_validate({"dataset": "digits", "loss": {"name": f"torch.nn.{loss}"}})
    before = parsed(drawn)
    (problem,) = [problem for problem in doctor(before, plan) if problem.code == "activation_before_loss"]
    (fix,) = problem.fixes
    assert fix.title == title
    assert any(pattern.fullmatch(title) for pattern in translated())
    after = edited(before, fix.edits)
    assert check(after).problems == []
    assert "activation_before_loss" not in [problem.code for problem in doctor(after, plan)]
    train(after)


def test_a_block_that_is_there_twice_keeps_its_softmax() -> None:
    nodes = [call("n", "fc", "x"), call("s", "soft", "n")]
    drawn = inside([linear("fc", 8, 8), SOFTMAX], nodes, ref("s"), [8], uses=2)
    problems = doctor(parsed(drawn), Plan.model_validate({"dataset": "digits"}))
    (problem,) = [problem for problem in problems if problem.code == "activation_before_loss"]
    assert problem.fixes == []


@cache
def translated() -> list[re.Pattern[str]]:
    """What the page knows in other languages, of all that the service says."""
    phrases = run_path(str(Path(__file__).parents[4] / "frontend/tools/phrases.py"))["phrases"]
    texts = {text.strip().removesuffix(".") for room in phrases().values() for text in room}
    return [re.compile(re.escape(text).replace(r"\{\}", "(.*)"), re.DOTALL | re.IGNORECASE) for text in texts]


def train(document: Document) -> None:
    """One forward and backward, at a batch that the check has not seen."""
    torch.manual_seed(0)
    module = build(document, seed=0).train()
    given = []
    for item in document.blocks[document.main].forward.inputs:
        example = document.inputs[item.name]
        shape = [5, *example.shape] if example.batch else example.shape
        given.append(torch.rand(shape).to(getattr(torch, example.dtype)).requires_grad_(example.dtype == "float32"))
    total = sum(result.float().sum() for result in flat(module(*given)) if result.requires_grad)
    assert isinstance(total, torch.Tensor)
    total.backward()  # type: ignore[no-untyped-call]
    used = [parameter.grad is not None for name, parameter in module.named_parameters() if "_2" not in name]
    assert all(used)


def flat(result: Any) -> list[torch.Tensor]:
    if isinstance(result, torch.Tensor):
        return [result]
    return [inner for item in (result.values() if isinstance(result, dict) else result) for inner in flat(item)]


WIDTH = [argument("width")]
RESIDUAL = block(
    [layer("c", "Conv2d", in_channels=expr("width"), out_channels=6, kernel_size=3, padding=1)],
    [call("m", "c", "x"), function("sum", "torch.add", input=ref("m"), other=ref("x"))],
    ref("sum"),
    arguments=WIDTH,
)

# What is right in one place of a block or repeat and wrong in another is not offered: name: document
WRONG_ELSEWHERE: dict[str, Json] = {
    "a projection": network([use("a", "B"), use("b", "B")], [call("n", "a", x=ref("x")), call("m", "b", x=ref("y"))], {"$tuple": [ref("n"), ref("m")]}, inputs={"x": {"shape": [3, 8, 8]}, "y": {"shape": [5, 8, 8]}}, blocks={"B": block([layer("c", "Conv2d", in_channels=1, out_channels=6, kernel_size=3, padding=1)], [function("mean", "torch.mean", input=ref("x"), dim=1, keepdim=True), call("m", "c", "mean"), function("sum", "torch.add", input=ref("m"), other=ref("x"))], ref("sum"))}),
    "two uses of a block": network([use("a", "B"), conv("w", 5, 7), use("b", "B")], [call("n", "a", x=ref("x")), call("m", "b", x=ref("n"))], inputs=taking([4, 8, 8]), blocks={"B": block([conv("c", 9, 5, padding=1)], [call("n", "c", "x")], ref("n"))}),
    "copies of a repeat": repeated(linear("fc", 9, 6), [8]),
    "argument of a block": network([use("a", "B", width=5)], [call("n", "a", x=ref("x"))], blocks={"B": block([layer("fc", "Linear", in_features=expr("width"), out_features=4)], [call("n", "fc", "x")], ref("n"), arguments=WIDTH)}),
    "a shared layer": network([linear("fc", 9, 6)], [call("n", "fc", "x"), call("m", "fc", "n")]),
    "the batch for channels": chain(conv("c", 7, 6), shape=[8, 9]),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_ELSEWHERE)
def test_a_mend_that_is_wrong_elsewhere_is_not_offered(name: str) -> None:
    assert mends(parsed(WRONG_ELSEWHERE[name]), "shape_mismatch") == []


def test_the_number_of_samples_is_no_number_of_channels() -> None:
    (problem,) = check(parsed(chain(conv("c", 1, 6), shape=[8, 9]))).problems
    assert "in_channels=" not in problem.message.replace("[6, 1, 3, 3]", "")
    assert [fix.title for fix in problem.fixes] == ["Add a channel axis"]
    (problem,) = check(
        parsed(network([conv("c", 1, 6)], [call("n", "c", "x")], inputs=taking([3, 8, 9], batch=False)))
    ).problems
    assert "Set in_channels to 3" in [fix.title for fix in problem.fixes]


@pytest.mark.parametrize("swapped", [True, False])
def test_time_in_front_is_right_where_the_batch_is_not(swapped: bool) -> None:
    members = [layer("r", "LSTM", input_size=8, hidden_size=4)]
    if swapped:
        nodes = [function("t", "torch.transpose", input=X, dim0=0, dim1=1), call("n", "r", "t")]
        drawn = network(members, nodes, ref("n", 0), inputs=taking([5, 8]))
    else:
        drawn = network(members, [call("n", "r", "x")], ref("n", 0), inputs=taking([5, 2, 8], batch=False))
    assert "batch_as_time" not in codes(check(parsed(drawn)))


def test_the_order_is_told_after_an_edit_of_a_network_that_was_right() -> None:
    """Checks of a network with an edit are made from the one before."""
    deep = [linear(f"fc{index}", 8, 8) for index in range(40)]
    right = chain(layer("r", "TransformerEncoderLayer", d_model=8, nhead=2, batch_first=True), *deep, shape=[5, 8])
    assert check(parsed(right)).problems == []
    right["blocks"]["Net"]["members"][0]["arguments"]["batch_first"] = False
    assert codes(check(parsed(right))) == ["batch_as_time"]


def test_an_output_is_not_added_to_a_block_that_others_call() -> None:
    nodes = [call("n", "a", "x"), call("m", "a", "x")]
    titles = [fix.title for fix in mends(parsed(inside([linear("a", 8)], nodes, ref("n"), [8])), "disconnected")]
    assert titles == ["Remove this node of 'a'"]


def test_a_projection_in_a_block_takes_its_sizes_from_the_arguments() -> None:
    uses = [use("a", "B", width=3), use("b", "B", width=6), use("c", "B", width=6)]
    nodes = [call("n", "a", x=ref("x")), call("m", "b", x=ref("n")), call("o", "c", x=ref("m"))]
    before = parsed(network(uses, nodes, inputs=taking([3, 8, 8]), blocks={"B": RESIDUAL}))
    (fix,) = mends(before, "shape_mismatch")
    after = edited(before, fix.edits)
    assert errors(check(after)) == []
    members = after.blocks["B"].members
    assert [members[-1].arguments[name] for name in ("in_channels", "out_channels")] == [Expr(expr="width"), 6]
    train(after)
