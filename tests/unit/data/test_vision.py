"""torchvision's loaders on small files in the real on-disk formats."""

from __future__ import annotations

import hashlib
import pickle
import shutil
import socket
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision import datasets

from layerloom.data import DataError, entries, load, prepare, preview
from layerloom.data.vision import VISION
from layerloom.schema.document import InputExample
from layerloom.schema.plan import Plan
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


@pytest.mark.parametrize(("name", "cls"), [("mnist", "MNIST"), ("fashion-mnist", "FashionMNIST"), ("kmnist", "KMNIST")])
def test_mnist_files(name: str, cls: str, tmp_path: Path) -> None:
    made = write_mnist(tmp_path, cls)
    assert next(entry for entry in entries(tmp_path) if entry.name == name).available
    data = load(name, tmp_path)
    pixels = np.concatenate([made["train-images-idx3-ubyte"], made["t10k-images-idx3-ubyte"]])
    assert torch.equal(data.inputs["x"], torch.from_numpy(pixels).unsqueeze(1))
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
    assert torch.equal(data.inputs["x"][0].flatten(), torch.from_numpy(images[0]))
    assert data.targets.tolist() == [3, 1, 4, 1, 3, 1, 4, 1]


def test_house_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from scipy.io import savemat

    folder = tmp_path / "torchvision"
    folder.mkdir()
    images = RANDOM.integers(0, 256, (32, 32, 3, 6), dtype=np.uint8)
    labels = np.array([10, 1, 2, 3, 10, 5], np.uint8)[:, None]
    parts = {}
    for part in ("train", "test"):
        savemat(folder / f"{part}_32x32.mat", {"X": images, "y": labels})
        digest = hashlib.md5((folder / f"{part}_32x32.mat").read_bytes()).hexdigest()
        parts[part] = ["", f"{part}_32x32.mat", digest]
    monkeypatch.setattr(datasets.SVHN, "split_list", parts)
    data = load("svhn", tmp_path)
    assert data.inputs["x"].shape == (12, 3, 32, 32)
    assert np.array_equal(data.inputs["x"][1].numpy(), images[..., 1].transpose(2, 0, 1))
    assert data.targets[:6].tolist() == [0, 1, 2, 3, 0, 5]
    assert data.training == 6


@pytest.mark.parametrize(("split", "first", "classes"), [("letters", 1, 26), ("balanced", 0, 47)])
def test_emnist_is_turned_and_counted_from_nothing(split: str, first: int, classes: int, tmp_path: Path) -> None:
    raw = tmp_path / "torchvision/EMNIST/raw"
    raw.mkdir(parents=True)
    images = RANDOM.integers(0, 256, (classes, 28, 28), dtype=np.uint8)
    for part in ("train", "test"):
        (raw / f"emnist-{split}-{part}-images-idx3-ubyte").write_bytes(idx(images))
        (raw / f"emnist-{split}-{part}-labels-idx1-ubyte").write_bytes(
            idx(np.arange(first, first + classes, dtype="u1"))
        )
    there = {entry.name: entry.available for entry in entries(tmp_path) if entry.name.startswith("emnist")}
    assert there == {name: name == f"emnist-{split}" for name in VISION if name.startswith("emnist")}
    data = load(f"emnist-{split}", tmp_path, downloads=False)
    # Its files have what is written from above to below in rows.
    assert np.array_equal(data.inputs["x"][classes:, 0].numpy(), images.transpose(0, 2, 1))
    assert data.targets.tolist() == [*range(classes)] * 2
    assert (len(data.entry.classes), data.training) == (classes, classes)


def test_emnist_names_its_classes_as_torchvision_does() -> None:
    for name, source in VISION.items():
        if name.startswith("emnist"):
            named = datasets.EMNIST.classes_split_dict[name.removeprefix("emnist-")]
            assert source.entry.classes == [one for one in named if one != "N/A"]
    assert VISION["flowers102"].entry.classes == datasets.Flowers102.classes


