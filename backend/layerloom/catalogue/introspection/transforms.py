"""Transforms of ``torchvision.transforms.v2``, found by trying each class on small images.

This module is imported only when transforms are asked for: importing torchvision takes seconds.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torchvision.transforms import v2

from layerloom.catalogue import words
from layerloom.catalogue.introspection import docstrings
from layerloom.catalogue.introspection.signatures import constructor
from layerloom.catalogue.known import Known, Section
from layerloom.catalogue.overrides import why_absent
from layerloom.schema.catalogue import Entry, ParameterSpec

PLACE = "torchvision.transforms.v2"
FIXED, RANDOM = "preprocessing", "augmentation"
"""Categories: what gives the same image every time, and what draws random numbers."""
_DOCS = "https://docs.pytorch.org/vision/stable/generated"
_NUMBERS: tuple[float, ...] = (5, 0.25)
"""Tried for the first argument that has no default: a size, an odd kernel, bits; a share, a threshold."""
_SIZE = (48, 40)
_DRAWS = 8
_REFUSALS = (RuntimeError, ValueError, TypeError, IndexError, AttributeError, NotImplementedError, ImportError, Warning)


def transforms() -> Section:
    """Every transform that takes images of floats between 0 and 1, ``N×C×H×W``, and gives others in their place."""
    names = [f"{PLACE}.{cls.__name__}" for cls in public_transforms()]
    return {name: known for name in names if (known := transform(name)) is not None}


@cache
def transform(name: str) -> Known | None:
    """The one of that name, without trying the others."""
    cls = _named().get(name)
    if cls is None or why_absent(name):
        return None
    parameters = constructor(cls, name)
    category = _category(cls, parameters)
    return None if category is None else Known(_entry(name, cls, category, parameters), cls)


@cache
def _named() -> dict[str, type[v2.Transform]]:
    return {f"{PLACE}.{cls.__name__}": cls for cls in public_transforms()}


def public_transforms() -> Iterator[type[v2.Transform]]:
    """The classes that torchvision offers."""
    for name, cls in sorted(vars(v2).items()):
        if inspect.isclass(cls) and issubclass(cls, v2.Transform) and not name.startswith("_"):
            yield cls


def _category(cls: type[v2.Transform], parameters: list[ParameterSpec]) -> str | None:
    """None for a class that takes no images, gives something else, or changes nothing."""
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for arguments in _examples(parameters):
            torch.manual_seed(0)  # the catalogue is the same every time
            try:
                looks = [_look(cls(**arguments), torch.rand(2, channels, *_SIZE)) for channels in (3, 1)]
            except _REFUSALS:
                continue
            if any(changed for changed, _ in looks):
                return RANDOM if any(drawn for _, drawn in looks) else FIXED
    return None


def _examples(parameters: list[ParameterSpec]) -> Iterator[dict[str, Any]]:
    """Arguments to try: those that are needed, and next those, too, that are None where they are not given."""
    for optional in (False, True):
        for number in _NUMBERS:
            given = {
                spec.name: _example(spec, number + place if number > 1 else number)
                for place, spec in enumerate(parameters)
                if spec.required or (optional and spec.default is None and "float" in spec.kinds)
            }
            yield given | {spec.name: 0.5 for spec in parameters if spec.name == "p"}


def _example(spec: ParameterSpec, number: float) -> Any:
    if spec.choices:
        return spec.choices[0]
    one = {"int", "float", "size"} & set(spec.kinds)
    return number if one else [number] * (spec.length or 1)


def _look(transform: Any, images: Tensor) -> tuple[bool, bool]:
    """Whether images change, and whether random numbers are drawn for it.

    Raises:
        TypeError: what comes out are no images.
    """
    changed = drawn = False
    for _ in range(_DRAWS):
        before = torch.get_rng_state()
        out = transform(images.clone())
        if not isinstance(out, Tensor) or out.dim() != 4 or out.dtype != images.dtype or len(out) != len(images):
            raise TypeError("these are no images")
        changed |= out.shape != images.shape or not torch.equal(out, images)
        drawn |= not torch.equal(before, torch.get_rng_state())
        if changed and drawn:
            break
    return changed, drawn


def _entry(name: str, cls: type[v2.Transform], category: str, parameters: list[ParameterSpec]) -> Entry:
    return Entry(
        name=name,
        label=cls.__name__,
        category=category,
        summary=docstrings.summary(cls),
        link=f"{_DOCS}/{name}.html",
        parameters=parameters,
        keywords=words.keywords(cls.__name__, "transform"),
    )
