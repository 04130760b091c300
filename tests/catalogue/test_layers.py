"""Every layer is built and called from its entry alone, by the same code."""

from __future__ import annotations

from itertools import islice

import pytest
import torch

from catalogue.harness import SIZE, Call, calls, part
from layerloom.catalogue import layers
from layerloom.schema.catalogue import Entry, ParameterSpec

torch.set_num_threads(1)

# Layers whose arguments depend on each other in a way that no form can tell.
NOT_GENERIC = {
    "torch.nn.AdaptiveLogSoftmaxWithLoss": "cutoffs must rise and end below n_classes",
    "torch.nn.CTCLoss": "lengths must fit the other inputs",
    "torch.nn.CosineEmbeddingLoss": "the target has an axis less than the inputs",
    "torch.nn.Fold": "the input's second axis must be a multiple of the product of the kernel",
    "torch.nn.KLDivLoss": "its default reduction warns, and a warning counts as a refusal",
    "torch.nn.MultiMarginLoss": "the target has an axis less than the input",
    "torch.nn.NLLLoss": "the target has an axis less than the input",
}
ENTRIES = [entry for name, entry in layers().items() if name not in NOT_GENERIC]


def _identify(entry: Entry) -> str:
    return entry.label


@pytest.mark.parametrize("entry", ENTRIES, ids=_identify)
def test_a_layer_is_built_and_called_from_its_entry_alone(entry: Entry) -> None:
    call = next(calls(entry), None)
    assert call is not None, f"{entry.name} accepts no call with its required arguments"
    result = call.result(call.build())
    for port in entry.outputs:
        assert isinstance(part(result, port.path), torch.Tensor)
    if len(entry.outputs) == 1:
        assert entry.outputs[0].path == []


def test_exceptions_are_still_exceptions() -> None:
    accepted = [name for name in NOT_GENERIC if next(calls(layers()[name]), None)]
    assert accepted == []


@pytest.mark.parametrize("entry", [entry for entry in ENTRIES if entry.category != "loss"], ids=_identify)
def test_automatic_sizes_are_those_that_the_input_determines(entry: Entry) -> None:
    """Learned by trial: the argument must equal a size of an incoming tensor, and nothing else will do."""
    found = list(islice(calls(entry), 4))
    learned = {spec.name for spec in entry.parameters if any(_is_determined(call, spec) for call in found)}
    assert learned == {spec.name for spec in entry.parameters if spec.auto}


@pytest.mark.parametrize("entry", ENTRIES, ids=_identify)
def test_tensors_are_the_names_that_an_instance_registers(entry: Entry) -> None:
    module = next(calls(entry)).build()
    assert module is not None
    own = {name for name, _ in module.named_parameters(recurse=False)}
    assert own <= set(entry.tensors)
    assert set(entry.tensors) == set(module._parameters)


def _is_determined(call: Call, spec: ParameterSpec) -> bool:
    if spec.kinds[0] not in ("int", "size") or spec.default == 0:
        return False
    same, other = call.build(**{spec.name: SIZE}), call.build(**{spec.name: 2 * SIZE})
    if other is None or call.result(same) is None or call.result(other) is not None:
        return False
    ports = [port.name for port in call.entry.inputs if port.required]
    groups = [ports, *([port] for port in ports)]
    return any(_follows(call, same, other, dict.fromkeys(group, 2 * SIZE)) for group in groups)


def _follows(call: Call, same: torch.nn.Module | None, other: torch.nn.Module, sizes: dict[str, int]) -> bool:
    return call.result(other, sizes) is not None and call.result(same, sizes) is None
