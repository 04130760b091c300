"""Weights in another format."""

from __future__ import annotations

from pathlib import Path


def as_safetensors(state: Path, metadata: dict[str, str]) -> Path:
    """Replace a ``state.pt`` by the same state_dict as safetensors with these texts beside it; the new file's path.

    Safetensors knows no shared storage, so that tied weights are written under each of their names.
    """
    import torch
    from safetensors.torch import save_file

    tensors = torch.load(state, map_location="cpu", weights_only=True)
    target = state.with_suffix(".safetensors")
    seen: set[int] = set()
    for name, tensor in tensors.items():
        storage = tensor.untyped_storage().data_ptr()
        tensors[name] = tensor.clone() if storage in seen else tensor.contiguous()
        seen.add(storage)
    save_file(tensors, target, metadata={"format": "pt", **metadata})
    state.unlink()
    return target