def test_flowers_are_decoded_once_and_keep_their_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image
    from scipy.io import savemat

    folder = tmp_path / "torchvision/flowers-102"
    (folder / "jpg").mkdir(parents=True)
    for number in range(1, 8):
        Image.new("RGB", (500 + 10 * number, 500), (30 * number, 0, 0)).save(folder / "jpg" / f"image_{number:05d}.jpg")
    savemat(folder / "imagelabels.mat", {"labels": np.array([[7, 1, 2, 3, 102, 5, 6]])})
    savemat(folder / "setid.mat", {"trnid": [[2, 1, 5]], "valid": [[3, 4]], "tstid": [[6, 7]]})
    files = {"image": ("", "")}
    for what, name in (("label", "imagelabels.mat"), ("setid", "setid.mat")):
        files[what] = (name, hashlib.md5((folder / name).read_bytes()).hexdigest())
    # The checksums of the published files are the only thing that small files of the same format cannot have.
    monkeypatch.setattr(datasets.Flowers102, "_file_dict", files)
    data = load("flowers102", tmp_path, downloads=False)
    assert data.inputs["x"].shape == (7, 3, 128, 128)
    assert data.inputs["x"].dtype == torch.uint8
    # A JPEG of one colour has it to a unit.
    red = data.inputs["x"][:, 0].float().mean((1, 2))
    assert torch.allclose(red, torch.tensor([60.0, 30, 150, 90, 120, 180, 210]), atol=1.5)
    assert data.targets.tolist() == [0, 6, 101, 1, 2, 4, 5]
    assert (data.training, data.validation) == (3, 2)
    shutil.rmtree(folder / "jpg")
    (folder / "jpg").mkdir()
    assert torch.equal(load("flowers102", tmp_path).inputs["x"], data.inputs["x"])
    assert [path.name for path in folder.glob("layerloom*")] == ["layerloom-128.safetensors"]
    parts = preview("flowers102", tmp_path, count=2).division.parts
    assert {name: part.samples for name, part in parts.items()} == {"training": 3, "validation": 2, "test": 2}


def test_every_set_of_torchvision_has_as_many_names_as_classes() -> None:
    classes = {name: len(set(source.entry.classes)) for name, source in VISION.items()}
    letters = {"emnist-byclass": 62, "emnist-bymerge": 47, "emnist-balanced": 47, "emnist-letters": 26}
    assert classes == {**dict.fromkeys(VISION, 10), "cifar100": 100, "flowers102": 102, **letters}


def test_missing_files_are_said_to_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.MNIST, "mirrors", ["http://127.0.0.1:9/"])
    assert not next(entry for entry in entries(tmp_path) if entry.name == "mnist").available
    with pytest.raises(DataError, match="could not be downloaded") as caught:
        load("mnist", tmp_path)
    assert caught.value.problem.code == ProblemCode.DATASET_UNAVAILABLE


def test_nothing_is_downloaded_where_that_is_switched_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_mnist(tmp_path, "KMNIST")
    offered = {entry.name: entry for entry in entries(tmp_path, downloads=False)}
    assert [name for name in VISION if offered[name].missing is None] == ["kmnist"]
    assert [entry.missing for entry in entries(tmp_path)] == [None] * len(offered)
    problem = offered["mnist"].missing
    assert problem is not None
    assert problem.code == ProblemCode.DOWNLOADS_OFF
    assert str(tmp_path / "torchvision") in problem.message
    assert "--no-downloads" in problem.message
    with socket.create_server(("127.0.0.1", 0)) as mirror:
        monkeypatch.setattr(datasets.MNIST, "mirrors", [f"http://127.0.0.1:{mirror.getsockname()[1]}/"])
        mirror.setblocking(False)
        for refuse in (
            lambda: load("mnist", tmp_path, downloads=False),
            lambda: preview("mnist", tmp_path, downloads=False),
            lambda: prepare(Plan(dataset="mnist"), {"x": InputExample(shape=[1, 28, 28])}, tmp_path, downloads=False),
        ):
            with pytest.raises(DataError) as caught:
                refuse()
            assert caught.value.problem == problem
        with pytest.raises(BlockingIOError):
            mirror.accept()
    assert len(load("kmnist", tmp_path, downloads=False)) == 17
