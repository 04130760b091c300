"""Networks of torchvision that no document is kept of: which they are, and the modules that they must come back as."""

from __future__ import annotations

import os
from collections.abc import Sequence

import torch
from torch import nn

from layerloom.graph import build
from layerloom.graph.importing.parts import AND, part_of
from layerloom.graph.importing.proof import Call, equal
from layerloom.graph.importing.sources import named
from layerloom.graph.library import SOURCE, networks
from layerloom.schema.document import Document
from layerloom.schema.importing import LibraryNetwork
from sameness import left_closed, seed

MADE = {network.name: network for network in networks() if not network.kept}
"""Those that are made and recorded when somebody opens them."""


def chosen(some: Sequence[str]) -> Sequence[str]:
    """Names of ``MADE``: some, and all of them for ``make endure``."""
    return list(MADE) if os.environ.get("LAYERLOOM_LIBRARY") == "all" else some


def hold(document: Document, network: LibraryNetwork) -> None:
    """A document that a server opened is the network: keys in order, strict loads, outputs bit for bit.

    The shape of the one sample is that which the server was asked for; the server recorded two.
    """
    assert document.name == network.name
    assert left_closed(document) == []
    seed(0)
    whole = named(SOURCE + network.name, network.inputs[0]).eval()
    given = [torch.randn(1, *shape) for shape in network.inputs]
    theirs, given = _part(whole, network.part, given) if network.part else (whole, given)
    state = _state(whole, network.part)
    if network.parameters is not None:
        assert sum(parameter.numel() for parameter in whole.parameters()) == network.parameters
    ours = build(document).eval()
    assert list(ours.state_dict()) == list(state)
    ours.load_state_dict(state, strict=True)
    with torch.no_grad():
        assert equal(theirs(*given), ours(*given))
    whole.load_state_dict({**whole.state_dict(), **ours.state_dict()}, strict=True)


def _part(whole: nn.Module, part: str, given: list[torch.Tensor]) -> tuple[nn.Module, list[torch.Tensor]]:
    taken = part_of(whole, Call(tuple(given)), part)
    return taken.module.eval(), list(taken.call.positional)


def _state(whole: nn.Module, part: str) -> dict[str, torch.Tensor]:
    """What a file of the whole network's weights holds for a part."""
    paths = tuple(f"{path}." for path in part.split(AND)) if part else ("",)
    return {key: tensor for key, tensor in whole.state_dict().items() if key.startswith(paths)}
