"""Entries of well-known layers, optimizers and initializers, as a person would describe them."""

from __future__ import annotations

import pytest
import torch

from layerloom.catalogue import (
    find,
    forget_gate_bias,
    initializers,
    layers,
    operations,
    optimizers,
    resolve,
    schedulers,
)
from layerloom.schema.catalogue import ParameterSpec
from layerloom.schema.values import FunctionRef, Tuple


def _parameter(name: str, parameter: str) -> ParameterSpec:
    entry = find(name)
    assert entry is not None
    return next(one for one in entry.parameters if one.name == parameter)


def test_conv2d() -> None:
    entry = layers()["torch.nn.Conv2d"]
    assert [parameter.name for parameter in entry.parameters] == [
        *("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "bias"),
        "padding_mode",
    ]
    assert (entry.label, entry.category) == ("Conv2d", "convolution")
    assert entry.summary == "Applies a 2D convolution over an input signal composed of several input planes."
    assert entry.link == "https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html"
    assert entry.tensors == ["weight", "bias"]
    assert _parameter(entry.name, "in_channels").auto
    assert not _parameter(entry.name, "out_channels").auto
    kernel = _parameter(entry.name, "kernel_size")
    assert (kernel.kinds, kernel.length, kernel.required) == (["size"], 2, True)
    padding = _parameter(entry.name, "padding")
    assert (padding.kinds, padding.choices, padding.default) == (["size", "choice"], ["valid", "same"], 0)
    assert _parameter(entry.name, "padding_mode").choices == ["zeros", "reflect", "replicate", "circular"]
    assert _parameter(entry.name, "out_channels").doc == "Number of channels produced by the convolution"


@pytest.mark.parametrize(
    ("name", "outputs"),
    [
        ("LSTM", [("output", [0]), ("h_n", [1, 0]), ("c_n", [1, 1])]),
        ("GRU", [("output", [0]), ("h_n", [1])]),
        ("RNN", [("output", [0]), ("h_n", [1])]),
        ("LSTMCell", [("h_1", [0]), ("c_1", [1])]),
        ("GRUCell", [("output", [])]),
        ("MultiheadAttention", [("attn_output", [0]), ("attn_output_weights", [1])]),
        ("AdaptiveLogSoftmaxWithLoss", [("output", [0]), ("loss", [1])]),
        ("MaxPool2d", [("output", [])]),
        ("Linear", [("output", [])]),
    ],
)
def test_outputs(name: str, outputs: list[tuple[str, list[int]]]) -> None:
    assert [(port.name, port.path) for port in layers()[f"torch.nn.{name}"].outputs] == outputs


@pytest.mark.parametrize(
    ("name", "required", "optional"),
    [
        ("Linear", ["input"], []),
        ("LSTM", ["input"], ["hx"]),
        ("Bilinear", ["input1", "input2"], []),
        ("MultiheadAttention", ["query", "key", "value"], ["key_padding_mask", "attn_mask"]),
        ("CrossEntropyLoss", ["input", "target"], []),
        ("TransformerDecoderLayer", ["tgt", "memory"], None),
        ("EmbeddingBag", ["input"], ["offsets", "per_sample_weights"]),
        ("MaxUnpool2d", ["input", "indices"], []),
    ],
)
def test_inputs(name: str, required: list[str], optional: list[str] | None) -> None:
    inputs = layers()[f"torch.nn.{name}"].inputs
    assert [port.name for port in inputs if port.required] == required
    if optional is not None:
        assert [port.name for port in inputs if not port.required] == optional


def test_an_lstm_s_state_is_a_pair_of_tensors() -> None:
    assert next(port for port in layers()["torch.nn.LSTM"].inputs if port.name == "hx").many
    lstm = resolve("torch.nn.LSTM")(2, 3)
    state = [torch.zeros(1, 4, 3), torch.zeros(1, 4, 3)]
    assert torch.equal(lstm(torch.ones(5, 4, 2), state)[0], lstm(torch.ones(5, 4, 2))[0])


def test_options_of_a_call() -> None:
    options = {option.name: option for option in layers()["torch.nn.MultiheadAttention"].options}
    assert set(options) == {"need_weights", "average_attn_weights", "is_causal"}
    assert (options["need_weights"].kinds, options["need_weights"].default) == (["bool"], True)


def test_layers_and_functions_as_values() -> None:
    nested = _parameter("torch.nn.TransformerEncoder", "encoder_layer")
    assert (nested.kinds, nested.choices) == (["layer"], ["torch.nn.TransformerEncoderLayer"])
    activation = _parameter("torch.nn.TransformerEncoderLayer", "activation")
    assert (activation.kinds, activation.choices) == (["choice", "function"], ["relu", "gelu"])
    assert activation.default == FunctionRef(name="torch.nn.functional.relu")
    assert activation.default.name in operations()


def test_choices_and_defaults() -> None:
    assert _parameter("torch.nn.CrossEntropyLoss", "reduction").choices == ["none", "mean", "sum"]
    assert _parameter("torch.nn.Upsample", "mode").choices[:2] == ["nearest", "linear"]
    assert "leaky_relu" in _parameter("torch.nn.init.kaiming_normal_", "nonlinearity").choices
    assert _parameter("torch.nn.init.kaiming_normal_", "mode").choices == ["fan_in", "fan_out"]
    assert _parameter("torch.optim.Adam", "betas").default == Tuple(items=[0.9, 0.999])
    assert _parameter("torch.optim.lr_scheduler.ReduceLROnPlateau", "mode").choices == ["min", "max"]


def test_what_the_program_gives_is_no_parameter() -> None:
    for section in (layers(), optimizers(), schedulers(), initializers()):
        for entry in section.values():
            names = {parameter.name for parameter in entry.parameters}
            assert not names & {"self", "params", "optimizer", "tensor", "device", "generator", "last_epoch"}
    assert not {"dtype"} & {parameter.name for entry in layers().values() for parameter in entry.parameters}


def test_every_layer_says_what_it_is() -> None:
    silent = [entry.name for entry in layers().values() if not entry.summary]
    assert silent == ["torch.nn.CrossMapLRN2d"]  # torch says nothing of it, either
    marked = [entry.name for entry in layers().values() if "`" in entry.summary or "\\" in entry.summary]
    assert marked == []


def test_optimizers_are_built_from_their_defaults() -> None:
    for entry in optimizers().values():
        weight = torch.nn.Parameter(torch.ones(2, 2))
        required = [parameter.name for parameter in entry.parameters if parameter.required]
        assert required == []
        assert resolve(entry.name)([weight]) is not None


def test_forget_gate_bias_fills_the_second_quarter() -> None:
    lstm = torch.nn.LSTM(3, 5)
    before = lstm.bias_ih_l0.detach().clone()
    result = forget_gate_bias(lstm.bias_ih_l0, 2.0)
    assert result is lstm.bias_ih_l0
    assert torch.equal(lstm.bias_ih_l0[5:10], torch.full((5,), 2.0))
    assert torch.equal(lstm.bias_ih_l0[:5], before[:5])
    assert torch.equal(lstm.bias_ih_l0[10:], before[10:])
    assert lstm.bias_ih_l0.requires_grad


def test_forget_gate_bias_opens_the_gate_that_torch_multiplies_the_cell_with() -> None:
    cell = torch.nn.LSTMCell(1, 1)
    for parameter in cell.parameters():
        torch.nn.init.zeros_(parameter)
    forget_gate_bias(cell.bias_ih, 100.0)
    _, kept = cell(torch.zeros(1, 1), (torch.zeros(1, 1), torch.ones(1, 1)))
    assert torch.equal(kept, torch.ones(1, 1))


@pytest.mark.parametrize("shape", [(6,), (4, 4), ()])
def test_forget_gate_bias_refuses_what_is_no_lstm_bias(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="hidden_size"):
        forget_gate_bias(torch.zeros(shape))
