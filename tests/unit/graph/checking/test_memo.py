"""What a check remembers: equal things are run once, and nothing that differs is taken for equal."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from layerloom.graph import build
from layerloom.graph.checking import calls, check, growing
from layerloom.graph.checking.calls import call_layer, call_operation
from layerloom.graph.checking.memory import forget
from layerloom.graph.checking.running import Arguments
from layerloom.graph.checking.values import Group, LayerConfig, Number, TensorSpec
from layerloom.graph.examples import examples
from layerloom.schema.document import Document
from unit.graph.checking import networks
from unit.graph.checking.drawing import (
    AUTO,
    argument,
    block,
    call,
    chain,
    function,
    layer,
    network,
    parsed,
    ref,
    repeat,
    use,
)

DOCUMENTS = {name: parsed(document) for name, document in networks.every().items()}


def on(*shape: int, dtype: torch.dtype = torch.float32) -> Arguments:
    return (("input", TensorSpec(shape, dtype)),)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_remembering_changes_no_answer(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call at each batch, run by itself, against the answers that are kept and the instances that are run once."""
    remembered = check(DOCUMENTS[name]).model_dump_json()
    forget()
    cold = check(DOCUMENTS[name]).model_dump_json()
    monkeypatch.setattr(growing, "first", lambda call, target, arguments, batch: call(target, arguments))
    monkeypatch.setattr(growing, "second", lambda call, target, arguments, before, batch: call(target, arguments))
    assert remembered == cold == check(DOCUMENTS[name]).model_dump_json()


def test_a_layer_that_computes_little_is_run_on_one_image_size_only() -> None:
    forget()
    config = LayerConfig("torch.nn.BatchNorm2d", (("num_features", 8),))
    for size in (5, 6, 7):
        outcome = growing.first(call_layer, config, on(2, 8, size, size), 2)
        assert outcome.result == TensorSpec((2, 8, size, size), torch.float32)
        larger = growing.second(call_layer, config, on(3, 8, size, size), on(2, 8, size, size), 2)
        assert larger.result == TensorSpec((3, 8, size, size), torch.float32)
    assert calls.call_layer.cache_info().misses == 1


def test_what_an_answer_does_not_cover_is_run() -> None:
    """The same layer refuses other channels, ranks and dtypes."""
    forget()
    config = LayerConfig("torch.nn.BatchNorm2d", (("num_features", 8),))
    assert growing.first(call_layer, config, on(2, 8, 5, 5), 2).failure is None
    for wrong in (on(2, 9, 5, 5), on(2, 8, 5), on(2, 8, 5, 5, dtype=torch.int64)):
        assert growing.first(call_layer, config, wrong, 2).failure is not None


@pytest.mark.parametrize(
    ("target", "more", "shape"),
    [
        ("torch.Tensor.view", {"size": Group("list", (2, -1))}, (2, 8)),
        ("torch.Tensor.view", {"size": Group("list", (-1, 4))}, (2, 8)),
        ("torch.Tensor.expand", {"size": Group("list", (2, 8))}, (2, 8)),
        ("torch.flatten", {"start_dim": 0}, (2, 8)),
        ("torch.split", {"split_size_or_sections": 1}, (2, 8)),
        ("torch.narrow", {"dim": 0, "start": 0, "length": 2}, (2, 8)),
        ("torch.squeeze", {}, (2, 1, 8)),
        ("torch.transpose", {"dim0": 0, "dim1": 1}, (2, 8)),
    ],
)
def test_operations_that_look_at_the_batch_answer_as_if_run(
    target: str, more: dict[str, object], shape: tuple[int, ...]
) -> None:
    forget()
    for width in (8, 12, 8):
        before = (*on(*shape[:-1], width), *more.items())
        after = (*on(shape[0] + 1, *shape[1:-1], width), *more.items())
        assert growing.first(call_operation, target, before, 2) == call_operation(target, before)
        grown, real = growing.second(call_operation, target, after, before, 2), call_operation(target, after)
        assert (grown.result, grown.failure) == (real.result, real.failure)


