"""Runs a module once on fake tensors and writes down, for each module inside, the graph of what its forward calls.

Torch itself tells: a ``TorchFunctionMode`` hears every function, and a call of a module is heard as ``torch.fx``'s
tracer hears it. Nothing is computed. Every input has a batch of a size that nothing else has, a large prime, so that
sizes which follow from the batch are seen to do so, in whatever way Python came by them.
"""

from __future__ import annotations

import inspect
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch._dispatch.python import enable_python_dispatcher
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map_only

from layerloom.graph.importing import calls
from layerloom.graph.importing.closing import Closing, by_name
from layerloom.graph.importing.errors import ClosedError
from layerloom.graph.importing.leaves import layer_of
from layerloom.graph.importing.observed import Form, Seen, observed
from layerloom.graph.importing.proof import Call
from layerloom.graph.importing.scope import BATCH, Scope, follows
from layerloom.schema.document import Graph

_LOCK = threading.Lock()
"""Held while a recording listens to calls of modules: torch has one place for that in the whole process."""
_call = nn.Module.__call__
_CASTS = frozenset({"to", "type_as", "cuda", "cpu"})
"""Of all that these do, a document says what becomes of the dtype: it knows no devices."""
_STEPS = 20_000
"""Operations of one module that is not recorded; more are a loop over the samples."""


@dataclass(frozen=True)
class Recording:
    """What one call of a network did."""

    graphs: Mapping[str, Graph]
    """The forward of the network and of every module inside that is no layer of torch, by qualified name."""
    constants: Mapping[str, Mapping[str, torch.Tensor]]
    """Tensors that a forward reads and no module registers, by the module that reads them and a name."""


def recorded(root: nn.Module, call: Call, *, training: bool, closing: Closing | None = None) -> Recording:
    """Run a module on fakes of the arguments of a call, and write down what it does.

    ``root`` keeps its state and its mode. Modules that ``closing`` names are called and not looked into; where it may
    grow, those are added to it that do what a document cannot say.

    Raises:
        ClosedError: something is done that a document cannot say.
    """
    closing = closing or Closing()
    seen: Seen | None = None
    while True:
        before = set(closing.notes)
        try:
            recording = _recorded(root, call, training, closing, seen)
        except _Unseen:
            seen = observed(root, call, training)
            continue
        closing.settle()
        if set(closing.notes) == before:
            return recording


class _Unseen(BaseException):
    """A module gives what can only be seen in a run; no other code should catch this."""


def _recorded(root: nn.Module, call: Call, training: bool, closing: Closing, seen: Seen | None) -> Recording:
    modes = {module: module.training for module in root.modules()}
    recorder = _Recorder(root, closing, seen)
    calls.prepare()  # introspection calls modules of its own
    try:
        root.train(training)
        with _LOCK, restoring(root), warnings.catch_warnings(action="ignore"):
            recorder.run(call)
    except ClosedError:
        raise
    except Exception as error:  # the module's own code has failed
        raise ClosedError(
            f"it does not run on these inputs: {(str(error).splitlines() or [type(error).__name__])[0][:300]}"
        ) from error
    finally:
        for module, mode in modes.items():
            module.training = mode
    return Recording(recorder.graphs, recorder.constants)


@contextmanager
def restoring(root: nn.Module) -> Iterator[None]:
    """Put back the tensors of all modules, and forget what a forward leaves in them: caches, all of them fake."""
    kept = [
        (module, dict(module.__dict__), dict(module._parameters), dict(module._buffers)) for module in root.modules()
    ]
    try:
        yield
    finally:
        for module, attributes, parameters, buffers in kept:
            module.__dict__.clear()
            module.__dict__.update(attributes)
            module._parameters.clear()
            module._parameters.update(parameters)
            module._buffers.clear()
            module._buffers.update(buffers)


