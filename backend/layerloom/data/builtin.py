"""Sources that need no network and no file: scikit-learn's small data sets and generated ones.

A source is declared whole in one place: its entry and the function that makes its tensors. To add one, write such a
function and put it into ``SOURCES``; a test holds every entry's facts against the tensors.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from layerloom.data.dataset import Dataset
from layerloom.schema.catalogue import DatasetEntry

Arrays = tuple[Tensor, Tensor]
CHARACTERS = "\n abcdefghijklmnopqrstuvwxyz.,-:"
"""Vocabulary of the character task: 32 symbols; every other character of the text is read as a space."""
WINDOW = 48


@dataclass(frozen=True)
class Source:
    """A data set that can be made at any time. ``make`` gives inputs and targets, samples first."""

    entry: DatasetEntry
    make: Callable[[], Arrays]
    columns: Callable[[], Sequence[str]] | None = None
    """Names of a table's features and, last, of its target."""

    def load(self, _folder: Path) -> Dataset:
        """Make the tensors."""
        inputs, targets = self.make()
        return Dataset(self.entry, {"x": inputs}, targets)


@lru_cache(maxsize=8)
def _bundle(name: str) -> Any:
    """Read from its file once in a process; whoever takes numbers from it copies them."""
    from sklearn import datasets

    return getattr(datasets, f"load_{name}")()


def _table(name: str) -> Arrays:
    bundle = _bundle(name)
    return torch.tensor(bundle.data, dtype=torch.float32), torch.tensor(bundle.target, dtype=torch.int64)


def _names(bundle: str, target: str) -> Callable[[], Sequence[str]]:
    return lambda: [*map(str, _bundle(bundle).feature_names), target]


def _digits() -> Arrays:
    bundle = _bundle("digits")
    # Pixels are counts 0..16 of a 4×4 cell.
    images = torch.tensor(bundle.images, dtype=torch.float32).div_(16).unsqueeze(1)
    return images, torch.tensor(bundle.target, dtype=torch.int64)


def _digits_flat() -> Arrays:
    images, labels = _digits()
    return images.flatten(1), labels


def _diabetes() -> Arrays:
    bundle = _bundle("diabetes")
    progression = torch.tensor(bundle.target, dtype=torch.float32).unsqueeze(1)
    scaled = (progression - progression.mean()) / progression.std()
    return torch.tensor(bundle.data, dtype=torch.float32), scaled


def _moons() -> Arrays:
    from sklearn.datasets import make_moons

    points, labels = make_moons(n_samples=1_000, noise=0.15, random_state=0)
    return torch.tensor(points, dtype=torch.float32), torch.tensor(labels, dtype=torch.int64)


def _spirals(arms: int = 3, per_arm: int = 400) -> Arrays:
    random = np.random.default_rng(0)
    radius = np.linspace(0.05, 1, per_arm)
    points, labels = [], []
    for arm in range(arms):
        angle = 2 * math.pi * (1.25 * radius + arm / arms) + random.normal(0, 0.15, per_arm)
        points.append(np.stack((radius * np.sin(angle), radius * np.cos(angle)), axis=1))
        labels.append(np.full(per_arm, arm))
    return (
        torch.tensor(np.concatenate(points), dtype=torch.float32),
        torch.tensor(np.concatenate(labels), dtype=torch.int64),
    )


def _sine(samples: int = 2_000) -> Arrays:
    random = np.random.default_rng(0)
    period = random.uniform(8, 32, (samples, 1))
    phase = random.uniform(0, 2 * math.pi, (samples, 1))
    height = random.uniform(0.5, 1, (samples, 1))
    wave = height * np.sin(2 * math.pi * np.arange(WINDOW + 1) / period + phase)
    values = torch.tensor(wave, dtype=torch.float32)
    return values[:, :WINDOW].unsqueeze(2), values[:, WINDOW:]


def _text() -> str:
    """English prose that is on every machine that runs LayerLoom: scikit-learn's descriptions of its data sets."""
    # Found without importing scikit-learn, which takes a second: the catalogue asks for the number of windows.
    (package,) = find_spec("sklearn").submodule_search_locations  # type: ignore[union-attr, misc]
    folder = Path(package) / "datasets" / "descr"
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.rst")))


@lru_cache(maxsize=1)
def _prose() -> str:
    """The text in the vocabulary's characters, runs of spaces (which are markup) as one."""
    plain = "".join(character if character in CHARACTERS else " " for character in _text().lower())
    return re.sub(" +", " ", plain)


def _character_windows() -> int:
    """Depends on the installed scikit-learn's texts, so it is counted and not written down."""
    return (len(_prose()) - 1) // WINDOW


