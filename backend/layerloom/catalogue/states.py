"""What the keys and shapes of a state_dict tell of the layer that has them.

The table is made by building every layer of the catalogue with telling sizes, on the meta device, and looking at which
axis of which tensor has which of them: ``weight`` of ``[4 * hidden_size, input_size]`` is a pattern. A proposal is
built once more with the sizes that were found, and counts only when its tensors have the very shapes that were asked
about. No layer is named here.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch

from layerloom.catalogue.content import find, layers, resolve
from layerloom.schema.catalogue import Entry, ParameterSpec

Shapes = Mapping[str, tuple[int, ...]]
Axis = tuple[str, int]
"""A parameter and how many times its value an axis is long; ``("", 3)`` is always 3."""

_SIZES = (101, 103, 107, 109, 113, 127, 131, 137)
"""Primes, so that no axis is a multiple of two of them by chance."""
_FACTOR = 12
_DEPTHS = (1, 2, 3, 4, 6, 8)
"""Values of a number that decides how many tensors there are."""
_SWITCHES = 3
_TENSORS = 24
"""A layer of more is a network: its parts are proposed one by one."""
_GUESSES = (8, 4, 2, 1)
"""For a required number that no shape tells, as that of attention heads."""
_REFUSALS = (RuntimeError, ValueError, TypeError, IndexError, AssertionError, AttributeError, KeyError)


@dataclass(frozen=True)
class Pattern:
    """The tensors of a layer that was made with these arguments, by the parameters that give their axes."""

    layer: str
    fixed: tuple[tuple[str, Any], ...]
    hidden: tuple[str, ...]
    """Required parameters that no axis tells."""
    axes: tuple[tuple[str, tuple[Axis, ...]], ...]


@dataclass(frozen=True)
class Proposal:
    """A layer that has just the tensors that were asked about."""

    layer: str
    arguments: Mapping[str, Any]
    guessed: tuple[str, ...]
    """Arguments that the tensors do not tell."""


def proposals(tensors: Shapes) -> list[Proposal]:
    """The layers that fit, those first that need the fewest arguments beside what the tensors tell."""
    found = []
    for pattern in patterns().get(frozenset(tensors), ()):
        proposal = _solved(pattern, tensors)
        if proposal is not None:
            entry = find(pattern.layer)
            assert entry is not None
            optional = sum(not _required(entry, name) for name in proposal.arguments)
            found.append((optional + 2 * len(pattern.hidden), len(pattern.layer), proposal))
    return [proposal for _, _, proposal in sorted(found, key=lambda item: item[:2])]


@cache
def patterns() -> dict[frozenset[str], tuple[Pattern, ...]]:
    """Every pattern by the names of its tensors."""
    # Introspected out here: it computes with numbers, which the meta device does not have.
    entries = [entry for entry in map(find, layers()) if entry is not None]
    found: dict[frozenset[str], list[Pattern]] = {}
    for entry in entries:
        for pattern in _patterns(entry):
            found.setdefault(frozenset(key for key, _ in pattern.axes), []).append(pattern)
    return {keys: tuple(items) for keys, items in found.items()}


def _patterns(entry: Entry) -> Iterator[Pattern]:
    sizes, hidden = _telling(entry)
    base = None if sizes is None else _shapes(entry, sizes)
    if sizes is None or not base or len(base) > _TENSORS:
        return
    switches = [spec.name for spec in entry.parameters if spec.kinds == ["bool"]]
    flips = [
        (name, not _default(entry, name))
        for name in switches
        if _keys(_shapes(entry, {**sizes, name: not _default(entry, name)})) not in (None, _keys(base))
    ][:_SWITCHES]
    counts = [
        spec.name
        for spec in entry.parameters
        if spec.kinds[0] == "int"
        and isinstance(spec.default, int)
        and _keys(_shapes(entry, {**sizes, spec.name: 2})) not in (None, _keys(base))
    ][:1]
    depths: list[tuple[tuple[str, Any], ...]] = [((name, depth),) for name in counts for depth in _DEPTHS] or [()]
    seen = set()
    for chosen in itertools.product(*[[None, flip] for flip in flips]):
        for depth in depths:
            fixed = (*(flip for flip in chosen if flip is not None), *depth)
            axes = _axes(_shapes(entry, {**sizes, **dict(fixed)}), sizes)
            if axes and axes not in seen:
                seen.add(axes)
                yield Pattern(
                    entry.name, tuple(item for item in fixed if item[1] != _default(entry, item[0])), hidden, axes
                )


def _telling(entry: Entry) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    """Arguments of a size each that no other has; and those that have to be 1 for that."""
    primes = iter(_SIZES)
    sizes: dict[str, Any] = {}
    for spec in entry.parameters:
        if spec.required:
            value = _size(spec, primes)
            if value is None:
                return None, ()
            sizes[spec.name] = value
    hidden: tuple[str, ...] = ()
    shapes = _shapes(entry, sizes)
    if shapes is not None and not shapes:
        return None, ()
    if shapes is None:
        for name in sizes:
            if isinstance(sizes[name], int) and _shapes(entry, {**sizes, name: 1}) is not None:
                sizes, hidden = {**sizes, name: 1}, (name,)
                break
        else:
            return None, ()
    hidden = hidden or tuple(name for name in sizes if not _shows(entry, sizes, name))
    base = _keys(_shapes(entry, sizes))
    for spec in entry.parameters:
        if not spec.required and spec.kinds[0] == "int":
            tried = {**sizes, spec.name: next(primes, None)}
            if tried[spec.name] and _keys(_shapes(entry, tried)) == base and _shows(entry, tried, spec.name):
                sizes = tried
    return sizes, hidden


def _size(spec: ParameterSpec, primes: Iterator[int]) -> Any:
    match spec.kinds[0]:
        case "int":
            return next(primes, None)
        case "size" if spec.length and spec.length > 1:
            return tuple(itertools.islice(primes, spec.length))
        case "size" | "list":
            return (next(primes, 1),)
    return None


def _shows(entry: Entry, sizes: Mapping[str, Any], name: str) -> bool:
    axes = _axes(_shapes(entry, sizes), sizes) or ()
    return any(part == name or part.startswith(f"{name}.") for _, key_axes in axes for part, _ in key_axes)


def _default(entry: Entry, name: str) -> Any:
    return next(spec.default for spec in entry.parameters if spec.name == name)


def _shapes(entry: Entry, arguments: Mapping[str, Any]) -> dict[str, tuple[int, ...]] | None:
    """The tensors of a layer; None where it cannot be made so."""
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            state = resolve(entry.name)(**arguments).state_dict()
            return {name: tuple(tensor.shape) for name, tensor in state.items()}
        except _REFUSALS:
            return None


def _keys(shapes: Shapes | None) -> tuple[str, ...] | None:
    return None if shapes is None else tuple(shapes)


def _axes(shapes: Shapes | None, sizes: Mapping[str, Any]) -> tuple[tuple[str, tuple[Axis, ...]], ...] | None:
    if shapes is None:
        return None
    parts = {}
    for name, value in sizes.items():
        for index, number in enumerate(value if isinstance(value, tuple) else [value]):
            parts[f"{name}.{index}" if isinstance(value, tuple) else name] = number

    def axis(length: int) -> Axis:
        for part, number in parts.items():
            if number > 1 and length % number == 0 and length // number <= _FACTOR:
                return part, length // number
        return "", length

    return tuple((name, tuple(map(axis, shape))) for name, shape in shapes.items())


def _solved(pattern: Pattern, tensors: Shapes) -> Proposal | None:
    found: dict[str, int] = {}
    for name, axes in pattern.axes:
        shape = tensors[name]
        if len(shape) != len(axes):
            return None
        for length, (part, factor) in zip(shape, axes, strict=True):
            value, rest = (length, length - factor) if not part else divmod(length, factor)
            if rest or (found.setdefault(part, value) != value and part):
                return None
    found.pop("", None)
    entry = find(pattern.layer)
    assert entry is not None
    arguments = {**_arguments(found), **dict(pattern.fixed)}
    arguments = {
        k: v for k, v in arguments.items() if k in pattern.hidden or v != _default(entry, k) or _required(entry, k)
    }
    for guess in _GUESSES if pattern.hidden else (None,):
        attempt = {**arguments, **dict.fromkeys(pattern.hidden, guess)}
        if _shapes(entry, attempt) == dict(tensors):
            return Proposal(pattern.layer, attempt, pattern.hidden)
    return None


def _required(entry: Entry, name: str) -> bool:
    return any(spec.name == name and spec.required for spec in entry.parameters)


def _arguments(parts: Mapping[str, int]) -> dict[str, Any]:
    """Numbers by parameter; those of a size of several equal ones as one."""
    found: dict[str, Any] = {}
    for part, value in parts.items():
        name, _, index = part.partition(".")
        if index:
            found.setdefault(name, []).append(value)
        else:
            found[name] = value
    return {
        name: (value[0] if len(set(value)) == 1 else tuple(value)) if isinstance(value, list) else value
        for name, value in found.items()
    }
