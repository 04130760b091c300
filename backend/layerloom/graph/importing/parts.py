"""Parts of a network by themselves, given what the network gives them: seen in one run of the whole.

What goes into a part is not known from outside, and the whole may do what no document can say: a detector resizes
images and drops boxes by their scores, and its backbone and heads are plain networks all the same. Parts that hand
their results to each other can be taken out together.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.utils._pytree import tree_leaves, tree_unflatten

from layerloom.graph.importing.errors import ClosedError
from layerloom.graph.importing.hearing import Heard, heard
from layerloom.graph.importing.proof import SEED, Call, equal, kept
from layerloom.graph.names import is_identifier

AND = "+"
"""Between the names of parts that are taken out together."""
_SAMPLES = 2
"""Of the samples that a part is given, so many are enough: a detector's heads are given thousands of boxes."""
_SHOWN = 12
_UNCALLED = "{} is not called by the network in evaluation"
_PLAIN = (bool, int, float, complex, str, torch.dtype, torch.device, type(None))


@dataclass(frozen=True)
class Part:
    """A part of a network, or several that call one another's results."""

    module: nn.Module
    """Takes one tensor for each input; its own tensors are the network's."""
    call: Call
    notes: Sequence[str]
    """What its inputs are in the network."""


def part_of(root: nn.Module, call: Call, wanted: str) -> Part:
    """The part ``backbone`` of a network, or ``backbone+head``, with the arguments of its first call in evaluation.

    One part has the keys of its own state_dict, several have the network's, so that a state_dict of the network fits.
    A list or dict of tensors comes apart: each of them is an input by itself.

    Raises:
        ClosedError: there is no such part, it is given what is no tensor, or takes no batch of another size.
    """
    paths = [path.strip() for path in wanted.split(AND)]
    for path in paths:
        _check_path(root, path, paths)
    calls, failure = heard(root, call, paths)
    first = {one.path: one for one in reversed(calls)}
    for path in paths:
        if path not in first:
            why = f"the network does not run on these inputs: {failure}" if failure else _UNCALLED.format(path)
            raise ClosedError(why)
    chosen = [one for one in calls if one in first.values()]
    given, steps = wired(chosen)
    module = taken_out(root, chosen, steps, list(given))
    if not equal(_evaluated(module, Call(tuple(given.values()))), chosen[-1].result):
        raise ClosedError(f"{_said(chosen)} gives something else than it does in the network")
    return Part(module, _run(module, few(given)), _notes(chosen, steps))


def _check_path(root: nn.Module, path: str, paths: Sequence[str]) -> None:
    if _found(root, path) is None:
        known = [name for name, part in root.named_modules() if name and name.count(".") < 2 and has_state(part)]
        more = ", …" if len(known) > _SHOWN else ""
        raise ClosedError(f"the network has no part {path[:80]!r}; it has {', '.join(known[:_SHOWN])}{more}")
    inside = any(path.startswith(f"{other}.") for other in paths)
    same = [other for other in paths if _found(root, other) is _found(root, path)]
    if not path or inside or len(same) > 1:
        raise ClosedError(f"{path or 'the network'} is named twice, or beside what it is inside of")


def _found(root: nn.Module, path: str) -> nn.Module | None:
    try:
        return root.get_submodule(path)
    except AttributeError:
        return None


def has_state(part: nn.Module) -> bool:
    """Whether a module holds parameters."""
    return any(True for _ in part.parameters())


def _said(calls: Sequence[Heard]) -> str:
    return AND.join(one.path for one in calls)


# --- which tensor comes from where


@dataclass(frozen=True)
class From:
    """A tensor: an input by its name, or one of what a step gives."""

    key: str | tuple[int, int]

    @property
    def outer(self) -> bool:
        """Whether it is an input."""
        return isinstance(self.key, str)


Step = Sequence[Any]
"""The leaves of a call's arguments; tensors are said by where they come from."""


def wired(calls: Sequence[Heard]) -> tuple[dict[str, torch.Tensor], list[Step]]:
    """The tensors that some calls take from elsewhere, by names, and what each of them takes from where.

    Raises:
        ClosedError: one is given what holds more than tensors and plain values.
    """
    sources: dict[int, From] = {}
    given: dict[str, torch.Tensor] = {}
    steps: list[Step] = []
    for number, one in enumerate(calls):
        step: list[Any] = []
        for way, tensor, leaf in zip(one.ways, one.came, one.leaves, strict=True):
            if isinstance(leaf, torch.Tensor):
                if id(tensor) not in sources:
                    name = _name(way, given)
                    given[name] = leaf
                    sources[id(tensor)] = From(name)
                step.append(sources[id(tensor)])
            elif isinstance(leaf, _PLAIN):
                step.append(leaf)
            else:
                what = f"{one.path} takes objects of class {type(leaf).__name__}"
                raise ClosedError(f"{what}; a document knows tensors, and lists and dicts of them")
        steps.append(step)
        for place, leaf in enumerate(one.went):
            if isinstance(leaf, torch.Tensor):
                sources.setdefault(id(leaf), From((number, place)))
    if not given:
        raise ClosedError(f"{_said(calls)} is given no tensor")
    return given, steps


