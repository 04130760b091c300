"""The operations that a forward graph may call: an allow-list, made from torch's own lists.

A function of torch is an operation when torch lets its tensor functions be overridden (``torch.overrides``) and its
schema, or its place among the functions of ``torch.nn.functional``, says that it takes tensors and sizes and gives
tensors and sizes. Nothing else can be named: no file, process, hook, pickle, or setting of torch is in that list.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from types import FunctionType, NoneType
from typing import Any

import torch
from torch.overrides import get_ignored_functions, get_overridable_functions, get_testing_overrides

from layerloom.catalogue import words
from layerloom.catalogue.introspection import docstrings
from layerloom.catalogue.introspection.docstrings import Said
from layerloom.catalogue.introspection.forms import (
    Form,
    from_annotation,
    from_default,
    from_words,
    hints,
    of_kind,
    spec,
)
from layerloom.catalogue.introspection.schemas import Signature, of_builtin
from layerloom.catalogue.known import Known, Section
from layerloom.catalogue.overrides import amended, why_absent
from layerloom.schema.catalogue import Entry, Kind, ParameterSpec, Port

# Where operations are looked for, and how their schemas are called there.
NAMESPACES: dict[str, tuple[Any, str]] = {
    "torch": (torch, ""),
    "torch.nn.functional": (torch.nn.functional, ""),
    "torch.fft": (torch.fft, "fft_"),
    "torch.linalg": (torch.linalg, "linalg_"),
    "torch.special": (torch.special, "special_"),
    "torch.Tensor": (torch.Tensor, ""),
}
_PLACES = {"torch.fft": "fourier", "torch.linalg": "linear algebra", "torch.special": "special functions"}
# Facts of a tensor that a forward reads without calling.
PROPERTIES = ("shape", "dtype", "device", "ndim", "T", "mT", "H", "mH", "real", "imag")
OPERATORS = (
    *("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "neg", "pos", "abs", "getitem", "setitem"),
    *("eq", "ne", "lt", "le", "gt", "ge", "and_", "or_", "xor", "invert", "lshift", "rshift"),
)
_INPUT = ParameterSpec(name="input", kinds=["tensor"], required=True)
_OUTPUT = Port(name="output", path=[])
_NUMBERS: frozenset[Kind] = frozenset({"int", "float", "list"})


def operations() -> Section:
    """Every operation by its full name."""
    found = {name: Known(entry, target) for name, target in candidates() if (entry := _function(name, target))}
    found.update((name, Known(_property(name, target), target)) for name, target in _properties())
    found.update((name, Known(_operator(name, target), target)) for name, target in _operators())
    return {name: _with_summary(known, found) for name, known in found.items()}


def candidates() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every public function that torch lists as one on tensors, and those that make tensors."""
    listed = _listed()
    for place, (namespace, _) in NAMESPACES.items():
        for label in sorted(dir(namespace)):
            target = getattr(namespace, label) if not label.startswith("_") else None
            if not callable(target) or inspect.isclass(target):
                continue
            if _hashable(target) in listed or _unlisted(place, target):
                yield f"{place}.{label}", target


def _unlisted(place: str, target: Any) -> bool:
    """Whether torch's list passes over one on tensors: ``torch.nn.functional.hardswish``, ``torch.fft.fftfreq``."""
    if place in _PLACES:
        return inspect.isbuiltin(target)
    home = getattr(target, "__module__", "")
    return place == home == "torch.nn.functional" and hints(target).get("return") is torch.Tensor


def documented(name: str) -> Any | None:
    """What documents a name: the function itself, or the one that has its name in another namespace (``torch.relu``
    is described as ``torch.nn.functional.relu``). A function that nothing documents is no public interface of torch.
    """
    place, _, label = name.rpartition(".")
    homes = (place, *(() if place in _PLACES else ("torch", "torch.nn.functional", "torch.Tensor")))
    found = (getattr(NAMESPACES[home][0], label, None) for home in homes)
    return next((target for target in found if (getattr(target, "__doc__", None) or "").strip()), None)


def explained(name: str, target: Any) -> Any:
    """What tells most of an operation: of a method that only says ``See torch.permute``, that function."""
    place, _, label = name.rpartition(".")
    found = (documented(name) if place in NAMESPACES else None) or target
    refers = place == "torch.Tensor" and docstrings.summary(found).startswith(("See ", "In-place"))
    twin = documented(f"torch.{label.removesuffix('_')}") if refers else None
    return twin if twin is not None and not docstrings.summary(twin).startswith("See ") else found


