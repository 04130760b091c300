"""Initializers, parametrizations, optimizers and learning rate schedulers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.optim import Optimizer, lr_scheduler
from torch.optim.lr_scheduler import LRScheduler

from layerloom.catalogue import words
from layerloom.catalogue.forget_gate import forget_gate_bias
from layerloom.catalogue.introspection import docstrings
from layerloom.catalogue.introspection.signatures import PLACEMENT, constructor, of_function
from layerloom.catalogue.known import Known, Section
from layerloom.catalogue.overrides import why_absent
from layerloom.schema.catalogue import Entry, ParameterSpec


def initializers() -> Section:
    """Every public function of ``torch.nn.init`` that fills a tensor, and our own."""
    found = {f"torch.nn.init.{function.__name__}": function for function in public_initializers()}
    found["layerloom.forget_gate_bias"] = forget_gate_bias
    return {
        name: Known(_entry(name, function, "initializer", _filling(function, name)), function)
        for name, function in found.items()
        if not why_absent(name)
    }


def parametrizations() -> Section:
    """Every public function of ``torch.nn.utils.parametrizations`` that takes a layer and gives it back."""
    found = {f"{function.__module__}.{function.__name__}": function for function in public_parametrizations()}
    return {
        name: Known(_entry(name, function, "parametrization", _filling(function, name)), function)
        for name, function in found.items()
        if not why_absent(name)
    }


def optimizers() -> Section:
    """Every optimizer of ``torch.optim``."""
    found = {f"torch.optim.{cls.__name__}": cls for cls in public_optimizers()}
    return {
        name: Known(_entry(name, cls, "optimizer", constructor(cls, name, without={"params"})), cls)
        for name, cls in found.items()
        if not why_absent(name)
    }


def schedulers() -> Section:
    """Every scheduler of ``torch.optim.lr_scheduler`` that a plan can write."""
    found = {f"torch.optim.lr_scheduler.{cls.__name__}": cls for cls in public_schedulers()}
    # Where a schedule stands is told by the checkpoint, not by the plan; its parts are listed beside its arguments.
    without = {"optimizer", "last_epoch", "verbose", "schedulers"}
    made = {
        name: _entry(name, cls, "scheduler", constructor(cls, name, without=without))
        for name, cls in found.items()
        if not why_absent(name)
    }
    return {
        name: Known(
            entry.model_copy(update={"parts": "schedulers" in inspect.signature(found[name]).parameters}), found[name]
        )
        for name, entry in made.items()
    }


def public_initializers() -> Iterator[Callable[..., Any]]:
    """Functions of ``torch.nn.init`` that fill the tensor they are given."""
    for name, function in sorted(vars(torch.nn.init).items()):
        if inspect.isfunction(function) and name.endswith("_") and not name.startswith("_"):
            yield function


def public_parametrizations() -> Iterator[Callable[..., Any]]:
    """Functions of ``torch.nn.utils.parametrizations``."""
    for name in sorted(torch.nn.utils.parametrizations.__all__):
        yield getattr(torch.nn.utils.parametrizations, name)


def public_optimizers() -> Iterator[type[Optimizer]]:
    """Concrete optimizers."""
    for name, cls in sorted(vars(torch.optim).items()):
        if inspect.isclass(cls) and issubclass(cls, Optimizer) and cls is not Optimizer and not name.startswith("_"):
            yield cls


def public_schedulers() -> Iterator[type[LRScheduler]]:
    """Concrete schedulers."""
    for name, cls in sorted(vars(lr_scheduler).items()):
        if (
            inspect.isclass(cls)
            and issubclass(cls, LRScheduler)
            and cls is not LRScheduler
            and not name.startswith("_")
        ):
            yield cls


def _filling(function: Callable[..., Any], name: str) -> list[ParameterSpec]:
    """Parameters but for the first, which is the tensor that is filled, or the layer that is parametrized."""
    tensor = next(iter(inspect.signature(function).parameters))
    return of_function(function, name, without={*PLACEMENT, tensor})


def _entry(name: str, target: Any, category: str, parameters: list[ParameterSpec]) -> Entry:
    return Entry(
        name=name,
        label=target.__name__,
        category=category,
        summary=docstrings.summary(target),
        link="" if name.startswith("layerloom.") else words.link(name),
        parameters=parameters,
        keywords=words.keywords(target.__name__, category),
    )
