"""A proof sees what a module leaves behind, in its parameters as in its buffers."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from layerloom.graph.importing.errors import ClosedError
from layerloom.graph.importing.proof import Call, prove


class Scaled(nn.Module):
    """Halves its own parameter whenever it runs, or leaves it as it is."""

    def __init__(self, halve: bool) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(4))
        self._halve = halve

    def forward(self, x: Tensor) -> Tensor:
        if self._halve:
            self.scale.data.mul_(0.5)
        return x + 0 * self.scale


class Counted(nn.Module):
    """Counts its runs in training, or does not."""

    def __init__(self, count: bool) -> None:
        super().__init__()
        self.register_buffer("runs", torch.zeros(()))
        self._count = count

    def forward(self, x: Tensor) -> Tensor:
        if self._count and self.training:
            self.get_buffer("runs").add_(1)
        return x.clone()


def test_what_changes_its_parameters_is_no_twin_of_what_does_not() -> None:
    call = Call((torch.randn(2, 4),))
    prove(Scaled(halve=True), Scaled(halve=True), call)
    with pytest.raises(ClosedError, match="changes its parameters otherwise"):
        prove(Scaled(halve=False), Scaled(halve=True), call)


def test_what_changes_its_buffers_is_no_twin_of_what_does_not() -> None:
    call = Call((torch.randn(2, 4),))
    prove(Counted(count=True), Counted(count=True), call)
    with pytest.raises(ClosedError, match="other outputs in training"):
        prove(Counted(count=False), Counted(count=True), call)
