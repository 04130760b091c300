"""torch.export: the module as a graph of torch's own operations, for any batch size, without its Python source."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.export import Dim, ExportedProgram

from layerloom.graph.exporting.agreement import verified
from layerloom.graph.exporting.subject import TRACED, Subject
from layerloom.graph.exporting.written import Written

BATCH = "batch"
"""Name of the batch axis, in programs as in ONNX files."""


def write_pt2(subject: Subject, path: Path) -> Written:
    """What ``torch.export.load(path).module()`` runs, inputs given by position."""
    torch.export.save(traced(subject, subject.module), path, extra_files=dict(subject.texts))
    return Written(verified(subject, loaded(path), "the program"))


def traced(subject: Subject, module: nn.Module) -> ExportedProgram:
    """A module of the subject's signature as a program that takes any batch size. Raises whatever torch does."""
    return torch.export.export(module, subject.arguments(TRACED), dynamic_shapes=free_axes(subject))


def free_axes(subject: Subject) -> tuple[dict[int, Dim] | None, ...]:
    """For each input the axis whose size is left open."""
    axis = Dim(BATCH)
    return tuple({0: axis} if subject.has_batch(name) else None for name in subject.inputs)


def loaded(path: Path) -> Any:
    """A saved program as something to call."""
    return torch.export.load(path).module()
