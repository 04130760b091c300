"""Signatures of torch's C++ functions, from the schemas that the JIT keeps of them.

A function has one schema per overload: ``mean(self)`` and ``mean(self, dim, keepdim)``. An entry merges them: a
parameter that every overload demands is required, a parameter of two types has two kinds.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch

from layerloom.catalogue.introspection.docstrings import Said
from layerloom.catalogue.introspection.forms import Form, spec
from layerloom.catalogue.overrides import OVERLOADS
from layerloom.schema.catalogue import Kind, ParameterSpec, Port

_KINDS: dict[str, frozenset[Kind]] = {
    "Tensor": frozenset({"tensor"}),
    "int": frozenset({"int"}),
    "float": frozenset({"float"}),
    "number": frozenset({"float", "int"}),
    "complex": frozenset({"float", "int"}),
    "bool": frozenset({"bool"}),
    "str": frozenset({"str"}),
    "ScalarType": frozenset({"dtype"}),
    "Device": frozenset({"any"}),
}
# What a document cannot write, or what is about memory and not about numbers. Such an argument is left out where it
# has a default; an overload that demands one is no operation.
_UNWRITABLE = frozenset({"Layout", "MemoryFormat", "Generator"})
_UNWANTED = frozenset({"pin_memory", "non_blocking", "out", "implicit", "requires_grad"})
# Results that a forward graph goes on with: tensors, and the sizes and facts that later nodes take as arguments.
_RESULTS = frozenset({"Tensor", "List[Tensor]", "int", "List[int]", "bool"})
_WRAPPED = re.compile(r"(Optional|List)\[(.*)\]")


@dataclass(frozen=True, slots=True)
class Signature:
    """What an operation takes and gives."""

    parameters: list[ParameterSpec]
    outputs: list[Port]
    many: frozenset[str] = frozenset()
    """Parameters that are lists of tensors."""
    view: bool = False
    """The result shares its memory with an argument: only the shape changes."""
    random: bool = False
    """It draws random numbers."""

    @property
    def inputs(self) -> list[Port]:
        """The parameters that may be connected."""
        return [
            Port(name=parameter.name, path=[], required=parameter.required, many=parameter.name in self.many)
            for parameter in self.parameters
            if "tensor" in parameter.kinds
        ]


@dataclass(frozen=True, slots=True)
class _Argument:
    """A parameter in one overload."""

    name: str
    form: Form
    default: Any
    keyword_only: bool


@dataclass(frozen=True, slots=True)
class _Overload:
    arguments: dict[str, _Argument]
    results: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """What the schemas of one name tell."""

    overloads: tuple[_Overload, ...]
    view: bool
    random: bool


def of_builtin(name: str, said: Mapping[str, Said], method: bool = False) -> Signature | None:
    """The merged signature of ``aten::<name>``, or None where no overload takes and gives what documents can hold."""
    known = _known(name)
    overloads = [one for one in known.overloads if not method or "input" in one.arguments]
    if not overloads:
        return None
    variadic = {_variadic(one, method) for one in overloads}
    single = variadic.pop() if len(variadic) == 1 else None
    return Signature(
        parameters=[_merged(argument, overloads, single, said) for argument in _names(overloads, method)],
        outputs=_outputs(overloads),
        many=frozenset(a.name for one in overloads for a in one.arguments.values() if a.form.many),
        view=known.view,
        random=known.random,
    )


@cache
def _known(name: str) -> _Known:
    """Read once for a function and for the method of the same name."""
    schemas = [schema for schema in torch._C._jit_get_schemas_for_operator(f"aten::{name}") if _is_public(schema)]
    return _Known(
        overloads=tuple(found for schema in schemas if (found := _overload(schema))),
        view=any(_is_view(schema) for schema in schemas),
        random=any(str(argument.type).endswith("Generator]") for schema in schemas for argument in schema.arguments),
    )


def _is_public(schema: Any) -> bool:
    """Overloads that Python offers: not those that write into ``out=``, nor those of the TorchScript language."""
    full_name = f"{schema.name}.{schema.overload_name}"
    if schema.overload_name.startswith("prim_") or full_name in OVERLOADS:
        return False
    if any(argument.is_out for argument in schema.arguments):
        return False
    tensors = (str(part.type) for part in (*schema.arguments, *schema.returns))
    return any("Tensor" in text for text in tensors)


def _overload(schema: Any) -> _Overload | None:
    results = tuple((part.name, str(part.real_type)) for part in schema.returns)
    if not results or any(kind not in _RESULTS for _, kind in results):
        return None
    arguments: dict[str, _Argument] = {}
    for argument in schema.arguments:
        form, optional = _form(argument), argument.has_default_value()
        if optional and (form is None or argument.name in _UNWANTED):
            continue
        if form is None:
            return None
        name = "input" if argument.name == "self" else argument.name
        default = argument.default_value if optional else inspect.Parameter.empty
        arguments[name] = _Argument(name, form, _python_default(argument, default), argument.kwarg_only)
    return _Overload(arguments, results)


def _form(argument: Any) -> Form | None:
    """The form of a schema's argument; None where a document cannot write it."""
    kind, nullable, several = str(argument.real_type), False, False
    while match := _WRAPPED.fullmatch(kind):
        nullable = nullable or match[1] == "Optional"
        several = several or match[1] == "List"
        kind = match[2]
    if kind in _UNWRITABLE or kind not in _KINDS:
        return None
    if kind == "Tensor":
        return Form(_KINDS[kind], nullable=nullable, many=several)
    if not several:
        return Form(_KINDS[kind], nullable=nullable)
    # `int[2] stride` takes one number for both axes, and `int[1] dim` one axis or several.
    length = argument.N if argument.N and argument.N > 1 else None
    return Form(frozenset({"size" if kind == "int" and argument.N else "list"}), nullable=nullable, length=length)


