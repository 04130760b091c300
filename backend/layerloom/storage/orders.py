"""What is wanted of a run beside going, pausing and stopping: how it lies in the run's row, and how it changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from layerloom.schema.events import ENDED, LIVE, Adjusted, Event
from layerloom.schema.orders import Adjustment, Orders
from layerloom.schema.run import RunPatch
from layerloom.storage.errors import StateConflict

Row = Mapping[str, Any]
FORK = "Fork it from one of its checkpoints to train on."


def adjustment_of(row: Row) -> Adjustment:
    """What is wanted to differ from the plan."""
    return Adjustment.model_validate_json(row["adjustment"])


def orders_of(row: Row) -> Orders:
    """What a trainer is told; a wish that was fulfilled is none any more."""
    return Orders(
        checkpoint=row["asked"] if row["asked"] > row["answered"] else 0,
        adjustment=adjustment_of(row) if row["adjustment"] != "{}" else Adjustment(),
    )


def is_longer(row: Row, new: Sequence[Event]) -> bool:
    """Whether a run was to be longer, which its trainer has not heard as of these events."""
    heard = max([row["adjusted"], *(event.adjustment.number for event in new if isinstance(event, Adjusted))])
    wanted = adjustment_of(row)
    if wanted.number <= heard:
        return False
    return any(
        length is not None and length > row[done] for length, done in ((wanted.epochs, "epoch"), (wanted.steps, "step"))
    )


def asked(row: Row) -> int:
    """The number of a wish for a checkpoint: one that is not fulfilled yet is not wished a second time.

    Raises:
        StateConflict: nothing is being trained.
    """
    if row["state"] not in LIVE:
        raise StateConflict(
            f"The run is {row['state']}, and what it has learned is in its last checkpoint already."
            if row["step"]
            else f"The run is {row['state']}, and nothing is learned yet. Ask again when it trains."
        )
    return int(row["asked"]) if row["asked"] > row["answered"] else int(row["asked"]) + 1


def adjusted(row: Row, patch: RunPatch) -> Adjustment:
    """What is wanted to differ from the plan after a user's patch; the same when nothing changes.

    Raises:
        StateConflict: the run has ended otherwise than by reaching its length, or stays as short as it is.
    """
    before = adjustment_of(row)
    changes: dict[str, Any] = {
        name: value
        for name in ("learning_rate", "epochs", "steps")
        if (value := getattr(patch, name)) is not None and value != getattr(before, name)
    }
    groups = {**before.groups, **(patch.groups or {})}
    if groups != before.groups:
        changes["groups"] = groups
    if not changes:
        return before
    state = row["state"]
    if state in ENDED and state not in ("succeeded", "interrupted"):
        raise StateConflict(f"The run is {state}. {FORK}")
    lengths = (("epochs", "epoch"), ("steps", "step"))
    longer = [(name, changes[name], row[done]) for name, done in lengths if name in changes]
    for name, wanted, done in longer:
        if wanted <= done:
            raise StateConflict(f"The run has done {done:,} {name} already. Give it more than those, or stop it.")
    if state == "succeeded" and not longer:
        raise StateConflict("The run has ended. Give it more epochs or steps together with this, or fork it.")
    return before.model_copy(update={**changes, "number": before.number + 1})
