"""``torch.fx.symbolic_trace`` takes a built module wherever it takes the one that is written by hand."""

from __future__ import annotations

import pytest
import torch
from torch import fx, nn

from layerloom.graph import build
from unit.graph.test_structures import SEED, STRUCTURES, batch, by_hand, leaves, load

BEYOND = {"attention"}
"""Written with ``len(x)``, which fx cannot follow; drawn, it reads ``x.shape[0]``, which fx can."""


def traced(module: nn.Module) -> fx.GraphModule | None:
    try:
        return fx.symbolic_trace(module.eval())
    except Exception:  # fx says in many ways that it cannot
        return None


def test_all_of_the_others_can_be_traced_as_they_are_written() -> None:
    assert {name for name in STRUCTURES if traced(by_hand(name)) is None} == BEYOND


@pytest.mark.parametrize("name", STRUCTURES)
def test_so_can_those_that_are_drawn(name: str) -> None:
    document = load(name)
    module = build(document, seed=SEED).eval()
    graph = traced(module)
    assert graph is not None
    for samples in (4, 9):
        inputs = batch(document, samples)
        with torch.no_grad():
            pairs = zip(leaves(graph(**inputs)), leaves(module(**inputs)), strict=True)
        assert all(torch.equal(one, other) for one, other in pairs)


@pytest.mark.parametrize("name", sorted(set(STRUCTURES) - BEYOND))
def test_both_give_the_same_graph_of_calls(name: str) -> None:
    """The same members are called as often, and the same weights are kept, whatever operator spells the rest."""
    one, other = (traced(module) for module in (build(load(name), seed=SEED), by_hand(name)))
    assert one is not None
    assert other is not None
    assert calls(one) == calls(other)
    assert set(one.state_dict()) == set(other.state_dict())


def calls(graph: fx.GraphModule) -> list[str]:
    return sorted(str(node.target) for node in graph.graph.nodes if node.op == "call_module")
