"""Post-training quantization by torchao: weights of linear layers as 8-bit whole numbers, one scale per output row.

``Int8WeightOnlyConfig`` computes in floating point, ``Int8DynamicActivationInt8WeightConfig`` rounds the inputs of
each such layer as well, sample by sample. https://docs.pytorch.org/ao/stable/
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from layerloom.graph.errors import refuse
from layerloom.graph.exporting.agreement import compared, verified
from layerloom.graph.exporting.program import loaded, traced
from layerloom.graph.exporting.subject import Subject, outputs
from layerloom.graph.exporting.written import Written
from layerloom.schema.export import Agreement, Quantization
from layerloom.schema.problems import ProblemCode

Scheme = Literal["weights", "dynamic"]
_CONFIGS: dict[Scheme, str] = {
    "weights": "Int8WeightOnlyConfig",
    "dynamic": "Int8DynamicActivationInt8WeightConfig",
}
SAMPLES = 16
"""Random inputs that the error is measured on where none are given."""


def write_state(scheme: Scheme, subject: Subject, path: Path) -> Written:
    """A state_dict for the class of the Python file: ``load_state_dict(…, assign=True)``, with torchao imported."""
    quantized = _quantized(subject, scheme)
    torch.save(quantized.state_dict(), path)
    subject.notes.append("To load it, import torchao and give load_state_dict assign=True.")
    again = copy.deepcopy(subject.module)
    again.load_state_dict(torch.load(path, weights_only=True), strict=True, assign=True)
    return _written(subject, quantized, again)


def write_program(scheme: Scheme, subject: Subject, path: Path) -> Written:
    """A program, whose whole numbers are plain tensors."""
    quantized = _quantized(subject, scheme)
    program = traced(subject, quantized)
    # Decomposed, weights are tensors of torch's own, and no class of torchao is needed to read them.
    torch.export.save(program.run_decompositions({}), path, extra_files=dict(subject.texts))
    if scheme == "dynamic":
        subject.notes.append("To load it, import torchao first: its operations round the inputs.")
    return _written(subject, quantized, loaded(path))


def _written(subject: Subject, quantized: nn.Module, file: Callable[..., Any]) -> Written:
    """Both comparisons: the file with the quantized module, and that with the one in full precision."""
    return Written(verified(subject, file, "the quantized network", module=quantized), _measured(subject, quantized))


def _quantized(subject: Subject, scheme: Scheme) -> nn.Module:
    """A copy with quantized weights. A weight of a linear layer that others read as well stays as it is, unless
    all of them are such layers.

    Raises:
        GraphError: there is nothing to quantize.
    """
    from torchao import quantization

    module = copy.deepcopy(subject.module)
    default = inspect.signature(quantization.quantize_).parameters["filter_fn"].default
    groups = _groups(module, default)
    firsts = [group[0] for group in groups]
    if not firsts:
        message = (
            "nothing here can be quantized: torchao's int8 is for weights of linear layers that nothing else reads."
        )
        raise refuse(ProblemCode.EXPORT_FAILED, f"{message} Choose another format.")
    config = getattr(quantization, _CONFIGS[scheme])(set_inductor_config=False)
    quantization.quantize_(module, config, filter_fn=lambda part, _name: _take(firsts, part))
    for first, *others in groups:
        for other in others:
            other.weight = first.weight
    return module


def _groups(module: nn.Module, fits: Callable[[nn.Module, str], bool]) -> list[list[nn.Module]]:
    """Layers whose weight can be quantized, those that share one together."""
    owners: dict[Tensor, list[tuple[nn.Module, str]]] = {}
    for part in module.modules():
        for name, parameter in part._parameters.items():
            if parameter is not None:
                owners.setdefault(parameter, []).append((part, name))
    return [
        [part for part, _ in found]
        for found in owners.values()
        if all(name == "weight" and fits(part, "") for part, name in found)
    ]


def _take(waiting: list[nn.Module], part: nn.Module) -> bool:
    """Whether it is one of these; each is taken once, though a module may stand under several names."""
    for index, found in enumerate(waiting):
        if found is part:
            del waiting[index]
            return True
    return False


def _measured(subject: Subject, quantized: nn.Module) -> Quantization:
    before, after = (_bytes(module) for module in (subject.module, quantized))
    parameters = dict(quantized.named_parameters())
    narrow = [name for name, parameter in parameters.items() if type(parameter.data) is not Tensor]
    return Quantization(
        bytes_before=before,
        bytes_after=after,
        ratio=after / before,
        error=_error(subject, quantized),
        quantized=narrow,
        kept=[name for name in parameters if name not in narrow],
    )


def _error(subject: Subject, quantized: nn.Module) -> Agreement:
    arguments = subject.given if subject.samples else subject.arguments(SAMPLES)
    expected, got = (outputs(module, arguments) for module in (subject.module, quantized))
    return compared(expected, got, subject.batch_of(arguments))


def _bytes(module: nn.Module) -> int:
    """Of all parameters and buffers, shared ones once."""
    return sum(_held(tensor.detach()) for tensor in (*module.parameters(), *module.buffers()))


def _held(tensor: Tensor) -> int:
    if type(tensor) is Tensor:
        return tensor.nbytes
    subclass: Any = tensor
    names, _ = subclass.__tensor_flatten__()  # whole numbers and their scales
    return sum(getattr(tensor, name).nbytes for name in names)


write_int8_pt = partial(write_state, "weights")
write_int8_pt2 = partial(write_program, "weights")
write_int8_dynamic_pt = partial(write_state, "dynamic")
write_int8_dynamic_pt2 = partial(write_program, "dynamic")