def blocks(widths: list[int]) -> Document:
    """A chain of equal blocks with a residual each."""
    members = [layer("fc", "Linear", in_features=8, out_features=8), layer("norm", "BatchNorm1d", num_features=AUTO)]
    nodes = [
        call("a", "fc", "x"),
        call("b", "norm", "a"),
        function("sum", "operator.add", input=ref("b"), other=ref("x")),
    ]
    body = block(members, nodes, ref("sum"))
    uses = [use(f"b{index}", "Body") for index in range(len(widths))]
    calls_ = [call(f"n{index}", f"b{index}", x=ref(f"n{index - 1}" if index else "x")) for index in range(len(widths))]
    return parsed(network(uses, calls_, blocks={"Body": body}, inputs={"x": {"shape": [8]}}))


def test_equal_blocks_are_run_once_and_told_each() -> None:
    forget()
    report = check(blocks([8] * 6))
    assert report.ok
    module = build(blocks([8] * 6))
    assert report.totals.parameters == sum(tensor.numel() for tensor in module.parameters())
    assert [key for key in report.nodes if key.endswith("#sum")] == [f"b{index}#sum" for index in range(6)]
    for index in range(6):
        assert report.nodes[f"b{index}#a"] == report.nodes["b0#a"]
        assert report.modules[f"b{index}.fc"].calls == 1
        assert report.nodes[f"#n{index}"].flops == report.nodes["b0#a"].flops
    assert report.totals.flops == 6 * report.nodes["b0#a"].flops


def test_a_block_called_twice_counts_twice() -> None:
    body = block([layer("fc", "Linear", in_features=8, out_features=8)], [call("a", "fc", "x")], ref("a"))
    document = network(
        [use("one", "Body"), use("two", "Body")],
        [
            call("n", "one", x=ref("x")),
            call("m", "two", x=ref("n")),
            call("o", "one", x=ref("m")),
            call("p", "two.fc", "o"),
        ],
        blocks={"Body": body},
        inputs={"x": {"shape": [8]}},
    )
    report = check(parsed(document))
    assert report.ok
    assert report.modules["one.fc"].calls == report.modules["two.fc"].calls == 2
    assert report.totals.flops == 4 * 2 * 2 * 8 * 8


def test_true_one_and_one_point_nought_build_other_blocks() -> None:
    """They are equal in Python, also as keys."""
    body = block(
        [layer("fc", "Linear", in_features=8, out_features=8, bias={"$expr": "bias"})],
        [call("a", "fc", "x")],
        ref("a"),
        arguments=[argument("bias", "bool", default=True)],
    )
    document = network(
        [use("one", "Body", bias=True), use("two", "Body", bias=1)],
        [call("n", "one", x=ref("x")), call("m", "two", x=ref("n"))],
        blocks={"Body": body},
        inputs={"x": {"shape": [8]}},
    )
    (problem,) = check(parsed(document)).problems
    assert problem.code == "argument_type"
    assert LayerConfig("a", (("p", Number("bool", True)),)) != LayerConfig("a", (("p", 1),))


def test_an_edit_is_never_answered_with_what_was() -> None:
    """Each argument of a layer, changed and changed back."""
    base = {"in_channels": 4, "out_channels": 8, "kernel_size": 3, "padding": 1, "stride": 1, "bias": True}
    seen = set()
    for change in ({}, {"padding": 0}, {"stride": 2}, {"bias": False}, {"out_channels": 6}, {"dilation": 4}, {}):
        document = chain(layer("conv", "Conv2d", **{**base, **change}), shape=[4, 9, 9])
        report = check(parsed(document))
        module = build(parsed(document))
        assert report.outputs.shape == list(module(torch.zeros(2, 4, 9, 9)).shape)
        assert report.totals.parameters == sum(tensor.numel() for tensor in module.parameters())
        seen.add((tuple(report.outputs.shape), report.totals.parameters))
    assert len(seen) == 6


def test_shapes_of_repeated_stages_are_those_of_torch() -> None:
    """Expressions over a repeat's variable give every item its own configuration."""
    item = layer("0", "Linear", in_features={"$expr": "width"}, out_features={"$expr": "width // 2"})
    stages = {"kind": "sequential", "name": "stages", "items": [repeat("[64, 32, 16]", item, "width")]}
    document = parsed(network([stages], [call("n", "stages", "x")], inputs={"x": {"shape": [64]}}))
    report = check(document)
    module = build(document)
    assert isinstance(module.stages, nn.Sequential)
    assert report.outputs.shape == list(module(torch.zeros(2, 64)).shape)


def test_examples_are_checked_alike_from_a_cold_start() -> None:
    for example in examples():
        warm = check(example.document).model_dump_json()
        forget()
        assert check(example.document).model_dump_json() == warm
