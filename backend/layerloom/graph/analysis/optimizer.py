"""What an optimizer keeps from step to step, read from a real one that has made its steps on tensors without memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from layerloom.catalogue import optimizers, resolve
from layerloom.graph.checking.failures import clean
from layerloom.graph.checking.findings import hint, near
from layerloom.graph.checking.layers import quietly
from layerloom.graph.errors import refuse
from layerloom.graph.expressions import ExpressionError
from layerloom.graph.places import evaluate
from layerloom.schema.plan import Choice
from layerloom.schema.problems import ProblemCode

STEPS = 2
"""After which every optimizer has made its state, but for those that keep a history."""
HISTORY = 60
"""Steps in which one that keeps a history has filled it."""
_REFUSALS = (RuntimeError, ValueError, TypeError, AssertionError, AttributeError, LookupError, ArithmeticError)

Gradient = Callable[[Tensor], Tensor]


class _NumbersAreOne(TorchFunctionMode):
    """Answers 1 where an optimizer reads a number back from a tensor that has none: sizes do not depend on it."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in (Tensor.item, Tensor.__float__) and args[0].is_meta:
            return 1.0
        return func(*args, **(kwargs or {}))


def optimizer_bytes(choice: Choice, parameters: Sequence[Tensor]) -> int:
    """Bytes of an optimizer's state for parameters of these shapes and dtypes.

    Optimizers that cannot run without numbers (LBFGS decides by them, SparseAdam takes sparse gradients only) run on
    a small matrix for real, and their state is taken in proportion.

    Raises:
        GraphError: unknown optimizer, arguments or parameters that it refuses.
    """
    if choice.name not in optimizers():
        close = near(choice.name, optimizers())
        raise refuse(ProblemCode.UNKNOWN_OPTIMIZER, f"there is no optimizer {choice.name[:80]!r}.{hint(close)}")
    try:
        arguments = {name: evaluate(value, {}) for name, value in choice.arguments.items()}
    except ExpressionError as error:
        raise refuse(ProblemCode.PLAN_INVALID, f"an argument of the optimizer has no value: {error}") from None
    make = resolve(choice.name)
    kinds = Counter((tuple(parameter.shape), parameter.dtype) for parameter in parameters)
    if not kinds:
        return 0  # nothing is trained
    label = choice.name.rpartition(".")[2]
    with quietly("cpu"), torch.enable_grad():
        imagined = {kind: torch.empty(kind[0], dtype=kind[1], device="meta") for kind in kinds}
        _refusable(label, lambda: make([nn.Parameter(tensor) for tensor in imagined.values()], **arguments))
        try:
            with _NumbersAreOne():
                return sum(
                    count * _state(make, arguments, imagined[kind], torch.ones_like, STEPS)
                    for kind, count in kinds.items()
                )
        except _REFUSALS:
            pass
    numbers = sum(parameter.numel() for parameter in parameters)
    return _in_proportion(make, arguments, numbers, label)


def _in_proportion(make: Any, arguments: dict[str, Any], numbers: int, label: str) -> int:
    with quietly("cpu"), torch.enable_grad():
        torch.manual_seed(0)  # an optimizer that decides by the numbers decides alike each time
        small = torch.zeros(32, 16)
        for gradient in (torch.randn_like, _sparse):
            try:
                return round(_state(make, arguments, small, gradient, HISTORY) / small.numel() * numbers)
            except _REFUSALS as error:
                refusal = error
    raise refuse(ProblemCode.PLAN_INVALID, f"{label} cannot make a step: {clean(refusal)}")


def _refusable(label: str, act: Callable[[], object]) -> None:
    try:
        act()
    except _REFUSALS as error:
        message = f"{label} does not take the network's parameters or its own arguments: {clean(error)}"
        raise refuse(ProblemCode.PLAN_INVALID, message) from None


def _state(make: Any, arguments: dict[str, Any], tensor: Tensor, gradient: Gradient, steps: int) -> int:
    """Bytes of a real optimizer's state for one parameter after some steps."""
    parameter = nn.Parameter(tensor.clone())
    optimizer = make([parameter], **arguments)

    def closure() -> Tensor:
        parameter.grad = gradient(parameter.detach())
        return torch.ones((), device=parameter.device)

    for _ in range(steps):
        optimizer.step(closure)
    return _size(list(optimizer.state.values()))


def _sparse(parameter: Tensor) -> Tensor:
    """A gradient of the first row."""
    rows = torch.zeros(1, 1, dtype=torch.int64)
    return torch.sparse_coo_tensor(rows, torch.ones_like(parameter[:1]), parameter.shape, check_invariants=True)


def _size(value: Any) -> int:
    if isinstance(value, Tensor):
        return value.nbytes
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return sum(_size(part) for part in parts)
