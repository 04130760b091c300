"""The layers of ``torch.nn``: constructor form, ports of ``forward``, names of parameters."""

from __future__ import annotations

import inspect
import re
import typing
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from layerloom.catalogue import words
from layerloom.catalogue.introspection import docstrings
from layerloom.catalogue.introspection.forms import chosen, from_annotation, hints, spec
from layerloom.catalogue.introspection.losses import tasks
from layerloom.catalogue.introspection.signatures import constructor
from layerloom.catalogue.known import Known, Section
from layerloom.catalogue.overrides import amended, why_absent
from layerloom.schema.catalogue import Entry, ParameterSpec, Port

# An argument of such a name must equal the size of an axis of the input. The suite learns from tiny instances which
# arguments do, and compares.
_AUTOMATIC = re.compile(
    r"in\d?_(features|channels)|num_(features|channels|parameters)|input_size|normalized_shape|[kv]dim|embed_dim|d_model"
)
_OUTPUTS = re.compile(r"^Outputs: *(.*(?:\n(?:.*\n)*)?)", re.M)
_NAME = re.compile(r"(?:^|[\s,(]|\*\*)(\w+)(?=[\s,)*]|$)")
_SIZE = 2


def layers() -> Section:
    """Every public class of ``torch.nn`` that is a module and has a form."""
    classes = {
        f"torch.nn.{cls.__name__}": cls for cls in public_modules() if not why_absent(f"torch.nn.{cls.__name__}")
    }
    found = {name: _entry(name, cls) for name, cls in classes.items()}
    with torch.device("meta"), _Uninitialized(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {
            name: Known(entry.model_copy(update={"tensors": _tensors(classes[name], entry)}), classes[name])
            for name, entry in found.items()
        }


def described(name: str, cls: type[torch.nn.Module], category: str) -> Entry:
    """The entry of a class that is not torch's own. Its constructor is run to see what it registers."""
    # The documentation of nn.Module is none of a class that says nothing of itself.
    own = {} if "__doc__" in vars(cls) and cls.__doc__ else {"summary": ""}
    found = _entry(name, cls).model_copy(update={"category": category, "link": "", "keywords": [], **own})
    with torch.device("meta"), _Uninitialized(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return found.model_copy(update={"tensors": _tensors(cls, found)})
        except Exception:  # of a constructor that is not torch's
            return found


def public_modules() -> Iterator[type[torch.nn.Module]]:
    """The module classes that ``torch.nn`` offers, in the order of their names."""
    for name in sorted(vars(torch.nn)):
        cls = getattr(torch.nn, name)
        if not name.startswith("_") and inspect.isclass(cls) and issubclass(cls, torch.nn.Module):
            yield cls


def _entry(name: str, cls: type[torch.nn.Module]) -> Entry:
    category = words.layer_category(cls)
    inputs, options = _ports(name, cls)
    return Entry(
        name=name,
        label=cls.__name__,
        category=category,
        summary=docstrings.summary(cls),
        link=words.link(name),
        parameters=[_sized(parameter, cls) for parameter in constructor(cls, name)],
        inputs=inputs,
        outputs=_outputs(cls),
        options=options,
        keywords=words.keywords(cls.__name__, category),
        tasks=tasks(cls, inputs) if category == "loss" else [],
    )


def _sized(parameter: ParameterSpec, cls: type) -> ParameterSpec:
    """A parameter with what its name tells: whether an input determines it, and how long a size of a 2d layer is."""
    update: dict[str, Any] = {}
    if _AUTOMATIC.fullmatch(parameter.name):
        update["auto"] = True
    dimensions = re.search(r"([123])d$", cls.__name__)
    if parameter.kinds[0] == "size" and parameter.length is None and dimensions:
        update["length"] = int(dimensions[1])
    return parameter.model_copy(update=update) if update else parameter


def _ports(name: str, cls: type[torch.nn.Module]) -> tuple[list[Port], list[ParameterSpec]]:
    """What a call takes: tensors as ports, anything else as options."""
    forward = chosen(cls.forward)
    annotations, said = hints(forward), docstrings.arguments(docstrings.text_of(cls.forward))
    ports, options = [], []
    for parameter in list(inspect.signature(forward).parameters.values())[1:]:
        form = from_annotation(annotations.get(parameter.name)) if parameter.name in annotations else None
        if form is None or "tensor" in form.kinds:
            required = parameter.default is inspect.Parameter.empty
            ports.append(Port(name=parameter.name, path=[], required=required, many=bool(form and form.many)))
        elif option := amended(name, spec(parameter.name, form, parameter.default, said.get(parameter.name))):
            options.append(option)
    return ports, options


def _outputs(cls: type[torch.nn.Module]) -> list[Port]:
    """What a call gives, from the annotation of its result, named as the docstring names it."""
    documented: Any = cls
    result = hints(chosen(cls.forward)).get("return")
    leaves = list(_leaves(result, []))
    if len(leaves) < 2:
        return [Port(name="output", path=[])]
    docs = (docstrings.text_of(documented), docstrings.text_of(cls.forward))
    fields = getattr(result, "_fields", None) or next(filter(None, map(_named_outputs, docs)), [])
    names = fields if len(fields) == len(leaves) else [f"output_{index}" for index in range(len(leaves))]
    return [Port(name=name, path=path) for name, path in zip(names, leaves, strict=True)]


def _leaves(annotation: Any, path: list[int | str]) -> Iterator[list[int | str]]:
    """Where the tensors stand in a result."""
    parts = typing.get_args(annotation) if typing.get_origin(annotation) is tuple else ()
    if hasattr(annotation, "_fields"):
        parts = (torch.Tensor,) * len(annotation._fields)
    if not parts:
        yield path
    for index, part in enumerate(parts):
        yield from _leaves(part, [*path, index])


def _named_outputs(doc: str) -> list[str]:
    """``Outputs: output, (h_n, c_n)``, or ``Outputs:`` and a list whose items begin with a name in bold."""
    match = _OUTPUTS.search(doc)
    if match is None:
        return []
    line, _, rest = match[1].partition("\n")
    return _NAME.findall(line) if line.strip() else re.findall(r"^\s*- \*\*(\w+)\*\*", rest, re.M)


class _Uninitialized(TorchFunctionMode):
    """Functions that fill a tensor are not run: nobody looks at the values, the generator stays where it is, and
    torch need not import its decompositions for the meta device (over a second)."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "")
        if name.endswith("_") and not name.endswith("__"):
            return args[0] if args else next(iter((kwargs or {}).values()))
        return func(*args, **(kwargs or {}))


def _tensors(cls: type[torch.nn.Module], entry: Entry) -> list[str]:
    """Names of the parameters that an instance registers, those that its arguments can switch on among them."""
    try:
        # Large defaults (a transformer's 512 features in 6 layers) are made small as well: only names are wanted.
        large = {
            parameter.name: _SIZE
            for parameter in entry.parameters
            if parameter.kinds == ["int"] and isinstance(parameter.default, int) and parameter.default > _SIZE
        }
        values = {parameter.name: example(parameter, _SIZE) for parameter in entry.parameters if parameter.required}
        return list(cls(**large, **values)._parameters)
    except (TypeError, ValueError, RuntimeError, AssertionError):
        return []


def example(parameter: ParameterSpec, size: int) -> Any:
    """A small value for a required parameter, as generic as can be; None where there is no telling."""
    match parameter.kinds[0]:
        case "int" | "size":
            return size
        case "float":
            return 1.0
        case "bool":
            return True
        case "list":
            return [size // 2] * (parameter.length or 1)
        case "layer" if parameter.choices:
            return getattr(torch.nn, str(parameter.choices[0]).rpartition(".")[2])(size, size)
        case _:
            return parameter.choices[0] if parameter.choices else None
