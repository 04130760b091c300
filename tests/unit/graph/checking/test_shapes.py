"""The report of a network against a real forward of the module that is built from it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from layerloom.graph import build
from layerloom.graph.checking import checked
from layerloom.schema.document import InputExample
from layerloom.schema.report import Report, TensorType
from unit.graph.checking import networks
from unit.graph.checking.drawing import errors, parsed

NETWORKS = networks.every()


def example(spec: InputExample, batch: int) -> torch.Tensor:
    shape = [batch, *spec.shape] if spec.batch else spec.shape
    return torch.zeros(shape, dtype=getattr(torch, spec.dtype))


def same(result: Any, real: Any) -> bool:
    """Whether a reported result is the type of a real one."""
    match real:
        case torch.Tensor():
            assert isinstance(result, TensorType)
            return result.shape == list(real.shape) and result.dtype == str(real.dtype).removeprefix("torch.")
        case dict():
            return list(result) == list(real) and all(same(result[key], real[key]) for key in real)
        case tuple() | list():
            return len(result) == len(real) and all(map(same, result, real))
    return True


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("batch", [2, 5])
def test_shapes_are_those_of_a_real_forward(name: str, batch: int) -> None:
    document = parsed(NETWORKS[name])
    report = checked(document, batch).report
    assert errors(report) == []
    module = build(document, seed=0).eval()
    seen: dict[str, Any] = {}

    def keep(path: str) -> Any:
        def hook(_module: nn.Module, _given: Any, result: Any) -> None:
            seen[path] = result

        return hook

    for path, child in module.named_modules():
        child.register_forward_hook(keep(path))
    with torch.no_grad():
        result = module(*[example(document.inputs[item.name], batch) for item in document.blocks["Net"].forward.inputs])
    assert same(report.outputs, result)
    called = {path: found.output for path, found in report.modules.items() if found.calls}
    assert called
    for path, found in called.items():
        # A ModuleDict is no call of its own, and an aliased module is reported under its first name.
        if path in seen:
            assert same(found, seen[path]), path
    assert {path for path, child in module.named_modules() if path in seen and not list(child.children())} - {""} <= {
        *called,
        "",
    } | inner(module)
    parameters = list(module.parameters())
    assert report.totals.parameters == sum(parameter.numel() for parameter in parameters)
    assert report.totals.trainable == sum(parameter.numel() for parameter in parameters if parameter.requires_grad)
    assert report.totals.buffers == sum(buffer.numel() for buffer in module.buffers())
    assert report.totals.parameter_bytes == sum(tensor.nbytes for tensor in (*parameters, *module.buffers()))


def inner(module: nn.Module) -> set[str]:
    """Modules inside a layer of torch, which are no members of the document."""
    found = set()
    for path, child in module.named_modules():
        if type(child).__module__.startswith("torch.nn") and not isinstance(
            child, nn.Sequential | nn.ModuleList | nn.ModuleDict
        ):
            found |= {f"{path}.{below}" for below, _ in child.named_modules() if below}
    return found


def axes(report: Report, key: str) -> list[int]:
    output = report.nodes[key].output
    assert isinstance(output, TensorType)
    return output.batch_axes


def test_batch_axes_are_those_that_grow() -> None:
    report = checked(parsed(NETWORKS["written attention"])).report
    assert axes(report, "#n0") == [0]
    assert axes(report, "#n2") == [1]
    assert axes(report, "#mask") == []
    assert axes(report, "#n7") == [0]


def test_instances_of_a_block_are_reported_by_their_qualified_names() -> None:
    report = checked(parsed(NETWORKS["residual"])).report
    assert {"stages.0.1#d", "stages.0.2#d", "stages.1.1#d"} <= set(report.nodes)
    assert report.autos["stages.1.0.in_channels"] == 4
    assert report.modules["stages.1.1.bn1"].calls == 1


def test_flops_and_activations_are_counted() -> None:
    report = checked(parsed(NETWORKS["mlp"])).report
    assert report.totals.flops == 2 * 2 * (8 * 16 + 16 * 4)
    assert report.totals.activation_bytes == 4 * 2 * (16 + 16 + 4 + 4)
    assert report.modules["act"].calls == 2
    assert report.nodes["#n1"].parameters == 8 * 16 + 16


def test_recurrent_flops_grow_with_the_length() -> None:
    def flops(length: int) -> int:
        document = NETWORKS["gru"] | {"inputs": {"x": {"shape": [length, 5]}}}
        return checked(parsed(document)).report.modules["gru"].flops

    step = 2 * 2 * 3 * 4 * (5 + 4)  # two samples, a multiply-add is two, three gates
    assert [flops(length) for length in (1, 2, 6, 100_000)] == [step, 2 * step, 6 * step, 100_000 * step]
