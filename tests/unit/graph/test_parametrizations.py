"""``weight_norm(nn.Linear(5, 3))`` drawn, checked, written and built: the same module as by hand, key for key."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations as by_hand

from layerloom.catalogue import parametrizations
from layerloom.graph import build, check, to_python
from layerloom.schema.document import Document

PLACE = "torch.nn.utils.parametrizations"


def document(layer: dict[str, Any], *made: tuple[str, dict[str, Any]], shape: tuple[int, ...] = (5,)) -> Document:
    wrapped = [{"function": f"{PLACE}.{name}", "arguments": arguments} for name, arguments in made]
    member = {"kind": "layer", "name": "fc", "parametrizations": wrapped, **layer}
    call = {"op": "call", "id": "n", "target": "fc", "arguments": {"input": {"$ref": "x"}}}
    forward = {"inputs": [{"name": "x"}], "nodes": [call], "output": {"$ref": "n"}}
    block = {"members": [member], "forward": forward}
    return Document.model_validate({"main": "Net", "blocks": {"Net": block}, "inputs": {"x": {"shape": shape}}})


def linear(**arguments: Any) -> dict[str, Any]:
    return {"target": "torch.nn.Linear", "arguments": {"in_features": 5, "out_features": 3, **arguments}}


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("weight_norm", {}),
        ("weight_norm", {"dim": 1}),
        ("spectral_norm", {"n_power_iterations": 3}),
        ("orthogonal", {"orthogonal_map": "cayley"}),
        ("orthogonal", {"use_trivialization": False}),
    ],
)
def test_it_is_the_module_by_hand(name: str, arguments: dict[str, Any]) -> None:
    drawn = document(linear(), (name, arguments))
    module = build(drawn, seed=0)
    torch.manual_seed(0)
    hand = getattr(by_hand, name)(nn.Linear(5, 3), **arguments)
    assert list(module.state_dict()) == [f"fc.{key}" for key in hand.state_dict()]
    x = torch.randn(4, 5)
    for training in (True, False):
        assert torch.equal(module.train(training)(x), hand.train(training)(x))
    module.train()(x).sum().backward()
    hand.train()(x).sum().backward()
    for one, other in zip(module.parameters(), hand.parameters(), strict=True):
        assert torch.equal(one.grad, other.grad)
    report = check(drawn)
    assert report.problems == []
    assert report.totals.parameters == sum(parameter.numel() for parameter in hand.parameters())
    assert report.totals.buffers == sum(buffer.numel() for buffer in hand.buffers())


def test_a_size_inside_may_be_automatic() -> None:
    report = check(document(linear(in_features={"$auto": True}), ("weight_norm", {})))
    assert report.ok
    assert report.autos == {"fc.in_features": 5}


def test_several_stand_around_each_other() -> None:
    drawn = document(linear(), ("weight_norm", {"name": "bias", "dim": 0}), ("spectral_norm", {}))
    place = "nn.utils.parametrizations"
    inner = f'{place}.weight_norm(nn.Linear(5, 3), name="bias", dim=0)'
    assert f"self.fc = {place}.spectral_norm({inner})" in " ".join(to_python(drawn).split()).replace("( ", "(").replace(
        " )", ")"
    )
    assert "fc.parametrizations.bias.original0" in build(drawn).state_dict()


@pytest.mark.parametrize(
    ("layer", "made", "code", "pointer"),
    [
        (linear(), ("nothing", {}), "unknown_operation", "/parametrizations/0/function"),
        (linear(), ("weight_norm", {"dims": 1}), "unknown_argument", "/parametrizations/0/arguments/dims"),
        (linear(), ("weight_norm", {"dim": {"$expr": "n"}}), "expression_invalid", "/parametrizations/0/arguments/dim"),
        (linear(out_features=0), ("weight_norm", {}), "argument_range", "/arguments/out_features"),
        (linear(in_features=4), ("weight_norm", {}), "shape_mismatch", ""),
        ({"target": "torch.nn.ReLU"}, ("weight_norm", {}), "argument_invalid", ""),
    ],
)
def test_what_is_wrong_has_a_place(
    layer: dict[str, Any], made: tuple[str, dict[str, Any]], code: str, pointer: str
) -> None:
    (problem,) = check(document(layer, made)).problems
    assert problem.code == code
    assert problem.pointer is not None
    assert problem.pointer.startswith(f"/blocks/Net/members/0{pointer}")


def test_the_catalogue_has_all_of_torch_s() -> None:
    assert set(parametrizations()) == {f"{PLACE}.{name}" for name in by_hand.__all__}
