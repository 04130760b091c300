"""What others want of a running loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Wanted = Literal["run", "pause", "stop", "leave", "abandon"]
"""``leave``: checkpoint and go, the run is to be resumed elsewhere. ``abandon``: go without a trace, because another
trainer has taken over."""


@dataclass
class Control:
    """Looked at after every step; any thread or signal handler may set it."""

    wanted: Wanted = "run"

    def going(self) -> bool:
        """Whether training is what is wanted."""
        return self.wanted == "run"


@dataclass(frozen=True)
class Outcome:
    """How training ended when nothing went wrong."""

    state: Literal["succeeded", "paused", "stopped", "left", "abandoned"]
    step: int
    epoch: int
    """Epochs done."""


ENDS: dict[Wanted, Literal["succeeded", "paused", "stopped", "left", "abandoned"]] = {
    "run": "succeeded",
    "pause": "paused",
    "stop": "stopped",
    "leave": "left",
    "abandon": "abandoned",
}
