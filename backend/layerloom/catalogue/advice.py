"""What the literature says of layers, which no introspection can tell: one table, each line with its source.

Layers and the operations that do the same are told by their short names, without underscores and in lower case:
``relu`` is ``torch.nn.ReLU``, ``torch.relu``, ``torch.nn.functional.relu`` and ``torch.Tensor.relu_``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from layerloom.catalogue.content import find, layers

Family = Literal["rectifier", "saturating", "normalizing itself", "probabilities", "nearly linear"]


@dataclass(frozen=True, slots=True)
class Activation:
    """What is known of activations, and the initializer of a weight whose products they take."""

    names: tuple[str, ...]
    family: Family
    function: str
    """Initializer of the catalogue."""
    source: str
    arguments: dict[str, Any] = field(default_factory=dict)
    slope: str = ""
    """Argument of the activation that is the initializer's ``a``, the slope below zero."""


LOSS_OF_CLASSES = "torch.nn.CrossEntropyLoss"
"""What compares scores of classes with class numbers where nobody asked for another loss."""

_HE = "He, Zhang, Ren and Sun, Delving deep into rectifiers, 2015"
_GLOROT = "Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, 2010"
_KAIMING = "torch.nn.init.kaiming_normal_"
_XAVIER = "torch.nn.init.xavier_uniform_"
_RELU = {"nonlinearity": "relu"}
_LEAKY = {"nonlinearity": "leaky_relu"}

ACTIVATIONS: tuple[Activation, ...] = (
    Activation(("relu", "relu6", "threshold"), "rectifier", _KAIMING, _HE, _RELU),
    Activation(("leakyrelu",), "rectifier", _KAIMING, f"{_HE}, equation 15", _LEAKY, slope="negative_slope"),
    Activation(("prelu",), "rectifier", _KAIMING, f"{_HE}, equation 15", _LEAKY, slope="init"),
    # Slopes from 1/8 to 1/3: their root mean square.
    Activation(("rrelu",), "rectifier", _KAIMING, f"{_HE}, equation 15", {**_LEAKY, "a": 0.237}),
    # Smooth rectifiers; their papers initialize as for the rectifier that they replace.
    Activation(
        ("gelu",), "rectifier", _KAIMING, f"Hendrycks and Gimpel, Gaussian error linear units, 2016; {_HE}", _RELU
    ),
    Activation(
        ("silu", "hardswish"),
        "rectifier",
        _KAIMING,
        f"Ramachandran, Zoph and Le, Searching for activation functions, 2017; {_HE}",
        _RELU,
    ),
    Activation(("mish",), "rectifier", _KAIMING, f"Misra, Mish, 2019; {_HE}", _RELU),
    Activation(("elu", "celu"), "rectifier", _KAIMING, f"Clevert, Unterthiner and Hochreiter, 2015; {_HE}", _RELU),
    Activation(("softplus", "logsigmoid"), "rectifier", _KAIMING, f"Glorot, Bordes and Bengio, 2011; {_HE}", _RELU),
    Activation(
        ("selu",),
        "normalizing itself",
        _KAIMING,  # with the gain of a linear layer it is LeCun's: a variance of 1 / fan_in
        "Klambauer, Unterthiner, Mayr and Hochreiter, Self-normalizing neural networks, 2017; LeCun and others, 1998",
        {"nonlinearity": "linear"},
    ),
    Activation(("tanh", "hardtanh", "softsign"), "saturating", _XAVIER, _GLOROT, {"gain": 5 / 3}),
    Activation(("sigmoid", "hardsigmoid"), "saturating", _XAVIER, _GLOROT, {"gain": 1.0}),
    # Halves of the input are multiplied with a sigmoid of the other halves.
    Activation(("glu",), "saturating", _XAVIER, f"Dauphin and others, Gated convolutional networks, 2017; {_GLOROT}"),
    Activation(("hardshrink", "softshrink", "tanhshrink"), "nearly linear", _XAVIER, _GLOROT),
    Activation(("softmax", "softmax2d", "softmin", "gumbelsoftmax"), "probabilities", _XAVIER, _GLOROT),
    Activation(("logsoftmax",), "probabilities", _XAVIER, _GLOROT),
)

