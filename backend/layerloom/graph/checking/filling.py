"""Automatic sizes put into the document as numbers, where every instance agrees on them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from layerloom.graph.checking.autos import AutoPath
from layerloom.graph.checking.findings import Findings, Place, pointer
from layerloom.graph.checking.inference import Inference
from layerloom.graph.checking.network import Located, Network
from layerloom.graph.walk import pointer_of
from layerloom.schema.document import CONTAINERS, Document, Layer, Repeat
from layerloom.schema.problems import Edit, Fix, ProblemCode
from layerloom.schema.values import Arguments, Auto, LayerCall, LayerValue, Value

Sizes = dict[str, dict[AutoPath, int]]
"""By pointer of the layer."""


@dataclass(frozen=True)
class Completed:
    """A document and the sizes that belong into it; put in when somebody asks."""

    original: Document
    fill: Sizes

    @cached_property
    def document(self) -> Document:
        """With every size in its place."""
        return _with(self.original, self.fill) if self.fill else self.original


def filled(
    document: Document, network: Network, inference: Inference, findings: Findings
) -> tuple[Completed, dict[str, int | list[int]]]:
    """The document with sizes in place, and every size by ``<qualified module name>.<argument>``.

    Reports sizes that nothing determines, and sizes that differ between instances of a block.
    """
    layers = inference.layers
    found: dict[str, int | list[int]] = {}
    by_pointer: dict[str, list[Located]] = {}
    automatic = {*layers.sizes, *layers.automatic}
    for located in network.places() if automatic else []:
        if located.name in automatic:
            by_pointer.setdefault(located.place.pointer, []).append(located)
    fill: Sizes = {}
    for where, places in by_pointer.items():
        own = layers.sizes.get(places[0].name)
        if len(places) == 1 and own is not None and places[0].name not in layers.automatic:
            for path, size in own.items():
                found[f"{places[0].name}.{'.'.join(path)}"] = size
            if where not in findings.broken:
                fill[where] = own
            continue
        known = {place.name: layers.sizes.get(place.name, {}) for place in places}
        for name, sizes in known.items():
            for path, size in sizes.items():
                found[f"{name}.{'.'.join(path)}"] = size
        if where in findings.broken:
            continue
        member = places[0].place.member
        assert isinstance(member, Layer)
        for path in _paths(member.arguments):
            distinct = {sizes[path] for sizes in known.values() if path in sizes}
            if len(distinct) == 1:
                fill.setdefault(where, {})[path] = distinct.pop()
            elif distinct:
                _ambiguous(findings, network, places, path, known)
            elif findings.ok:
                _unresolved(findings, places[0], path)
    return Completed(document, fill), found


def _unresolved(findings: Findings, located: Located, path: AutoPath) -> None:
    place = _place(located, path)
    message = f"{'.'.join(path)} is automatic, but the layer is never called, so that nothing determines it."
    findings.add(ProblemCode.AUTO_UNRESOLVED, f"{message} Call it, or give a number.", place)


def _ambiguous(
    findings: Findings, network: Network, places: list[Located], path: AutoPath, known: dict[str, dict[AutoPath, int]]
) -> None:
    sizes = {name: found[path] for name, found in known.items() if path in found}
    listed = ", ".join(f"{size} in {name}" for name, size in list(sizes.items())[:4])
    message = f"{'.'.join(path)} would have to be {listed}, and one class has one number."
    message += " Make it an argument of the block, or give each its own block."
    fix = _as_argument(network, places, path, sizes)
    fixes = [fix] if fix else []
    findings.add(ProblemCode.AUTO_AMBIGUOUS, message, _place(places[0], path), data={"sizes": sizes}, fixes=fixes)


def _as_argument(network: Network, places: list[Located], path: AutoPath, sizes: dict[str, int]) -> Fix | None:
    """Give the block an argument for the size, and every use of the block its number."""
    block = places[0].instance.block
    pairs = [(located, sizes.get(located.name)) for located in places]
    if len(path) != 1 or any(size is None for _, size in pairs) or block == network.document.main:
        return None
    taken = {argument.name for argument in network.document.blocks[block].arguments}
    name = path[0] if path[0] not in taken else f"{places[0].place.path.replace('.', '_')}_{path[0]}"
    if name in taken:
        return None
    given: dict[str, int] = {}
    for located, size in pairs:
        assert size is not None
        use = _use_of(network, located)
        if use is None or given.setdefault(use, size) != size:
            return None
    argument = {"name": name, "type": "int", "default": None, "required": True}
    edits = [
        Edit(op="add", path=pointer(pointer_of(block), "arguments", "-"), value=argument),
        Edit(op="replace", path=pointer(places[0].place.pointer, "arguments", path[0]), value={"$expr": name}),
        *(Edit(op="add", path=pointer(use, "arguments", name), value=size) for use, size in given.items()),
    ]
    return Fix(title=f"Make {name} an argument of {block}", edits=edits)


def _use_of(network: Network, located: Located) -> str | None:
    """Pointer of the member that made the instance in which a layer stands."""
    name = located.instance.name
    for other in network.instances.values():
        if name != other.name and (not other.name or name.startswith(f"{other.name}.")):
            place = other.places.get(name.removeprefix(f"{other.name}.") if other.name else name)
            if place is not None:
                return place.pointer
    return None


def _place(located: Located, path: AutoPath) -> Place:
    where = pointer(located.place.pointer, "arguments", path[0])
    for name in path[1:]:
        where = pointer(where, "$layer", "arguments", name)
    return Place(located.instance.block, None, located.place.path, located.instance.name, ".".join(path), where)


def _paths(arguments: Arguments) -> Iterator[AutoPath]:
    for name, value in arguments.items():
        if isinstance(value, Auto):
            yield (name,)
        elif isinstance(value, LayerValue):
            for inner in _paths(value.layer.arguments):
                yield (name, *inner)


def _with(document: Document, fill: Sizes) -> Document:
    inside: dict[str, list[int]] = {}
    for where in fill:
        _, _, block, _, index, *_ = where.split("/")
        inside.setdefault(f"/blocks/{block}", []).append(int(index))
    blocks = dict(document.blocks)
    for name, block_ in document.blocks.items():
        base = pointer_of(name)
        if base in inside:
            members = list(block_.members)
            for index_ in inside[base]:
                members[index_] = _member(block_.members[index_], f"{base}/members/{index_}", fill)
            blocks[name] = block_.model_copy(update={"members": members})
    return document.model_copy(update={"blocks": blocks})


def _member(member: Any, where: str, fill: Sizes) -> Any:
    if isinstance(member, Layer) and where in fill:
        return member.model_copy(update={"arguments": _arguments(member.arguments, fill[where])})
    if isinstance(member, Repeat):
        return member.model_copy(update={"item": _member(member.item, f"{where}/item", fill)})
    if isinstance(member, CONTAINERS):
        items = [_member(item, f"{where}/items/{index}", fill) for index, item in enumerate(member.items)]
        return member.model_copy(update={"items": items})
    return member


def _arguments(arguments: Arguments, sizes: dict[AutoPath, int]) -> Arguments:
    changed: dict[str, Value] = dict(arguments)
    for path, size in sizes.items():
        value = changed[path[0]]
        if len(path) == 1:
            changed[path[0]] = size
        elif isinstance(value, LayerValue):
            inner = _arguments(value.layer.arguments, {path[1:]: size})
            changed[path[0]] = LayerValue(layer=LayerCall(target=value.layer.target, arguments=inner))
    return changed
