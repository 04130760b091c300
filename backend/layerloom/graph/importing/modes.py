"""One graph for training and evaluation: what only one of them does gets a condition, what differs is chosen between.

A switch that follows the mode, as the ``training`` of a dropout, becomes ``self.training``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from layerloom.graph.importing.alongside import alongside, side_by_side
from layerloom.graph.importing.errors import ClosedError
from layerloom.graph.places import TRAINING
from layerloom.schema.document import Graph

Json = Any


def both(evaluating: Mapping[str, Graph], training: Mapping[str, Graph]) -> dict[str, Json]:
    """The graphs of every module as JSON, by qualified name; that of the mode in which alone it is called.

    Raises:
        ClosedError: a module takes other inputs in training than in evaluation.
    """
    found = {}
    for path in [*evaluating, *(path for path in training if path not in evaluating)]:
        one, other = (
            graphs[path].model_dump(mode="json", by_alias=True) if path in graphs else None
            for graphs in (evaluating, training)
        )
        found[path] = _united(path, one, other) if one and other else one or other
    return found


def _united(path: str, one: Json, other: Json) -> Json:
    """``one`` of evaluation and ``other`` of training."""
    if one == other:
        return one
    if one["inputs"] != other["inputs"]:
        raise ClosedError(f"{path or 'the network'} takes other inputs in training than in evaluation", path)
    return alongside(
        one,
        other,
        alone=lambda node, side: {**node, "when": TRAINING if side else f"not {TRAINING}"},
        together=lambda mine, theirs: side_by_side(mine, theirs, _chosen),
        choose=_chosen,
        suffix="_training",
    )


def _chosen(one: Json, other: Json) -> Json:
    """A value that is ``one`` in evaluation and ``other`` in training."""
    if isinstance(one, bool) and isinstance(other, bool) and one != other:
        return {"$expr": TRAINING if other else f"not {TRAINING}"}
    composite = isinstance(one, dict) and isinstance(other, dict) and "$ref" not in one
    if composite and one.keys() == other.keys():
        return {key: _chosen(one[key], other[key]) for key in one}
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [_chosen(a, b) for a, b in zip(one, other, strict=True)]
    return one if one == other else {"$if": TRAINING, "then": other, "else": one}
