"""Example inputs of a network whose source does not tell them: found by trying, with the check as the judge."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from layerloom.catalogue import find, resolve
from layerloom.graph.checking import check
from layerloom.graph.errors import GraphError
from layerloom.graph.expressions import ExpressionError
from layerloom.graph.places import evaluate
from layerloom.graph.walk import steps
from layerloom.schema.document import BlockUse, CallNode, Document, InputExample, Layer
from layerloom.schema.values import Expr, Value, refs, walk

_TRIES, _FEW, _NODES = 300, 20, 10_000
_SIDES = (32, 224, 28, 8, 64, 16, *range(1, 65), 96, 128, 256, 299)
"""Sizes of images and sequences: those in use first, then whatever a flattened image may need."""
_LENGTH = 16
_DEPTH = 8


def guess(document: Document, tries: int = _TRIES) -> Document | None:
    """The document with example inputs that it accepts; None where so many tries do not find any."""
    # A large network is tried less often: each try is a check of the whole.
    nodes = sum(len(block.forward.nodes) for block in document.blocks.values())
    tries = min(tries, max(_FEW, _NODES // (nodes + 1)))
    names = [given.name for given in document.blocks[document.main].forward.inputs if not given.optional]
    candidates = [list(_examples(document, name)) for name in names]
    for tried, found in enumerate(_combinations(candidates)):
        if tried == tries:
            break
        attempt = document.model_copy(update={"inputs": dict(zip(names, found, strict=True))})
        if _accepted(attempt):
            return attempt
    return None


def _combinations(candidates: list[list[InputExample]]) -> Iterator[tuple[InputExample, ...]]:
    """All of them, those first that are early in every list."""
    most = {0: 1, 1: len(candidates[0]) if candidates else 1, 2: 60}.get(len(candidates), 8)
    places = itertools.product(*(range(min(most, len(items))) for items in candidates[:6]))
    for chosen in sorted(places, key=sum):
        found = [items[index] for items, index in zip(candidates, chosen, strict=False)]
        yield (*found, *(items[0] for items in candidates[6:]))


def _accepted(document: Document) -> bool:
    try:
        return check(document).ok
    except GraphError:
        return False


def _examples(document: Document, name: str) -> Iterator[InputExample]:
    """Shapes that the first layer behind an input may want, by the numbers in its constructor."""
    sizes = list(dict.fromkeys(_numbers(document, document.main, name)))
    if _wants_indices(document, document.main, name):
        high = sizes[0] if sizes else 2
        yield InputExample(shape=[_LENGTH], dtype="int64", high=high)
        yield from (InputExample(shape=[length], dtype="int64", high=high) for length in _SIDES)
        yield InputExample(shape=[], dtype="int64", high=high)
        return
    yield from (InputExample(shape=[size]) for size in sizes)
    yield from (InputExample(shape=[_LENGTH, size]) for size in sizes)
    for side in _SIDES:
        yield from (InputExample(shape=[size, side, side]) for size in sizes[:2] or [3, 1])
    yield from (InputExample(shape=[size, _LENGTH]) for size in sizes)
    yield from (InputExample(shape=[1, size, size]) for size in sizes)
    yield from (InputExample(shape=[size, 8, 32, 32]) for size in sizes[:1])
    if not sizes:
        yield from (InputExample(shape=[side]) for side in _SIDES)
        yield from (InputExample(shape=[_LENGTH, side]) for side in _SIDES[:6])


def _numbers(document: Document, block: str, name: str) -> Iterator[int]:
    """Whole numbers in the constructors of the layers that an input flows into, the nearest first."""
    for layer, environment in _layers(document, block, name, _defaults(document, block)):
        entry = find(layer.target)
        order = [spec.name for spec in entry.parameters] if entry else []
        for key in sorted(layer.arguments, key=lambda key: order.index(key) if key in order else len(order)):
            for value in walk(layer.arguments[key]):
                number = _evaluated(value, environment)
                if isinstance(number, int) and not isinstance(number, bool) and number > 0:
                    yield number


def _defaults(document: Document, block: str) -> dict[str, Any]:
    return {argument.name: argument.default for argument in document.blocks[block].arguments}


def _evaluated(value: Value, environment: Mapping[str, Any]) -> Any:
    """A number, that of an expression included; None where it is not known."""
    try:
        return evaluate(value, environment) if isinstance(value, Expr) else value
    except (ExpressionError, GraphError, TypeError):
        return None


Found = tuple[Layer, Mapping[str, Any]]


def _layers(
    document: Document, block: str, name: str, environment: Mapping[str, Any], depth: int = 0
) -> Iterator[Found]:
    """The layers that read an input, through the blocks and operations in front of them, and their surroundings."""
    reached = {name}
    for node in document.blocks[block].forward.nodes if depth < _DEPTH else ():
        arguments = getattr(node, "arguments", {})
        ports = [key for key, value in arguments.items() if any(ref.ref in reached for ref in refs(value))]
        if ports and isinstance(node, CallNode):
            yield from _inside(document, block, node.target, ports[0], environment, depth)
        elif ports:
            reached.add(node.id)


def _inside(
    document: Document, block: str, path: str, port: str, environment: Mapping[str, Any], depth: int
) -> Iterator[Found]:
    try:
        member: Any = steps(document, block, path)[-1].member
    except GraphError:
        return
    while member is not None and not isinstance(member, Layer | BlockUse):
        member = getattr(member, "item", None) or next(iter(getattr(member, "items", [])), None)
    if isinstance(member, Layer):
        yield member, environment
    elif isinstance(member, BlockUse):
        given = {key: _evaluated(value, environment) for key, value in member.arguments.items()}
        inner = {**_defaults(document, member.block), **given}
        first = port if port != "input" else next((i.name for i in document.blocks[member.block].forward.inputs), port)
        yield from _layers(document, member.block, first, inner, depth + 1)


def _wants_indices(document: Document, block: str, name: str) -> bool:
    """Whether the first layer behind an input refuses floating point numbers, as tables of embeddings do."""
    found = next(_layers(document, block, name, _defaults(document, block)), None)
    entry = find(found[0].target) if found else None
    if entry is None or entry.category != "embedding":
        return False
    try:
        resolve(entry.name)(2, 2, device="meta")(torch.zeros(1, 1, device="meta"))
    except (RuntimeError, TypeError, ValueError):
        return True
    return False
