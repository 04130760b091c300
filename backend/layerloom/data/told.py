"""How images were prepared, in words that somebody who loads the weights elsewhere can run."""

from __future__ import annotations

from layerloom.catalogue.plain import plain
from layerloom.data.pipeline import ImageTransform
from layerloom.schema.catalogue import DatasetEntry
from layerloom.schema.plan import Choice, Plan
from layerloom.schema.run import Preparation

_IMAGES = "from PIL import Image, ImageOps\n"
_HEAD = """import torch
from torchvision.transforms import v2

prepare = v2.Compose(
    [
"""


def told(
    entry: DatasetEntry, plan: Plan, transforms: tuple[ImageTransform, ImageTransform] | None
) -> Preparation | None:
    """What the validation part passes through; None where nothing is done with the data's images."""
    stages = () if transforms is None else transforms[1].pipeline.stages
    chosen = [plan.transforms[stage.place] for stage in stages]
    if not (chosen or entry.fitting):
        return None
    lines = [*entry.fitting, "v2.ToImage()", "v2.ToDtype(torch.float32, scale=True)", *map(_call, chosen)]
    body = "".join(f"        {line},\n" for line in lines)
    head = f"{_IMAGES}{_HEAD}" if entry.fitting else _HEAD
    return Preparation(
        transforms=[Choice(name=one.name, arguments=one.arguments) for one in chosen], code=f"{head}{body}    ]\n)\n"
    )


def _call(choice: Choice) -> str:
    given = ", ".join(f"{name}={plain(value)!r}" for name, value in choice.arguments.items())
    return f"v2.{choice.name.rpartition('.')[2]}({given})"
