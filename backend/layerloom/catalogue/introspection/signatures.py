"""Parameters of Python classes and functions, from signature, annotations and docstring."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from typing import Any

import torch

from layerloom.catalogue.introspection import docstrings
from layerloom.catalogue.introspection.forms import Form, chosen, from_annotation, from_default, from_words, hints, spec
from layerloom.catalogue.overrides import amended
from layerloom.schema.catalogue import ParameterSpec

_SEVERAL = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
# Where a module lives is chosen when it is built, and a random generator cannot be written in a document.
PLACEMENT = frozenset({"self", "device", "dtype", "generator"})


def constructor(cls: type, name: str, without: Collection[str] = ()) -> list[ParameterSpec]:
    """What a class takes, without what only a program can give: tensors, generators and the place in memory."""
    init: Callable[..., Any] = cls.__init__  # type: ignore[misc]
    if init is torch.nn.Module.__init__:
        return []
    return of_function(chosen(init), name, documented=cls, without={*PLACEMENT, *without})


def of_function(
    function: Callable[..., Any], name: str, documented: Any = None, without: Collection[str] = PLACEMENT
) -> list[ParameterSpec]:
    """What a function takes, less ``without``, private parameters and ``*args``."""
    said = docstrings.arguments(docstrings.text_of(documented or function))
    annotations = hints(function)
    found = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in _SEVERAL or parameter.name in without or parameter.name.startswith("_"):
            continue
        words = said.get(parameter.name)
        form = form_of(parameter, annotations, words)
        made = spec(parameter.name, form, parameter.default, words)
        if made.kinds == ["tensor"] and not made.required:
            continue
        kinds = [kind for kind in made.kinds if kind != "tensor"] or made.kinds
        amendment = amended(name, made.model_copy(update={"kinds": kinds}))
        found += [amendment] if amendment else []
    return found


def form_of(parameter: inspect.Parameter, annotations: Any, said: docstrings.Said | None) -> Form:
    """The annotation decides; where there is none the default does, and at last the docstring."""
    form = from_annotation(annotations.get(parameter.name)) if parameter.name in annotations else Form()
    if not form.kinds:
        form |= from_default(parameter.default)
    if not form.kinds:
        form |= from_words(said)
    return form
