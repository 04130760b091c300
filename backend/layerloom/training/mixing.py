"""Mixup and cutmix, by torchvision's own transforms: pairs of a batch's images become one, and so do their labels.

Every number is drawn from torch's generator, whose state a checkpoint keeps.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from layerloom.schema.plan import Mixing
from layerloom.schema.problems import ProblemCode
from layerloom.training.batches import Batch, Samples
from layerloom.training.criterion import Task
from layerloom.training.failure import TrainingError


class Mixer:
    """Mixes a batch; targets become shares of the classes, ``[N, C]``."""

    def __init__(self, settings: Mixing, name: str, classes: int) -> None:
        # Imported where it is asked for: it takes longer than many a run's first epoch.
        from torchvision.transforms import v2

        makers = {"mixup": [v2.MixUp], "cutmix": [v2.CutMix], "both": [v2.MixUp, v2.CutMix]}[settings.kind]
        each: list[Any] = [maker(alpha=settings.alpha, num_classes=classes) for maker in makers]
        self._mix = each[0] if len(each) == 1 else v2.RandomChoice(each)
        self._name = name

    def __call__(self, inputs: dict[str, Tensor], target: Tensor) -> Batch:
        """The mixed batch. Another share is drawn for each batch, one for all of its pairs."""
        images, shares = self._mix(inputs[self._name], target)
        return {**inputs, self._name: images}, shares


def labels(target: Tensor) -> Tensor:
    """The class with the largest share in each sample, ``[N]``: what training metrics count as right."""
    return target.argmax(1)


def build_mixer(settings: Mixing | None, samples: Samples, task: Task, columns: int) -> Mixer | None:
    """What mixes the batches of a plan, if anything; ``columns`` are the classes of the network's output.

    Raises:
        TrainingError: the data are no labelled images.
    """
    if settings is None:
        return None
    images = [name for name, value in samples.inputs.items() if value.dim() == 4 and value.is_floating_point()]
    if task != "classification" or len(images) != 1 or len(samples.inputs) != 1 or samples.targets.dim() != 1:
        raise _refusal("Mixup and cutmix take images with one label each, and these data are others. Leave them out.")
    if columns < 2:
        raise _refusal(
            "Mixup and cutmix need a column of the network's output for each class, and it has one. "
            "Give it two, or leave them out."
        )
    return Mixer(settings, images[0], columns)


def _refusal(message: str) -> TrainingError:
    return TrainingError(ProblemCode.PLAN_INVALID, message, field="mixing")