class _Recorder(TorchFunctionMode):
    def __init__(self, root: nn.Module, closing: Closing, seen: Seen | None) -> None:
        super().__init__()
        self._closing = closing
        self._seen = seen
        self._calls: dict[str, int] = {}
        self._steps = 0
        self.graphs: dict[str, Graph] = {}
        self.constants: dict[str, dict[str, torch.Tensor]] = {}
        self._root = root
        self._names: dict[int, list[str]] = {}
        for name, module in sorted(root.named_modules(remove_duplicate=False), key=lambda it: closing.within(it[0])):
            self._names.setdefault(id(module), []).append(name)
        self._tensors: dict[int, list[str]] = {}
        self._stack: list[Scope] = []
        self._silent = 0
        self._fake = FakeTensorMode(allow_non_fake_inputs=True)

    def run(self, call: Call) -> None:
        """Record the root."""
        given = call.mapped(self._faked, self._fake.from_tensor)
        self._fake_state()

        def heard(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
            return self._module(module, args, kwargs)

        nn.Module.__call__ = heard  # type: ignore[method-assign]
        try:
            with self._fake, enable_python_dispatcher(), self:
                self._open("", self._root, given.positional, dict(given.named))
        finally:
            nn.Module.__call__ = _call  # type: ignore[method-assign]

    def _fake_state(self) -> None:
        """Give every module fakes of its tensors, so that a forward that writes to them writes nowhere."""
        made: dict[int, torch.Tensor] = {}
        for module in self._root.modules():
            for held in (module._parameters, module._buffers):
                for name, tensor in held.items():
                    if tensor is not None:
                        if id(tensor) not in made:
                            made[id(tensor)] = self._fake.from_tensor(tensor)
                        held[name] = made[id(tensor)]  # type: ignore[assignment]
        for named in (self._root.named_parameters, self._root.named_buffers):
            for name, tensor in named(remove_duplicate=False):
                self._tensors.setdefault(id(tensor), []).append(name)

    def _faked(self, tensor: torch.Tensor) -> torch.Tensor:
        shape = (BATCH, *tensor.shape[1:]) if tensor.dim() else ()
        with self._fake:
            return torch.empty(shape, dtype=tensor.dtype, device=tensor.device)

    # --- functions

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        keywords = kwargs or {}
        name = getattr(func, "__name__", "")
        if name == "unbind" and _over_samples(*args, **keywords):
            where = self._stack[-1].path if self._stack else ""
            raise ClosedError(f"{where or 'the network'} goes through the batch, sample by sample")
        result = func(*args, **keywords)
        if self._silent or not self._stack:
            self._steps += 1
            if self._steps > _STEPS:
                raise ClosedError("it does more than can be followed: a step for every sample")
            return result
        if name in _CASTS and isinstance(args[0], torch.Tensor):
            if result is not args[0] and result.dtype is args[0].dtype:
                result = args[0]  # to another device, and there is but one
            if result is not args[0]:
                self._stack[-1].function("torch.Tensor.to", {"input": args[0], "dtype": result.dtype}, result)
            return result
        if name == "__get__":
            self._property(func, args[0], result)
        elif name == "__setitem__":
            tensor, index, value = args
            self._stack[-1].function("operator.setitem", {"input": tensor, "index": index, "value": value}, tensor)
        elif _holds_tensor(result):
            target, arguments = calls.named(func, args, keywords)
            self._stack[-1].function(target, arguments, result)
        return result

    def _property(self, function: Any, tensor: torch.Tensor, result: Any) -> None:
        scope = self._stack[-1]
        if isinstance(result, torch.Tensor) and not scope.knows(result):
            target = calls.attribute(function)
            if target is None:
                raise ClosedError("a tensor is read from an attribute that the catalogue does not have")
            scope.function(target, {"input": tensor}, result)

    # --- modules

    def _module(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self._silent or not self._stack:
            return _shortly(module, args, kwargs)
        if id(module) not in self._names and not any(True for _ in (*module.parameters(), *module.buffers())):
            return _call(module, *args, **kwargs)  # nobody holds it: what it does, its caller does
        scope = self._stack[-1]
        path, relative = self._path(scope, module)
        given = _named(module, args, kwargs)
        # Said before the call, which may put others into a list that it is given.
        said = {name: scope.value(value) for name, value in given.items() if _passed_on(value)}
        if path not in self._closing.notes and (layer_of(module) is None or _hooked(module)):
            try:
                result = self._open(path, module, args, kwargs)
            except Exception as error:
                self._closing.close(path, error)
                self.graphs.pop(path, None)
        if path in self._closing.notes or (layer_of(module) is not None and not _hooked(module)):
            result = self._silently(path, module, args, kwargs)
        if path in self._closing.notes:
            self._closing.given(path, by_name(inspect.signature(module.forward), given))
        if path not in self.graphs:
            said = {name: said[name] if name in said else scope.value(value) for name, value in given.items()}
        # A graph was recorded for just these numbers and switches; what it takes are tensors and their sizes.
        scope.call(relative, said, result)
        return result

    def _silently(self, path: str, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What a module gives, on fakes, or as it was seen to give it where it needs numbers."""
        count = self._calls[path] = self._calls.get(path, 0) + 1
        self._silent += 1
        self._steps = 0
        try:
            return _shortly(module, args, kwargs)
        except Exception as error:
            if not self._closing.keep:
                raise
            if self._seen is None:
                raise _Unseen from error
            forms = self._seen.get(path, [])
            form = forms[min(count, len(forms)) - 1] if forms else None
            if form is None:
                note = self._closing.notes.get(path)
                if note is None:
                    raise
                raise ClosedError(f"what {path} gives is not known before it runs: {note}") from error
            return tree_map_only(Form, lambda it: torch.empty(it.shape, dtype=it.dtype), form)
        finally:
            self._silent -= 1

    def _open(self, path: str, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a module and record what it does."""
        if _hooked(module):
            raise ClosedError(f"{path or 'the network'} has hooks, which a document cannot say")
        scope = Scope(path, module, self._tensors, self.constants.setdefault(path, {}))
        for name, value in _named(module, args, kwargs).items():
            if _passed_on(value):
                scope.take(name, value)
        self._stack.append(scope)
        try:
            result = _call(module, *args, **kwargs)
            graph = scope.graph(result)
        finally:
            self._stack.pop()
        known = self.graphs.setdefault(path, graph)
        if known != graph:
            raise ClosedError(f"{path} does something else each time that it is called")
        return result

    def _path(self, scope: Scope, module: nn.Module) -> tuple[str, str]:
        """Qualified name, and the same below the calling module."""
        prefix = f"{scope.path}." if scope.path else ""
        for name in self._names.get(id(module), []):
            if name.startswith(prefix):
                return self._names[id(module)][0], name.removeprefix(prefix)
        raise ClosedError(f"{scope.path or 'the network'} calls a {type(module).__name__} that it does not hold")


def _shortly(module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Call a layer. One that goes step by step over a sequence is spared a step for every sample of the batch."""
    steps = isinstance(module, nn.RNNBase) and not module.batch_first and args and args[0].dim() == 3
    if not steps or args[0].shape[0] != BATCH:
        return _call(module, *args, **kwargs)
    output, state = _call(module, args[0][:2], *args[1:], **kwargs)
    return output.new_empty((BATCH, *output.shape[1:])), state


def _named(module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of a call by the names of the forward's parameters, those that equal its defaults left out."""
    signature = inspect.signature(module.forward)
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError as error:
        raise ClosedError(f"{type(module).__name__}.forward: {error}") from None
    found: dict[str, Any] = {}
    for name, value in bound.arguments.items():
        parameter = signature.parameters[name]
        if parameter.kind is parameter.VAR_POSITIONAL:
            found.update((f"{name}_{index}", item) for index, item in enumerate(value, 1))
        elif parameter.kind is parameter.VAR_KEYWORD:
            found.update(value)
        elif _holds_tensor(value) or value is not parameter.default:
            found[name] = value
    return found


def _over_samples(tensor: torch.Tensor, dim: Any = 0, **_: Any) -> bool:
    """Whether an axis, which is to be taken apart, is that of the batch: a loop over a tensor does so."""
    return isinstance(dim, int) and tensor.dim() > 0 and follows(tensor.shape[dim])


def _passed_on(value: Any) -> bool:
    """Whether an argument is an input of a graph: it holds a tensor, or a size that follows from the batch."""
    if isinstance(value, dict):
        return any(_passed_on(item) for item in value.values())
    if isinstance(value, tuple | list):
        return any(_passed_on(item) for item in value)
    return isinstance(value, torch.Tensor) or follows(value)


def _holds_tensor(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_holds_tensor(item) for item in value.values())
    if isinstance(value, tuple | list):
        return any(_holds_tensor(item) for item in value)
    return isinstance(value, torch.Tensor)


def _hooked(module: nn.Module) -> bool:
    return bool(module._forward_hooks or module._forward_pre_hooks)
