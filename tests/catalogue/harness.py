"""Builds and calls any layer from its catalogue entry alone. No layer is named here."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from layerloom.catalogue import resolve
from layerloom.schema.catalogue import Entry, ParameterSpec

SIZE = 4
RANKS = (4, 3, 2, 5, 1)
REFUSALS = (RuntimeError, ValueError, TypeError, IndexError, AssertionError, AttributeError, KeyError, Warning)


@dataclass(frozen=True)
class Call:
    """How a layer was called: the constructor's arguments, and the rank and dtypes of what it was given."""

    entry: Entry
    arguments: Mapping[str, Any]
    rank: int
    dtypes: tuple[torch.dtype, ...]
    cube: bool

    def build(self, **changed: Any) -> torch.nn.Module | None:
        return build(self.entry, {**self.arguments, **changed})

    def result(self, module: torch.nn.Module | None, sizes: Mapping[str, int] | None = None) -> Any:
        """What a call gives, or None where the module refuses. Warnings are refusals, too."""
        if module is None:
            return None
        given = self.tensors(sizes)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                return module(*given)
            except REFUSALS:
                return None

    def tensors(self, sizes: Mapping[str, int] | None = None) -> list[torch.Tensor]:
        """What it is given, for its required inputs in turn."""
        ports = [port.name for port in self.entry.inputs if port.required]
        return [self._tensor((sizes or {}).get(p, SIZE), d) for p, d in zip(ports, self.dtypes, strict=True)]

    def _tensor(self, size: int, dtype: torch.dtype) -> torch.Tensor:
        inner = size if self.cube else 2
        shape = (2, *(inner,) * (self.rank - 2), size)[-self.rank :]
        return torch.rand(shape) if dtype.is_floating_point else torch.zeros(shape, dtype=dtype)


def build(entry: Entry, arguments: Mapping[str, Any]) -> torch.nn.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return resolve(entry.name)(**arguments)
        except REFUSALS:
            return None


def example(parameter: ParameterSpec, size: int) -> Any:
    """A value for a parameter, from its kind."""
    match parameter.kinds[0]:
        case "int" | "size":
            return size
        case "float":
            return 0.5
        case "bool":
            return True
        case "list":
            return [size // 2] * (parameter.length or 2)
        case "layer" if parameter.choices:
            return resolve(str(parameter.choices[0]))(size, size)
        case "choice":
            return parameter.choices[0]
    return None


def calls(entry: Entry) -> Iterator[Call]:
    """Calls that the layer accepts: with its required arguments, or with those and one more."""
    for arguments in _argument_sets(entry):
        if (module := build(entry, arguments)) is None:
            continue
        for rank in RANKS:
            for dtypes in _dtypes(sum(port.required for port in entry.inputs)):
                for cube in (True, False) if rank > 1 else (True,):
                    call = Call(entry, arguments, rank, dtypes, cube)
                    if call.result(module) is not None:
                        yield call


def buildable(entry: Entry) -> Iterator[dict[str, Any]]:
    """Arguments with which the layer can be made."""
    cutoffs = {"cutoffs": [1, 2]}  # the one list that has to rise
    for arguments in _argument_sets(entry):
        fitting = {**arguments, **{name: value for name, value in cutoffs.items() if name in arguments}}
        if build(entry, fitting) is not None:
            yield fitting


def _argument_sets(entry: Entry) -> Iterator[dict[str, Any]]:
    # Large defaults (a transformer's 512 features and 6 layers) only make the test slow.
    large = {
        spec.name: SIZE
        for spec in entry.parameters
        if spec.kinds == ["int"] and isinstance(spec.default, int) and spec.default > SIZE
    }
    for size in (SIZE, 2, 1):
        needed = {spec.name: example(spec, size) for spec in entry.parameters if spec.required} | large
        yield needed
        for spec in entry.parameters:
            if not spec.required and spec.default is None:
                yield {**needed, spec.name: example(spec, size)}


def _dtypes(count: int) -> Iterator[tuple[torch.dtype, ...]]:
    yield (torch.float32,) * count
    yield (torch.int64,) * count
    if count > 1:
        yield (torch.float32,) * (count - 1) + (torch.int64,)


def part(result: Any, path: list[int | str]) -> Any:
    for step in path:
        result = result[step]
    return result