@cache
def _listed() -> frozenset[Any]:
    overridable = {_hashable(function) for functions in get_overridable_functions().values() for function in functions}
    native = frozenset(dir(torch._C._VariableFunctions))
    makers = {f for f in get_ignored_functions() if getattr(f, "__name__", "") in native or _is_method(f)}
    return frozenset(overridable | {_hashable(maker) for maker in makers})


def _is_method(function: Any) -> bool:
    return getattr(torch.Tensor, getattr(function, "__name__", ""), None) is function


def _hashable(target: Any) -> Any:
    try:
        hash(target)
    except TypeError:
        return id(target)
    return target


def _function(name: str, target: Callable[..., Any]) -> Entry | None:
    place, _, label = name.rpartition(".")
    described = documented(name)
    if described is None or why_absent(name):
        return None
    method = place == "torch.Tensor"
    said = docstrings.arguments(docstrings.text_of(described))
    schema = NAMESPACES[place][1] + (label if method else target.__name__.removeprefix(NAMESPACES[place][1]))
    builtin = of_builtin(schema, said, method)
    if method and isinstance(getattr(torch, label, None), torch.dtype):
        builtin = Signature([_INPUT], [_OUTPUT])
    signature = _python(target, said, builtin) if isinstance(target, FunctionType) else builtin
    return _entry(name, signature, described) if signature else None


def _python(target: Callable[..., Any], said: Mapping[str, Said], builtin: Signature | None) -> Signature | None:
    """A function that is written in Python: its own signature, with what annotations and the schema tell of types."""
    home = getattr(target, "__module__", "")
    if builtin is None and home not in ("torch.nn.functional", "torch.functional", "torch._jit_internal"):
        return None
    annotations = hints(target)
    known = {parameter.name: parameter for parameter in (builtin.parameters if builtin else [])}
    many = set(builtin.many if builtin else ())
    parameters = []
    for parameter in _signature(target).parameters.values():
        label = "input" if parameter.name == "self" else parameter.name
        if label in ("out", "generator") or label.startswith("_") or parameter.kind is inspect.Parameter.VAR_KEYWORD:
            continue
        several = parameter.kind is inspect.Parameter.VAR_POSITIONAL
        form = (
            Form(frozenset({"tensor"}), many=True) if several else _form(parameter, annotations, said, known.get(label))
        )
        if form.many:
            many.add(label)
        made = spec(label, form, parameter.default, said.get(parameter.name))
        if several or parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            made = made.model_copy(update={"variadic": several, "keyword": not several})
        parameters.append(made)
    outputs = _results(annotations, builtin)
    return Signature(parameters, outputs, frozenset(many)) if parameters else None


def _signature(target: Callable[..., Any]) -> inspect.Signature:
    """A function's signature; of one that takes ``*args`` and dispatches, the one that torch tests it by."""
    signature = inspect.signature(target)
    if all(one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD) for one in signature.parameters.values()):
        dummy = get_testing_overrides().get(target)
        return inspect.signature(dummy) if dummy else signature
    return signature


def _form(
    parameter: inspect.Parameter, annotations: Mapping[str, Any], said: Mapping[str, Said], known: ParameterSpec | None
) -> Form:
    if parameter.name == "dtype":
        return Form(frozenset({"dtype"}), nullable=True)  # TorchScript's annotations say int
    annotation = annotations.get(parameter.name, NoneType)
    # BroadcastingList2[int], which TorchScript reads, is None to Python: one size for all axes, or one for each.
    form = from_annotation(annotation) if annotation is not NoneType else Form()
    words_say = from_words(said.get(parameter.name))
    if form.kinds & _NUMBERS:
        # Annotations are as narrow as TorchScript demands; the docstring knows that a tuple does as well.
        return form | Form(words_say.kinds & _NUMBERS)
    if form.kinds:
        return form
    if known is not None:
        return Form(frozenset(known.kinds), known.nullable, tuple(known.choices), known.length)  # type: ignore[arg-type]
    if parameter.name in annotations:
        return Form(frozenset({"size"}), nullable=parameter.default is None)
    if not words_say.kinds:
        words_say |= from_default(parameter.default)
    if not words_say.kinds and parameter.default is inspect.Parameter.empty:
        return of_kind("tensor")
    return words_say


