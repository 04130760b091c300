"""How a loss becomes new weights: one optimizer step, in the fastest form that gives the same numbers.

Every optimizer is used through torch's public interface, but for the commonest: Adam and AdamW in their fused form. Of
what their public step does, a small network's step consists to a third, and all of it is bookkeeping: lists of
parameters and states that are the same each time are gathered, grouped and unwrapped anew. ``FusedAdam`` gathers them
once, asks autograd for the gradients instead of letting it store them in the parameters, and calls the kernel that the
public step calls. The optimizer's own state is what it works on, so that checkpoints and schedulers see no difference,
and ``tests/unit/training/test_updates.py`` holds both to equal bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from operator import is_
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.autograd.graph import _engine_run_backward

from layerloom.schema.plan import Clip
from layerloom.training.optimizers import clip_gradients

Forward = Callable[[], Tensor]
"""Runs a batch and gives its loss, 0-dimensional, with what autograd needs."""
Look = Callable[[Sequence[Tensor | None]], None]
"""Is shown the gradients, after backward and before clipping."""


class Updates(Protocol):
    """One optimizer step."""

    def step(self, forward: Forward, look: Look | None = None, more: Sequence[Forward] = ()) -> Tensor:
        """Run ``forward``, and train on its loss.

        Where a batch is run in parts, ``more`` are those after the first: the loss is the sum of all. Returns the
        loss, detached. ``look`` sees the gradients of all parameters that are trained, in their order in the module.
        """


def build_updates(
    module: nn.Module,
    optimizer: torch.optim.Optimizer,
    clip: Clip,
    scaler: torch.amp.GradScaler | None = None,
    *,
    shared: bool = False,
) -> Updates:
    """The fastest form for a module's optimizer, once the parameters lie where they will be trained.

    ``shared``: other processes add their gradients, which happens where autograd stores them in the parameters.
    """
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    if isinstance(optimizer, torch.optim.LBFGS):
        return Closure(parameters, optimizer, clip)
    plain = Plain(parameters, optimizer, clip, scaler)
    fast = scaler is None and not shared and _fusible(parameters, optimizer)
    return FusedAdam(parameters, optimizer, clip, plain) if fast else plain


class Plain:
    """Any optimizer through its public interface."""

    def __init__(
        self,
        parameters: list[nn.Parameter],
        optimizer: torch.optim.Optimizer,
        clip: Clip,
        scaler: torch.amp.GradScaler | None,
    ) -> None:
        self._parameters = parameters
        self._optimizer = optimizer
        self._clip = clip
        self._scaler = scaler

    def step(self, forward: Forward, look: Look | None = None, more: Sequence[Forward] = ()) -> Tensor:
        for parameter in self._parameters:
            parameter.grad = None
        loss = _backward(forward, self._scaler)
        for part in more:
            loss = loss + _backward(part, self._scaler)
        if self._scaler is not None:
            self._scaler.unscale_(self._optimizer)
        self.apply(look)
        return loss

    def apply(self, look: Look | None) -> None:
        """Clip the gradients that lie in the parameters, and step."""
        if look is not None:
            look([parameter.grad for parameter in self._parameters])
        clip_gradients(self._parameters, self._clip)
        if self._scaler is None:
            self._optimizer.step()
        else:
            self._scaler.step(self._optimizer)
            self._scaler.update()


class Closure:
    """LBFGS, which evaluates the loss several times in one step; the first is the one that the step started from."""

    def __init__(self, parameters: list[nn.Parameter], optimizer: torch.optim.LBFGS, clip: Clip) -> None:
        self._parameters = parameters
        self._optimizer = optimizer
        self._clip = clip

    def step(self, forward: Forward, look: Look | None = None, more: Sequence[Forward] = ()) -> Tensor:
        losses: list[Tensor] = []

        def closure() -> Tensor:
            for parameter in self._parameters:
                parameter.grad = None
            loss = _backward(forward)
            for part in more:
                loss = loss + _backward(part)
            if look is not None and not losses:
                look([parameter.grad for parameter in self._parameters])
            clip_gradients(self._parameters, self._clip)
            losses.append(loss)
            return loss

        self._optimizer.step(closure)  # type: ignore[no-untyped-call]
        return losses[0]


class FusedAdam:
    """Adam or AdamW with ``fused=True``, without the bookkeeping of its public step."""

    def __init__(
        self, parameters: list[nn.Parameter], optimizer: torch.optim.Optimizer, clip: Clip, plain: Plain
    ) -> None:
        self._parameters = parameters
        self._optimizer = optimizer
        self._clip = clip
        self._clips = clip.norm is not None or clip.value is not None
        self._plain = plain
        self._inputs = tuple(parameters)
        self._one = torch.ones(())
        self._kernels: list[_Kernel] = []
        self._groups: list[dict[str, Any]] = []

    def step(self, forward: Forward, look: Look | None = None, more: Sequence[Forward] = ()) -> Tensor:
        loss = forward()
        gradients = self._gradients(loss)
        for part in more:
            loss = loss.detach()  # what autograd keeps of a part goes before the next one comes
            other = part()
            gradients = _added(gradients, self._gradients(other))
            loss = loss + other.detach()
        if self._stale() or any(map(_missing, gradients)):
            # The first step makes the optimizer's state; one without some gradients leaves their parameters alone.
            self._store(gradients)
            self._plain.apply(look)
            self._gather()
            return loss.detach()
        if look is not None:
            look(gradients)
        if self._clips:
            self._store(gradients)
            clip_gradients(self._parameters, self._clip)
        for kernel in self._kernels:
            kernel(gradients)  # type: ignore[arg-type]  # none of them is None
        return loss.detach()

    def _gradients(self, loss: Tensor) -> tuple[Tensor | None, ...]:
        """``torch.autograd.grad(loss, parameters, allow_unused=True)`` without what it looks at each time."""
        if self._one.dtype is not loss.dtype or self._one.device != loss.device:
            self._one = torch.ones_like(loss, requires_grad=False)
        found: tuple[Tensor | None, ...] = _engine_run_backward(
            (loss,), (self._one,), False, False, self._inputs, allow_unreachable=True, accumulate_grad=False
        )
        return found

    def _store(self, gradients: Sequence[Tensor | None]) -> None:
        for parameter, gradient in zip(self._parameters, gradients, strict=True):
            parameter.grad = gradient

    def _stale(self) -> bool:
        """Whether there is no state yet, or another one: loading a checkpoint replaces it, groups and all."""
        return not self._kernels or not all(map(is_, self._groups, self._optimizer.param_groups))

    def _gather(self) -> None:
        places = {parameter: place for place, parameter in enumerate(self._parameters)}
        states = self._optimizer.state
        there = all("exp_avg" in states.get(parameter, ()) for parameter in self._parameters)
        self._groups = list(self._optimizer.param_groups)
        self._kernels = [_Kernel(group, places, states) for group in self._groups] if there else []


class _Kernel:
    """The fused kernel on one group of parameters, of one device and dtype."""

    def __init__(self, group: dict[str, Any], places: dict[nn.Parameter, int], states: Any) -> None:
        self.group = group
        self._places = [places[parameter] for parameter in group["params"]]
        self._whole = self._places == list(range(len(places)))
        own = [states[parameter] for parameter in group["params"]]
        self._parameters = [parameter.detach() for parameter in group["params"]]
        self._averages = [state["exp_avg"] for state in own]
        self._squares = [state["exp_avg_sq"] for state in own]
        self._largest = [state["max_exp_avg_sq"] for state in own] if group["amsgrad"] else []
        # The counts of steps lie in one tensor, so that one addition serves all.
        self._counts = torch.stack([state["step"] for state in own])
        self._steps = list(self._counts.unbind())
        for state, count in zip(own, self._steps, strict=True):
            state["step"] = count
        self._kernel = torch._fused_adamw_ if group["decoupled_weight_decay"] else torch._fused_adam_

    def __call__(self, gradients: tuple[Tensor, ...]) -> None:
        group = self.group
        beta1, beta2 = group["betas"]
        self._counts.add_(1)
        self._kernel(
            self._parameters,
            gradients if self._whole else [gradients[place] for place in self._places],
            self._averages,
            self._squares,
            self._largest,
            self._steps,
            lr=group["lr"],
            beta1=beta1,
            beta2=beta2,
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            amsgrad=group["amsgrad"],
            maximize=group["maximize"],
        )


_missing = partial(is_, None)


def _backward(forward: Forward, scaler: torch.amp.GradScaler | None = None) -> Tensor:
    """Add the gradients of a loss to those that lie in the parameters; gives the loss, detached."""
    loss = forward()
    torch.autograd.backward(loss if scaler is None else scaler.scale(loss))
    return loss.detach()


def _added(some: Sequence[Tensor | None], others: Sequence[Tensor | None]) -> tuple[Tensor | None, ...]:
    """Sums of gradients. New tensors: autograd may give one tensor, or one number, as the gradient of several."""
    pairs = [(one, other) for one, other in zip(some, others, strict=True) if one is not None and other is not None]
    added = iter(torch._foreach_add([one for one, _ in pairs], [other for _, other in pairs]) if pairs else ())
    return tuple(
        one if other is None else other if one is None else next(added) for one, other in zip(some, others, strict=True)
    )


def _fusible(parameters: list[nn.Parameter], optimizer: torch.optim.Optimizer) -> bool:
    """Whether the kernel can be called without torch's bookkeeping, and would be called the same way by it."""
    if type(optimizer) not in (torch.optim.Adam, torch.optim.AdamW):
        return False
    if optimizer._optimizer_step_pre_hooks or optimizer._optimizer_step_post_hooks:
        return False
    for group in optimizer.param_groups:
        numbers = (group["lr"], *group["betas"])
        if not group["fused"] or group["capturable"] or any(isinstance(number, Tensor) for number in numbers):
            return False
        if len({(parameter.device, parameter.dtype) for parameter in group["params"]}) != 1:
            return False
    if {*parameters} != {parameter for group in optimizer.param_groups for parameter in group["params"]}:
        return False
    # They run where a gradient is stored in its parameter, which is what is left out here.
    return not any(getattr(parameter, "_post_accumulate_grad_hooks", None) for parameter in parameters)
