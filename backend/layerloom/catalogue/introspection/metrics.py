"""Metrics of torchmetrics, found by trying each class on small predictions of each task.

This module is imported only when metrics are asked for: importing torchmetrics takes seconds.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

import torch
import torchmetrics.classification
import torchmetrics.regression
import torchmetrics.text

from layerloom.catalogue import words
from layerloom.catalogue.introspection import docstrings
from layerloom.catalogue.introspection.signatures import constructor
from layerloom.catalogue.known import Known, Section
from layerloom.catalogue.overrides import why_absent
from layerloom.schema.catalogue import Entry, ParameterSpec

_PLACES: tuple[ModuleType, ...] = (torchmetrics.classification, torchmetrics.regression, torchmetrics.text)
_DOCS = "https://lightning.ai/docs/torchmetrics/stable"
_CLASSES, _SAMPLES, _STEPS = 3, 6, 4
# What the data set tells; a plan leaves it to the trainer.
_OF_THE_DATA = frozenset({"num_classes"})
# Metrics that judge by a pretrained model would fetch it, gigabytes and all, as soon as they are made.
_PRETRAINED = frozenset({"model_name_or_path"})
_SEVERAL = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_REFUSALS = (RuntimeError, ValueError, TypeError, IndexError, AttributeError, NotImplementedError, ImportError, Warning)


def metrics() -> Section:
    """Every metric that takes what a network of some task gives and answers with one number, which makes a curve."""
    examples = _examples()
    found: Section = {}
    for name, cls in public_metrics():
        if not why_absent(name) and (tasks := _tasks(cls, examples)):
            found[name] = Known(_entry(name, cls, tasks), cls)
    return found


def public_metrics() -> Iterator[tuple[str, type[torchmetrics.Metric]]]:
    """The metric classes that torchmetrics offers for classes, numbers and text."""
    for place in _PLACES:
        for label in sorted(place.__all__):
            cls = getattr(place, label)
            if inspect.isclass(cls) and issubclass(cls, torchmetrics.Metric) and not _fetches(cls):
                yield f"{place.__name__}.{label}", cls


def _fetches(cls: type[torchmetrics.Metric]) -> bool:
    return not _PRETRAINED.isdisjoint(inspect.signature(cls).parameters)


def _examples() -> Mapping[str, tuple[torch.Tensor, torch.Tensor]]:
    """Predictions and targets of each task, as a training loop has them."""
    labels = torch.arange(_SAMPLES) % _CLASSES  # N
    tokens = torch.arange(_SAMPLES * _STEPS).view(_SAMPLES, _STEPS) % _CLASSES  # N × T
    numbers = torch.linspace(0.5, 2, _SAMPLES)  # N
    return {
        "classification": (torch.nn.functional.one_hot(labels, _CLASSES).float(), labels),  # N × C
        "tokens": (torch.nn.functional.one_hot(tokens, _CLASSES).float(), tokens),  # N × T × C
        "regression": (numbers.square(), numbers),
    }


def _tasks(cls: type[torchmetrics.Metric], examples: Mapping[str, tuple[torch.Tensor, torch.Tensor]]) -> list[str]:
    """The tasks whose predictions a metric accepts. Metrics of classes also serve tokens, one token being a sample."""
    place = cls.__module__.split(".")[1]
    tried = {"classification": ("classification",), "regression": ("regression",), "text": ("tokens",)}[place]
    tasks = [task for task in tried if _accepts(cls, *examples[task])]
    return [*tasks, "tokens"] if tasks == ["classification"] else tasks


def _accepts(cls: type[torchmetrics.Metric], predictions: torch.Tensor, targets: torch.Tensor) -> bool:
    needed: dict[str, Any] = {
        name: _CLASSES if name in _OF_THE_DATA else 1.0
        for name, parameter in inspect.signature(cls).parameters.items()
        if name in _OF_THE_DATA or (parameter.default is parameter.empty and parameter.kind not in _SEVERAL)
    }
    average = inspect.signature(cls).parameters.get("average")
    if average is not None and average.default in (None, "none"):
        needed["average"] = "macro"  # as in training, where a value for each class would be no curve
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            metric = cls(**needed)
            metric.update(predictions, targets)
            value = metric.compute()
            return isinstance(value, torch.Tensor) and value.numel() == 1
        except _REFUSALS:
            return False


def _entry(name: str, cls: type[torchmetrics.Metric], tasks: list[str]) -> Entry:
    place, page = cls.__module__.split(".")[1:3]
    return Entry(
        name=name,
        label=cls.__name__,
        category="metric",
        summary=docstrings.summary(cls),
        link=f"{_DOCS}/{place}/{page}.html",
        parameters=[_told(parameter) for parameter in constructor(cls, name)],
        keywords=words.keywords(cls.__name__, "metric"),
        tasks=tasks,
    )


def _told(parameter: ParameterSpec) -> ParameterSpec:
    told = {"auto": True, "required": True}
    return parameter.model_copy(update=told) if parameter.name in _OF_THE_DATA else parameter