LINEAR = Activation((), "nearly linear", _XAVIER, _GLOROT)
"""What weights get whose products no activation takes, as before a loss of logits."""

RECURRENT: tuple[tuple[str, str, str], ...] = (
    ("weight_ih*", _XAVIER, _GLOROT),
    ("weight_hh*", "torch.nn.init.orthogonal_", "Saxe, McClelland and Ganguli, Exact solutions to the dynamics, 2013"),
    ("bias*", "torch.nn.init.zeros_", "Jozefowicz, Zaremba and Sutskever, An empirical exploration, 2015"),
)
"""Parameters of recurrent layers (globs) and their initializers."""
FORGET_GATE = (
    "bias_ih*",
    "layerloom.forget_gate_bias",
    "Gers, Schmidhuber and Cummins, 2000; Jozefowicz and others, 2015",
)
"""The statement that follows those, for layers whose gates include one that forgets."""
FORGETTING = ("LSTM", "LSTMCell")
"""Layers whose biases hold the gates input, forget, cell and output."""

GLOROT_INITIALIZERS = ("torch.nn.init.xavier_normal_", "torch.nn.init.xavier_uniform_")
"""Made for activations that are linear about zero: half of a rectifier's variance is lost in each layer (He, 2015)."""
TOO_SMALL_GAIN = 1.2
"""Of these before a rectifier, whose own is √2 ≈ 1.41."""

APPLIED_BY_LOSS: dict[str, tuple[str, ...]] = {
    "torch.nn.CrossEntropyLoss": ("softmax", "softmax2d", "gumbelsoftmax", "sigmoid"),
    "torch.nn.MultiMarginLoss": ("softmax",),
    "torch.nn.BCEWithLogitsLoss": ("sigmoid", "hardsigmoid", "softmax"),
    "torch.nn.MultiLabelSoftMarginLoss": ("sigmoid", "softmax"),
    "torch.nn.SoftMarginLoss": ("sigmoid", "softmax"),
}
"""Activations that flatten the gradients of a loss because it takes logits and applies its own."""
DEFAULT_LOSS = "torch.nn.CrossEntropyLoss"
"""That of plans which name none and predict classes or tokens."""

RECTIFIERS = {"layer": "torch.nn.ReLU", "operation": "torch.relu"}
"""What is offered in the place of an activation that saturates."""
GATES = ("mul", "multiply")
"""Operations by which an activation's result opens or closes another signal: there it is meant to saturate."""
ADDITIONS = ("add", "iadd")
"""Operations that end a residual branch."""


def short(target: str) -> str:
    """The name by which the tables know a layer or operation."""
    return target.rpartition(".")[2].replace("_", "").lower()


@cache
def activation(target: str) -> Activation | None:
    """What is known of a layer or operation that is an activation; None of any other."""
    name = short(target)
    return next((line for line in ACTIVATIONS if name in line.names), None)


def category(target: str) -> str:
    """Group of a layer or operation in the palette; empty where the catalogue has no such name."""
    entry = find(target)
    return entry.category if entry else ""


@cache
def weighing() -> tuple[str, ...]:
    """Layers that multiply their input with one matrix or kernel, ``weight``."""
    return tuple(
        name
        for name, entry in layers().items()
        if entry.category in ("linear", "convolution") and "weight" in entry.tensors
    )


@cache
def recurrent() -> tuple[str, ...]:
    """Layers that multiply their input and their own earlier state."""
    return tuple(name for name, entry in layers().items() if entry.category == "recurrent")


def forgets(target: str) -> bool:
    """Whether a layer has a forget gate."""
    return target.rpartition(".")[2] in FORGETTING
