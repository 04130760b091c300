# ruff: noqa: E501 - tables
"""Representative networks with the operations and layers that people draw."""

from __future__ import annotations

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
    ref,
    repeat,
    sequential,
    use,
)

X = ref("x")


def every() -> dict[str, Json]:
    """By name."""
    return {
        "mlp": _mlp(),
        "cnn": _cnn(),
        "residual": _residual(),
        "lstm": _lstm(),
        "gru": _gru(),
        "attention": _attention(),
        "transformer": _transformer(),
        "autoencoder": _autoencoder(),
        "gated": _gated(),
        "heads": _heads(),
        "written attention": _written_attention(),
        "upscaler": _upscaler(),
        "two inputs": _two_inputs(),
        "tied": _tied(),
        "cells": _cells(),
        "normalizations": _normalizations(),
    }


def _mlp() -> Json:
    shared = layer("act", "ReLU")
    members = [
        layer("a", "Linear", in_features=AUTO, out_features=16),
        shared,
        layer("b", "Linear", in_features=AUTO, out_features=4),
    ]
    nodes = [call("n1", "a", "x"), call("n2", "act", "n1"), call("n3", "b", "n2"), call("n4", "act", "n3")]
    return network(members, nodes)


def _cnn() -> Json:
    features = sequential(
        "features",
        layer("0", "Conv2d", in_channels=AUTO, out_channels=8, kernel_size=3, padding="same"),
        layer("1", "BatchNorm2d", num_features=AUTO),
        layer("2", "GELU"),
        layer("3", "MaxPool2d", kernel_size=2),
        sequential(
            "4",
            layer("0", "Conv2d", in_channels=AUTO, out_channels=12, kernel_size=3, stride=2, groups=4),
            layer("1", "SiLU"),
        ),
        layer("5", "AdaptiveAvgPool2d", output_size={"$tuple": [2, None]}),
    )
    head = layer("head", "Linear", in_features=AUTO, out_features=10)
    nodes = [
        call("n1", "features", "x"),
        function("n2", "torch.flatten", input=ref("n1"), start_dim=1),
        call("n3", "head", "n2"),
    ]
    return network([features, head], nodes, inputs={"x": {"shape": [3, 20, 20]}})


def _residual() -> Json:
    width, inner = expr("width"), expr("width * 2")
    residual = block(
        [
            layer("conv1", "Conv2d", in_channels=width, out_channels=inner, kernel_size=3, padding=1, bias=False),
            layer("bn1", "BatchNorm2d", num_features=inner),
            layer("conv2", "Conv2d", in_channels=inner, out_channels=width, kernel_size=1),
        ],
        [call("a", "conv1", "x"), call("b", "bn1", "a"), function("c", "torch.nn.functional.relu", input=ref("b")),
         call("d", "conv2", "c"), function("e", "operator.add", input=X, other=ref("d"))],
        ref("e"),
        arguments=[argument("width")],
    )  # fmt: skip
    stage = sequential(
        "0",
        layer("0", "Conv2d", in_channels=AUTO, out_channels=expr("width"), kernel_size=3, stride=2, padding=1),
        repeat("range(depth)", use("1", "Residual", width=expr("width"))),
    )
    stages = {"kind": "module_list", "name": "stages", "items": [stage_with(stage, width) for width in (4, 8)]}
    nodes = [{"op": "loop", "id": "n1", "target": "stages", "arguments": {"input": X}},
             function("n2", "torch.mean", input=ref("n1"), dim=[2, 3]), call("n3", "fc", "n2")]  # fmt: skip
    members = [stages, layer("fc", "Linear", in_features=AUTO, out_features=5)]
    return network(
        members, nodes, inputs={"x": {"shape": [3, 16, 16]}}, blocks={"Residual": residual},
        arguments=[argument("depth", default=2)],
    )  # fmt: skip


def stage_with(stage: Json, width: int) -> Json:
    """A stage of that width, as an item of a list."""
    first, rest = stage["items"]
    conv = {**first, "arguments": {**first["arguments"], "out_channels": width}}
    block_item = {**rest["item"], "arguments": {"width": width}}
    return {**stage, "name": str({4: 0, 8: 1}[width]), "items": [conv, {**rest, "item": block_item}]}