def _results(annotations: Mapping[str, Any], builtin: Signature | None) -> list[Port]:
    if builtin is not None:
        return builtin.outputs
    parts = getattr(annotations.get("return"), "__args__", ())
    if getattr(annotations.get("return"), "__origin__", None) is tuple and Ellipsis not in parts:
        return [Port(name=f"output_{index}", path=[index]) for index in range(len(parts))]
    return [_OUTPUT]


def _entry(name: str, signature: Signature, described: Any) -> Entry:
    place, _, label = name.rpartition(".")
    category = _category(place, label, signature)
    parameters = [changed for parameter in signature.parameters if (changed := amended(name, parameter))]
    signature = replace(signature, parameters=parameters)
    return Entry(
        name=name,
        label=label,
        category=category,
        summary=docstrings.summary(described),
        link=words.link(name),
        parameters=parameters,
        inputs=signature.inputs,
        outputs=signature.outputs,
        options=[],
        tensors=[],
        tasks=[],
        keywords=words.keywords(label, category),
    )


def _category(place: str, label: str, signature: Signature) -> str:
    """Group in the palette: by namespace, by name, and else by what the schema tells."""
    if place in _PLACES:
        return _PLACES[place]
    if label.endswith("_") and place == "torch.Tensor":
        return "in place"
    if named := words.named_category(label):
        return named
    if place == "torch.Tensor" and (
        isinstance(getattr(torch, label, None), torch.dtype) or label in ("to", "type_as", "dtype", "device")
    ):
        return "type"
    if place == "torch.nn.functional":
        return "activation"
    if signature.random:
        return "random"
    if (
        not any(one.required and one.kinds == ["tensor"] for one in signature.parameters)
        or label.endswith("_like")
        or label.startswith("new_")
    ):
        return "creation"
    return "shape" if signature.view else "math"


def _properties() -> Iterator[tuple[str, Any]]:
    return ((f"torch.Tensor.{label}", getattr(torch.Tensor, label)) for label in PROPERTIES)


def _property(name: str, target: Any) -> Entry:
    return _entry(name, Signature([_INPUT], [_OUTPUT], view=True), target)


def _operators() -> Iterator[tuple[str, Any]]:
    special = {"setitem": _set_item}
    return ((f"operator.{label}", special.get(label, getattr(operator, label))) for label in OPERATORS)


def _set_item(tensor: Any, index: Any, value: Any) -> Any:
    """Overwrite a part of a tensor, ``x[index] = value``; the result is the tensor itself."""
    tensor[index] = value
    return tensor


def _operator(name: str, target: Callable[..., Any]) -> Entry:
    """Operands may be tensors or numbers; an index is any value of the grammar."""
    label = name.rpartition(".")[2]
    parameters = [_INPUT]
    if label in ("getitem", "setitem"):
        parameters.append(ParameterSpec(name="index", kinds=["any", "tensor"], required=True))
        if label == "setitem":
            parameters.append(ParameterSpec(name="value", kinds=["tensor", "float", "int", "bool"], required=True))
    elif len(inspect.signature(target).parameters) == 2:
        parameters.append(ParameterSpec(name="other", kinds=["tensor", "float", "int"], required=True))
    signature = Signature(parameters, [_OUTPUT])
    return _entry(name, signature, target)


def _with_summary(known: Known, found: Mapping[str, Known]) -> Known:
    """``See torch.permute`` says nothing: a method is described as the function of its name is."""
    entry = known.entry
    twin = found.get(f"torch.{entry.label.removesuffix('_')}")
    if twin is None or not entry.name.startswith("torch.Tensor.") or not entry.summary.startswith(("See ", "In-place")):
        return known
    said = f"{'In place: ' if entry.label.endswith('_') else ''}{twin.entry.summary}"
    described = {parameter.name: parameter.doc for parameter in twin.entry.parameters}
    parameters = [
        parameter if parameter.doc else parameter.model_copy(update={"doc": described.get(parameter.name, "")})
        for parameter in entry.parameters
    ]
    return Known(entry.model_copy(update={"summary": said, "parameters": parameters}), known.object)
