"""Dissolving one instance of a block: its members and nodes take the place of the instance and its calls."""

from __future__ import annotations

from typing import Any

from layerloom.graph.editing.dissolving_items import dissolve_item
from layerloom.graph.editing.inlining import both, drawn, inlined, inner_ids, with_arguments, without_unused
from layerloom.graph.editing.moves import Edited, followed, head, rearranged, retargeted, through
from layerloom.graph.editing.names import unique
from layerloom.graph.editing.substitution import condition
from layerloom.graph.errors import refuse
from layerloom.graph.names import attributes
from layerloom.graph.walk import block_of, steps
from layerloom.schema.document import Alias, Block, BlockUse, Document, Member
from layerloom.schema.problems import ProblemCode


def dissolve(document: Document, block: str, member: str) -> Edited:
    """Put what an instance of a class holds into the block that holds the instance, wherever it is called there.

    The arguments that the instance is given take the place of their names in expressions. Members and nodes keep their
    names where these are free and get a number where they are not. The class goes with its last instance.

    state_dict keys change by design, ``part.conv.weight`` is ``conv.weight`` afterwards; ``Edited.moved`` has them all.

    ``member`` may be the path of an item of a container, too: ``stages.0``. No member of a block can have such a name,
    so that a container takes the place of the instance and no key changes: a Sequential where the class is a chain,
    else a ModuleDict, and the nodes of the class take the place of the calls. A loop or a Sequential around it is
    written out as the calls that it makes. One that a repeat makes is set apart from the others.

    Raises GraphError where ``member`` is no instance of a block, has a second name, or is called by another block
    through this one, and where an item holds what its container cannot.
    """
    if "." in member:
        return dissolve_item(document, block, member)
    its = block_of(document, block)
    use = _instance(document, its, block, member)
    made = with_arguments(document, use, block)
    names = _names(its, made, member)
    _check_reach(document, block, use)
    calls = [node for node in its.forward.nodes if node.op == "call" and node.target == member]
    ids = inner_ids(its.forward, made, calls)
    graph = its.forward
    for call in calls:
        graph = inlined(graph, call.id, made, lambda path: _within(path, names), ids[call.id])

    def move(path: str) -> str:
        return _within(path.removeprefix(f"{member}."), names) if path.startswith(f"{member}.") else path

    own = {inner for each in ids.values() for inner in each.values()}
    nodes = [node if node.id in own else retargeted(node, move) for node in graph.nodes]
    members = []
    for it in its.members:
        members += [_placed(inner, use, names) for inner in made.members] if it is use else [followed(it, move)]
    outer = its.model_copy(update={"members": members, "forward": graph.model_copy(update={"nodes": nodes})})
    moving = [f"{member}.{name}" for name in names]
    edited = rearranged(document, block, outer, move, moving)
    placed = drawn(edited.document, block, use.block, ids)
    return Edited(without_unused(placed, use.block), edited.moved)


def _instance(document: Document, block: Block, name: str, member: str) -> BlockUse:
    found = next((it for it in block.members if it.name == member), None)
    if isinstance(found, BlockUse):
        return found
    steps(document, name, member)  # refuses what leads nowhere
    message = f"{member[:64]} is no instance of a block"
    raise refuse(ProblemCode.ARGUMENT_INVALID, message, block=name, member=member)


def _check_reach(document: Document, block: str, use: BlockUse) -> None:
    """Refuse where something other than a call in its own block needs the instance as a whole."""

    def whole(around: str, path: str) -> bool:
        parts = (None, path) if around == block else through(document, around, path, block)
        return parts is not None and parts[1] == use.name

    for around, its in document.blocks.items():
        for alias in (it for it in its.members if isinstance(it, Alias)):
            if whole(around, alias.of):
                message = f"{alias.name} is a second name of it. Take that away first"
                raise refuse(ProblemCode.ARGUMENT_INVALID, message, block=around, member=alias.name)
            if around == block and alias.name.startswith(f"{use.name}.") and alias.name.count(".") == 1:
                message = f"{alias.name} is replaced from outside. Take that away first"
                raise refuse(ProblemCode.ARGUMENT_INVALID, message, block=around, member=alias.name)
        for node in its.forward.nodes:
            if around != block and node.op != "function" and whole(around, node.target):
                message = f"block {around} calls it, too"
                raise refuse(ProblemCode.ARGUMENT_INVALID, message, block=around, node=node.id)


def _names(block: Block, made: Block, member: str) -> dict[str, str]:
    """What the members of the class are called in the block: their own names where these are free."""
    taken = {it.name for it in block.members} - {member} | attributes()
    names: dict[str, str] = {}
    for name in (it.name for it in made.members if "." not in it.name):
        names[name] = unique(name, taken)
        taken.add(names[name])
    return names


def _within(path: str, names: dict[str, str]) -> str:
    first = head(path)
    return names.get(first, first) + path[len(first) :]


def _placed(member: Member, use: BlockUse, names: dict[str, str]) -> Member:
    """A member of the class as one of the block: under its new name, and where the instance was there."""
    changed: dict[str, Any] = {"name": _within(member.name, names)}
    if condition(use) is not None and not isinstance(member, Alias):
        changed["when"] = both(condition(use), condition(member))
    if isinstance(member, Alias):
        changed["of"] = _within(member.of, names)
    return member.model_copy(update=changed)
