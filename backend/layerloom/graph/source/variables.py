"""Names of local variables in ``forward``: which are taken, until when, and what a person would call the next."""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from layerloom.graph.names import LOCALS, is_identifier

CARRIED = ("x", "y", "z", "h", "out")
"""Names of a value on its way through the network: when it is used up, the next one takes its name."""
_TAKEN = LOCALS | frozenset(dir(builtins)) - {"input"}
_UNREADABLE = frozenset({"l", "O", "I"})
"""Look like numbers."""
_COUNTED = re.compile(r".*_\d+")


@dataclass(frozen=True)
class Called:
    """What a value is called."""

    name: str = ""
    """Empty where nothing says more than ``out``."""
    sure: bool = False
    """Even where it could carry on the name of what it was made from."""
    otherwise: str = ""
    """Where ``out`` is taken."""


def usable(text: str) -> bool:
    """Whether a local variable may be called so."""
    return is_identifier(text) and text not in LOCALS and text not in _UNREADABLE


def speaking(text: str) -> bool:
    """Whether text that was meant for something else, a member or a node, serves as the name of a variable, too."""
    return usable(text) and text not in _TAKEN


def counted(text: str) -> bool:
    """Whether a name was counted up: ``out_2``."""
    return _COUNTED.fullmatch(text) is not None


def singular(path: str, otherwise: str = "layer") -> str:
    """What one item of a container is called: a ``stage`` of ``stages``."""
    last = path.rpartition(".")[2]
    return last[:-1] if last.endswith("s") and usable(last[:-1]) else otherwise


class Variables:
    """Local variables and the index of the node that reads each for the last time."""

    def __init__(self) -> None:
        self._last = dict[str, int]()

    def bind(self, name: str, last: int) -> None:
        """Remember a variable. Raises ValueError where it is no plain name, whatever was checked before."""
        if not is_identifier(name):
            raise ValueError(f"not a variable's name: {name[:80]!r}")
        self._last[name] = last

    def until(self, name: str) -> int:
        """The index of the node that reads a variable for the last time."""
        return self._last.get(name, -1)

    def free(self, name: str, at: int) -> bool:
        """Whether nothing after node ``at`` reads what the name holds."""
        return self.until(name) <= at

    def pick(
        self, hint: str | None, called: Called, read: Iterable[str], at: int, carries: Callable[[str], bool]
    ) -> str:
        """A name for the result of node ``at``: the user's hint, else its own, else that of a value that ends here.

        ``read`` are the variables that the node reads, in order; ``carries`` says which names the result may carry on.
        """
        if hint is not None and usable(hint):
            return self.fresh(hint, at)
        if called.sure:
            return self.fresh(called.name, at)
        if called.name in read and self.free(called.name, at):
            return called.name
        for name in (*read, "x"):
            if name in CARRIED and carries(name) and self.free(name, at):
                return name
        if called.name or self.free("out", at):
            return self.fresh(called.name or "out", at)
        return self.fresh(called.otherwise or "out", at)

    def fresh(self, name: str, at: int, avoid: Collection[str] = ()) -> str:
        """The name, or with a number when it still holds something or is to be avoided."""
        candidate, number = name, 1
        while candidate in avoid or not self.free(candidate, at):
            number += 1
            candidate = f"{name[:60]}_{number}"
        return candidate

    def row(self, count: int, at: int) -> list[str]:
        """Names for the parts of something that has none: ``x1, x2``."""
        for stem in (*"xyzabcdefgh", "part"):
            names = [f"{stem}{index}" for index in range(1, count + 1)]
            if all(self.free(name, at) for name in names):
                break
        return [self.fresh(name, at) for name in names]


def unlike(taken: Collection[str], name: str) -> str:
    """The name, or with an underscore when it is taken."""
    while name in taken:
        name += "_"
    return name
