"""torchvision's image sets, read from disk and downloaded where there is network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from layerloom.data.dataset import DataError, Dataset
from layerloom.schema.catalogue import DatasetEntry
from layerloom.schema.problems import ProblemCode

FOLDER = "torchvision"
"""Below the data folder; the layout inside is torchvision's own."""
CLOTHES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
OBJECTS = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


@dataclass(frozen=True)
class VisionSource:
    """One of torchvision's classes that keeps ``data`` and ``targets`` in memory."""

    entry: DatasetEntry
    torchvision_class: str

    def present(self, folder: Path) -> bool:
        """Whether the files lie below the data folder already."""
        try:
            self._part(folder, train=False, download=False)
        except (RuntimeError, OSError):
            return False
        return True

    def load(self, folder: Path) -> Dataset:
        """Images as floats between 0 and 1, ``C×H×W``; the official test part is the validation part.

        Raises:
            DataError: the files are not there and cannot be downloaded, or are damaged.
        """
        try:
            parts = [self._part(folder, train=train, download=True) for train in (True, False)]
        except (RuntimeError, OSError, ValueError, EOFError) as error:
            raise DataError(
                ProblemCode.DATASET_UNAVAILABLE,
                f"{self.entry.label} is not in {folder / FOLDER} and could not be downloaded: {error}. "
                "Put its files there, as torchvision lays them out, and try again.",
                dataset=self.entry.name,
            ) from error
        images = torch.cat([torch.as_tensor(part.data) for part in parts])
        if images.dim() == 3:
            images = images.unsqueeze(3)
        targets = torch.cat([torch.as_tensor(part.targets) for part in parts]).long()
        pixels = images.permute(0, 3, 1, 2).float().div_(255).contiguous()
        return Dataset(self.entry, {"x": pixels}, targets, training=len(parts[0].data))

    def _part(self, folder: Path, *, train: bool, download: bool):  # type: ignore[no-untyped-def]  # torchvision has no types
        from torchvision import datasets

        return getattr(datasets, self.torchvision_class)(folder / FOLDER, train=train, download=download)


def _source(name: str, cls: str, summary: str, shape: list[int], samples: int, classes: list[str]) -> VisionSource:
    entry = DatasetEntry(
        name=name,
        label=cls,
        category="images",
        summary=summary,
        tasks=["classification"],
        task="classification",
        shape=shape,
        classes=classes,
        samples=samples,
        available=False,
        link=f"https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.{cls}.html",
    )
    return VisionSource(entry, cls)


DIGITS = [str(digit) for digit in range(10)]
VISION: dict[str, VisionSource] = {
    source.entry.name: source
    for source in (
        _source("mnist", "MNIST", "70,000 handwritten digits, 28×28 grey.", [1, 28, 28], 70_000, DIGITS),
        _source(
            "fashion-mnist", "FashionMNIST", "70,000 pieces of clothing, 28×28 grey.", [1, 28, 28], 70_000, CLOTHES
        ),
        _source(
            "cifar10",
            "CIFAR10",
            "60,000 photographs of ten kinds of things, 32×32 in colour.",
            [3, 32, 32],
            60_000,
            OBJECTS,
        ),
    )
}
