"""torchvision's loaders on small files in the real on-disk formats."""

from __future__ import annotations

import hashlib
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision import datasets

from layerloom.data import DataError, entries, load
from layerloom.schema.problems import ProblemCode

RANDOM = np.random.default_rng(0)


def idx(array: np.ndarray) -> bytes:  # type: ignore[type-arg]
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def write_mnist(folder: Path, cls: str) -> dict[str, np.ndarray]:  # type: ignore[type-arg]
    raw = folder / "torchvision" / cls / "raw"
    raw.mkdir(parents=True)
    made = {}
    for part, count in (("train", 12), ("t10k", 5)):
        made[f"{part}-images-idx3-ubyte"] = RANDOM.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        made[f"{part}-labels-idx1-ubyte"] = (np.arange(count) % 10).astype(np.uint8)
    for name, array in made.items():
        (raw / name).write_bytes(idx(array))
    return made


@pytest.mark.parametrize(("name", "cls"), [("mnist", "MNIST"), ("fashion-mnist", "FashionMNIST")])
def test_mnist_files(name: str, cls: str, tmp_path: Path) -> None:
    made = write_mnist(tmp_path, cls)
    assert next(entry for entry in entries(tmp_path) if entry.name == name).available
    data = load(name, tmp_path)
    pixels = np.concatenate([made["train-images-idx3-ubyte"], made["t10k-images-idx3-ubyte"]])
    assert torch.equal(data.inputs["x"], torch.from_numpy(pixels).unsqueeze(1).float() / 255)
    assert data.targets.tolist() == [*range(10), 0, 1, 0, 1, 2, 3, 4]
    assert data.training == 12


def test_cifar_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "torchvision" / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    images = RANDOM.integers(0, 256, (4, 3072), dtype=np.uint8)

    def write(name: str, content: object) -> list[str]:
        raw = pickle.dumps(content)
        (folder / name).write_bytes(raw)
        return [name, hashlib.md5(raw).hexdigest()]

    batch = {"data": images, "labels": [3, 1, 4, 1]}
    train = [write("data_batch_1", batch)]
    test = [write("test_batch", batch)]
    meta = write("batches.meta", {"label_names": [str(i) for i in range(10)]})
    # The checksums of the published files are the only thing that small files of the same format cannot have.
    monkeypatch.setattr(datasets.CIFAR10, "train_list", train)
    monkeypatch.setattr(datasets.CIFAR10, "test_list", test)
    monkeypatch.setattr(datasets.CIFAR10, "meta", {"filename": meta[0], "key": "label_names", "md5": meta[1]})
    data = load("cifar10", tmp_path)
    assert data.inputs["x"].shape == (8, 3, 32, 32)
    assert torch.equal(data.inputs["x"][0].flatten(), torch.from_numpy(images[0]).float() / 255)
    assert data.targets.tolist() == [3, 1, 4, 1, 3, 1, 4, 1]


def test_missing_files_are_said_to_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.MNIST, "mirrors", ["http://127.0.0.1:9/"])
    assert not next(entry for entry in entries(tmp_path) if entry.name == "mnist").available
    with pytest.raises(DataError, match="could not be downloaded") as caught:
        load("mnist", tmp_path)
    assert caught.value.problem.code == ProblemCode.DATASET_UNAVAILABLE
