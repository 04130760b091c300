"""Names of local variables in ``forward``: which are taken, until when, and what a person would call the next."""

from __future__ import annotations

import builtins
from collections.abc import Collection, Iterable

from layerloom.graph.names import LOCALS, is_identifier

CARRIED = ("x", "y", "z", "h", "out")
"""Names of a value on its way through the network: when it is used up, the next one takes its name."""
_TAKEN = LOCALS | frozenset(dir(builtins)) - {"input"}
_UNREADABLE = frozenset({"l", "O", "I"})
"""Look like numbers."""


def usable(text: str) -> bool:
    """Whether a local variable may be called so."""
    return is_identifier(text) and text not in LOCALS and text not in _UNREADABLE


def speaking(text: str) -> bool:
    """Whether text that was meant for something else, a member or a node, serves as the name of a variable, too."""
    return usable(text) and text not in _TAKEN


class Variables:
    """Local variables and the index of the node that reads each for the last time."""

    def __init__(self) -> None:
        self._last = dict[str, int]()

    def bind(self, name: str, last: int) -> None:
        """Remember a variable. Raises ValueError where it is no plain name, whatever was checked before."""
        if not is_identifier(name):
            raise ValueError(f"not a variable's name: {name[:80]!r}")
        self._last[name] = last

    def free(self, name: str, at: int) -> bool:
        """Whether nothing after node ``at`` reads what the name holds."""
        return self._last.get(name, -1) <= at

    def pick(self, hint: str | None, read: Iterable[str], made_by: str, at: int) -> str:
        """A name for the result of node ``at``: the user's hint, else a value's name that ends here, else its maker's.

        ``read`` are the variables that the node reads, in order.
        """
        if hint is not None and usable(hint):
            return self.fresh(hint, at)
        for name in read:
            if name in CARRIED and self.free(name, at):
                return name
        if self.free("x", at):
            return "x"
        return self.fresh(made_by if speaking(made_by) else "out", at)

    def fresh(self, name: str, at: int, avoid: Collection[str] = ()) -> str:
        """The name, or with a number when it still holds something or is to be avoided."""
        candidate, number = name, 1
        while candidate in avoid or not self.free(candidate, at):
            number += 1
            candidate = f"{name[:60]}_{number}"
        return candidate


def unlike(taken: Collection[str], name: str) -> str:
    """The name, or with an underscore when it is taken."""
    while name in taken:
        name += "_"
    return name