def _name(way: Sequence[Any], taken: Collection[str]) -> str:
    """``features_0`` for the first of what is called ``features``."""
    name = "".join(letter if letter.isalnum() else "_" for letter in "_".join(map(str, way)))
    name = name if is_identifier(name) else f"input_{name}"
    while name in taken:
        name += "_"
    return name


def _notes(calls: Sequence[Heard], steps: Sequence[Step]) -> list[str]:
    """Which inputs are one argument in the network."""
    notes = []
    for one, step in zip(calls, steps, strict=True):
        held: dict[str, list[str]] = {}
        for way, leaf in zip(one.ways, step, strict=True):
            if len(way) > 1 and isinstance(leaf, From) and leaf.outer:
                held.setdefault(str(way[0]), []).append(str(leaf.key))
        notes += [
            f"{one.path} takes {name} as a list or dict of tensors; here each is an input: {', '.join(inputs)}."
            for name, inputs in held.items()
        ]
    return notes


# --- modules of them


def taken_out(root: nn.Module, calls: Sequence[Heard], steps: Sequence[Step], names: Sequence[str]) -> nn.Module:
    """A module that makes some of a network's calls and gives what the last one gives; it takes tensors in order.

    For one call it is of the part's own class, for several it holds the parts by their names in the network.
    """
    cls = type(calls[0].module)
    several = len(calls) > 1

    def forward(self: nn.Module, *tensors: torch.Tensor) -> Any:
        known: dict[Any, torch.Tensor] = dict(zip(names, tensors, strict=True))
        result = None
        for number, (one, step) in enumerate(zip(calls, steps, strict=True)):
            leaves = [known[leaf.key] if isinstance(leaf, From) else leaf for leaf in step]
            bound = inspect.BoundArguments(one.signature, tree_unflatten(leaves, one.form))
            called = self.get_submodule(one.path) if several else partial(cls.forward, self)
            result = called(*bound.args, **bound.kwargs)
            known.update(((number, place), leaf) for place, leaf in enumerate(tree_leaves(result)))
        return result

    parameters = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in ("self", *names)]
    forward.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    if not several:
        if "forward" in vars(calls[0].module):
            raise ClosedError(f"{calls[0].path} has a forward of its own, which is not that of its class")
        alone: nn.Module = nn.Module.__new__(type(cls.__name__, (cls,), {"forward": forward}))
        alone.__dict__.update(vars(calls[0].module))
        return alone
    together: nn.Module = type(f"{type(root).__name__}Parts", (nn.Module,), {"forward": forward})()
    for path, part in root.named_modules(remove_duplicate=False):  # in the order of the network's own state_dict
        if any(path == one.path for one in calls):
            _put(together, path, part)
    return together


def _put(root: nn.Module, path: str, part: nn.Module) -> None:
    """Hold a part by the name that it has in its network."""
    *holders, name = path.split(".")
    for holder in holders:
        if holder not in root._modules:
            root.add_module(holder, nn.ModuleDict())
        root = root.get_submodule(holder)
    root.add_module(name, part)


# --- samples of them


def few(given: Mapping[str, torch.Tensor]) -> Call:
    """Some tensors with a few samples. Raises ClosedError where the batch axis is not the first of them all."""
    sizes = {len(tensor) for tensor in given.values() if tensor.dim()} - {1}
    if len(sizes) > 1:
        shapes = ", ".join(f"{name} {tuple(tensor.shape)}" for name, tensor in given.items())
        raise ClosedError(f"what it is given has not the batch in front everywhere: {shapes}")
    return Call(tuple(_samples(tensor, max(sizes, default=1)) for tensor in given.values()))


def _run(module: nn.Module, call: Call) -> Call:
    """The call, if a module does it for a batch of any size. Raises ClosedError."""
    for inputs in (call, call.larger()):
        try:
            _evaluated(module, inputs)
        except Exception as error:
            said = (str(error).splitlines() or [type(error).__name__])[0][:200]
            raise ClosedError(f"it does not run on a batch of another size: {said}") from error
    return call


def _samples(tensor: torch.Tensor, count: int) -> torch.Tensor:
    """The first samples; where one is for all, it is repeated, and where nothing was found, any will do."""
    if not tensor.dim():
        return tensor
    if count == 0:
        made = tensor.new_zeros(_SAMPLES, *tensor.shape[1:])
        return made.normal_() if made.is_floating_point() else made
    return tensor.expand(count, *tensor.shape[1:])[:_SAMPLES].clone()


def _evaluated(module: nn.Module, call: Call) -> Any:
    with torch.no_grad(), torch.random.fork_rng(devices=[]), kept(module):
        torch.manual_seed(SEED)
        return module.eval()(*call.positional)
