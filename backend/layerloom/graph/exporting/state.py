"""Weights alone: a state_dict that loads strictly into the class of the Python file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from layerloom.graph.errors import refuse
from layerloom.graph.exporting.subject import Subject
from layerloom.graph.exporting.written import Written
from layerloom.schema.problems import ProblemCode


def write_pt(subject: Subject, path: Path) -> Written:
    """What ``torch.load(path, weights_only=True)`` gives back; tied weights stay tied."""
    torch.save(subject.module.state_dict(), path)
    return Written()


def write_safetensors(subject: Subject, path: Path) -> Written:
    """The same for readers in any language."""
    save_safetensors(subject.module.state_dict(), path, subject.texts)
    return Written()


def save_safetensors(state: Mapping[str, Tensor], path: Path, texts: Mapping[str, str]) -> None:
    """Write a state_dict with texts beside it.

    Safetensors knows no shared storage, so that tied weights are written under each of their names.
    """
    tensors: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, tensor in state.items():
        storage = tensor.untyped_storage().data_ptr()
        # A plain clone has its original's strides, and safetensors takes row-major tensors only.
        tensors[name] = tensor.clone(memory_format=torch.contiguous_format) if storage in seen else tensor.contiguous()
        seen.add(storage)
    save_file(tensors, path, metadata={"format": "pt", **texts})


def load_state(path: Path) -> dict[str, Tensor]:
    """A state_dict from a ``.safetensors`` file, or from a ``.pt`` file as tensors alone: nothing in it is run.

    Raises:
        GraphError: it is neither.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        message = "the file does not hold tensors and nothing else. Save model.state_dict() as .pt or .safetensors."
        raise refuse(ProblemCode.WEIGHTS_MISMATCH, message) from error
    if not isinstance(state, Mapping):
        raise refuse(ProblemCode.WEIGHTS_MISMATCH, "the file holds no state_dict. Save model.state_dict() as .pt.")
    return dict(state)
