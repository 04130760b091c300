"""Where a step's first NaN or infinity came from: the call in the forward, or the one whose gradient it was."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode, resolve_name
from torch.utils._pytree import tree_leaves

_TORCH = str(Path(torch.__file__).parent)
_LARGE = 1e4
"""Weights beyond this are told of: they explain an infinity that no division explains."""


@dataclass(frozen=True)
class Origin:
    """A call that made a NaN or an infinity of finite numbers."""

    value: str
    """``NaN`` or ``infinity``."""
    function: str
    layer: str | None = None
    """Qualified name of the module that was running, empty for the outermost; None outside of all: in the loss."""
    kind: str = ""
    """Class of that module."""
    owner: str | None = None
    """Qualified name of the module in whose own forward the call was written that led there."""
    span: tuple[int | None, ...] = ()
    """Line, last line, column and last column of that call in the source of ``owner``'s class."""
    given: str = ""
    """Name of the buffer that held it before, or ``the batch``: then no call made it."""
    backward: bool = False
    weight: float = 0.0
    """The largest magnitude of the layer's own weights."""

    def __str__(self) -> str:
        where = "the loss" if self.layer is None else f"the layer {self.layer}" if self.layer else "the network"
        where += f" ({self.kind})" if self.kind else ""
        if self.given:
            return f"The {self.value} was in {self.given} already, which {self.function} in {where} was given."
        if self.backward:
            return f"Its forward was finite; the first {self.value} is in the gradient of {self.function} in {where}."
        grown = f" Its weights have grown to {self.weight:.1e}." if self.weight > _LARGE else ""
        return f"The first {self.value} came out of {self.function} in {where}." + grown


class OriginMode(TorchFunctionMode):
    """Watches every call of torch that a step of ``module`` makes.

    An infinity that is meant, such as a mask's, is none to be found: one that was given as a number or lies in a
    buffer, and what heals before it reaches the loss.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.found: Origin | None = None
        self._names = {id(part): name for name, part in module.named_modules()}
        self._held = {id(value): name for name, value in (*module.named_parameters(), *module.named_buffers())}
        self._stains: dict[int, tuple[Tensor, Origin | None]] = {}
        """Tensors that are not finite; without an origin where that is meant."""
        self._nodes: set[Any] = set()
        self._began = False

    def __torch_function__(
        self,
        function: Callable[..., Any],
        _types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Call it, and look at what comes out."""
        out = function(*args, **(kwargs or {}))
        if torch.is_grad_enabled():
            given = tree_leaves((args, kwargs))
            made = [args[0]] if function is Tensor.__setitem__ else tree_leaves(out)
            self._look(function, given, [value for value in made if isinstance(value, Tensor)])
        return out

    def _look(self, function: Callable[..., Any], given: list[Any], made: list[Tensor]) -> None:
        # Before the module runs, the batch is gathered.
        origin = None if self._began else self._here(function)
        if origin is not None and origin.layer is None:
            return
        self._began = True
        for out in made:
            if out.grad_fn is not None:
                origin = origin or self._here(function)
                self._follow(out.grad_fn, origin)
            value = bad(out)
            if not value:
                self._stains.pop(id(out), None)
                continue
            ours = {id(one) for one in made}
            sources = [one for one in given if isinstance(one, Tensor) and id(one) not in ours and bad(one)]
            origin = origin or self._here(function)
            stain = self._stain(sources, given, replace(origin, value=value))
            self._stains[id(out)] = (out, stain)
            if out.dim() == 0 and stain is not None and self.found is None:
                self.found = stain

    def _stain(self, sources: list[Tensor], given: list[Any], here: Origin) -> Origin | None:
        """Whom to blame for what came out of a call; None where an infinity is meant."""
        for source in sources:
            if id(source) in self._stains:
                known = self._stains[id(source)][1]
            elif bad(source) == "NaN":
                known = replace(here, given=self._held.get(id(source), "the batch"))
            else:
                known = None
            if known is not None:
                return known
        meant = sources or any(isinstance(one, float) and math.isinf(one) for one in given)
        return None if meant and here.value == "infinity" else here

    def _follow(self, node: Any, origin: Origin) -> None:
        """Look at the gradients of every step of the backward that a call has added."""
        waiting = [node]
        while waiting:
            node = waiting.pop()
            if node is None or node in self._nodes:
                continue
            self._nodes.add(node)
            waiting += [before for before, _ in node.next_functions]
            if node.next_functions:
                node.register_hook(lambda into, out, origin=origin: self._gradients(origin, into, out))

    def _gradients(self, origin: Origin, into: tuple[Any, ...], out: tuple[Any, ...]) -> None:
        if self.found is None:
            value = next(filter(None, map(bad, into)), "")
            if value and not any(bad(one) for one in out):
                self.found = replace(origin, value=value, backward=True)

    def _here(self, function: Callable[..., Any]) -> Origin:
        """The call that is running, by the frames that lead to it."""
        name = resolve_name(function) or getattr(function, "__name__", "a function")
        layer: tuple[str, nn.Module] | None = None
        for frame in _frames():
            module = frame.f_locals.get("self")
            if id(module) not in self._names or not isinstance(module, nn.Module):
                continue
            layer = layer or (self._names[id(module)], module)
            if not frame.f_code.co_filename.startswith(_TORCH):
                span = next(islice(frame.f_code.co_positions(), frame.f_lasti // 2, None))
                return _origin(name, layer, self._names[id(module)], span)
        return _origin(name, layer)


def bad(value: Any) -> str:
    """``NaN`` or ``infinity`` where a tensor holds one, empty otherwise."""
    if not isinstance(value, Tensor) or not (value.is_floating_point() or value.is_complex()):
        return ""
    value = value.detach()
    if value.layout is not torch.strided:
        value = value.coalesce().values() if value.layout is torch.sparse_coo else value.to_dense()
    if bool(value.isfinite().all()):
        return ""
    return "NaN" if bool(value.isnan().any()) else "infinity"


def _origin(
    name: str, layer: tuple[str, nn.Module] | None, owner: str | None = None, span: tuple[int | None, ...] = ()
) -> Origin:
    if layer is None:
        return Origin("", name, owner=owner, span=span)
    own = [value.detach().abs().max().item() for value in layer[1].parameters(recurse=False) if value.numel()]
    return Origin("", name, layer[0], type(layer[1]).__name__, owner, span, weight=max(own, default=0.0))


def _frames() -> Iterator[FrameType]:
    """Innermost first."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        yield frame
        frame = frame.f_back