def _lstm() -> Json:
    members = [
        layer("embed", "Embedding", num_embeddings=20, embedding_dim=6),
        layer("lstm", "LSTM", input_size=AUTO, hidden_size=5, num_layers=2, batch_first=True, bidirectional=True),
        layer("out", "Linear", in_features=AUTO, out_features=3),
    ]
    last = {"$tuple": [{"$slice": [None, None, None]}, -1]}
    nodes = [
        call("n1", "embed", "x"), call("n2", "lstm", "n1"),
        function("n3", "operator.getitem", input=ref("n2", 0), index=last), call("n4", "out", "n3"),
        function("n5", "torch.sum", input=ref("n2", 1, 1), dim=[0]),
    ]  # fmt: skip
    output = {"$dict": {"logits": ref("n4"), "cell": ref("n5")}}
    return network(members, nodes, output, inputs={"x": {"shape": [7], "dtype": "int64", "high": 20}})


def _gru() -> Json:
    members = [
        layer("gru", "GRU", input_size=AUTO, hidden_size=4, batch_first=True),
        layer("rnn", "RNN", input_size=AUTO, hidden_size=3),
    ]
    nodes = [call("n1", "gru", "x"), call("n2", "rnn", ref("n1", 0))]
    return network(members, nodes, {"$tuple": [ref("n2", 0), ref("n1", 1)]}, inputs={"x": {"shape": [6, 5]}})


def _attention() -> Json:
    members = [
        layer("mha", "MultiheadAttention", embed_dim=AUTO, num_heads=2, batch_first=True),
        layer("ln", "LayerNorm", normalized_shape=AUTO),
    ]
    nodes = [{"op": "call", "id": "n1", "target": "mha", "arguments": {"query": X, "key": X, "value": X}},
             function("n2", "operator.add", input=ref("n1", 0), other=X), call("n3", "ln", "n2")]  # fmt: skip
    return network(members, nodes, {"$tuple": [ref("n3"), ref("n1", 1)]}, inputs={"x": {"shape": [5, 8]}})


def _transformer() -> Json:
    inner = {
        "$layer": {
            "target": "torch.nn.TransformerEncoderLayer",
            "arguments": {"d_model": AUTO, "nhead": 2, "dim_feedforward": 16, "batch_first": True},
        }
    }
    members = [
        layer("first", "TransformerEncoderLayer", d_model=AUTO, nhead=2, dim_feedforward=16),
        layer("rest", "TransformerEncoder", encoder_layer=inner, num_layers=2),
    ]
    nodes = [
        {"op": "call", "id": "n1", "target": "first", "arguments": {"src": X}},
        {"op": "call", "id": "n2", "target": "rest", "arguments": {"src": ref("n1")}},
    ]
    return network(members, nodes, inputs={"x": {"shape": [5, 8]}})


def _autoencoder() -> Json:
    return chain(
        layer("down", "Conv2d", in_channels=AUTO, out_channels=6, kernel_size=3, stride=2, padding=1),
        layer("up", "ConvTranspose2d", in_channels=AUTO, out_channels=3, kernel_size=4, stride=2, padding=1),
        layer("act", "Sigmoid"),
        shape=[3, 8, 8],
    )


def _gated() -> Json:
    nodes = [call("n1", "fc", "x"), function("n2", "torch.chunk", input=ref("n1"), chunks=2, dim=1),
             function("n3", "torch.sigmoid", input=ref("n2", 1)), function("n4", "operator.mul", input=ref("n2", 0), other=ref("n3")),
             function("n5", "torch.cat", tensors=[ref("n4"), X], dim=1)]  # fmt: skip
    return network([layer("fc", "Linear", in_features=8, out_features=12)], nodes)


def _heads() -> Json:
    heads = {
        "kind": "module_dict",
        "name": "heads",
        "items": [
            layer(name, "Linear", in_features=8, out_features=size) for name, size in (("color", 3), ("size", 2))
        ],
    }
    nodes = [{"op": "choose", "id": "n1", "target": "heads", "arguments": {"input": X}}, {"op": "choose", "id": "n2", "target": "heads", "key": "size", "arguments": {"input": X}},
             call("n3", "heads.color", "x")]  # fmt: skip
    return network([heads], nodes, {"$dict": {"all": ref("n1", "color"), "one": ref("n2"), "again": ref("n3")}})


