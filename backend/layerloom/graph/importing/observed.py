"""What the modules of a network give, as it is seen in a run: for those that do not run on tensors without numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils._pytree import tree_flatten, tree_map_only

from layerloom.graph.importing.errors import ClosedError
from layerloom.graph.importing.proof import SEED, Call, kept, samples
from layerloom.graph.importing.scope import BATCH


@dataclass(frozen=True)
class Form:
    """A tensor's shape and dtype; its axes that follow the batch are multiples of the recorded one."""

    shape: tuple[int, ...]
    dtype: torch.dtype


Seen = Mapping[str, Sequence[Any]]
"""The results of every call of a module, by its qualified name; None for one that follows the batch otherwise."""


def observed(root: nn.Module, call: Call, training: bool) -> Seen:
    """Run a network at two batch sizes, and see what it gives as far as it gets. It keeps its state and its modes.

    Raises:
        ClosedError: in evaluation it does not run at all.
    """
    one, more = (
        _results(root, inputs, training, must=not training and inputs is call) for inputs in (call, call.larger())
    )
    counts = samples(call), samples(call.larger())
    return {
        path: [_form(a, b, counts) for a, b in zip(results, more.get(path, []), strict=False)]
        for path, results in one.items()
    }


def _results(root: nn.Module, call: Call, training: bool, must: bool) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    hooks = []
    for path, module in root.named_modules():

        def after(_module: nn.Module, _given: Any, result: Any, path: str = path) -> None:
            forms = tree_map_only(torch.Tensor, lambda tensor: Form(tuple(tensor.shape), tensor.dtype), result)
            found.setdefault(path, []).append(forms)

        hooks.append(module.register_forward_hook(after))
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]), kept(root):
            torch.manual_seed(SEED)
            root.train(training)(*call.positional, **call.named)
    except Exception as error:
        if must:
            said = (str(error).splitlines() or [type(error).__name__])[0][:300]
            raise ClosedError(f"it does not run on these inputs: {said}") from error
    finally:
        for hook in hooks:
            hook.remove()
    return found


def _form(one: Any, more: Any, counts: tuple[int, int]) -> Any:
    (ones, tree), (mores, other) = tree_flatten(one), tree_flatten(more)
    if tree != other:
        return None
    made = [_leaf(a, b, counts) for a, b in zip(ones, mores, strict=True)]
    return None if any(item is NotImplemented for item in made) else tree.unflatten(made)


def _leaf(one: Any, more: Any, counts: tuple[int, int]) -> Any:
    if not isinstance(one, Form) or not isinstance(more, Form):
        return one if type(one) is type(more) and one == more else NotImplemented
    if len(one.shape) != len(more.shape) or one.dtype is not more.dtype:
        return NotImplemented
    sizes = [_size(a, b, counts) for a, b in zip(one.shape, more.shape, strict=True)]
    return NotImplemented if None in sizes else Form(tuple(size for size in sizes if size is not None), one.dtype)


def _size(one: int, more: int, counts: tuple[int, int]) -> int | None:
    """A size at the recorded batch, where it is the same at any or a multiple of it."""
    if one == more:
        return one
    return one // counts[0] * BATCH if one % counts[0] == 0 and one // counts[0] * counts[1] == more else None
