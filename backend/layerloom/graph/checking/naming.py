"""Names: those that Python or torch would refuse, those that clash, and the complete edits that rename."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from typing import TypeAlias

from layerloom.graph import names
from layerloom.graph.checking.findings import Findings, Place, pointer, shown
from layerloom.graph.walk import DICTS, join, pointer_of, positional
from layerloom.schema.document import (
    CONTAINERS,
    Alias,
    Block,
    BlockUse,
    Buffer,
    Document,
    FunctionNode,
    Item,
    Member,
    Node,
    Parameter,
    Repeat,
)
from layerloom.schema.problems import Edit, Fix, ProblemCode

Named: TypeAlias = tuple[str, Place, Callable[[], Fix] | None]
"""A name, its place, and what makes the fix that renames it."""


def check_names(document: Document, findings: Findings) -> None:
    """Every name in a document that becomes one in Python."""
    _distinct(findings, [(name, Place(block=name, pointer=pointer_of(name)), None) for name in document.blocks])
    for name, block in document.blocks.items():
        here = Place(block=name, pointer=pointer_of(name))
        if not names.is_identifier(name) or name in names.CLASSES:
            _invalid(findings, "a class", name, here, name in names.CLASSES, _renamed_block(document, name))
        _check_arguments(findings, block, here)
        _check_members(document, findings, name, block, here)
        _check_graph(findings, block, here)


def _check_arguments(findings: Findings, block: Block, here: Place) -> None:
    found = []
    for index, argument in enumerate(block.arguments):
        place = here.at(argument.name, "arguments", index, "name")
        found.append((argument.name, place, None))
        if not names.is_identifier(argument.name) or argument.name in names.LOCALS:
            _invalid(findings, "an argument", argument.name, place, argument.name in names.LOCALS, None)
    _distinct(findings, found)


def _check_members(document: Document, findings: Findings, name: str, block: Block, here: Place) -> None:
    found: list[Named] = []
    if _plain([member.name for member in block.members], names.attributes()):
        for index, member in enumerate(block.members):
            if isinstance(member, CONTAINERS):
                where = f"{here.pointer}/members/{index}"
                _check_items(document, findings, member, Place(block=name, member=member.name, pointer=where))
        return
    taken = {member.name for member in block.members} | names.attributes()
    for index, member in enumerate(block.members):
        place = Place(block=name, member=member.name, pointer=f"{here.pointer}/members/{index}")
        found.append((member.name, place, partial(_renamed_alone, member.name, taken, place)))
        if not (isinstance(member, Alias) and "." in member.name):
            reserved = member.name in names.attributes()
            if reserved or not _usable_member(member):
                fix = _renamed(document, name, "", member.name, _usable(member.name, taken), place)
                _invalid(findings, "an attribute", member.name, place, reserved, fix)
                findings.breaks(place.pointer or "")
        _check_items(document, findings, member, place)
    _distinct(findings, found)


def _usable_member(member: Member) -> bool:
    tensor = isinstance(member, Parameter | Buffer)
    return names.is_identifier(member.name) if tensor else names.is_member(member.name)


def _check_items(document: Document, findings: Findings, member: Member | Item, place: Place) -> None:
    if isinstance(member, Repeat):
        for index, variable in enumerate(member.variables):
            if not names.is_identifier(variable) or variable in names.LOCALS:
                at = place.below("variables", index)
                _invalid(findings, "a variable", variable, at, variable in names.LOCALS, None)
        _check_items(document, findings, member.item, place.below("item"))
    if not isinstance(member, CONTAINERS):
        return
    found: list[Named] = []
    by_place = positional(member)
    taken = {item.name for item in member.items if not isinstance(item, Repeat)} | names.attributes(member.kind)
    for index, item in enumerate(member.items):
        own = not isinstance(item, Repeat) and not by_place
        name = item.name if own and not isinstance(item, Repeat) else str(index)
        inner = Place(place.block, None, f"{place.member}.{name}", None, None, f"{place.pointer}/items/{index}")
        if own:
            usable = _usable(name, taken)
            rename = partial(_renamed, document, place.block or "", place.member or "", name, usable, inner)
            found.append((name, inner, rename))
            reserved = name in names.attributes(member.kind)
            if reserved or not names.is_key(name):
                _invalid(findings, "a key" if member.kind in DICTS else "an item", name, inner, reserved, rename())
                findings.breaks(inner.pointer or "")
        _check_items(document, findings, item, inner)
    _distinct(findings, found)


def _check_graph(findings: Findings, block: Block, here: Place) -> None:
    inputs: list[Named] = []
    for index, item in enumerate(block.forward.inputs):
        place = here.at(item.name, "forward", "inputs", index, "name")
        inputs.append((item.name, place, None))
        if not names.is_identifier(item.name) or item.name in names.LOCALS:
            _invalid(findings, "an input", item.name, place, item.name in names.LOCALS, None)
    _distinct(findings, inputs)
    taken = {item.name for item in block.forward.inputs}
    ids = {node.id for node in block.forward.nodes}
    if len(ids) == len(block.forward.nodes) and ids.isdisjoint(taken) and _plain_ids(block.forward.nodes, ids):
        return
    every = taken | {node.id for node in block.forward.nodes}
    for index, node in enumerate(block.forward.nodes):
        where = f"{here.pointer}/forward/nodes/{index}"
        place = Place(here.block, node.id, None, None, None, where)
        if node.id in taken:
            fresh = _clash(node.id, every)
            every.add(fresh)
            fix = Fix(title=f"Give it the id {fresh}", edits=[Edit(op="replace", path=f"{where}/id", value=fresh)])
            message = f"two nodes or inputs have the id {shown(node.id)}, so a reference to it is ambiguous."
            findings.add(ProblemCode.NODE_DUPLICATE, message, place, fixes=[fix])
            findings.breaks(where)
        taken.add(node.id)
        if not node.id or not node.id.isprintable():
            message = f"the node id {shown(node.id)} holds characters that cannot be seen."
            findings.add(ProblemCode.NAME_INVALID, message, place)
        if node.name is not None and (not names.is_identifier(node.name) or node.name in names.LOCALS):
            fix = Fix(title="Let a name be chosen", edits=[Edit(op="remove", path=f"{where}/name")])
            at = place.below("name")
            _invalid(findings, "a local variable", node.name, at, node.name in names.LOCALS, fix)


def _plain(given: list[str], reserved: Collection[str]) -> bool:
    """Whether names are usable and cannot be mistaken for each other, as thousands in a document mostly are."""
    lower = set(map(str.lower, given))
    return len(lower) == len(given) and names.are_identifiers(given) and frozenset(given).isdisjoint(reserved)


def _plain_ids(nodes: list[Node], ids: set[str]) -> bool:
    """Whether nodes have usable ids and no names."""
    return "" not in ids and "".join(ids).isprintable() and all(node.name is None for node in nodes)


def _invalid(findings: Findings, what: str, name: str, place: Place, reserved: bool, fix: Fix | None) -> None:
    code = ProblemCode.NAME_RESERVED if reserved else ProblemCode.NAME_INVALID
    if reserved:
        message = f"{shown(name)} cannot name {what}: torch or Python uses that name itself. Choose another."
    elif keyword.iskeyword(name):
        message = f"{shown(name)} cannot name {what}: it is a word of Python's own grammar. Choose another."
    elif len(name) > names.LENGTH:
        message = f"{shown(name)} is too long for {what}: at most {names.LENGTH} characters."
    else:
        message = f"{shown(name)} cannot name {what}: use letters, digits and _, and begin with a letter or _."
    findings.add(code, message, place, data={"name": name[:200]}, fixes=[fix] if fix else [])


def _distinct(findings: Findings, found: Sequence[Named]) -> None:
    """Equal names are an error; names that differ only in case or composition are easily mistaken for each other."""
    first: dict[str, str] = {}
    for name, place, mend in found:
        folded = unicodedata.normalize("NFC", name).casefold()
        if folded not in first:
            first[folded] = name
            continue
        earlier = first[folded]
        same = earlier == name
        message = (
            f"the name {shown(name)} is used twice. Rename one."
            if same
            else f"the names {shown(earlier)} and {shown(name)} differ in case or accents only and are easily confused."
        )
        findings.add(
            ProblemCode.NAME_DUPLICATE,
            message,
            place,
            severity="error" if same else "warning",
            fixes=[mend()] if mend else [],
        )
        if same and place.member and place.pointer:
            findings.breaks(place.pointer)


def _renamed_alone(name: str, taken: Collection[str], place: Place) -> Fix:
    """Rename the second of two members: paths go on to mean the first."""
    new = _clash(_usable(name, ()), taken)
    return Fix(title=f"Rename it to {new}", edits=[Edit(op="replace", path=f"{place.pointer}/name", value=new)])


def _usable(name: str, taken: Collection[str]) -> str:
    """A name that is allowed, as near to this one as may be."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9_]+", "_", plain)[: names.LENGTH - 4].strip("_") or "member"
    if plain[0].isdigit():
        plain = f"_{plain}"
    if not names.is_identifier(plain) or plain in taken:
        return _clash(plain, taken)
    return plain


