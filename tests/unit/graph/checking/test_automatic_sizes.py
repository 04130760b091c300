"""Sizes that the incoming tensor determines."""

from __future__ import annotations

from typing import Any

import pytest

from layerloom.catalogue import layers
from layerloom.graph.checking import check, checked
from layerloom.schema.document import Sequential
from unit.graph.checking import networks
from unit.graph.checking.drawing import (
    AUTO,
    block,
    call,
    chain,
    codes,
    layer,
    network,
    parsed,
    ref,
    repeat,
    sequential,
    use,
)

# layer, its other arguments, shape of a sample, automatic argument, its size
SIZES: list[tuple[str, dict[str, Any], list[int], str, int]] = [
    ("Linear", {"out_features": 4}, [5, 7], "in_features", 7),
    ("Conv1d", {"out_channels": 4, "kernel_size": 3}, [5, 9], "in_channels", 5),
    ("Conv2d", {"out_channels": 4, "kernel_size": 3}, [5, 9, 8], "in_channels", 5),
    ("Conv3d", {"out_channels": 4, "kernel_size": 3}, [5, 9, 8, 7], "in_channels", 5),
    ("ConvTranspose2d", {"out_channels": 4, "kernel_size": 3}, [5, 9, 8], "in_channels", 5),
    ("BatchNorm1d", {}, [5, 9], "num_features", 5),
    ("BatchNorm2d", {}, [5, 9, 8], "num_features", 5),
    ("InstanceNorm2d", {}, [5, 9, 8], "num_features", 5),
    ("GroupNorm", {"num_groups": 2}, [6, 9, 8], "num_channels", 6),
    ("GroupNorm", {"num_groups": 2, "affine": False}, [6, 9, 8], "num_channels", 6),
    ("LayerNorm", {}, [6, 9], "normalized_shape", 9),
    ("RMSNorm", {}, [6, 9], "normalized_shape", 9),
    ("LSTM", {"hidden_size": 4}, [6, 9], "input_size", 9),
    ("GRU", {"hidden_size": 4}, [6, 9], "input_size", 9),
    ("RNN", {"hidden_size": 4, "batch_first": True}, [6, 9], "input_size", 9),
    ("LSTMCell", {"hidden_size": 4}, [9], "input_size", 9),
    ("RNNCell", {"hidden_size": 4}, [9], "input_size", 9),
    ("TransformerEncoderLayer", {"nhead": 3}, [5, 9], "d_model", 9),
]


@pytest.mark.parametrize(("name", "arguments", "shape", "automatic", "size"), SIZES)
def test_size_follows_from_the_input(
    name: str, arguments: dict[str, Any], shape: list[int], automatic: str, size: int
) -> None:
    graph = checked(parsed(chain(layer("a", name, **{automatic: AUTO}, **arguments), shape=shape)))
    assert [problem for problem in graph.report.problems if problem.severity == "error"] == []
    assert graph.report.autos == {f"a.{automatic}": size}
    (member,) = graph.document.blocks["Net"].members
    assert getattr(member, "arguments")[automatic] == size  # noqa: B009 - members of other kinds have none


def test_every_automatic_parameter_of_the_catalogue_is_a_size() -> None:
    automatic = {(name, spec.name) for name, entry in layers().items() for spec in entry.parameters if spec.auto}
    assert {(f"torch.nn.{name}", argument) for name, _, _, argument, _ in SIZES} <= automatic


def test_sizes_of_two_inputs() -> None:
    report = check(parsed(networks.every()["two inputs"]))
    assert report.autos == {"mix.in1_features": 3, "mix.in2_features": 5}


def test_size_of_an_inner_layer() -> None:
    graph = checked(parsed(networks.every()["transformer"]))
    assert graph.report.autos == {"first.d_model": 8, "rest.encoder_layer.d_model": 8}
    assert "$auto" not in graph.document.model_dump_json(by_alias=True)


def test_size_inside_a_repeat_is_one_number() -> None:
    item = repeat("range(3)", layer("0", "Linear", in_features=AUTO, out_features=8))
    graph = checked(parsed(network([sequential("deep", item)], [call("n", "deep", "x")])))
    assert graph.report.autos == {f"deep.{index}.in_features": 8 for index in range(3)}
    (member,) = graph.document.blocks["Net"].members
    assert isinstance(member, Sequential)
    assert "$auto" not in member.model_dump_json(by_alias=True)


def test_sizes_that_differ_between_instances_are_ambiguous() -> None:
    inner = {"B": block([layer("fc", "Linear", in_features=AUTO, out_features=4)], [call("n", "fc", "x")], ref("n"))}
    document = network(
        [use("a", "B"), use("b", "B")], [call("n", "a", x=ref("x")), call("m", "b", x=ref("n"))], blocks=inner
    )
    graph = checked(parsed(document))
    (problem,) = graph.report.problems
    assert problem.code == "auto_ambiguous"
    assert problem.data["sizes"] == {"a.fc": 8, "b.fc": 4}
    assert graph.document == parsed(document)


def test_second_call_with_another_size_is_a_mismatch() -> None:
    members = [layer("fc", "Linear", in_features=AUTO, out_features=4)]
    report = check(parsed(network(members, [call("n", "fc", "x"), call("m", "fc", "n")])))
    assert codes(report) == ["shape_mismatch"]
    assert report.problems[0].node == "m"
    assert report.autos == {"fc.in_features": 8}


def test_size_stays_open_where_the_input_is_unknown() -> None:
    members = [
        layer("a", "Linear", in_features=9, out_features=4),
        layer("b", "Linear", in_features=AUTO, out_features=4),
    ]
    report = check(parsed(network(members, [call("n", "a", "x"), call("m", "b", "n")])))
    assert codes(report) == ["shape_mismatch"]
    assert report.autos == {}
