"""A run that begins with what another one has learned: its weights, and what its optimizer knows of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from layerloom.schema.plan import Plan
from layerloom.training.checkpoints import Contents


@dataclass(frozen=True)
class Carried:
    """What goes along."""

    path: str
    """Of the checkpoint, relative to the run's folder."""
    keys: list[str]
    """Of the state_dict; the shapes of both agree."""
    optimizer: list[str]
    """Parameters, by their names."""


def optimized(module: nn.Module, optimizer: torch.optim.Optimizer, plan: Plan) -> dict[str, Any]:
    """Whose state an optimizer keeps: names of parameters in the order of its own numbers."""
    names = {parameter: name for name, parameter in module.named_parameters()}
    parameters = [names[parameter] for group in optimizer.param_groups for parameter in group["params"]]
    # It keeps one state for all parameters together, under the first.
    separate = not isinstance(optimizer, torch.optim.LBFGS)
    return {"name": plan.optimizer.name, "parameters": parameters, "separate": separate}


def carry_weights(module: nn.Module, begun: Contents, carried: Carried) -> None:
    """Put a checkpoint's weights into ``module``, bit for bit; what is not among them stays as it was initialized."""
    state = module.state_dict()
    state.update({key: begun.state[key] for key in carried.keys if key in state})
    module.load_state_dict(state)


def carry_optimizer(module: nn.Module, optimizer: torch.optim.Optimizer, begun: Contents, carried: Carried) -> str:
    """Give the optimizer its state of a checkpoint, where it trains the same parameters. Returns what to tell of it."""
    known = begun.training.get("optimized") or {"parameters": []}
    states = dict(zip(known["parameters"], range(len(known["parameters"])), strict=True))
    old = begun.training["optimizer"]["state"]
    names = {parameter: name for name, parameter in module.named_parameters()}
    order = [names[parameter] for group in optimizer.param_groups for parameter in group["params"]]
    wanted = set(carried.optimizer)
    found = {
        place: old[states[name]]
        for place, name in enumerate(order)
        if name in wanted and name in states and states[name] in old
    }
    if found:
        optimizer.load_state_dict({**optimizer.state_dict(), "state": found})
    tensors = f"{len(carried.keys):,} of {len(module.state_dict()):,} tensors"
    states_of = f"the optimizer's state of {len(found):,} of {len(order):,} parameters"
    return f"Begun with a checkpoint of another run, of its step {begun.step}: {tensors}, and {states_of}."
