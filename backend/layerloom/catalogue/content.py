"""The catalogue as a whole: its sections, each introspected on first use, and look-up by name."""

from __future__ import annotations

import difflib
import gc
import hashlib
import threading
from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any, TypeVar

import torch

from layerloom.catalogue import own
from layerloom.catalogue.introspection import layers as _layers
from layerloom.catalogue.introspection import operations as _operations
from layerloom.catalogue.introspection import recipes as _recipes
from layerloom.catalogue.known import Known, Section
from layerloom.schema.catalogue import Catalogue, Entry

Made = TypeVar("Made")


# Of all sections together: they import one another's packages, which two threads at once have been seen not to end, and
# introspection changes what belongs to the whole process.
_introspecting = threading.RLock()


def _once(make: Callable[[], Made]) -> Callable[[], Made]:
    """Import and introspect on first use, one thread at a time; whoever asks for what is there waits for nobody.

    The garbage collector is at rest meanwhile: thousands of lasting objects are made at once, and each collection would
    walk through all of torch's as well (a quarter of the time).
    """
    made: list[Made] = []

    def given() -> Made:
        if not made:
            with _introspecting:
                if not made:
                    made.append(_undisturbed(make))
        return made[0]

    return given


def _undisturbed(make: Callable[[], Made]) -> Made:
    collecting = gc.isenabled()
    gc.disable()
    try:
        return make()
    finally:
        if collecting:
            gc.enable()


def _imported_metrics() -> Section:
    from layerloom.catalogue.introspection import metrics as introspected

    return introspected.metrics()


def _imported_transforms() -> ModuleType:
    from layerloom.catalogue.introspection import transforms as introspected

    return introspected


# Metrics and transforms stand apart: importing torchmetrics and torchvision takes seconds.
_SECTIONS: dict[str, Callable[[], Section]] = {
    "layers": _once(_layers.layers),
    "operations": _once(_operations.operations),
    "initializers": _once(_recipes.initializers),
    "parametrizations": _once(_recipes.parametrizations),
    "optimizers": _once(_recipes.optimizers),
    "schedulers": _once(_recipes.schedulers),
}

# The first that fits.
_PREFIXES = (
    ("torch.optim.lr_scheduler.", "schedulers"),
    ("torch.optim.", "optimizers"),
    ("torch.nn.init.", "initializers"),
    ("torch.nn.utils.", "parametrizations"),
    ("layerloom.", "initializers"),
    ("torch.nn.functional.", "operations"),
    ("torch.nn.", "layers"),
    ("", "operations"),
)


def layers() -> dict[str, Entry]:
    """Every concrete layer of ``torch.nn`` by name, losses included, and a person's own where they are in use."""
    return _entries("layers") | mine if (mine := own.entries(torch.nn.Module)) else _entries("layers")


def losses() -> dict[str, Entry]:
    """Every loss of ``torch.nn`` by name."""
    return _losses()


def operations() -> dict[str, Entry]:
    """Every function, Tensor method, Tensor property and operator that a forward graph may use, by name."""
    mine = own.entries(torch.autograd.Function)
    return _entries("operations") | mine if mine else _entries("operations")


def initializers() -> dict[str, Entry]:
    """Every initializer by name. Their first argument, the tensor, is no parameter of the entry."""
    return _entries("initializers")


def parametrizations() -> dict[str, Entry]:
    """Every parametrization by name. Their first argument, the layer, is no parameter of the entry."""
    return _entries("parametrizations")


def optimizers() -> dict[str, Entry]:
    """Every optimizer by name. ``params`` is no parameter of the entry."""
    return _entries("optimizers")


def schedulers() -> dict[str, Entry]:
    """Every learning rate scheduler by name. ``optimizer`` is no parameter of the entry."""
    return _entries("schedulers")


def metrics() -> dict[str, Entry]:
    """Every metric of torchmetrics that fits a task, by name. The first call imports torchmetrics (seconds)."""
    return _metric_entries()


