"""Where and how precisely a module computes: device, threads, autocast and the scaling of gradients."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext

import torch

from layerloom.schema.plan import Plan
from layerloom.schema.problems import ProblemCode
from layerloom.training.failure import TrainingError


def choose_device(name: str, rank: int = 0, world: int = 1) -> torch.device:
    """The device of a plan for one of ``world`` processes; ``auto`` takes CUDA, then MPS, then the CPU.

    Raises:
        TrainingError: a device that this machine does not have.
    """
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if name == "auto":
        name = "cuda" if cuda else "mps" if mps and world == 1 else "cpu"
    device = torch.device(name)
    missing = (device.type == "cuda" and (not cuda or (device.index or 0) >= torch.cuda.device_count())) or (
        device.type == "mps" and not mps
    )
    if missing:
        raise TrainingError(
            ProblemCode.DEVICE_UNAVAILABLE, f"This machine has no device {name}; choose auto or cpu.", device=name
        )
    if world == 1 or device.type == "cpu":
        return device
    there = torch.cuda.device_count() if device.type == "cuda" else 1
    if there < world:
        raise TrainingError(
            ProblemCode.DEVICE_UNAVAILABLE,
            f"The plan wants {world} devices, and this machine has {there} of the kind {device.type}. "
            "Choose fewer, or the CPU.",
            device=name,
        )
    device = torch.device(device.type, rank)
    torch.cuda.set_device(device)
    return device


def set_threads(plan: Plan) -> int:
    """Threads of one operation: the plan's, or those that the executor gave (``OMP_NUM_THREADS``), or all cores."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    count = plan.threads or (int(given) if given.isdigit() and int(given) > 0 else cores)
    torch.set_num_threads(count)
    return count


class Precision:
    """Autocast for a forward pass, and for fp16 the scaler that keeps small gradients from vanishing."""

    def __init__(self, name: str, device: torch.device) -> None:
        self.name = name
        self._device = device
        self._dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(name)
        self.scaler = torch.amp.GradScaler(device.type) if name == "fp16" else None
        self.lowered = self._dtype is not None

    def autocast(self) -> AbstractContextManager[object]:
        """The context of a forward pass and its loss."""
        if self._dtype is None:
            return nullcontext()
        return torch.autocast(self._device.type, self._dtype)
