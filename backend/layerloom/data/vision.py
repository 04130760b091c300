"""torchvision's image sets, read from disk and downloaded where there is network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from layerloom.data.dataset import Dataset
from layerloom.data.fetching import FOLDER, entry_of, fetching
from layerloom.data.flowers import FLOWERS, FlowerSource
from layerloom.schema.catalogue import DatasetEntry

CLOTHES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]


@dataclass(frozen=True)
class VisionSource:
    """One of torchvision's classes that keeps its images in memory, as ``data``, beside ``targets`` or ``labels``."""

    entry: DatasetEntry
    torchvision_class: str
    files: str
    """What lies below torchvision's folder when the set is there. No more is looked at: it is asked for whenever
    data sets are listed, and some take minutes to be read."""
    split: str | None = None
    """Which of the class's divisions is meant, as EMNIST has several."""

    def present(self, folder: Path) -> bool:
        """Whether the files lie below the data folder already."""
        return (folder / FOLDER / self.files).exists()

    def load(self, folder: Path, *, downloads: bool) -> Dataset:
        """Images as pixels, ``C×H×W``; the official test part is the validation part.

        Raises:
            DataError: the files are not there and cannot or may not be downloaded, or are damaged.
        """
        with fetching(self.entry, folder, downloads=downloads):
            parts = [self._part(folder, train=train, download=downloads) for train in (True, False)]
        pixels = torch.cat([_pixels(part, self.torchvision_class) for part in parts]).contiguous()
        targets = torch.cat([_targets(part, self.split) for part in parts])
        return Dataset(self.entry, {"x": pixels}, targets, training=len(parts[0].data))

    def _part(self, folder: Path, *, train: bool, download: bool):  # type: ignore[no-untyped-def]  # torchvision has no types
        from torchvision import datasets

        by_split = {"split": "train" if train else "test"}
        which: dict[str, Any] = by_split if self.torchvision_class in _BY_SPLIT else {"train": train}
        if self.split is not None:
            which["split"] = self.split
        return getattr(datasets, self.torchvision_class)(folder / FOLDER, **which, download=download)


_BY_SPLIT = ("SVHN", "STL10")
"""Their parts are called ``split="train"`` and ``"test"``, and their images have channels first."""


def _pixels(part: Any, cls: str) -> Tensor:
    images = torch.as_tensor(part.data)
    if images.dim() == 3:
        # EMNIST's files have rows where columns should be.
        return (images.transpose(1, 2) if cls == "EMNIST" else images).unsqueeze(1)
    return images if cls in _BY_SPLIT else images.permute(0, 3, 1, 2)


def _targets(part: Any, split: str | None) -> Tensor:
    targets = torch.as_tensor(part.labels if hasattr(part, "labels") else part.targets).long()
    # EMNIST counts letters from 1.
    return targets - 1 if split == "letters" else targets


def _source(
    cls: str,
    summary: str,
    shape: list[int],
    samples: int,
    classes: str | list[str],
    files: str,
    *,
    name: str = "",
    split: str | None = None,
) -> VisionSource:
    label = cls if split is None else f"{cls} ({split})"
    names = classes.split() if isinstance(classes, str) else classes
    return VisionSource(entry_of(cls, label, summary, shape, samples, names, name or cls.lower()), cls, files, split)


_DIGITS = "0 1 2 3 4 5 6 7 8 9"
_KINDS = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish
forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle
mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine
possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar
sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale willow_tree
wolf woman worm
"""
_LETTERS = "A B C D E F G H I J K L M N O P Q R S T U V W X Y Z"
_SMALL = _LETTERS.lower()
_EMNIST = (
    ("byclass", 814_255, f"{_DIGITS} {_LETTERS} {_SMALL}", "digits, capital and small letters"),
    (
        "bymerge",
        814_255,
        f"{_DIGITS} {_LETTERS} a b d e f g h n q r t",
        "digits and letters, alike ones as one",
    ),
    ("balanced", 131_600, f"{_DIGITS} {_LETTERS} a b d e f g h n q r t", "digits and letters, as many of each"),
    ("letters", 145_600, _SMALL, "letters, capital and small ones together"),
    ("digits", 280_000, _DIGITS, "digits, as many of each"),
    ("mnist", 70_000, _DIGITS, "digits, as many as MNIST has"),
)


def _emnist(split: str, samples: int, classes: str, what: str) -> VisionSource:
    summary = f"{samples:,} handwritten characters, 28×28 grey: {what}."
    files = f"EMNIST/raw/emnist-{split}-test-labels-idx1-ubyte"
    return _source("EMNIST", summary, [1, 28, 28], samples, classes, files, name=f"emnist-{split}", split=split)


_SOURCES = [
    _source("MNIST", "70,000 handwritten digits, 28×28 grey.", [1, 28, 28], 70_000, _DIGITS, "MNIST/raw"),
    _source(
        "FashionMNIST",
        "70,000 pieces of clothing, 28×28 grey.",
        [1, 28, 28],
        70_000,
        CLOTHES,
        "FashionMNIST/raw",
        name="fashion-mnist",
    ),
    _source(
        "KMNIST",
        "70,000 handwritten Japanese characters, 28×28 grey.",
        [1, 28, 28],
        70_000,
        "o ki su tsu na ha ma ya re wo",
        "KMNIST/raw",
    ),
    _source(
        "CIFAR10",
        "60,000 photographs of ten kinds of things, 32×32 in colour.",
        [3, 32, 32],
        60_000,
        "airplane automobile bird cat deer dog frog horse ship truck",
        "cifar-10-batches-py",
    ),
    _source(
        "CIFAR100",
        "60,000 photographs of a hundred kinds of things, 32×32 in colour.",
        [3, 32, 32],
        60_000,
        _KINDS,
        "cifar-100-python",
    ),
    _source(
        "SVHN",
        "99,289 digits of house numbers, 32×32 in colour.",
        [3, 32, 32],
        99_289,
        _DIGITS,
        "train_32x32.mat",
    ),
    _source(
        "STL10",
        "13,000 photographs of ten kinds of things, 96×96 in colour.",
        [3, 96, 96],
        13_000,
        "airplane bird car cat deer dog horse monkey ship truck",
        "stl10_binary",
    ),
    *(_emnist(*what) for what in _EMNIST),
]
VISION: dict[str, VisionSource | FlowerSource] = {
    **{source.entry.name: source for source in _SOURCES},
    FLOWERS.entry.name: FLOWERS,
}
