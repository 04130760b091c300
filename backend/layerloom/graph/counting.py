"""How many members a network would have, counted before a single one is made.

A repeat whose copies are all alike counts as one of them, times their number: a billion is told as fast as a dozen, and
takes no more memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from layerloom.graph.expressions import ExpressionError, parse
from layerloom.schema.document import CONTAINERS, Block, BlockUse, Document, Layer, Repeat
from layerloom.schema.values import Arguments, Expr, walk

Environment = Mapping[str, Any]
Open = Callable[[Block, Arguments, Environment], Environment]
Passes = Callable[[Repeat, Environment], "list[Environment]"]


class Counter:
    """Counts the members of a document's blocks, repeats and blocks inside them included.

    ``open_block`` gives the arguments of an instance, ``passes`` the scopes of a repeat's copies; both raise
    ExpressionError. What cannot be counted counts as nothing: whoever makes it tells what is wrong there.
    """

    def __init__(self, document: Document, limit: int, open_block: Open, passes: Passes) -> None:
        self._document, self._limit = document, limit
        self._open, self._passes = open_block, passes
        self._blocks: dict[tuple[str, str], int] = {}
        self._around: list[str] = []

    def block(self, name: str, environment: Environment) -> int:
        """Members of one instance of a block."""
        key = (name, repr(environment))
        if key not in self._blocks:
            if name in self._around or name not in self._document.blocks:
                return 0
            self._around.append(name)
            members = self._document.blocks[name].members
            self._blocks[key] = sum(self.member(member, environment) for member in members)
            self._around.pop()
        return self._blocks[key]

    def member(self, member: Any, environment: Environment) -> int:
        """A member and all inside it; more than the limit where it is more than that."""
        if type(member) is Layer and member.when is None:  # by far the most
            return 1
        try:
            condition = getattr(member, "when", None)
            if condition is not None and not parse(condition).evaluate(environment):
                return 0
            if isinstance(member, Repeat):
                return self._repeat(member, environment)
            count = 1
            if isinstance(member, CONTAINERS):
                count += sum(self.member(item, environment) for item in member.items)
            elif isinstance(member, BlockUse) and member.block in self._document.blocks:
                scope = self._open(self._document.blocks[member.block], member.arguments, environment)
                count += self.block(member.block, scope)
        except ExpressionError:
            return 0
        return count

    def _repeat(self, repeat: Repeat, environment: Environment) -> int:
        passes = self._passes(repeat, environment)
        # A repeat of repeats takes its time even where these are empty.
        own = 1 if isinstance(repeat.item, Repeat) else 0
        if not passes:
            return 0
        if not _reads(repeat.item) & set(repeat.variables):
            return len(passes) * (own + self.member(repeat.item, passes[0]))
        count = 0
        for scope in passes:
            count += own + self.member(repeat.item, scope)
            if count > self._limit:
                break
        return count


def _reads(item: Any) -> set[str]:
    """Names that decide how much there is inside an item."""
    if isinstance(item, Repeat):
        return set(parse(item.over.expr).names) | _reads(item.item)
    if isinstance(item, CONTAINERS):
        return set().union(*(_reads(inner) for inner in item.items))
    if isinstance(item, BlockUse):
        parts = (part for value in item.arguments.values() for part in walk(value))
        return set().union(*(parse(part.expr).names for part in parts if isinstance(part, Expr)))
    return set()
