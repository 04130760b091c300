"""Weights in another format."""

from __future__ import annotations

from pathlib import Path


def as_safetensors(state: Path, metadata: dict[str, str]) -> Path:
    """Replace a ``state.pt`` by the same state_dict as safetensors with these texts beside it; the new file's path."""
    import torch

    from layerloom.graph.exporting import save_safetensors

    target = state.with_suffix(".safetensors")
    save_safetensors(torch.load(state, map_location="cpu", weights_only=True), target, metadata)
    state.unlink()
    return target