def _written_attention() -> Json:
    members = [
        layer("qkv", "Linear", in_features=8, out_features=24),
        {"kind": "parameter", "name": "scale", "shape": [1]},
        {"kind": "buffer", "name": "mask", "shape": [5, 5], "fill": "tril"},
    ]
    nodes = [
        call("n0", "qkv", "x"), function("size", "torch.Tensor.shape", input=X),
        function("n1", "torch.Tensor.reshape", input=ref("n0"), shape=[ref("size", 0), ref("size", 1), 3, 2, 4]),
        function("n2", "torch.Tensor.permute", input=ref("n1"), dims=[2, 0, 3, 1, 4]),
        function("n3", "torch.unbind", input=ref("n2"), dim=0),
        function("n4", "torch.transpose", input=ref("n3", 1), dim0=-2, dim1=-1),
        function("n5", "torch.matmul", input=ref("n3", 0), other=ref("n4")),
        get("mask", "mask"), get("scale", "scale"), function("n6", "operator.mul", input=ref("n5"), other=ref("mask")),
        function("n7", "torch.softmax", input=ref("n6"), dim=-1), function("n8", "operator.matmul", input=ref("n7"), other=ref("n3", 2)),
        function("n9", "operator.mul", input=ref("n8"), other=ref("scale")),
        function("n10", "torch.flatten", input=ref("n9"), start_dim=1, end_dim=2),
    ]  # fmt: skip
    return network(members, nodes, inputs={"x": {"shape": [5, 8]}})


def _upscaler() -> Json:
    nodes = [call("n1", "conv", "x"), call("n2", "shuffle", "n1"),
             function("n3", "torch.nn.functional.interpolate", input=ref("n2"), scale_factor=2.0),
             function("n4", "torch.nn.functional.pad", input=ref("n3"), pad=[1, 1, 0, 0])]  # fmt: skip
    members = [
        layer("conv", "Conv2d", in_channels=AUTO, out_channels=12, kernel_size=3),
        layer("shuffle", "PixelShuffle", upscale_factor=2),
    ]
    return network(members, nodes, inputs={"x": {"shape": [3, 6, 6]}})


def _two_inputs() -> Json:
    members = [layer("mix", "Bilinear", in1_features=AUTO, in2_features=AUTO, out_features=4)]
    nodes = [{"op": "call", "id": "n1", "target": "mix", "arguments": {"input1": X, "input2": ref("y")}},
             function("n2", "torch.stack", tensors=[ref("n1"), ref("n1")], dim=1), function("n3", "torch.Tensor.unsqueeze", input=ref("n1"), dim=0)]  # fmt: skip
    return network(
        members, nodes, {"$tuple": [ref("n2"), ref("n3")]}, inputs={"x": {"shape": [3]}, "y": {"shape": [5]}}
    )


def _tied() -> Json:
    members = [
        layer("embed", "Embedding", num_embeddings=9, embedding_dim=4),
        layer("out", "Linear", in_features=4, out_features=9, bias=False),
        {"kind": "alias", "name": "out.weight", "of": "embed.weight"},
    ]
    nodes = [call("n1", "embed", "x"), call("n2", "out", "n1")]
    return network(members, nodes, inputs={"x": {"shape": [6], "dtype": "int64", "high": 9}})


def _cells() -> Json:
    members = [
        layer("cell", "LSTMCell", input_size=AUTO, hidden_size=4),
        layer("gru", "GRUCell", input_size=AUTO, hidden_size=3),
    ]
    nodes = [call("n1", "cell", "x"), {"op": "call", "id": "n2", "target": "cell", "arguments": {"input": X, "hx": {"$tuple": [ref("n1", 0), ref("n1", 1)]}}},
             call("n3", "gru", ref("n2", 0))]  # fmt: skip
    return network(members, nodes, inputs={"x": {"shape": [5]}})


def _normalizations() -> Json:
    return chain(
        layer("group", "GroupNorm", num_groups=2, num_channels=AUTO),
        layer("instance", "InstanceNorm2d", num_features=AUTO, affine=True),
        layer("prelu", "PReLU", num_parameters=6),
        layer("dropout", "Dropout2d", p=0.3),
        layer("unfold", "Unfold", kernel_size=2),
        shape=[6, 5, 5],
    )
