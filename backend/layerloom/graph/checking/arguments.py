"""Arguments that have a value: of a kind that the catalogue allows, in a range that makes sense.

Torch refuses much by itself, in its own words. What it accepts and should not is refused here: ``True`` for a number,
NaN, sizes of zero, sizes so large that no machine holds the result.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch

from layerloom.catalogue import find
from layerloom.graph.checking.values import Automatic, Frozen, Group, LayerConfig, Number, TensorSpec
from layerloom.schema.catalogue import ParameterSpec
from layerloom.schema.problems import ProblemCode

LARGEST_INT = 2**63 - 1
LARGEST_WINDOW = 100_000
"""For padding, kernels, strides and dilations."""
LARGEST_COUNT = 256
"""For numbers of inner layers, each of which is built."""


@dataclass(frozen=True, slots=True)
class Fault:
    """An argument that cannot be what it is."""

    argument: str
    code: ProblemCode
    sentence: str
    better: Any = None
    """A value that would do, where one is obvious."""


@lru_cache(maxsize=8192)
def faults(target: str, arguments: tuple[tuple[str, Frozen], ...]) -> tuple[Fault, ...]:
    """What is wrong with the arguments of a layer, operation or initializer."""
    entry = find(target)
    if entry is None:
        return ()
    specs = {parameter.name: parameter for parameter in (*entry.parameters, *entry.options)}
    found = []
    for name, value in arguments:
        if name in specs:
            fault = _fault(specs[name], value)
            if fault is not None:
                found.append(fault)
        if isinstance(value, LayerConfig):
            inner = faults(value.target, value.arguments)
            found.extend(Fault(name, fault.code, f"in it, {fault.sentence}") for fault in inner)
    return tuple(found)


def _fault(spec: ParameterSpec, value: Frozen) -> Fault | None:
    if value is Automatic.SIZE or isinstance(value, TensorSpec):
        return None
    if value is None:
        if spec.nullable or not spec.required:
            return None
        return Fault(spec.name, ProblemCode.ARGUMENT_TYPE, f"{spec.name} needs a value")
    if isinstance(value, int) and not -LARGEST_INT <= value <= LARGEST_INT:
        return Fault(spec.name, ProblemCode.OVERFLOW, f"{spec.name} must be below 2**63")
    if isinstance(value, Number) and isinstance(value.value, float) and math.isnan(value.value):
        return Fault(spec.name, ProblemCode.ARGUMENT_RANGE, f"{spec.name} is NaN, not a number")
    if not any(_is(kind, value, spec) for kind in spec.kinds):
        sentence = f"{spec.name} must be {_wanted(spec)}, not {_said(value)}"
        return Fault(spec.name, ProblemCode.ARGUMENT_TYPE, sentence, _better(value, spec))
    return _range(spec, value)


def _is(kind: str, value: Frozen, spec: ParameterSpec) -> bool:
    match kind:
        case "int":
            return isinstance(value, int)
        case "float":
            return isinstance(value, int) or (isinstance(value, Number) and value.kind == "float")
        case "bool":
            return isinstance(value, Number) and value.kind == "bool"
        case "str":
            return isinstance(value, str)
        case "choice":
            return _plain(value) in spec.choices
        case "size":
            return isinstance(value, int) or (_is_list(value) and _sizes(value))
        case "list":
            return _is_list(value)
        case "dtype":
            return isinstance(value, torch.dtype)
        case "layer":
            return isinstance(value, LayerConfig)
        case "function":
            return callable(value)
        case "tensor":
            return isinstance(value, TensorSpec) or (_is_list(value) and _holds_tensors(value))
    return True


def _is_list(value: Frozen) -> bool:
    return isinstance(value, Group) and value.kind in ("list", "tuple")


def _sizes(value: Frozen) -> bool:
    assert isinstance(value, Group)
    return all(item is None or isinstance(item, int) for item in value.items)


def _holds_tensors(value: Frozen) -> bool:
    assert isinstance(value, Group)
    return any(isinstance(item, TensorSpec) for item in value.items)


def _plain(value: Frozen) -> Any:
    return value.value if isinstance(value, Number) else value


def _wanted(spec: ParameterSpec) -> str:
    words = {
        "int": "a whole number",
        "float": "a number",
        "bool": "true or false",
        "str": "text",
        "choice": f"one of {', '.join(str(choice) for choice in spec.choices)}",
        "size": "a whole number or a tuple of them",
        "list": "a list",
        "dtype": "a dtype",
        "layer": "a layer",
        "function": "a function",
        "tensor": "a tensor",
    }
    return " or ".join(words.get(kind, "a value") for kind in spec.kinds)


def _said(value: Frozen) -> str:
    match value:
        case Number():
            return str(value.value).lower() if value.kind == "bool" else f"{value.value:g}"
        case str():
            return f"the text {value[:40]!r}"
        case Group():
            return f"a {value.kind}"
        case LayerConfig():
            return "a layer"
    return f"{str(value)[:40]}"


def _better(value: Frozen, spec: ParameterSpec) -> Any:
    """The number that a text or a fraction was surely meant to be."""
    whole = "int" in spec.kinds or "size" in spec.kinds
    if isinstance(value, str) and len(value) < 20:
        try:
            number = float(value)
        except ValueError:
            return None
        if math.isfinite(number) and (not whole or (number.is_integer() and abs(number) < 2**63)):
            return int(number) if number.is_integer() and whole else number
    if isinstance(value, Number) and value.kind == "float" and whole and abs(value.value) < 2**63:
        return round(value.value)
    return int(value.value) if isinstance(value, Number) and value.kind == "bool" and whole else None


# Torch builds layers with these out of range, and fails, hangs or learns nothing later. Names mean the same throughout
# torch.nn; what a layer's own entry says of its minimum comes first.
AT_LEAST_ONE = frozenset(
    {
        *("in_features", "out_features", "in1_features", "in2_features", "in_channels", "out_channels"),
        *("num_features", "num_channels", "num_groups", "groups", "num_embeddings", "embedding_dim", "embed_dim"),
        *("input_size", "hidden_size", "num_layers", "d_model", "nhead", "num_heads", "dim_feedforward"),
        *("num_parameters", "normalized_shape", "kernel_size", "stride", "dilation", "upscale_factor"),
        *("downscale_factor", "output_size", "num_encoder_layers", "num_decoder_layers", "n_classes"),
    }
)
WINDOW = frozenset({"kernel_size", "stride", "dilation", "padding", "output_padding"})
_COUNTS = frozenset({"num_layers", "num_encoder_layers", "num_decoder_layers"})
_SHARES = frozenset({"p", "dropout", "dropout_p"})


def _range(spec: ParameterSpec, value: Frozen) -> Fault | None:
    numbers = [_plain(item) for item in (value.items if isinstance(value, Group) else (value,))]
    low, high = _bounds(spec)
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, int | float):
            continue
        if isinstance(number, int) and abs(number) > LARGEST_INT:
            return Fault(spec.name, ProblemCode.OVERFLOW, f"{spec.name} must be below 2**63")
        if low is not None and number < low:
            better = None if isinstance(value, Group) else (int(low) if isinstance(number, int) else low)
            sentence = f"{spec.name} must be at least {low:g}, not {number:g}"
            return Fault(spec.name, ProblemCode.ARGUMENT_RANGE, sentence, better)
        if high is not None and number > high:
            sentence = f"{spec.name} must be at most {high:,g}, not {number:,g}"
            return Fault(spec.name, ProblemCode.ARGUMENT_RANGE, sentence, None)
    return None


def _is_share(default: Any) -> bool:
    """Whether a parameter called ``p`` is a share, and no exponent: of those torch's defaults are 1 and more."""
    return isinstance(default, int | float) and 0 <= default < 1


def _bounds(spec: ParameterSpec) -> tuple[float | None, float | None]:
    low = spec.minimum
    if low is None and spec.name in AT_LEAST_ONE:
        low = 1
    convolution = spec.name == "padding" and "choice" in spec.kinds  # other paddings may crop
    share = spec.name in _SHARES and _is_share(spec.default)
    if low is None and (share or convolution):
        low = 0
    if share:
        return low, 1
    if spec.name in WINDOW:
        return low, LARGEST_WINDOW
    return low, LARGEST_COUNT if spec.name in _COUNTS else None
