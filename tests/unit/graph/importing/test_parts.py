"""Parts of a network open by themselves, with the arguments that they are seen to be given."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from layerloom import build, from_module, to_python
from layerloom.graph.importing import ClosedError
from layerloom.graph.importing.parts import part_of
from layerloom.graph.importing.proof import Call, equal
from layerloom.graph.importing.suggesting import suggested
from sameness import differences


class Pyramid(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fine = nn.Conv2d(3, 4, 3, padding=1)
        self.coarse = nn.Sequential(nn.Conv2d(4, 6, 3, stride=2, padding=1), nn.BatchNorm2d(6))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        fine = self.fine(x)
        return OrderedDict([("fine", fine), ("coarse", self.coarse(fine))])


class Mix(nn.Module):
    """Takes a dict and a number, and gives a list."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleDict({"fine": nn.Conv2d(4, 5, 1), "coarse": nn.Conv2d(6, 5, 1)})

    def forward(self, features: dict[str, Tensor], scale: float = 1.0) -> list[Tensor]:
        return [self.convs[name](feature) * scale for name, feature in features.items()]


class Head(nn.Module):
    """Takes a list, which it empties."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(5, 2, 1)

    def forward(self, levels: list[Tensor]) -> dict[str, Tensor]:
        found = []
        while levels:
            found.append(self.conv(levels.pop(0)).flatten(1))
        return {"scores": torch.cat(found, 1)}


class Images:
    """Tensors in an object of its own, as torchvision's ``ImageList``."""

    def __init__(self, tensors: Tensor) -> None:
        self.tensors = tensors


class Sizes(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, images: Images) -> Tensor:
        return images.tensors * self.weight


class Spare(nn.Module):
    """Whose inputs do not have the batch in front together."""

    def __init__(self) -> None:
        super().__init__()
        self.lin = nn.Linear(2, 2)

    def forward(self, x: Tensor, table: Tensor) -> Tensor:
        return self.lin(x) + table.sum(0)


class Fixed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lin = nn.Linear(2, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.lin(x.reshape(2, 1, 2))


class Detector(nn.Module):
    """Goes through its images one by one, and looks at what scores well: nothing at first."""

    def __init__(self, least: float = 1e9) -> None:
        super().__init__()
        self.head = Head()
        self.mix = Mix()
        self.backbone = Pyramid()
        self.sizes = Sizes()
        self.boxes = nn.ModuleDict({"first": nn.Linear(4, 8), "second": nn.Linear(8, 3)})
        self.spare = Spare()
        self.fixed = Fixed()
        self.idle = nn.Linear(1, 1)
        self.least = least

    def forward(self, images: Tensor) -> Tensor:
        x = self.sizes(Images(torch.stack([image * 2 for image in images])))
        features = self.backbone(x)
        scores = self.head(self.mix(features, scale=0.5))["scores"]
        features["fine"].relu_()
        self.spare(scores[:, :2], scores.new_ones(5, 2))
        self.fixed(scores[:2, :2])
        found = features["fine"].permute(0, 2, 3, 1).flatten(0, 2)
        kept = found[found.sum(1) > self.least]
        return self.boxes["second"](self.boxes["first"](kept))


@pytest.fixture
def detector() -> Detector:
    torch.manual_seed(0)
    return Detector()


IMAGES = [torch.linspace(0, 1, 3 * 3 * 8 * 8).reshape(3, 3, 8, 8)]
CALL = Call(tuple(IMAGES))


@pytest.mark.parametrize(
    ("path", "inputs"),
    [
        ("backbone", {"x": [3, 8, 8]}),
        ("backbone.coarse", {"input": [4, 8, 8]}),
        ("mix", {"features_fine": [4, 8, 8], "features_coarse": [6, 4, 4]}),
        ("head", {"levels_0": [5, 8, 8], "levels_1": [5, 4, 4]}),
        ("boxes.first", {"input": [4]}),
    ],
)
def test_a_part_opens_with_what_it_is_given(detector: Detector, path: str, inputs: dict[str, list[int]]) -> None:
    document = from_module(detector, IMAGES, part=path)
    assert {name: example.shape for name, example in document.inputs.items()} == inputs
    made = build(document)
    assert list(made.state_dict()) == list(detector.get_submodule(path).state_dict())
    part = part_of(detector, CALL, path)
    assert differences(part.module, made, list(part.call.positional)) == []


def test_what_a_part_is_given_beside_tensors_is_kept(detector: Detector) -> None:
    part = part_of(detector, CALL, "mix")
    assert part.notes == [
        "mix takes features as a list or dict of tensors; here each is an input: features_fine, features_coarse."
    ]
    fine, coarse = torch.randn(4, 4, 8, 8), torch.randn(4, 6, 4, 4)
    made = build(from_module(detector, IMAGES, part="mix"))
    made.load_state_dict(detector.mix.state_dict(), strict=True)
    assert equal(made(fine, coarse), detector.mix({"fine": fine, "coarse": coarse}, scale=0.5))


def test_parts_that_hand_on_their_results_open_as_one(detector: Detector) -> None:
    document = from_module(detector, IMAGES, part="backbone+mix+head")
    made = build(document)
    keys = [key for key in detector.state_dict() if key.startswith(("backbone.", "mix.", "head."))]
    assert list(made.state_dict()) == keys
    made.load_state_dict({key: detector.state_dict()[key] for key in keys}, strict=True)
    x = torch.randn(5, 3, 8, 8)
    detector.eval()
    assert equal(made.eval()(x), detector.head(detector.mix(detector.backbone(x), 0.5)))
    assert "return self.head([x[0], x[1]])" in to_python(document)


def test_names_of_parts_inside_others_are_kept(detector: Detector) -> None:
    made = build(from_module(detector, IMAGES, part="boxes.first + boxes.second"))
    keys = ["boxes.first.weight", "boxes.first.bias", "boxes.second.weight", "boxes.second.bias"]
    assert list(made.state_dict()) == keys


def test_a_part_with_two_names_opens_by_either(detector: Detector) -> None:
    detector.add_module("again", detector.backbone)
    made = build(from_module(detector, IMAGES, part="again+mix"))
    assert {key.partition(".")[0] for key in made.state_dict()} == {"again", "mix"}
    with pytest.raises(ClosedError, match="is named twice"):
        from_module(detector, IMAGES, part="backbone+again")


def test_the_network_is_left_as_it_was(detector: Detector) -> None:
    detector.mix.eval()
    before = {name: tensor.clone() for name, tensor in detector.state_dict().items()}
    modes = [part.training for part in detector.modules()]
    names = [name for name, _ in detector.named_modules()]
    from_module(detector, IMAGES, part="backbone+mix+head")
    with pytest.raises(ClosedError):
        from_module(detector, IMAGES, part="sizes")
    assert equal(before, dict(detector.state_dict()))
    assert [part.training for part in detector.modules()] == modes
    assert [name for name, _ in detector.named_modules()] == names
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in detector.modules())
    assert type(detector.backbone) is Pyramid


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        ("nothing", "the network has no part 'nothing'; it has head, head.conv, mix, "),
        ("idle", "idle is not called by the network in evaluation"),
        ("boxes", "boxes is not called by the network in evaluation"),
        ("sizes", "sizes takes objects of class Images; a document knows tensors, and lists and dicts of them"),
        ("spare", r"has not the batch in front everywhere: x \(3, 2\), table \(5, 2\)"),
        ("fixed", "it does not run on a batch of another size: shape '.2, 1, 2.' is invalid"),
        ("backbone+backbone.fine", "backbone.fine is named twice, or beside what it is inside of"),
        ("mix+mix", "mix is named twice"),
        ("mix+", "the network is named twice"),
    ],
)
def test_a_part_that_cannot_be_taken_out_is_refused(detector: Detector, part: str, reason: str) -> None:
    with pytest.raises(ClosedError, match=reason):
        from_module(detector, IMAGES, part=part)


