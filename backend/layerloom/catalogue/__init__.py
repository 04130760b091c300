"""What can be drawn, trained and measured: introspection of the installed torch and one override table.

>>> import layerloom
>>> layerloom.catalogue().layers[0].name
>>> from layerloom.catalogue import find, resolve
>>> find("torch.nn.Conv2d").parameters
>>> resolve("torch.nn.Conv2d")(3, 8, 3)

A name that is not in the catalogue does not exist: nothing is ever imported or looked up by attribute from a string
that a document carries. ``resolve`` reads a dictionary that was filled from torch's own lists.

How entries are to be read:

* ``parameters`` of a layer, initializer, optimizer… are what its constructor takes. Of an operation they are the whole
  signature in order, tensors included (kind ``tensor``); ``inputs`` names those that may be connected. A parameter of
  kinds ``["tensor", "float"]`` (``other`` of ``torch.add``) is both: it may be connected or typed in.
* The receiver of a ``torch.Tensor`` method or property, and the first operand of an ``operator`` function, is
  ``input``.
* ``variadic`` parameters are written as separate arguments: ``x.permute(0, 2, 1)``.
* Losses stand in ``layers`` as well as in ``losses``.
"""

from __future__ import annotations

import sys
from types import ModuleType

from layerloom.catalogue.content import (
    catalogue,
    dtype,
    find,
    initializers,
    layers,
    losses,
    metrics,
    nearest,
    operations,
    optimizers,
    parametrizations,
    resolve,
    schedulers,
    transforms,
)
from layerloom.catalogue.forget_gate import forget_gate_bias
from layerloom.catalogue.overrides import stored
from layerloom.catalogue.words import spoken
from layerloom.schema.catalogue import Catalogue

__all__ = [
    "catalogue",
    "dtype",
    "find",
    "forget_gate_bias",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "nearest",
    "operations",
    "optimizers",
    "parametrizations",
    "resolve",
    "schedulers",
    "spoken",
    "stored",
    "transforms",
]


class _CallableModule(ModuleType):
    """Importing a subpackage binds it to its name in ``layerloom``; so that ``layerloom.catalogue()`` is the function
    whatever was imported before, the module itself is callable."""

    def __call__(self, *, metrics: bool = True) -> Catalogue:
        return catalogue(metrics=metrics)


sys.modules[__name__].__class__ = _CallableModule
