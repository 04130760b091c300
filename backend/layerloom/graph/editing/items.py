"""Items of containers, found and changed by their paths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from layerloom.graph.editing.moves import head
from layerloom.graph.errors import GraphError, refuse
from layerloom.graph.places import instances
from layerloom.graph.walk import block_of, item_index
from layerloom.schema.document import CONTAINERS, Alias, BlockUse, Document, Repeat
from layerloom.schema.problems import ProblemCode


def real(members: list[Any], path: str) -> str:
    """The path behind aliases."""
    aliases = {it.name: it.of for it in members if isinstance(it, Alias)}
    for _ in range(len(aliases)):
        first = head(path)
        if first not in aliases:
            break
        path = aliases[first] + path[len(first) :]
    return path


def use_at(document: Document, block: str, path: str) -> BlockUse:
    """The instance at a path inside a block, through containers. Raises GraphError where there is none."""
    found: Any = block_of(document, block).members
    for step in _written(document, block, path):
        found = found[int(step)] if step.isdecimal() else getattr(found, step)
    if isinstance(found, BlockUse):
        return found
    raise _no_instance(block, path)


def changed(document: Document, block: str, path: str, change: Callable[[BlockUse], Any]) -> list[Any]:
    """The members of a block with the instance at a path changed, in every copy where a repeat makes it."""

    def put(value: Any, steps: list[str]) -> Any:
        if not steps:
            return change(value)
        step, *rest = steps
        if step.isdecimal():
            return [put(it, rest) if at == int(step) else it for at, it in enumerate(value)]
        return value.model_copy(update={step: put(getattr(value, step), rest)})

    members: list[Any] = put(block_of(document, block).members, _written(document, block, path))
    return members


def _written(document: Document, block: str, path: str) -> list[str]:
    """Where in the text of a block stands what a path leads to: ``1 items 0 item``, in every instance of the block."""
    found = {
        it.places[path].pointer if path in it.places else "" for it in instances(document).values() if it.block == block
    }
    if len(found) > 1:
        message = f"{path[:64]} is another copy of its repeat in some instances of {block}, or is not there"
        remedy = f"Give the instance of {block} that is meant a class of its own first"
        raise refuse(ProblemCode.ARGUMENT_INVALID, f"{message}. {remedy}", block=block, member=path)
    if found == {""}:
        raise _no_instance(block, path)
    return _read(document, block, path) if not found else found.pop().split("/members/")[1].split("/")


def _read(document: Document, block: str, path: str) -> list[str]:
    """The same of a block that has no instance, as far as the text alone tells."""
    members = block_of(document, block).members
    first, *rest = path.split(".")
    at = next((index for index, it in enumerate(members) if it.name == first), None)
    if at is None:
        raise _no_instance(block, path)
    steps, inside = [str(at)], cast(Any, members[at])
    for name in rest:
        index = item_index(inside, name) if isinstance(inside, CONTAINERS) else None
        if index is None:
            raise _no_instance(block, path)
        steps += ["items", str(index)]
        inside = inside.items[index]
        while isinstance(inside, Repeat):
            steps.append("item")
            inside = inside.item
    return steps


def _no_instance(block: str, path: str) -> GraphError:
    return refuse(ProblemCode.ARGUMENT_INVALID, f"{path[:64]} is no instance of a block", block=block, member=path)