def _clash(name: str, taken: Collection[str]) -> str:
    """The name with the first number that makes it free."""
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"


def _renamed(document: Document, block: str, around: str, old: str, new: str, place: Place) -> Fix:
    """Rename a member, or an item of the container at ``around``, and every path in its block that names it."""
    edits = [Edit(op="replace", path=f"{place.pointer}/name", value=new)]
    path, renamed = (join(around, name) for name in (old, new))
    for where, target in _targets(document, block):
        if target == path or target.startswith(f"{path}."):
            edits.append(Edit(op="replace", path=where, value=renamed + target[len(path) :]))
    return Fix(title=f"Rename it to {new}", edits=edits)


def _targets(document: Document, name: str) -> Iterator[tuple[str, str]]:
    """Every path in a block that names a member, with its pointer."""
    block = document.blocks[name]
    base = pointer_of(name)
    for index, node in enumerate(block.forward.nodes):
        if not isinstance(node, FunctionNode):
            yield pointer(base, "forward", "nodes", index, "target"), node.target
    for index, member in enumerate(block.members):
        if isinstance(member, Alias):
            yield pointer(base, "members", index, "of"), member.of


def _renamed_block(document: Document, name: str) -> Fix:
    """Rename a block, its uses, its layout and, if it is that, the main block."""
    new = _usable(name, {*document.blocks, *names.CLASSES})
    block = document.blocks[name].model_dump(mode="json")
    edits = [
        Edit(op="add", path=pointer("/blocks", new), value=block),
        Edit(op="remove", path=pointer("/blocks", name)),
    ]
    if document.main == name:
        edits.append(Edit(op="replace", path="/main", value=new))
    if name in document.ui.blocks:
        view = document.ui.blocks[name].model_dump(mode="json")
        edits.append(Edit(op="add", path=pointer("/ui/blocks", new), value=view))
        edits.append(Edit(op="remove", path=pointer("/ui/blocks", name)))
    for other, where in _uses(document, name):
        base = where.replace(pointer_of(name), pointer_of(new), 1) if other == name else where
        edits.append(Edit(op="replace", path=f"{base}/block", value=new))
    return Fix(title=f"Rename it to {new}", edits=edits)


def _uses(document: Document, name: str) -> Iterator[tuple[str, str]]:
    """Members and items that are instances of a block, with the block they stand in and their pointers."""
    for other, block in document.blocks.items():
        pending: list[tuple[Member | Item, str]] = [
            (member, pointer(pointer_of(other), "members", index)) for index, member in enumerate(block.members)
        ]
        while pending:
            member, where = pending.pop()
            if isinstance(member, BlockUse) and member.block == name:
                yield other, where
            elif isinstance(member, Repeat):
                pending.append((member.item, f"{where}/item"))
            elif isinstance(member, CONTAINERS):
                pending.extend((item, f"{where}/items/{index}") for index, item in enumerate(member.items))
