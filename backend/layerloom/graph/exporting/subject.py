"""What is to be written: the module in evaluation, with weights, and samples to hold the file against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import dropwhile
from typing import Any

import torch
from torch import Tensor, nn

from layerloom.graph.build import build
from layerloom.graph.errors import GraphError
from layerloom.graph.lab.samples import batch_of
from layerloom.graph.walk import forward_inputs
from layerloom.schema.document import Document
from layerloom.schema.problems import Problem, ProblemCode

TRACED, OTHER = 2, 5
"""Samples of the batch that a program is made with, and of the other one that it must take."""
_SHOWN = 10
"""Keys of one kind in a message."""


@dataclass(frozen=True)
class Subject:
    """A document with weights: those of ``state``, or those that its initializers give after seed 0."""

    document: Document
    state: Mapping[str, Tensor] | None = None
    samples: Mapping[str, Tensor] | None = None
    """Inputs that a loss of precision is measured on; random ones where it is None."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Kept in the file beside the network, by formats that can."""
    notes: list[str] = field(default_factory=list)
    """What a reader of the file has to know; writers add to it."""

    @cached_property
    def module(self) -> nn.Module:
        """It in evaluation. Writers leave it as it is.

        Raises:
            GraphError: the document has errors, or the state does not fit; every wrong key is named.
        """
        with torch.random.fork_rng(devices=[]):
            module = build(self.document, seed=0)
        if self.state is not None:
            _require_fit(module.state_dict(), self.state)
            module.load_state_dict(dict(self.state), strict=True)
        return module.eval()

    @cached_property
    def inputs(self) -> list[str]:
        """Names of the forward inputs up to the last one that an example is given for, in order."""
        names = [item.name for item in forward_inputs(self.document.blocks[self.document.main])]
        return list(dropwhile(lambda name: name not in self.document.inputs, reversed(names)))[::-1]

    def has_batch(self, name: str) -> bool:
        """The first axis of this input counts samples."""
        return name in self.document.inputs and self.document.inputs[name].batch

    @property
    def batched(self) -> bool:
        """Some input has a batch axis."""
        return any(map(self.has_batch, self.inputs))

    @property
    def sizes(self) -> list[int]:
        """Batch sizes at which a program must agree with the module."""
        return [TRACED, OTHER] if self.batched else [TRACED]

    def arguments(self, batch: int) -> tuple[Tensor | None, ...]:
        """Random values of the inputs, to be given by position; None for optional ones without an example."""
        drawn = batch_of(self.document, batch, torch.Generator().manual_seed(0))
        return tuple(drawn.get(name) for name in self.inputs)

    def batch_of(self, arguments: tuple[Tensor | None, ...]) -> int | None:
        """Samples of these inputs; None where no input has a batch axis."""
        for name, value in zip(self.inputs, arguments, strict=True):
            if value is not None and self.has_batch(name):
                return len(value)
        return None

    @property
    def given(self) -> tuple[Tensor | None, ...]:
        """The samples, by position."""
        return tuple((self.samples or {}).get(name) for name in self.inputs)

    @cached_property
    def is_random(self) -> bool:
        """It draws random numbers in evaluation, so that no two calls agree."""
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            before = torch.get_rng_state()
            self.module(*self.arguments(TRACED))
            return not torch.equal(torch.get_rng_state(), before)


def outputs(run: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """What a module or program gives, or raises: without gradients, and with the same random numbers each time."""
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return run(*arguments)


_UNFIT = {
    "missing": "missing keys",
    "unexpected": "unexpected keys",
    "no_tensor": "keys of what is no tensor",
    "of_another_shape": "keys of another shape",
    "of_another_kind_of_number": "keys of another kind of number",
}


def _require_fit(own: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> None:
    """Torch would copy complex or whole numbers into real ones without a word."""
    shared = [key for key in own if key in given]
    strange = [key for key in shared if not isinstance(given[key], Tensor)]
    tensors = [key for key in shared if key not in strange]
    wrong = {
        "missing": [key for key in own if key not in given],
        "unexpected": [str(key) for key in given if key not in own],
        "no_tensor": strange,
        "of_another_shape": [key for key in tensors if own[key].shape != given[key].shape],
        "of_another_kind_of_number": [key for key in tensors if _kind(own[key]) != _kind(given[key])],
    }
    found = {kind: keys for kind, keys in wrong.items() if keys}
    if found:
        listed = {kind: f"{', '.join(keys[:_SHOWN])}{' …' * (len(keys) > _SHOWN)}" for kind, keys in found.items()}
        parts = [f"{_UNFIT[kind]}: {names}" for kind, names in listed.items()]
        message = f"the weights are not this network's. {'; '.join(parts)}. Give the state_dict of the same network."
        data = {kind: keys[:1_000] for kind, keys in found.items()}
        raise GraphError([Problem(code=ProblemCode.WEIGHTS_MISMATCH, message=message, data=data)])


def _kind(tensor: Tensor) -> tuple[bool, bool, bool]:
    return tensor.is_floating_point(), tensor.is_complex(), tensor.dtype is torch.bool
