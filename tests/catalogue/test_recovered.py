"""Every layer that can be built can be read back: its arguments stand in its attributes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from catalogue.harness import buildable
from layerloom.catalogue import layers, resolve
from layerloom.graph.importing.leaves import layer_of, rebuilt, recovered
from layerloom.schema.catalogue import Entry, ParameterSpec

OTHER: dict[str, Any] = {"int": 3, "size": 3, "float": 0.25, "bool": None}


def variations(entry: Entry) -> list[dict[str, Any]]:
    """Arguments that the layer accepts: the required ones, and each other one changed from its default."""
    first = next(iter(buildable(entry)))
    found = [first]
    for spec in entry.parameters:
        for value in other_values(spec):
            found.append({**first, spec.name: value})
    return found


def other_values(spec: ParameterSpec) -> list[Any]:
    match spec.kinds[0]:
        case "bool":
            return [not spec.default]
        case "int" | "size" if isinstance(spec.default, int):
            return [spec.default + 1]
        case "float" if isinstance(spec.default, float):
            return [spec.default / 2]
        case "choice":
            return list(spec.choices)
    return []


@pytest.mark.parametrize("name", sorted(layers()))
def test_arguments_are_read_back(name: str) -> None:
    entry, tried = layers()[name], 0
    for arguments in variations(entry):
        try:
            torch.manual_seed(0)
            module = resolve(name)(**arguments)
        except Exception:  # not every value that a form offers is one that the layer takes
            continue
        tried += 1
        assert layer_of(module) == name
        twin = rebuilt(name, recovered(module, name))
        assert repr(twin) == repr(module)
        twin.load_state_dict(module.state_dict(), strict=True)
    assert tried


def test_a_subclass_with_another_forward_is_no_layer_of_torch() -> None:
    class Scaled(nn.Linear):
        def forward(self, input: torch.Tensor) -> torch.Tensor:
            return super().forward(input) * 2

    class Small(nn.Linear):
        def __init__(self) -> None:
            super().__init__(3, 2)

    assert layer_of(Scaled(3, 2)) is None
    assert layer_of(Small()) == "torch.nn.Linear"
    assert recovered(Small(), "torch.nn.Linear") == {"in_features": 3, "out_features": 2}
