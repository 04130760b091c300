"""Checkpoints that are there whole or not at all.

A checkpoint is the folder ``checkpoints/a<attempt>-s<step>/`` of a run. It is written under another name, synced to the
disk and renamed, so that a crash or a power cut at any moment leaves the previous one as it was. The attempt in its
name keeps two trainers of one run from ever writing the same folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import re
import shutil
import uuid
import warnings
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from layerloom.schema.problems import ProblemCode
from layerloom.training.failure import TrainingError

_NAME = re.compile(r"^a(\d+)-s(\d+)$")
FOLDER = "checkpoints"
_UNREADABLE = (
    *(OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, RuntimeError),
    pickle.UnpicklingError,  # weights_only=True refuses what is not plain data
)
"""What reading a file of unknown bytes raises."""


@dataclass(frozen=True)
class Contents:
    """What a checkpoint holds, on the CPU and independent of the module that goes on learning."""

    step: int
    state: Mapping[str, Any]
    """The module's state_dict."""
    training: Mapping[str, Any]
    """Optimizer, scheduler, random number generators, position."""


class CheckpointStore:
    """The checkpoints of one run, as one attempt writes them."""

    def __init__(self, run_folder: Path, attempt: int) -> None:
        self._run = run_folder
        self._folder = run_folder / FOLDER
        self._attempt = attempt

    def path(self, step: int) -> str:
        """Where this attempt's checkpoint of a step lies, relative to the run's folder."""
        return f"{FOLDER}/a{self._attempt}-s{step}"

    def exists(self, path: str) -> bool:
        """Whether a checkpoint was published under this path."""
        return (self._run / path / "manifest.json").is_file()

    def write(self, contents: Contents) -> str:
        """Publish a checkpoint; one that is already there is left as it is.

        Raises:
            OSError: the disk is full or refuses; nothing is published then.
        """
        path = self.path(contents.step)
        if self.exists(path):
            return path
        self._folder.mkdir(parents=True, exist_ok=True)
        draft = self._folder / f"tmp-{uuid.uuid4().hex}"
        draft.mkdir()
        try:
            state = contents.state
            if not all(value.is_contiguous() for value in state.values() if isinstance(value, Tensor)):
                state = on_cpu(state)  # a run may keep channels last; whoever loads the weights wants them plain
            torch.save(state, draft / "state.pt")
            _save_safetensors(state, draft / "state.safetensors")
            torch.save(contents.training, draft / "training.pt")
            digests = {file.name: _sync_and_digest(file) for file in sorted(draft.iterdir())}
            weights = contents.training.get("weights", "trained")
            manifest = {"step": contents.step, "attempt": self._attempt, "weights": weights, "sha256": digests}
            # For whoever begins another run with it: whose state the optimizer keeps, in its own order.
            manifest["optimizer"] = contents.training.get("optimized")
            (draft / "manifest.json").write_text(json.dumps(manifest, indent=2), encoding="utf-8")
            _sync(draft / "manifest.json")
            _sync(draft)
            # A folder without a manifest is one that was deleted half way; it would refuse to be replaced.
            if (self._run / path).is_dir():
                shutil.rmtree(self._run / path)
            draft.rename(self._run / path)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        _sync(self._folder)
        return path

    def retire(self, keep: set[str]) -> None:
        """Delete this and earlier attempts' checkpoints but those in ``keep``, and drafts of dead trainers."""
        if not self._folder.is_dir():
            return
        for folder in self._folder.iterdir():
            match = _NAME.match(folder.name)
            stale = int(match[1]) <= self._attempt and f"{FOLDER}/{folder.name}" not in keep if match else False
            if stale or folder.name.startswith("tmp-"):
                # Without its manifest it is no checkpoint, even if deleting stops half way.
                (folder / "manifest.json").unlink(missing_ok=True)
                shutil.rmtree(folder, ignore_errors=True)

    def earlier(self, path: str) -> list[str]:
        """Other checkpoints of the run that came before ``path``, newest first."""
        if not self._folder.is_dir():
            return []
        own = _NAME.match(Path(path).name)
        limit = (int(own[2]), int(own[1])) if own else (2**63, 0)
        names = {f"{FOLDER}/{folder.name}": _NAME.match(folder.name) for folder in self._folder.iterdir()}
        order = {name: (int(match[2]), int(match[1])) for name, match in names.items() if match and self.exists(name)}
        return sorted((name for name in order if order[name] < limit), key=order.__getitem__, reverse=True)

    def load(self, path: str) -> Contents:
        """Read a checkpoint back, held against its manifest.

        Raises:
            TrainingError: it is missing, its bytes have changed, or they are no checkpoint.
        """
        folder = self._run / path
        try:
            manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
            _verify(folder, manifest["sha256"])
            return Contents(manifest["step"], _read(folder / "state.pt"), _read(folder / "training.pt"))
        except _UNREADABLE as error:
            raise TrainingError(
                ProblemCode.CHECKPOINT_MISSING, f"The checkpoint {path} cannot be read: {error}", path=path
            ) from error


def on_cpu(value: Any) -> Any:
    """A copy of a nested state on the CPU; tensors that share memory share it in the copy, too."""
    return _copy(value, {})


def _copy(value: Any, seen: dict[Any, Tensor]) -> Any:
    if isinstance(value, Tensor) and value.layout is not torch.strided:
        return value.detach().to("cpu", copy=True)
    if isinstance(value, Tensor):
        key = (value.data_ptr(), value.dtype, value.shape, value.stride()) if value.numel() else id(value)
        if key not in seen:
            seen[key] = value.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
        return seen[key]
    if isinstance(value, OrderedDict):
        copy = OrderedDict((key, _copy(item, seen)) for key, item in value.items())
        if hasattr(value, "_metadata"):
            copy._metadata = value._metadata  # type: ignore[attr-defined]
        return copy
    if type(value) is dict:
        return {key: _copy(item, seen) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_copy(item, seen) for item in value)
    return value


def _save_safetensors(state: Mapping[str, Any], file: Path) -> None:
    """Every tensor under its own key: the format has no sharing, and strict loading wants every key."""
    tensors = {name: value.clone() for name, value in state.items() if isinstance(value, Tensor)}
    save_file(tensors, file, metadata={"format": "pt"})


def _read(file: Path) -> Any:
    with warnings.catch_warnings():
        # Momentum of sparse gradients is sparse, and checking it takes the time that it takes.
        warnings.filterwarnings("ignore", "Validating sparse tensor invariants")
        return torch.load(file, map_location="cpu", weights_only=True)


def _verify(folder: Path, digests: Mapping[str, str]) -> None:
    for name, digest in digests.items():
        if _digest(folder / name) != digest:
            raise ValueError(f"{name} is not what was written")


def _sync_and_digest(file: Path) -> str:
    _sync(file)
    return _digest(file)


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sync(path: Path) -> None:
    """Wait until a file or a folder's entries are on the disk; a failed sync is a failed save."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
