"""What a network gives its parts when it runs, and what they give back."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils._pytree import TreeSpec, tree_flatten_with_path, tree_leaves, tree_map_only

from layerloom.graph.importing.proof import SEED, Call, kept


@dataclass(eq=False)
class Heard:
    """One call of a part, as the network made it."""

    path: str
    """Qualified name of the part."""
    module: nn.Module
    signature: inspect.Signature
    leaves: Sequence[Any]
    """What the arguments hold, tensors as they were when the call began."""
    ways: Sequence[Sequence[Any]]
    """To each leaf: the name of the forward's parameter, and the keys and places inside it."""
    form: TreeSpec
    """In which the leaves become the arguments by name."""
    came: Sequence[Any]
    """The leaves themselves: the tensor that one part gives is the one that another takes."""
    went: Sequence[Any] = ()
    """What the result holds."""
    result: Any = None
    """As it was when the call ended."""
    ended: bool = False


def heard(
    root: nn.Module,
    call: Call,
    paths: Collection[str],
    keep: Callable[[torch.Tensor], torch.Tensor] = torch.clone,
) -> tuple[list[Heard], str]:
    """The calls of some parts in one run of a network in evaluation, in the order in which they begin.

    Those that ended before the network failed are calls all the same; the other thing that comes back is how it
    failed, if it did. It keeps its state and its modes. ``keep`` makes of a tensor what is told of it.
    """
    calls: list[Heard] = []
    running: list[Heard] = []
    hooks = []

    def hear(path: str, part: nn.Module) -> None:
        def before(_module: nn.Module, args: Any, kwargs: Any) -> None:
            running.append(_begun(path, part, args, kwargs, keep))
            calls.append(running[-1])

        def after(_module: nn.Module, _args: Any, result: Any) -> None:
            while running[-1].path != path:
                running.pop()  # it raised, and the network went on
            one = running.pop()
            one.went, one.result, one.ended = tree_leaves(result), tree_map_only(torch.Tensor, keep, result), True

        hooks.append(part.register_forward_pre_hook(before, with_kwargs=True))
        hooks.append(part.register_forward_hook(after))

    failure = ""
    for path in paths:
        hear(path, root.get_submodule(path))
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]), kept(root):
            torch.manual_seed(SEED)
            root.eval()(*call.positional, **call.named)
    except Exception as error:
        failure = (str(error).splitlines() or [type(error).__name__])[0][:300]
    finally:
        for hook in hooks:
            hook.remove()
    return [one for one in calls if one.ended], failure


def _begun(path: str, part: nn.Module, args: Any, kwargs: Any, keep: Callable[[torch.Tensor], torch.Tensor]) -> Heard:
    signature = inspect.signature(part.forward)
    found, form = tree_flatten_with_path(dict(signature.bind(*args, **kwargs).arguments))
    ways = [[getattr(key, "key", getattr(key, "idx", "")) for key in way] for way, _ in found]
    came = [leaf for _, leaf in found]
    return Heard(path, part, signature, tree_map_only(torch.Tensor, keep, came), ways, form, came)