def _characters() -> Arrays:
    known = {character: index for index, character in enumerate(CHARACTERS)}
    ids = torch.tensor([known[character] for character in _prose()])
    count = (len(ids) - 1) // WINDOW
    inputs = ids[: count * WINDOW].view(count, WINDOW)
    # Windows do not overlap, so that no text of the validation part is seen in training.
    return inputs, ids[1 : count * WINDOW + 1].view(count, WINDOW)


def _entry(
    name: str,
    label: str,
    summary: str,
    make: Callable[[], Arrays],
    *,
    task: Literal["classification", "regression", "tokens"],
    category: str,
    samples: int,
    shape: list[int],
    classes: list[str] | None = None,
    keywords: list[str] | None = None,
    columns: Callable[[], Sequence[str]] | None = None,
) -> Source:
    numbers = task == "regression"
    entry = DatasetEntry(
        name=name,
        label=label,
        category=category,
        summary=summary,
        keywords=keywords or [],
        tasks=[task],
        task=task,
        shape=shape,
        dtype="int64" if task == "tokens" else "float32",
        target_shape=[1] if numbers else shape if task == "tokens" else [],
        target_dtype="float32" if numbers else "int64",
        classes=classes or [],
        samples=samples,
    )
    return Source(entry, make, columns)


@lru_cache(maxsize=1)
def sources() -> dict[str, Source]:
    """Every built-in source by name."""
    ten = [str(digit) for digit in range(10)]
    every = [
        _entry(
            "digits",
            "Digits",
            "1,797 handwritten digits as 8×8 grey images between 0 and 1.",
            _digits,
            task="classification",
            category="images",
            samples=1_797,
            shape=[1, 8, 8],
            classes=ten,
            keywords=["手写数字", "mnist"],
        ),
        _entry(
            "digits-flat",
            "Digits, flat",
            "The same digits as 64 numbers each.",
            _digits_flat,
            task="classification",
            category="images",
            samples=1_797,
            shape=[64],
            classes=ten,
            keywords=["手写数字"],
        ),
        _entry(
            "iris",
            "Iris",
            "Sizes of 150 iris flowers of three species, in centimetres.",
            lambda: _table("iris"),
            task="classification",
            category="tables",
            samples=150,
            shape=[4],
            classes=["setosa", "versicolor", "virginica"],
            keywords=["鸢尾花"],
            columns=_names("iris", "species"),
        ),
        _entry(
            "wine",
            "Wine",
            "Chemistry of 178 wines from three growers.",
            lambda: _table("wine"),
            task="classification",
            category="tables",
            samples=178,
            shape=[13],
            classes=["class_0", "class_1", "class_2"],
            keywords=["葡萄酒"],
            columns=_names("wine", "grower"),
        ),
        _entry(
            "breast-cancer",
            "Breast cancer",
            "Measurements of 569 cell samples, malignant or benign.",
            lambda: _table("breast_cancer"),
            task="classification",
            category="tables",
            samples=569,
            shape=[30],
            classes=["malignant", "benign"],
            keywords=["乳腺癌"],
            columns=_names("breast_cancer", "diagnosis"),
        ),
        _entry(
            "diabetes",
            "Diabetes",
            "Disease progression of 442 patients after a year, standardised, from ten measurements.",
            _diabetes,
            task="regression",
            category="tables",
            samples=442,
            shape=[10],
            keywords=["糖尿病", "回归"],
            columns=_names("diabetes", "progression"),
        ),
        _entry(
            "moons",
            "Two moons",
            "1,000 points on two interleaved half circles, with noise.",
            _moons,
            task="classification",
            category="generated",
            samples=1_000,
            shape=[2],
            classes=["upper", "lower"],
            keywords=["双月"],
            columns=lambda: ("x", "y", "moon"),
        ),
        _entry(
            "spirals",
            "Spirals",
            "1,200 points on three spiral arms, with noise.",
            _spirals,
            task="classification",
            category="generated",
            samples=1_200,
            shape=[2],
            classes=["a", "b", "c"],
            keywords=["螺旋"],
            columns=lambda: ("x", "y", "arm"),
        ),
        _entry(
            "sine",
            "Sine waves",
            "2,000 waves of different period, phase and height: 48 values, and the one that comes next.",
            _sine,
            task="regression",
            category="sequences",
            samples=2_000,
            shape=[WINDOW, 1],
            keywords=["正弦", "序列"],
        ),
        _entry(
            "characters",
            "Characters",
            "English prose in windows of 48 characters; every position is to predict the next one.",
            _characters,
            task="tokens",
            category="sequences",
            samples=_character_windows(),
            shape=[WINDOW],
            classes=list(CHARACTERS),
            keywords=["字符", "文本", "language model"],
        ),
    ]
    return {source.entry.name: source for source in every}
