"""Parts that may open where a network does not, for the sentence that refuses it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from layerloom.graph.importing.errors import ClosedError
from layerloom.graph.importing.hearing import Heard, heard
from layerloom.graph.importing.parts import AND, From, few, has_state, taken_out, wired
from layerloom.graph.importing.proof import Call
from layerloom.graph.importing.record import recorded

_DEPTH = 3
_TRIED = 24
"""Parts that are looked into: each is run once on tensors without numbers."""


def suggested(root: nn.Module, call: Call, within: str = "") -> list[str]:
    """Names of the outermost parts of a network, or of one of its parts, that a recording can follow.

    Those that hand everything on to each other come first, as ``backbone+head``. Nothing is proven here.
    """
    prefix = f"{within}." if within else ""
    paths = [
        path
        for path, part in root.named_modules()
        if path.startswith(prefix) and path and path.removeprefix(prefix).count(".") < _DEPTH and has_state(part)
    ]
    calls, _ = heard(root, call, paths, keep=torch.Tensor.detach)  # of the numbers nothing is needed
    first = [one for number, one in enumerate(calls) if all(one.path != other.path for other in calls[:number])]
    found: list[Heard] = []
    tried = 0
    for one in sorted(first, key=lambda it: it.path.count(".")):
        inside = any(one.path.startswith(f"{outer.path}.") for outer in found)
        if not inside and tried < _TRIED:
            tried += 1
            found += [one] if _followed(root, one) else []
    groups = _groups([one for one in first if one in found])
    return [AND.join(one.path for one in group) for group in groups if len(group) > 1] + [one.path for one in found]


def _followed(root: nn.Module, one: Heard) -> bool:
    try:
        given, steps = wired([one])
        recorded(taken_out(root, [one], steps, list(given)), few(given), training=False)
    except ClosedError:
        return False
    return True


def _groups(calls: Sequence[Heard]) -> list[list[Heard]]:
    """Calls behind one another, each of which takes its tensors from those before it alone."""
    groups: list[list[Heard]] = []
    for one in calls:
        step = wired([*groups[-1], one])[1][-1] if groups else []
        if any(isinstance(leaf, From) for leaf in step) and not any(
            leaf.outer for leaf in step if isinstance(leaf, From)
        ):
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups
