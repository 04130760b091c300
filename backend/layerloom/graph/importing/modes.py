"""One graph for training and evaluation: what differs may only be a switch that follows ``self.training``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from layerloom.graph.importing.errors import ClosedError
from layerloom.graph.places import TRAINING
from layerloom.schema.document import Graph

Json = Any


def both(evaluating: Mapping[str, Graph], training: Mapping[str, Graph]) -> dict[str, Json]:
    """The graphs of every module as JSON, by qualified name.

    Raises:
        ClosedError: a module calls other things in training than in evaluation.
    """
    found = {}
    for path in evaluating.keys() | training.keys():
        if path not in evaluating or path not in training:
            raise ClosedError(f"{path} is called in one of training and evaluation only")
        pair = (graphs[path].model_dump(mode="json", by_alias=True) for graphs in (evaluating, training))
        found[path] = _united(path, *pair)
    return found


def _completed(given: dict[str, Json], other: dict[str, Json]) -> dict[str, Json]:
    """With the switches that only the other one names: left out is what equals its default, so the other is not."""
    return {**given, **{key: not value for key, value in other.items() if key not in given and isinstance(value, bool)}}


def _united(path: str, one: Json, other: Json) -> Json:
    """``one`` of evaluation and ``other`` of training."""
    if isinstance(one, bool) and isinstance(other, bool) and one != other:
        return {"$expr": TRAINING if other else f"not {TRAINING}"}
    if isinstance(one, dict) and isinstance(other, dict):
        one, other = _completed(one, other), _completed(other, one)
        if one.keys() == other.keys():
            return {key: _united(path, one[key], other[key]) for key in one}
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [_united(path, a, b) for a, b in zip(one, other, strict=True)]
    if one != other:
        raise ClosedError(f"{path or 'the network'} calls other things in training than in evaluation")
    return one
