"""Division into a training and a validation part."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from layerloom.data.dataset import DataError, Dataset
from layerloom.schema.datasets import Division, PartFacts, PartName
from layerloom.schema.plan import Split
from layerloom.schema.problems import ProblemCode


def divide(dataset: Dataset, split: Split) -> tuple[Tensor, Tensor]:
    """Sample numbers of both parts, ascending.

    It is scikit-learn's ``train_test_split(range(n), test_size=…, random_state=seed, stratify=classes)``, so that a
    reader can repeat it without LayerLoom. A source that sets its own training samples apart keeps them.

    Raises:
        DataError: a part would be empty, or a class has too few samples to be in both parts.
    """
    if dataset.training is not None:
        end = len(dataset) if dataset.validation is None else dataset.training + dataset.validation
        return torch.arange(dataset.training), torch.arange(dataset.training, end)
    from sklearn.model_selection import train_test_split

    classes = dataset.entry.task == "classification" and split.stratify
    try:
        train, validation = train_test_split(
            np.arange(len(dataset)),
            test_size=split.validation,
            random_state=split.seed % 2**32,
            stratify=dataset.targets.numpy() if classes else None,
        )
    except ValueError as error:
        raise DataError(
            ProblemCode.PLAN_INVALID,
            f"The {len(dataset)} samples cannot be divided with {split.validation:.0%} for validation: {error}",
            samples=len(dataset),
        ) from error
    return torch.from_numpy(np.sort(train)), torch.from_numpy(np.sort(validation))


def division(dataset: Dataset, split: Split) -> Division:
    """Sizes of the parts, and of each class in them. What a source sets apart beside these two is its test part."""
    own = dataset.training is not None
    try:
        training, validation = divide(dataset, split)
    except DataError as error:
        return Division(own=own, problem=error.problem)
    rows: dict[PartName, Tensor] = {"training": training, "validation": validation}
    if len(training) + len(validation) < len(dataset):
        rows["test"] = torch.arange(len(training) + len(validation), len(dataset))
    return Division(own=own, parts={name: _facts(dataset, which) for name, which in rows.items()})


def _facts(dataset: Dataset, rows: Tensor) -> PartFacts:
    classes = dataset.entry.task == "classification"
    return PartFacts(samples=len(rows), counts=counts(dataset.entry.classes, dataset.targets[rows]) if classes else {})


def counts(classes: list[str], targets: Tensor) -> dict[str, int]:
    """Samples by the name of their class, of classes that have any; a number where it has no name."""
    names = dict(enumerate(classes))
    found = torch.bincount(targets).tolist()
    return {names.get(label, str(label)): samples for label, samples in enumerate(found) if samples}
