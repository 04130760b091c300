"""Five initializers as people write them: the drawn network, built with rules, has the bits of ``model.apply(fn)``."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import torch
from torch import nn

from layerloom.graph import build
from unit.graph.checking.drawing import (
    Json,
    argument,
    block,
    call,
    expr,
    function,
    get,
    layer,
    network,
    parsed,
    ref,
    sequential,
    use,
)
from unit.graph.test_initialize import rule, same, statement

GAIN = nn.init.calculate_gain("tanh")


# --- convolutions by fan_out, batch normalization, a linear layer by Xavier with a gain


class Convolutional(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.down = nn.Sequential(nn.Conv2d(8, 12, 3, groups=2), nn.BatchNorm2d(12), nn.Tanh())
        self.head = nn.Linear(12, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.down(torch.relu(self.norm(self.stem(x)))).mean((2, 3)))


def init_convolutional(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight, gain=nn.init.calculate_gain("tanh"))
        nn.init.constant_(module.bias, 0.01)


def convolutional() -> Json:
    members = [
        layer("stem", "Conv2d", in_channels=3, out_channels=8, kernel_size=3, bias=False),
        layer("norm", "BatchNorm2d", num_features=8),
        sequential(
            "down",
            layer("0", "Conv2d", in_channels=8, out_channels=12, kernel_size=3, groups=2),
            layer("1", "BatchNorm2d", num_features=12),
            layer("2", "Tanh"),
        ),
        layer("head", "Linear", in_features=12, out_features=5),
    ]
    nodes = [
        call("a", "stem", "x"),
        call("b", "norm", "a"),
        function("c", "torch.relu", input=ref("b")),
        call("d", "down", "c"),
        function("e", "torch.Tensor.mean", input=ref("d"), dim={"$tuple": [2, 3]}),
        call("f", "head", "e"),
    ]
    init = [
        rule(
            ["Conv2d"],
            statement("weight", "kaiming_normal_", mode="fan_out", nonlinearity="relu"),
            statement("bias", "zeros_"),
        ),
        rule(["BatchNorm2d"], statement("weight", "normal_", mean=1.0, std=0.02), statement("bias", "zeros_")),
        rule(["Linear"], statement("weight", "xavier_uniform_", gain=GAIN), statement("bias", "constant_", val=0.01)),
    ]
    return network(members, nodes, inputs={"x": {"shape": [3, 12, 12]}}, init=init)


# --- an orthogonal LSTM whose forget gate is open


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(6, 8, num_layers=2, bidirectional=True, batch_first=True)
        self.out = nn.Linear(16, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.lstm(x)[0][:, -1])


def init_recurrent(module: nn.Module) -> None:
    if isinstance(module, nn.LSTM):
        for name, parameter in module.named_parameters():
            if "weight_hh" in name:
                nn.init.orthogonal_(parameter)
            elif "weight_ih" in name:
                nn.init.orthogonal_(parameter, gain=0.5)
            elif "bias" in name:
                nn.init.zeros_(parameter)
                if "bias_ih" in name:
                    quarter = parameter.size(0) // 4
                    parameter.data[quarter : 2 * quarter].fill_(1.0)


def recurrent() -> Json:
    members = [
        layer("lstm", "LSTM", input_size=6, hidden_size=8, num_layers=2, bidirectional=True, batch_first=True),
        layer("out", "Linear", in_features=16, out_features=3),
    ]
    last = {"$tuple": [{"$slice": [None, None, None]}, -1]}
    nodes = [
        call("a", "lstm", "x"),
        function("b", "operator.getitem", input=ref("a", 0), index=last),
        call("c", "out", "b"),
    ]
    init = [
        rule(
            ["LSTM"],
            statement("weight_hh*", "orthogonal_"),
            statement("weight_ih*", "orthogonal_", gain=0.5),
            statement("bias*", "zeros_"),
            statement("bias_ih*", "layerloom.forget_gate_bias", value=1.0),
        )
    ]
    return network(members, nodes, inputs={"x": {"shape": [5, 6]}}, init=init)


# --- a vision transformer by truncated normals


class Vision(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, 16, 4, stride=4)
        self.token = nn.Parameter(torch.zeros(1, 1, 16))
        self.position = nn.Parameter(torch.zeros(1, 5, 16))
        layer = nn.TransformerEncoderLayer(16, 4, 32, dropout=0.0, activation="gelu", batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(16)
        self.head = nn.Linear(16, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.position
        return self.head(self.norm(self.encoder(x))[:, 0])


def init_vision(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.LayerNorm):
        nn.init.ones_(module.weight)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Conv2d):
        fan_in = module.in_channels * module.kernel_size[0] * module.kernel_size[1]
        nn.init.trunc_normal_(module.weight, std=math.sqrt(1 / fan_in))
        nn.init.zeros_(module.bias)
    elif isinstance(module, Vision):
        nn.init.trunc_normal_(module.token, std=0.02)
        nn.init.trunc_normal_(module.position, std=0.02)


def vision() -> Json:
    encoder = {"d_model": 16, "nhead": 4, "dim_feedforward": 32, "dropout": 0.0, "batch_first": True}
    encoder["activation"] = "gelu"
    inner = {"$layer": {"target": "torch.nn.TransformerEncoderLayer", "arguments": encoder}}
    tokens = {"kind": "parameter", "init": [statement("*", "trunc_normal_", std=0.02)]}
    members = [
        layer("patch", "Conv2d", in_channels=3, out_channels=16, kernel_size=4, stride=4),
        {**tokens, "name": "token", "shape": [1, 1, 16]},
        {**tokens, "name": "position", "shape": [1, 5, 16]},
        layer("encoder", "TransformerEncoder", encoder_layer=inner, num_layers=2, enable_nested_tensor=False),
        layer("norm", "LayerNorm", normalized_shape=16),
        layer("head", "Linear", in_features=16, out_features=10),
    ]
    first = {"$tuple": [{"$slice": [None, None, None]}, 0]}
    nodes = [
        call("a", "patch", "x"),
        function("b", "torch.flatten", input=ref("a"), start_dim=2),
        function("c", "torch.Tensor.transpose", input=ref("b"), dim0=1, dim1=2),
        get("t", "token"),
        function("n", "torch.Tensor.size", input=ref("c"), dim=0),
        function("e", "torch.Tensor.expand", input=ref("t"), size=[ref("n"), -1, -1]),
        function("f", "torch.cat", tensors=[ref("e"), ref("c")], dim=1),
        get("p", "position"),
        function("g", "operator.add", input=ref("f"), other=ref("p")),
        call("h", "encoder", src=ref("g")),
        call("i", "norm", "h"),
        function("j", "operator.getitem", input=ref("i"), index=first),
        call("k", "head", "j"),
    ]
    init = [
        rule(["Linear"], statement("weight", "trunc_normal_", std=0.02), statement("bias", "zeros_")),
        rule(["LayerNorm"], statement("weight", "ones_"), statement("bias", "zeros_")),
        rule(["Conv2d"], statement("weight", "trunc_normal_", std=math.sqrt(1 / 48)), statement("bias", "zeros_")),
    ]
    return network(members, nodes, inputs={"x": {"shape": [3, 8, 8]}}, init=init)


# --- a residual network whose blocks begin as identities


class Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x + self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x))))))


class ResidualNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3)
        self.stages = nn.Sequential(Residual(8), Residual(8))
        self.head = nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.stages(self.stem(x)).mean((2, 3)))


def init_residual(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.ones_(module.weight)
        nn.init.zeros_(module.bias)
    elif isinstance(module, Residual):
        nn.init.zeros_(module.bn2.weight)  # Goyal and others, 2017


def residual() -> Json:
    width = expr("width")
    convolution = {"in_channels": width, "out_channels": width, "kernel_size": 3, "padding": 1, "bias": False}
    inner = block(
        [
            layer("conv1", "Conv2d", **convolution),
            layer("bn1", "BatchNorm2d", num_features=width),
            layer("conv2", "Conv2d", **convolution),
            layer("bn2", "BatchNorm2d", num_features=width),
        ],
        [
            call("a", "conv1", "x"),
            call("b", "bn1", "a"),
            function("c", "torch.relu", input=ref("b")),
            call("d", "conv2", "c"),
            call("e", "bn2", "d"),
            function("f", "operator.add", input=ref("x"), other=ref("e")),
            function("g", "torch.relu", input=ref("f")),
        ],
        ref("g"),
        arguments=[argument("width", required=True)],
    )
    members = [
        layer("stem", "Conv2d", in_channels=3, out_channels=8, kernel_size=3),
        sequential("stages", use("0", "Residual", width=8), use("1", "Residual", width=8)),
        layer("head", "Linear", in_features=8, out_features=4),
    ]
    nodes = [
        call("a", "stem", "x"),
        call("b", "stages", "a"),
        function("c", "torch.Tensor.mean", input=ref("b"), dim={"$tuple": [2, 3]}),
        call("d", "head", "c"),
    ]
    init = [
        rule(["Conv2d"], statement("weight", "kaiming_normal_", mode="fan_out", nonlinearity="relu")),
        rule(["BatchNorm2d"], statement("weight", "zeros_"), statement("bias", "zeros_"), name="stages.*.bn2"),
        rule(["BatchNorm2d"], statement("weight", "ones_"), statement("bias", "zeros_")),
    ]
    return network(members, nodes, inputs={"x": {"shape": [3, 9, 9]}}, blocks={"Residual": inner}, init=init)


# --- embeddings near zero


class Embedded(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(30, 12)
        self.rnn = nn.GRU(12, 12, batch_first=True)
        self.out = nn.Linear(12, 30, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.rnn(self.embed(x))[0])


def init_embedded(module: nn.Module) -> None:
    if isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, 0, 0.01)


def embedded() -> Json:
    members = [
        layer("embed", "Embedding", num_embeddings=30, embedding_dim=12),
        layer("rnn", "GRU", input_size=12, hidden_size=12, batch_first=True),
        layer("out", "Linear", in_features=12, out_features=30, bias=False),
    ]
    nodes = [call("a", "embed", "x"), call("b", "rnn", "a"), call("c", "out", ref("b", 0))]
    inputs = {"x": {"shape": [7], "dtype": "int64", "high": 30}}
    init = [rule(["Embedding"], statement("weight", "normal_", mean=0, std=0.01))]
    return network(members, nodes, inputs=inputs, init=init)


class Case(NamedTuple):
    """A network by hand with its function, and the same drawn."""

    written: Callable[[], nn.Module]
    function: Callable[[nn.Module], None]
    drawn: Callable[[], Json]
    sample: Callable[[], torch.Tensor]


CASES: dict[str, Case] = {
    "convolutions": Case(Convolutional, init_convolutional, convolutional, lambda: torch.randn(2, 3, 12, 12)),
    "orthogonal LSTM": Case(Recurrent, init_recurrent, recurrent, lambda: torch.randn(2, 5, 6)),
    "truncated normals": Case(Vision, init_vision, vision, lambda: torch.randn(2, 3, 8, 8)),
    "identity residuals": Case(ResidualNet, init_residual, residual, lambda: torch.randn(2, 3, 9, 9)),
    "embeddings": Case(Embedded, init_embedded, embedded, lambda: torch.randint(30, (2, 7))),
}


@pytest.mark.parametrize("seed", [0, 11])
@pytest.mark.parametrize("name", CASES)
def test_rules_equal_a_hand_written_function(name: str, seed: int) -> None:
    case = CASES[name]
    drawn = build(parsed(case.drawn()), seed=seed)
    after = torch.rand(3)
    torch.manual_seed(seed)
    written = case.written()
    plain = {key: value.clone() for key, value in written.state_dict().items()}
    written.apply(case.function)
    state = written.state_dict()
    assert any(not torch.equal(plain[key], value) for key, value in state.items())
    assert list(drawn.state_dict()) == list(state)
    assert same(drawn, written)
    assert torch.equal(after, torch.rand(3)), "another number of random numbers was drawn"
    x = case.sample()
    assert torch.equal(drawn.eval()(x), written.eval()(x))


def test_what_the_functions_are_known_for() -> None:
    modules: dict[str, Any] = {name: build(parsed(case.drawn()), seed=0) for name, case in CASES.items()}
    lstm = modules["orthogonal LSTM"].lstm
    assert torch.allclose(lstm.weight_hh_l1_reverse.T @ lstm.weight_hh_l1_reverse, torch.eye(8), atol=1e-5)
    assert (lstm.bias_ih_l0 + lstm.bias_hh_l0).tolist() == [0.0] * 8 + [1.0] * 8 + [0.0] * 16
    stages = modules["identity residuals"].stages
    assert all(not stage.bn2.weight.any() and stage.bn1.weight.all() for stage in stages)
    x = torch.rand(2, 8, 4, 4)
    assert torch.equal(stages(x), x)
    assert float(modules["embeddings"].embed.weight.detach().std()) == pytest.approx(0.01, rel=0.2)
    assert float(modules["truncated normals"].position.detach().std()) == pytest.approx(0.02, rel=0.3)
