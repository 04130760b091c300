"""Learning rates that are changed while a run trains, above whatever a scheduler does with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch


class Dial:
    """The rates of an optimizer's groups, in place of those that the plan gives.

    A group's schedule goes on by itself, as if nothing had happened, and what it gives is multiplied by what is wanted
    over what the plan gives. That holds for every scheduler, those that compute a rate from the one before it, too.
    """

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        """After the scheduler is made, which may begin with another rate than the optimizer's, and before it steps."""
        self._optimizer = optimizer
        groups = optimizer.param_groups
        # OneCycleLR writes down its highest rate; other schedulers the one that they begin with.
        self.planned = [float(group.get("max_lr", group.get("initial_lr", group["lr"]))) for group in groups]
        self._wanted: list[float | None] = [None] * len(groups)
        self._scheduled: list[float] = []

    @property
    def turned(self) -> bool:
        """Whether any rate is another than the schedule's."""
        return bool(self._scheduled)

    def turn(self, wanted: Sequence[float | None]) -> None:
        """Want these rates of the groups, the plan's where there is None, from now on."""
        self.lift()
        self._wanted = list(wanted)
        self.put()

    def lift(self) -> None:
        """Let the groups have what the schedule gives, so that it can go on from there."""
        for group, rate in zip(self._optimizer.param_groups, self._scheduled, strict=False):
            group["lr"] = rate
        self._scheduled = []

    def put(self) -> None:
        """Let the groups have what is wanted, after ``lift``."""
        if all(wanted is None for wanted in self._wanted):
            return
        groups = self._optimizer.param_groups
        self._scheduled = [group["lr"] for group in groups]
        for group, wanted, planned in zip(groups, self._wanted, self.planned, strict=True):
            if wanted is not None:
                # In this order a rate that the schedule does not change is the wanted one to the last bit.
                group["lr"] = wanted * (group["lr"] / planned) if planned else wanted

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint; the groups' rates themselves are the optimizer's to keep."""
        return {"wanted": self._wanted, "scheduled": self._scheduled}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what ``state_dict`` gave."""
        self._wanted, self._scheduled = list(state["wanted"]), list(state["scheduled"])
