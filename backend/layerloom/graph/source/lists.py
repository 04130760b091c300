"""Lists that grow while a network runs: ``outputs.append(self.layer(outputs))``.

In a graph each reader has a list of its own, every one of them longer than the one before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from layerloom.graph.walk import SET_ITEM, argument_values
from layerloom.schema.document import CallNode, FunctionNode, Node
from layerloom.schema.values import Ref, Value, walk

Items = tuple[tuple[str, tuple[int | str, ...]], ...]
LEAST = 3
"""Items of a list that is worth growing."""
LONG = 6
"""Items of a list that is worth appending to even where it is read but once."""


@dataclass(frozen=True)
class Grown:
    """One list."""

    items: Items
    first: int
    """How many items it has when it is made; the others are appended as they are computed."""
    start: int
    """The index of the node in front of which it is made."""
    last: int
    """The index of its last reader."""
    lengths: frozenset[int]
    """How long it is where it is read."""


def grown(nodes: Sequence[Node], output: Value, keeps: Callable[[Node], bool]) -> list[Grown]:
    """The lists of a forward that a person would let grow.

    ``keeps`` says of a reader whether what it gives may be the list itself, which would grow there, too.
    """
    read = list(_read(nodes, output))
    at = {node.id: index for index, node in enumerate(nodes)}
    uses: dict[str, int] = {}
    for value in _values(nodes, output):
        for part in walk(value):
            if isinstance(part, Ref):
                uses[part.ref] = uses.get(part.ref, 0) + 1
    found: list[Grown] = []
    for _, items in sorted(read, key=lambda pair: -len(pair[1])):
        if len(items) < LEAST or any(_begins(items, other.items) for other in found):
            continue
        made = _grown(items, [(index, other) for index, other in read if _begins(other, items)], nodes, at, uses)
        held = made is not None and any(
            index < len(nodes) and _begins(other, items) and keeps(nodes[index]) for index, other in read
        )
        if made is not None and not held:
            found.append(made)
    return found


def key(value: Value) -> Items | None:
    """What a list holds, if it holds nothing but results."""
    if not isinstance(value, list) or not value or not all(isinstance(item, Ref) for item in value):
        return None
    return tuple((item.ref, tuple(item.path)) for item in value if isinstance(item, Ref))


def _grown(
    items: Items, read: list[tuple[int, Items]], nodes: Sequence[Node], at: dict[str, int], uses: dict[str, int]
) -> Grown | None:
    lengths = frozenset(len(other) for _, other in read)
    growing = len(lengths) > 1
    first = min(lengths) if growing else 0
    targets = {getattr(nodes[at[name]], "target", "") if name in at else "" for name, _ in items}
    if not growing and (len(items) < LONG or len(targets) > 1):
        return None
    places = [at.get(name, -1) for name, _ in items]
    appended = places[first:]
    if appended != sorted(set(appended)) or any(places[index] > appended[0] for index in range(first)):
        return None
    for index in range(first, len(items)):
        name, path = items[index]
        node = nodes[at[name]] if name in at else None
        plain = isinstance(node, CallNode | FunctionNode) and node.target != SET_ITEM and node.when is None
        if not plain or path or getattr(node, "name", "") is not None:
            return None
        if uses[name] != sum(len(other) > index for _, other in read):
            return None  # it is read for itself, too
    for place, other in read:
        if len(other) < len(items) and places[len(other)] < place:
            return None  # by then there is more in it
        if place < len(nodes) and nodes[place].when is not None:
            return None
    start = min(place for place, _ in read) if growing else appended[0]
    return Grown(items, first, min(start, appended[0]), max(place for place, _ in read), lengths)


def _begins(one: Items, other: Items) -> bool:
    return other[: len(one)] == one


def _values(nodes: Sequence[Node], output: Value) -> Iterator[Value]:
    for node in nodes:
        yield from (value for _, value in argument_values(node))
    yield output


def _read(nodes: Sequence[Node], output: Value) -> Iterator[tuple[int, Items]]:
    for index, node in enumerate(nodes):
        for _, value in argument_values(node):
            yield from ((index, items) for part in walk(value) if (items := key(part)) is not None)
    yield from ((len(nodes), items) for part in walk(output) if (items := key(part)) is not None)