def transforms() -> dict[str, Entry]:
    """Every transform of images by name. The first call imports torchvision (seconds)."""
    return _transform_entries()


def catalogue(*, metrics: bool = True) -> Catalogue:
    """The whole catalogue, without data sets. ``metrics=False`` leaves metrics and transforms empty and spares their
    imports."""
    return _catalogue(metrics)


@cache
def _catalogue(metrics: bool) -> Catalogue:
    parts = {name: list(_entries(name).values()) for name in _SECTIONS}
    parts["losses"] = list(_losses().values())
    parts["metrics"] = list(_metric_entries().values()) if metrics else []
    parts["transforms"] = list(_transform_entries().values()) if metrics else []
    content = Catalogue(torch=torch.__version__, digest="", **parts)
    digest = hashlib.sha256(content.model_dump_json().encode()).hexdigest()
    return content.model_copy(update={"digest": digest})


def find(name: str) -> Entry | None:
    """The entry of that full name, or None."""
    known = _known(name)
    return known.entry if known else None


def resolve(name: str) -> Any:
    """The class, function, method descriptor or property descriptor that an entry stands for.

    Raises:
        KeyError: the catalogue has no such name.
    """
    known = _known(name)
    if known is None:
        raise KeyError(name)
    return known.object


def nearest(name: str, count: int = 3) -> list[str]:
    """Known names most like a mistaken one, best first: by full name, by label or by search word."""
    words = _words()
    asked = name.rpartition(".")[2]
    close = (
        [asked.lower()] if asked.lower() in words else difflib.get_close_matches(asked.lower(), words, 3 * count, 0.7)
    )
    found = dict.fromkeys(known for word in close for known in words[word])
    return sorted(found, key=lambda known: (known.rpartition(".")[2] != asked, -_likeness(name, known)))[:count]


@cache
def _dtypes() -> dict[str, torch.dtype]:
    return {name: value for name, value in vars(torch).items() if isinstance(value, torch.dtype)}


def dtype(name: str) -> torch.dtype:
    """The dtype of that name: ``float32``.

    Raises:
        KeyError: torch has no such dtype.
    """
    return _dtypes()[name]


@cache
def _entries(section: str) -> dict[str, Entry]:
    return {name: known.entry for name, known in _SECTIONS[section]().items()}


@cache
def _losses() -> dict[str, Entry]:
    return {name: entry for name, entry in layers().items() if entry.category == "loss"}


_metrics = _once(_imported_metrics)
_transforms_module = _once(_imported_transforms)
_transforms: Callable[[], Section] = _once(lambda: _transforms_module().transforms())


@cache
def _metric_entries() -> dict[str, Entry]:
    return {name: known.entry for name, known in _metrics().items()}


@cache
def _transform_entries() -> dict[str, Entry]:
    return {name: known.entry for name, known in _transforms().items()}


def _known(name: str) -> Known | None:
    """A name tells its section, so that asking for an optimizer does not introspect a thousand operations."""
    if name.startswith(own.PREFIX):
        return own.known(name)
    if name.startswith("torchmetrics."):
        return _metrics().get(name)
    if name.startswith("torchvision."):
        known: Known | None = _transforms_module().transform(name)
        return known
    section = next(section for prefix, section in _PREFIXES if name.startswith(prefix))
    return _SECTIONS[section]().get(name)


@cache
def _words() -> dict[str, list[str]]:
    """Lower-case labels and search words, each with the names that it finds."""
    words: dict[str, list[str]] = {}
    for name, entry in (pair for section in _SECTIONS for pair in _entries(section).items()):
        for word in dict.fromkeys((entry.label.lower(), *(keyword.lower() for keyword in entry.keywords))):
            words.setdefault(word, []).append(name)
    return words


def _likeness(asked: str, known: str) -> float:
    return difflib.SequenceMatcher(None, asked.lower(), known.lower()).ratio()
