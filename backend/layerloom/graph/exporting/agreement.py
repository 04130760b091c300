"""Holding what was written against torch: the same structure, shapes and dtypes, and numbers that are as near."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from layerloom.graph.errors import refuse
from layerloom.graph.exporting.subject import Subject, outputs
from layerloom.schema.export import Agreement
from layerloom.schema.problems import ProblemCode

TOLERANCE = 1e-5
"""Largest error of a file that is handed out, absolute, or relative to the largest output where that is above 1; more
where the outputs' dtype is coarser."""


class DisagreementError(Exception):
    """Two results are of different structure, shape or dtype, or too far apart."""


def verified(
    subject: Subject, run: Callable[..., Any], whose: str, *, module: nn.Module | None = None, flat: bool = False
) -> list[Agreement]:
    """How near ``run`` is to the subject's module, or another with its signature, at each batch size it must take.

    ``flat`` says that it gives a list of tensors where the module gives tuples and dictionaries. A batch of one is
    tried as well, and its refusal noted: to many networks one sample looks like none (``squeeze``).

    Raises:
        GraphError: it fails, or its outputs are not torch's.
    """
    module = subject.module if module is None else module
    found = []
    for batch in subject.sizes:
        arguments = subject.arguments(batch)
        expected = outputs(module, arguments)
        try:
            found.append(_held(subject, run, arguments, leaves(expected) if flat else expected))
        except Exception as error:  # of whoever runs the file
            told = str(error) if isinstance(error, DisagreementError) else f"it fails: {str(error)[:300]}"
            message = f"{whose} was written, but at a batch of {batch} {told.rstrip('. ')}. Choose another format."
            raise refuse(ProblemCode.EXPORT_FAILED, message) from error
    if subject.batched and not _takes_one(subject, run):
        subject.notes.append("It does not take a batch of one sample.")
    if subject.is_random:
        subject.notes.append("The network draws random numbers in evaluation, so that only shapes were compared.")
    return found


def _held(subject: Subject, run: Callable[..., Any], arguments: tuple[Tensor | None, ...], expected: Any) -> Agreement:
    got = outputs(run, arguments)
    agreement = compared(expected, got, subject.batch_of(arguments), loosely=subject.is_random)
    tensors = [leaf for leaf in leaves(expected) if isinstance(leaf, Tensor) and leaf.numel()]
    largest = max((float(_wide(leaf).abs().nan_to_num(0, 0, 0).max()) for leaf in tensors), default=0.0)
    coarsest = max((_step(leaf) for leaf in tensors), default=0.0)
    if agreement.max_absolute > max(TOLERANCE, 8 * coarsest) * max(1.0, largest):
        raise DisagreementError(f"its outputs are off by {agreement.max_absolute:.1e}")
    return agreement


def _takes_one(subject: Subject, run: Callable[..., Any]) -> bool:
    try:
        outputs(run, subject.arguments(1))
    except Exception:
        return False
    return True


def compared(expected: Any, got: Any, batch: int | None, loosely: bool = False) -> Agreement:
    """The errors of ``got`` over all tensors; with ``loosely``, only structure, shapes and dtypes count.

    Raises:
        DisagreementError: they differ in structure, shape or dtype, or one is finite where the other is not.
    """
    pairs = list(_pairs(expected, got))
    if loosely:
        return Agreement(batch=batch, max_absolute=0, mean_absolute=0, max_relative=0, mean_relative=0)
    errors = [_errors(one, other) for one, other in pairs if one.numel()]
    zeros = torch.zeros(1, dtype=torch.float64)
    off, size = (torch.cat([zeros, *(pair[place] for pair in errors)]) for place in (0, 1))
    if not bool(off.isfinite().all()):
        raise DisagreementError("its outputs are finite where torch's are not, or the other way round")
    count = max(off.numel() - 1, 1)
    return Agreement(
        batch=batch,
        max_absolute=float(off.max()),
        mean_absolute=float(off.sum() / count),
        max_relative=_ratio(off.max(), size.max()),
        mean_relative=_ratio(off.sum(), size.sum()),
    )


def leaves(value: Any) -> list[Any]:
    """What is not a container, in order."""
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves(item)]
    if isinstance(value, tuple | list):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


def _pairs(one: Any, other: Any) -> Iterator[tuple[Tensor, Tensor]]:
    match one, other:
        case Tensor(), Tensor():
            if one.shape != other.shape or one.dtype != other.dtype:
                told = f"{list(other.shape)} {other.dtype} in place of {list(one.shape)} {one.dtype}"
                raise DisagreementError(f"gives {told}")
            yield one.detach(), other.detach()
        case dict(), dict() if list(one) == list(other):
            for key in one:
                yield from _pairs(one[key], other[key])
        case ((tuple() | list()), (tuple() | list())) if len(one) == len(other):
            for mine, theirs in zip(one, other, strict=True):
                yield from _pairs(mine, theirs)
        case _ if isinstance(one, Tensor | dict | tuple | list) or one != other:
            raise DisagreementError("gives another structure")


def _errors(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """Absolute errors and magnitudes, flat. Where both are the same infinity, or no number, there is none."""
    one, other = _wide(one), _wide(other)
    same = (one == other) | (one.isnan() & other.isnan())
    magnitude = one.abs().to(torch.float64).nan_to_num(0, 0, 0)
    return (one - other).abs().to(torch.float64).masked_fill(same, 0).flatten(), magnitude.flatten()


def _wide(tensor: Tensor) -> Tensor:
    return tensor.to(torch.complex128 if tensor.is_complex() else torch.float64)


def _step(tensor: Tensor) -> float:
    """Distance of 1 from the next number of its dtype: half precision knows no 1e-5."""
    return torch.finfo(tensor.dtype).eps if tensor.is_floating_point() or tensor.is_complex() else 0.0


def _ratio(part: Tensor, whole: Tensor) -> float:
    return float(part / whole.clamp(min=torch.finfo(torch.float32).tiny))
