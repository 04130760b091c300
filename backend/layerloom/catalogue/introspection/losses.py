"""Which tasks a loss fits, found out by calling it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import torch

from layerloom.schema.catalogue import Port

_REFUSALS = (RuntimeError, ValueError, TypeError, IndexError, NotImplementedError, Warning)
_CLASSES = 3


def tasks(cls: type[torch.nn.Module], inputs: Sequence[Port]) -> list[str]:
    """The tasks for which a loss, with its default arguments, is one number that falls as predictions improve."""
    if sum(port.required for port in inputs) != 2:
        return []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            loss = cls()
        except _REFUSALS:
            return []
        return [task for task, fits in _FITS.items() if fits(loss)]


def _classification(loss: torch.nn.Module) -> bool:
    target = torch.tensor([0, 1, 2, 0])  # N
    return _falls(loss, 0.1 * _right(target), 5 * _right(target), target)


def _tokens(loss: torch.nn.Module) -> bool:
    target = torch.tensor([[0, 1, 2, 0, 1], [2, 1, 0, 0, 2]])  # N × T
    right = _right(target).transpose(1, 2)  # N × C × T
    return _falls(loss, 0.1 * right, 5 * right, target)


def _right(target: torch.Tensor) -> torch.Tensor:
    """One-hot predictions, classes along the last axis."""
    return torch.nn.functional.one_hot(target, _CLASSES).float()


def _numbers(loss: torch.nn.Module) -> bool:
    """Least, and zero, where predictions equal targets of either sign."""
    target = torch.linspace(-2, 2, 6).view(3, 2)
    return all(_falls(loss, target + away, target, target, least=0) for away in (-2.0, -0.5, 0.5, 2.0))


_FITS: dict[str, Callable[[torch.nn.Module], bool]] = {
    "classification": _classification,
    "tokens": _tokens,
    "regression": _numbers,
    "reconstruction": _numbers,
}


def _falls(
    loss: torch.nn.Module, worse: torch.Tensor, better: torch.Tensor, target: torch.Tensor, least: float | None = None
) -> bool:
    try:
        before, after = loss(worse, target), loss(better, target)
    except _REFUSALS:
        return False
    if before.numel() != 1 or not bool(torch.isfinite(before) & torch.isfinite(after)):
        return False
    return bool(after < before) and (least is None or float(after) == least)