def _python_default(argument: Any, default: Any) -> Any:
    """Schemas know dtypes as numbers; all of those defaults are None, or float32."""
    return (
        None if str(argument.real_type).endswith("ScalarType") and default is not inspect.Parameter.empty else default
    )


def _variadic(overload: _Overload, method: bool) -> str | None:
    """The parameter that may be written as separate arguments: a list of ints that is the only positional one."""
    positional = [argument for argument in overload.arguments.values() if not argument.keyword_only][
        1 if method else 0 :
    ]
    if len(positional) == 1 and positional[0].form.kinds <= {"list", "size"}:
        return positional[0].name
    return None


def _names(overloads: Sequence[_Overload], method: bool) -> Iterator[str]:
    """All parameters, in the order of the fullest overload; the receiver of a method comes first."""
    fullest = sorted(overloads, key=lambda one: -len(one.arguments))
    names = dict.fromkeys(name for overload in fullest for name in overload.arguments)
    return iter(dict.fromkeys(("input", *names)) if method else names)


def _merged(name: str, overloads: Sequence[_Overload], variadic: str | None, said: Mapping[str, Said]) -> ParameterSpec:
    found = [overload.arguments[name] for overload in overloads if name in overload.arguments]
    form = Form()
    for argument in found:
        form |= argument.form
    optional = [one.default for one in found if one.default is not inspect.Parameter.empty]
    required = len(found) == len(overloads) and not optional
    default = inspect.Parameter.empty if required else (optional[0] if optional else None)
    made = spec(name, form, default, said.get(name))
    update: dict[str, Any] = {}
    if not required and not optional:
        # Missing from some overload: leaving it out means something, but None need not be allowed.
        update["nullable"] = form.nullable
    if all(argument.keyword_only for argument in found):
        update["keyword"] = True
    if name == variadic:
        update.update(variadic=True, kinds=["list"])
    return made.model_copy(update=update) if update else made


def _outputs(overloads: Sequence[_Overload]) -> list[Port]:
    """The result as a whole, or each part of a tuple by its name; both where overloads differ (``max``)."""
    ports: dict[str, Port] = {}
    for overload in overloads:
        if len(overload.results) == 1:
            ports.setdefault("output", Port(name="output", path=[], many=overload.results[0][1] == "List[Tensor]"))
        else:
            for index, (name, kind) in enumerate(overload.results):
                label = name or f"output_{index}"
                ports.setdefault(label, Port(name=label, path=[index], many=kind == "List[Tensor]"))
    return sorted(ports.values(), key=lambda port: len(port.path))


def _is_view(schema: Any) -> bool:
    return any(argument.alias_info and not argument.is_write for argument in schema.arguments)
