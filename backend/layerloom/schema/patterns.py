"""Patterns of a plan over the qualified names of a network's layers and parameters: what they match, and what is to be
said of those that match nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase

from layerloom.schema.plan import ParameterGroup, Plan

NEAREST = 3


@dataclass(frozen=True)
class Unmatched:
    """A pattern that matches nothing."""

    field: str
    """Its place in the plan, as in ``groups.0.pattern``."""
    pattern: str
    message: str
    nearest: list[str]
    """Names that may have been meant."""


def grouped(
    parameters: Sequence[Sequence[str]], groups: Sequence[ParameterGroup]
) -> tuple[list[list[int]], list[Unmatched]]:
    """For each group the places of its parameters, and the groups that have none.

    A parameter is in the first group that matches one of its names; a tied one has several.
    """
    left, members, unmatched = dict(enumerate(parameters)), [], []
    for index, group in enumerate(groups):
        found = [place for place, own in left.items() if any(fnmatchcase(name, group.pattern) for name in own)]
        for place in found:
            del left[place]
        members.append(found)
        if not found:
            names = [name for own in parameters for name in own]
            taken = any(fnmatchcase(name, group.pattern) for name in names)
            near = [] if taken else _nearest(group.pattern, names)
            message = (
                f"All parameters that {group.pattern!r} names are in earlier groups. Put this group before them."
                if taken
                else f"No parameter is named like {group.pattern!r}; the network has {_listed(near, names)}."
            )
            unmatched.append(Unmatched(f"groups.{index}.pattern", group.pattern, message, near))
    return members, unmatched


def chosen(names: Sequence[str], patterns: Sequence[str]) -> tuple[set[str], list[Unmatched]]:
    """Of the layers of these names those that ``Statistics.layers`` asks for, and its patterns that match none."""
    found: set[str] = set()
    unmatched = []
    for index, pattern in enumerate(patterns):
        matched = [name for name in names if fnmatchcase(name, pattern)]
        found.update(matched)
        if not matched:
            near = _nearest(pattern, names)
            message = f"No layer is named like {pattern!r}; the network has {_listed(near, names)}."
            unmatched.append(Unmatched(f"statistics.layers.{index}", pattern, message, near))
    return found, unmatched


def unmatched(parameters: Sequence[Sequence[str]], layers: Sequence[str], plan: Plan) -> list[Unmatched]:
    """Every pattern of a plan that matches nothing of a network."""
    return grouped(parameters, plan.groups)[1] + chosen(layers, layer_patterns(plan))[1]


def layer_patterns(plan: Plan) -> list[str]:
    """Of the layers whose images the plan asks for; none where it asks for no images."""
    wanted = plan.statistics.budget > 0 and (plan.statistics.features or plan.statistics.attention)
    return plan.statistics.layers if wanted else []


def _nearest(pattern: str, names: Sequence[str]) -> list[str]:
    return get_close_matches(pattern, names, n=NEAREST, cutoff=0.3) or list(names[:NEAREST])


def _listed(some: Sequence[str], names: Sequence[str]) -> str:
    return f"{', '.join(some)}{', …' if len(names) > len(some) else ''}" if names else "none"
