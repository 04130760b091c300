"""Transforms of images, as a plan lists them: built from the catalogue, and applied to a batch at a time."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from layerloom.data.dataset import DataError
from layerloom.schema.plan import Transform
from layerloom.schema.problems import Problem, ProblemCode

Part = Literal["training", "validation"]
PARTS: tuple[Part, ...] = get_args(Part)
PLACE = "/plan/transforms"
REFUSALS = (TypeError, ValueError, RuntimeError, AssertionError, AttributeError, LookupError, ArithmeticError)
"""What torchvision raises at arguments or images that it does not take."""
_TRIES = 3
"""Passes over two images before the start, because what is random may go well once."""


class TransformError(DataError):
    """A transform that cannot be used; ``place`` is its number in the plan's list, none for the whole list."""

    def __init__(self, message: str, place: int | None = None, **data: Any) -> None:
        super().__init__(ProblemCode.PLAN_INVALID, message, **data)
        pointer = PLACE if place is None else f"{PLACE}/{place}"
        self.problem: Problem = self.problem.model_copy(update={"pointer": pointer})


@dataclass(frozen=True)
class Stage:
    """One transform, at its place in the plan's list."""

    place: int
    label: str
    transform: Any
    draws: Literal["never", "each", "each by lot", "once"]
    """``each by lot``: an image either takes it or not, and there is nothing else to draw."""

    def __call__(self, images: Tensor | list[Tensor]) -> Tensor | list[Tensor]:
        """Images of one size as a tensor, others as a list.

        Raises:
            TransformError: torchvision refuses them.
        """
        try:
            if isinstance(images, Tensor):
                if self.draws in ("never", "once"):
                    out: Tensor = self.transform(images)
                    return out
                if self.draws == "each by lot":
                    return self._by_lot(images)
            return _together([self.transform(image) for image in images])
        except REFUSALS as error:
            if isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error):
                raise
            first = str(error).partition("\n")[0][:500]
            sizes = "×".join(map(str, images[0].shape))
            raise TransformError(f"{self.label} refuses images of {sizes}: {first}", self.place) from error

    def _by_lot(self, images: Tensor) -> Tensor:
        taken = (torch.rand(len(images)) < self.transform.p).to(images.device)
        surely = copy.copy(self.transform)
        surely.p = 1.0
        out = images.clone()
        out[taken] = surely(images[taken])
        return out


@dataclass(frozen=True)
class Pipeline:
    """Transforms in order. Random numbers are drawn from torch's generators."""

    stages: tuple[Stage, ...]

    @property
    def random(self) -> bool:
        """Whether any number is drawn."""
        return any(stage.draws != "never" for stage in self.stages)

    def __call__(self, images: Tensor) -> Tensor:
        """``N×C×H×W`` of floats to the like, of other sizes perhaps.

        Raises:
            TransformError: an image cannot be transformed, or they come out in several sizes.
        """
        made: Tensor | list[Tensor] = images
        for stage in self.stages:
            made = stage(made)
        if isinstance(made, list):
            sizes = sorted({"×".join(map(str, image.shape)) for image in made})
            raise TransformError(
                f"Images come out in several sizes ({', '.join(sizes[:3])}). Add a transform to the end that makes "
                "them equal, such as a crop.",
                self.stages[-1].place,
            )
        return made

    def shape(self, shape: Sequence[int]) -> list[int]:
        """The shape of a sample that comes out, for ``C×H×W`` that go in. No random number counts as drawn.

        Raises:
            TransformError: see ``__call__``; or what comes out are no images of floats, or differ in size.
        """
        last = self.stages[-1].place if self.stages else None
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(0)
            found = [self(torch.rand(2, *shape)) for _ in range(_TRIES)]
        first = found[0]
        if first.dim() != 4 or not first.is_floating_point():
            raise TransformError(
                f"What comes out are no images of floats but {first.dtype} of {first.dim()} axes.", last
            )
        if any(one.shape != first.shape for one in found):
            raise TransformError("Images come out in another size each time. Add a crop, or another resize.", last)
        return list(first.shape[1:])


@dataclass(frozen=True)
class ImageTransform:
    """A pipeline in front of one input of a network, which takes samples of this shape."""

    input: str
    pipeline: Pipeline
    sample: tuple[int, ...]

    @property
    def random(self) -> bool:
        """Whether random numbers are drawn."""
        return self.pipeline.random

    def __call__(self, images: Tensor) -> Tensor:
        """Images as the network takes them."""
        return self.pipeline(images).reshape(len(images), *self.sample).contiguous()

    def __str__(self) -> str:
        return ", ".join(stage.label for stage in self.pipeline.stages) or "none"


def pipeline(transforms: Sequence[Transform], part: Part) -> Pipeline:
    """Those of a plan's transforms that a part of the data passes through.

    Raises:
        TransformError: an unknown one, or arguments that torchvision refuses.
    """
    return Pipeline(tuple(_stages(transforms, part)))


def _stages(transforms: Sequence[Transform], part: Part) -> Iterator[Stage]:
    from layerloom.catalogue import find

    for place, choice in enumerate(transforms):
        entry = find(choice.name) if choice.name.startswith("torchvision.") else None
        if entry is None:
            raise TransformError(f"There is no transform named {choice.name[:100]!r}.", place)
        random = entry.category == "augmentation"
        if random and choice.use in ("validation", "both"):
            raise TransformError(
                f"{entry.label} draws random numbers, and validation has to see the same images every time. Use it "
                "for training only.",
                place,
            )
        for spec in entry.parameters:
            if spec.required and choice.arguments.get(spec.name) is None:
                raise TransformError(f"{entry.label} needs a value for {spec.name}.", place)
        if part in _parts(choice, random=random):
            made = _made(choice, entry.label, place)
            yield Stage(place, entry.label, made, _draws(made, choice) if random else "never")


def _parts(choice: Transform, *, random: bool) -> tuple[str, ...]:
    use = choice.use or ("training" if random else "both")
    return PARTS if use == "both" else (use,)


def _made(choice: Transform, label: str, place: int) -> Any:
    from layerloom.catalogue import resolve
    from layerloom.catalogue.plain import plain

    cls = resolve(choice.name)
    try:
        given = {name: plain(value) for name, value in choice.arguments.items()}
        enums = _enums(cls)
        return cls(**{name: enums[name](value) if name in enums else value for name, value in given.items()})
    except REFUSALS as error:
        raise TransformError(f"{label} refuses its arguments: {str(error)[:500]}", place, name=choice.name) from error


@cache
def _enums(cls: type) -> dict[str, type[Enum]]:
    """Parameters whose default is of an enumeration; documents write its values."""
    defaults = {name: type(item.default) for name, item in inspect.signature(cls).parameters.items()}
    return {name: kind for name, kind in defaults.items() if issubclass(kind, Enum)}


def _draws(made: Any, choice: Transform) -> Literal["each", "each by lot", "once"]:
    from torchvision.transforms.v2 import Transform as Base

    if choice.draws == "batch":
        return "once"
    has_lot = isinstance(getattr(made, "p", None), float)
    return "each by lot" if has_lot and type(made).make_params is Base.make_params else "each"


def _together(images: list[Tensor]) -> Tensor | list[Tensor]:
    same = len({image.shape for image in images}) == 1
    return torch.stack(images) if same else images
