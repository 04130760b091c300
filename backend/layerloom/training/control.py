"""What others want of a running loop."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from layerloom.schema.orders import Orders
from layerloom.schema.run import Desired

Wanted = Literal["run", "pause", "stop", "leave", "abandon"]
"""``leave``: checkpoint and go, the run is to be resumed elsewhere. ``abandon``: go without a trace, because another
trainer has taken over."""


@dataclass
class Control:
    """Looked at after every step. Each field has one writer, a thread or a signal handler, so that none is lost."""

    desired: Desired = "run"
    """What the user wants of the run."""
    watched: bool = False
    """Somebody follows the run live."""
    leaving: bool = False
    """The process is to end."""
    fenced: bool = False
    """Another attempt has taken over."""
    orders: Orders = field(default_factory=Orders)
    """What else the user wants. Replaced by another value when something changes, and only then."""

    def going(self) -> bool:
        """Whether training is what is wanted."""
        return self.desired == "run" and not self.leaving and not self.fenced

    @property
    def wanted(self) -> Wanted:
        """The most pressing of all wishes."""
        return "abandon" if self.fenced else "leave" if self.leaving else self.desired


@dataclass(frozen=True)
class Outcome:
    """How training ended when nothing went wrong."""

    state: Literal["succeeded", "paused", "stopped", "left", "abandoned"]
    step: int
    epoch: int
    """Epochs done."""


ENDS: dict[Wanted, Literal["paused", "stopped", "left", "abandoned"]] = {
    "pause": "paused",
    "stop": "stopped",
    "leave": "left",
    "abandon": "abandoned",
}
