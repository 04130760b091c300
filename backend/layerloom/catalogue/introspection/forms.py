"""From an annotation, a default and a docstring to the form control that edits a parameter."""

from __future__ import annotations

import collections.abc
import enum
import inspect
import math
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal, get_args, get_origin

import torch

from layerloom.catalogue.introspection.docstrings import Said
from layerloom.schema.catalogue import Kind, ParameterSpec
from layerloom.schema.values import DType, FunctionRef, NonFinite, Tuple, Value

# Names that torch's annotations use and that their own module imports for type checkers only.
_NAMES: dict[str, Any] = {**vars(collections.abc), **vars(typing), "torch": torch, "Tensor": torch.Tensor}
_SIMPLE: dict[Any, Kind] = {
    bool: "bool",
    int: "int",
    float: "float",
    str: "str",
    torch.Tensor: "tensor",
    torch.dtype: "dtype",
    torch.Size: "list",
    complex: "float",
}
_WORDS: tuple[tuple[str, Kind], ...] = (
    ("bool", "bool"),
    ("tuple", "list"),
    ("list", "list"),
    ("sequence", "list"),
    ("int", "int"),
    ("float", "float"),
    ("number", "float"),
    ("scalar", "float"),
    ("str", "str"),
    ("dtype", "dtype"),
    ("tensor", "tensor"),
    ("callable", "function"),
    ("module", "layer"),
)
_ORDER: tuple[Kind, ...] = (
    *("layer", "tensor", "size", "float", "int", "list", "bool", "dtype", "choice", "str", "function", "any"),
)


@dataclass(frozen=True, slots=True)
class Form:
    """How a value is edited; no kinds at all means that nothing is known."""

    kinds: frozenset[Kind] = frozenset()
    nullable: bool = False
    choices: tuple[str | int | float | bool, ...] = ()
    length: int | None = None
    many: bool = False
    """A list of tensors."""

    def __or__(self, other: Form) -> Form:
        """Either of two."""
        return Form(
            kinds=self.kinds | other.kinds,
            nullable=self.nullable or other.nullable,
            choices=tuple(dict.fromkeys((*self.choices, *other.choices))),
            length=self.length if self.length is not None else other.length,
            many=self.many or other.many,
        )

    @property
    def preferred(self) -> list[Kind]:
        """Kinds in the order in which a form offers them. A size covers the int and the tuple that it is made of."""
        kinds = self.kinds
        if {"int", "list"} <= kinds or "size" in kinds:
            kinds = (kinds - {"int", "list"}) | {"size"}
        return [kind for kind in _ORDER if kind in kinds]


def of_kind(*kinds: Kind) -> Form:
    """A form of these kinds."""
    return Form(kinds=frozenset(kinds))


def from_annotation(annotation: Any) -> Form:
    """What an annotation tells; nothing for one that is missing or that means everything."""
    if annotation is None or annotation is type(None):
        return Form(nullable=True)
    if annotation in _SIMPLE:
        return of_kind(_SIMPLE[annotation])
    if inspect.isclass(annotation) and issubclass(annotation, torch.nn.Module):
        # Which layers fit: any, or those of one class.
        any_layer = annotation is torch.nn.Module
        return Form(kinds=frozenset({"layer"}), choices=() if any_layer else (f"torch.nn.{annotation.__name__}",))
    if inspect.isclass(annotation) and issubclass(annotation, enum.Enum):
        return Form(kinds=frozenset({"choice"}), choices=tuple(member.value for member in annotation))
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return _either(from_annotation(part) for part in inner)
    if origin is Literal:
        return Form(kinds=frozenset({"choice"}), choices=inner)
    if origin is collections.abc.Callable or annotation is Callable:
        return of_kind("function")
    if annotation in (tuple, list) or origin in (tuple, list, collections.abc.Sequence):
        return _sequence(origin, inner)
    return Form()


def from_default(default: Any) -> Form:
    """What a default value tells of its parameter."""
    if default is None or default is inspect.Parameter.empty:
        return Form(nullable=default is None)
    if isinstance(default, (list, tuple)):
        return Form(kinds=frozenset({"list"}), length=len(default) or None)
    if type(default) in _SIMPLE:
        return of_kind(_SIMPLE[type(default)])
    return of_kind("function") if callable(default) else Form()


def from_words(said: Said | None) -> Form:
    """What a docstring's ``(int or tuple, optional)`` tells."""
    text = said.type.lower() if said else ""
    found = [kind for word, kind in _WORDS if re.search(rf"\b{word}", text)]
    return Form(kinds=frozenset(found), nullable="none" in text)


def spec(name: str, form: Form, default: Any = inspect.Parameter.empty, said: Said | None = None) -> ParameterSpec:
    """The wire form of a parameter, with the choices and the sentence that its docstring has."""
    form = _with_choices(form, default, said)
    return ParameterSpec(
        name=name,
        kinds=form.preferred or ["any"],
        required=default is inspect.Parameter.empty,
        default=None if default is inspect.Parameter.empty else value(default),
        nullable=form.nullable or default is None,
        choices=list(form.choices),
        length=form.length,
        doc=said.sentence() if said else "",
    )


def value(plain: Any) -> Value:
    """A Python value in the grammar of documents; None for what a document cannot write."""
    if isinstance(plain, enum.Enum):
        return value(plain.value)
    if isinstance(plain, float) and not math.isfinite(plain):
        return NonFinite(text=typing.cast(Any, str(plain)))
    if isinstance(plain, tuple):
        return Tuple(items=[value(item) for item in plain])
    if isinstance(plain, list):
        return [value(item) for item in plain]
    if isinstance(plain, torch.dtype):
        return DType(dtype=str(plain).removeprefix("torch."))
    if isinstance(plain, types.FunctionType | types.BuiltinFunctionType):
        return FunctionRef(name=f"{plain.__module__}.{plain.__name__}")
    return plain if isinstance(plain, bool | int | float | str) else None


def hints(function: Callable[..., Any]) -> Mapping[str, Any]:
    """A function's annotations, resolved; those that cannot be are left out."""
    try:
        return typing.get_type_hints(function, localns=_NAMES)
    except (NameError, TypeError, AttributeError):
        return {name: hint for name, hint in function.__annotations__.items() if not isinstance(hint, str)}


@lru_cache(maxsize=1024)
def chosen(function: Callable[..., Any]) -> Callable[..., Any]:
    """The fullest of a function's typed overloads, or the function itself."""
    overloads = typing.get_overloads(function)
    return max(overloads, key=lambda one: len(inspect.signature(one).parameters), default=function)


def _either(forms: Iterable[Form]) -> Form:
    found = Form()
    for form in forms:
        found |= form
    return found


def _sequence(origin: Any, inner: tuple[Any, ...]) -> Form:
    items = [item for item in inner if item is not Ellipsis]
    if items and all("tensor" in from_annotation(item).kinds for item in items) and torch.Tensor in items:
        return Form(kinds=frozenset({"tensor"}), many=True)
    fixed = origin is tuple and Ellipsis not in inner
    return Form(kinds=frozenset({"list"}), length=len(items) if fixed and items else None)


def _with_choices(form: Form, default: Any, said: Said | None) -> Form:
    """Text of which the docstring names the possible values becomes a choice of them."""
    if "str" not in form.kinds or said is None:
        return form
    named = said.choices()
    if len(named) < 2 or (isinstance(default, str) and default not in named):
        return form
    return replace(form, kinds=(form.kinds - {"str"}) | {"choice"}, choices=tuple(named))
