"""Running the texts of a person's own layers, and what introspection then tells of the classes."""

from __future__ import annotations

import hashlib
import inspect
import linecache
import sys
import threading
import warnings
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import torch

from layerloom.catalogue.introspection import docstrings
from layerloom.catalogue.introspection.forms import hints, of_kind, spec
from layerloom.catalogue.introspection.layers import described
from layerloom.catalogue.introspection.signatures import form_of
from layerloom.catalogue.known import Known, Section
from layerloom.catalogue.own.text import PREFIX, CodeError, read
from layerloom.schema.catalogue import Entry, ParameterSpec, Port

CATEGORY = "your layers"
_lock = threading.Lock()
_allowed = False
_sources: dict[str, str] = {}
_section: Section = {}
_errors: dict[str, CodeError] = {}
_forgetting: list[Callable[[], None]] = []


def allow() -> None:
    """Let this process run the code that documents carry, from now on. It is as good as giving its writers a shell."""
    global _allowed
    _allowed = True


def allowed() -> bool:
    """Whether this process may run such code."""
    return _allowed


def on_change(forget: Callable[[], None]) -> None:
    """Have ``forget`` called whenever a name comes to mean another class: what is remembered by name is void then."""
    _forgetting.append(forget)


def use(sources: Mapping[str, str]) -> dict[str, CodeError]:
    """Make these texts, by the names of their classes, the ones that this process knows; those of before are gone.

    Nothing is run again that is known already. The errors of those that could not be run are given, by name.

    Raises:
        PermissionError: nothing of the kind is allowed here.
    """
    with _lock:
        if dict(sources) == _sources:
            return dict(_errors)
        if sources and not _allowed:
            raise PermissionError("this process may not run the code that documents carry")
        found: Section = {}
        errors: dict[str, CodeError] = {}
        for name, source in sources.items():
            try:
                found[PREFIX + name] = _known(name, _ran(name, source))
            except CodeError as error:
                errors[name] = error
        _replace(_section, found)
        _replace(_sources, sources)
        _replace(_errors, errors)
        for forget in _forgetting:
            forget()
    return errors


def _replace(kept: dict[str, Any], new: Mapping[str, Any]) -> None:
    kept.clear()
    kept.update(new)


def known(name: str) -> Known | None:
    """The class of that full name, among those in use."""
    return _section.get(name)


def entries(kind: type) -> dict[str, Entry]:
    """The entries in use: of layers for ``torch.nn.Module``, of operations for ``torch.autograd.Function``."""
    is_layer = kind is torch.nn.Module
    return {name: item.entry for name, item in _section.items() if inspect.isclass(item.object) == is_layer}


def _ran(name: str, source: str) -> Any:
    """The class that a text defines, run as a module of its own."""
    text = read(name, source)
    digest = hashlib.sha256(source.encode()).hexdigest()[:16]
    module = ModuleType(f"layerloom_own_{digest}")
    file = f"<your layer {name} {digest}>"
    module.__file__ = file
    # Tracebacks, torch.compile and inspect read the lines from here.
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    sys.modules[module.__name__] = module
    try:
        with warnings.catch_warnings(action="ignore"):
            exec(compile(text.source, file, "exec", dont_inherit=True), vars(module))  # noqa: S102  ``allow`` was called
    except MemoryError:
        raise
    except BaseException as error:
        raise CodeError(_said(error), _line(error, file)) from None
    return getattr(module, name, None)


def _known(name: str, cls: Any) -> Known:
    full = PREFIX + name
    try:
        if inspect.isclass(cls) and issubclass(cls, torch.nn.Module):
            return Known(described(full, cls, CATEGORY), cls)
        if inspect.isclass(cls) and issubclass(cls, torch.autograd.Function):
            return _function(full, cls)
    except (TypeError, ValueError) as error:
        raise CodeError(f"its signature cannot be read: {_said(error)}") from None
    raise CodeError(f"{name} is neither an nn.Module nor a torch.autograd.Function")


def _function(name: str, cls: type[torch.autograd.Function]) -> Known:
    """A Function as an operation: its call is ``apply``, with all that ``forward`` takes beside the context."""
    parameters = list(inspect.signature(cls.forward).parameters.values())
    separate = cls.setup_context is not torch.autograd.Function.setup_context
    given = parameters if separate else parameters[1:]
    if any(one.kind is not inspect.Parameter.POSITIONAL_OR_KEYWORD for one in given) or not given:
        raise CodeError("forward takes a context and then plain arguments, which apply is given by position")
    annotations, said = hints(cls.forward), docstrings.arguments(docstrings.text_of(cls))
    specs = [_argument(one, annotations, said.get(one.name)) for one in given]
    entry = Entry(
        name=name,
        label=cls.__name__,
        category=CATEGORY,
        summary=docstrings.summary(cls) if "__doc__" in vars(cls) else "",
        parameters=specs,
        inputs=[Port(name=one.name) for one in specs if "tensor" in one.kinds],
        outputs=[Port(name="output")],
    )
    signature = inspect.Signature(given)

    def apply(*args: Any, **kwargs: Any) -> Any:
        return cls.apply(*signature.bind(*args, **kwargs).args)

    return Known(entry, apply)


def _argument(parameter: inspect.Parameter, annotations: Mapping[str, Any], said: Any) -> ParameterSpec:
    """Every argument is needed: ``apply`` takes none by name, so that none can be passed over."""
    form = form_of(parameter, annotations, said)
    made = spec(parameter.name, form if form.kinds else of_kind("tensor"), parameter.default, said)
    return made.model_copy(update={"required": True})


def _said(error: BaseException) -> str:
    try:
        first = (str(error).strip().splitlines() or [""])[0][:300]
    except Exception:  # of a class that the text defines
        first = ""
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def _line(error: BaseException, file: str) -> int | None:
    trace, found = error.__traceback__, None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            found = trace.tb_lineno
        trace = trace.tb_next
    return found
