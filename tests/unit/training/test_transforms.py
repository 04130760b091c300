"""Batches through transforms, and batches from a file: the numbers that they would have anyway."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from layerloom.data.mapped import Mapped, Moments, Pages, moments
from layerloom.data.pipeline import ImageTransform, TransformError, pipeline
from layerloom.schema.plan import Transform
from layerloom.training.batches import place
from unit.training.support import fit, plan, stopping

V2 = "torchvision.transforms.v2."
CPU = torch.device("cpu")
AUGMENTED = [
    {"name": f"{V2}RandomCrop", "arguments": {"size": 6, "padding": 1}},
    {"name": f"{V2}RandomHorizontalFlip"},
    {"name": f"{V2}ColorJitter", "arguments": {"brightness": 0.5}},
    {"name": f"{V2}CenterCrop", "arguments": {"size": 6}, "use": "validation"},
]


def chain(*items: dict[str, Any], part: str = "training") -> Any:
    return pipeline([Transform.model_validate(item) for item in items], part)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Images:
    inputs: dict[str, Any]
    targets: Tensor
    transform: Any = None


def images(count: int = 40, transform: Any = None) -> Images:
    random = torch.Generator().manual_seed(1)
    labels = torch.arange(count) % 3
    return Images({"x": torch.rand(count, 3, 8, 8, generator=random) + labels.view(-1, 1, 1, 1)}, labels, transform)


def seen(batches: Any, epoch: int = 1, start: int = 0) -> list[Tensor]:
    return [inputs["x"] for inputs, _ in batches.shuffled(0, epoch, start)]


def test_each_image_draws_for_itself_and_a_batch_may_draw_once() -> None:
    flip = {"name": f"{V2}RandomHorizontalFlip"}
    before = torch.arange(12.0).view(1, 1, 3, 4).repeat(64, 1, 1, 1) / 12
    torch.manual_seed(0)
    flipped = [torch.equal(image, before[0].flip(2)) for image in chain(flip)(before)]
    assert 16 < sum(flipped) < 48
    assert len({image.numpy().tobytes() for image in chain({**flip, "draws": "batch"})(before)}) == 1
    turned = chain({"name": f"{V2}RandomRotation", "arguments": {"degrees": 90}})(before)
    assert len({image.numpy().tobytes() for image in turned}) > 8


def test_what_is_random_is_for_training_and_what_is_not_is_for_both() -> None:
    labels = [[stage.label for stage in chain(*AUGMENTED, part=part).stages] for part in ("training", "validation")]
    assert labels == [["RandomCrop", "RandomHorizontalFlip", "ColorJitter"], ["CenterCrop"]]
    assert chain(*AUGMENTED, part="validation").random is False
    with pytest.raises(TransformError, match="same images every time") as caught:
        chain({"name": f"{V2}RandomHorizontalFlip", "use": "both"})
    assert caught.value.problem.pointer == "/plan/transforms/0"


@pytest.mark.parametrize(
    ("items", "words", "place"),
    [
        ([{"name": f"{V2}Lambda"}], "no transform named", 0),
        ([{"name": f"{V2}CenterCrop", "arguments": {"size": "big"}}], "refuses", 0),
        (
            [{"name": f"{V2}RGB"}, {"name": f"{V2}Normalize", "arguments": {"mean": [0, 0], "std": [1, 1]}}],
            "refuses",
            1,
        ),
        ([{"name": f"{V2}RandomZoomOut"}], "several sizes", 0),
    ],
)
def test_a_refusal_names_the_place_in_the_list(items: list[Any], words: str, place: int) -> None:
    with pytest.raises(TransformError, match=words) as caught:
        chain(*items).shape([3, 8, 8])
    assert caught.value.problem.pointer == f"/plan/transforms/{place}"


def test_the_shape_out_is_that_of_the_images() -> None:
    assert chain({"name": f"{V2}Resize", "arguments": {"size": [5, 4]}}).shape([3, 8, 8]) == [3, 5, 4]
    several = [{"name": f"{V2}RandomZoomOut"}, {"name": f"{V2}CenterCrop", "arguments": {"size": 6}}]
    assert chain(*several).shape([3, 8, 8]) == [3, 6, 6]
    before = torch.get_rng_state()
    chain(*AUGMENTED).shape([3, 8, 8])
    assert torch.equal(before, torch.get_rng_state())


def test_what_a_batch_draws_depends_on_its_place_alone() -> None:
    made = place(images(transform=ImageTransform("x", chain(*AUGMENTED), (3, 6, 6))), 8, CPU)
    torch.manual_seed(5)
    whole = seen(made)
    drawn = torch.rand(3)
    torch.manual_seed(5)
    assert torch.equal(torch.rand(3), drawn), "what a network draws must not depend on transforms"
    assert all(torch.equal(one, other) for one, other in zip(whole[2:], seen(made, start=2), strict=True))
    assert not torch.equal(whole[0], seen(made, epoch=2)[0])
    assert [list(batch.shape) for batch in whole] == [[8, 3, 6, 6]] * 5


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(0.1))
        self.head = nn.Linear(64, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x))


def net() -> Net:
    torch.manual_seed(0)
    return Net()


def sets() -> tuple[Images, Images]:
    parts = [ImageTransform("x", chain(*AUGMENTED, part=part), (3, 6, 6)) for part in ("training", "validation")]
    return images(transform=parts[0]), images(16, transform=parts[1])


def test_training_with_transforms_resumes_bit_for_bit(tmp_path: Path) -> None:
    data, validation = sets()
    given: dict[str, Any] = {"data": data, "validation": validation}
    settings = plan(batch_size=8, steps=13)
    whole = net()
    fit(whole, settings, tmp_path / "whole", **given)
    first = net()
    left = fit(first, settings, tmp_path / "cut", control=stopping(first, 7, leaving=True), **given)
    assert left.outcome is not None
    assert left.outcome.state == "left"
    checkpoint = left.of("checkpoint")[-1]
    second = net()
    fit(second, settings, tmp_path / "cut", attempt=2, resume=checkpoint.path, **given)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name


def test_samples_in_a_file_are_those_in_memory(tmp_path: Path) -> None:
    random = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (50, 3, 8, 8), dtype=torch.uint8, generator=random)
    numbers = torch.randn(50, 5, generator=random)
    save_file({"inputs.x": pixels, "inputs.t": numbers}, tmp_path / "data")
    rows = torch.randperm(50, generator=random)[:37]
    scale = moments(numbers[rows])
    resident = Images(
        {"x": (pixels.float() / 255)[rows], "t": (numbers[rows] - scale.mean) / scale.deviation}, rows % 3
    )
    kept = {"x": Pages.of(tmp_path / "data", "inputs.x"), "t": Pages.of(tmp_path / "data", "inputs.t")}
    table = Mapped(kept["t"], rows, (5,))
    again = moments(table)
    assert all(
        torch.allclose(one, other) for one, other in zip(vars(again).values(), vars(scale).values(), strict=True)
    )
    stored = Images(
        {"x": Mapped(kept["x"], rows, (3, 8, 8)), "t": Mapped(kept["t"], rows, (5,), scale=scale)}, rows % 3
    )
    for transform in (None, ImageTransform("x", chain(*AUGMENTED), (3, 6, 6))):
        one, other = (place(Images(one.inputs, one.targets, transform), 8, CPU) for one in (resident, stored))
        assert len(one) == len(other)
        pairs = [(one.shuffled(3, 2, 1), other.shuffled(3, 2, 1)), (one.ordered(), other.ordered())]
        for ours, theirs in pairs:
            for (inputs, target), (same, label) in zip(ours, theirs, strict=True):
                assert torch.equal(target, label)
                assert all(torch.equal(value, same[name]) for name, value in inputs.items())


def test_a_constant_number_is_not_scaled() -> None:
    value = torch.full((1_000, 1), 0.1)
    assert moments(value) == Moments(torch.tensor([0.1]), torch.tensor([1.0]))
    assert np.isclose(moments(torch.arange(8.0).unsqueeze(1)).deviation, np.arange(8.0).std())