def test_what_lies_between_parts_is_not_left_out() -> None:
    torch.manual_seed(0)
    with pytest.raises(ClosedError, match=r"backbone\+head gives something else than it does in the network"):
        from_module(Between(), IMAGES, part="backbone+head")


class Between(nn.Module):
    """Changes what one part gives in place before another takes it."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Linear(8, 4)
        self.head = nn.Linear(4, 8)

    def forward(self, x: Tensor) -> Any:
        return self.head(self.backbone(x).mul_(2))


def test_a_network_that_fails_is_refused(detector: Detector) -> None:
    with pytest.raises(ClosedError, match="the network does not run on these inputs: "):
        from_module(detector, [torch.randn(2, 1, 8, 8)], part="backbone")
    with pytest.raises(ClosedError, match="the network does not run on these inputs: mat1 and mat2 shapes"):
        from_module(nn.Sequential(nn.Linear(2, 3), nn.Linear(4, 5), nn.Linear(5, 6)), [torch.randn(2, 2)], part="2")


def test_a_part_before_the_failure_of_its_network_opens() -> None:
    module = nn.Sequential(nn.Linear(2, 3), nn.Linear(4, 5))
    assert list(from_module(module, [torch.randn(2, 2)], part="0").inputs) == ["input"]


def test_parts_are_named_where_the_whole_stays_closed(detector: Detector) -> None:
    with pytest.raises(ClosedError, match="the network goes through the batch, sample by sample"):
        from_module(detector, IMAGES)
    assert suggested(detector, CALL) == [
        "backbone+mix+head",
        "boxes.first+boxes.second",
        "backbone",
        "mix",
        "head",
        "spare.lin",
        "fixed.lin",
        "boxes.first",
        "boxes.second",
    ]
    assert suggested(detector, CALL, "backbone") == [
        "backbone.fine+backbone.coarse",
        "backbone.fine",
        "backbone.coarse",
    ]
    assert suggested(detector, Call(()), "backbone") == []
