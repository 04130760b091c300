"""Detectors open part by part, by name and from text, in the process that opens networks."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from layerloom import Document, build, from_module
from layerloom.cli import cli
from layerloom.graph import GraphError
from layerloom.graph.importing.opening import Rules, open_text
from layerloom.graph.importing.parts import part_of
from layerloom.graph.importing.proof import Call
from layerloom.graph.importing.sources import named
from sameness import differences, left_closed

SSD = "torchvision:ssdlite320_mobilenet_v3_large"
RCNN = "torchvision:fasterrcnn_mobilenet_v3_large_320_fpn"
LOOKS = """
from torch import nn


class Net(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, width), nn.ReLU())
        self.head = nn.Linear(width, 2)

    def forward(self, x):
        x = self.body(x)
        return self.head(x if x.sum() > 0 else -x)
"""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("source", "part", "inputs"), [(SSD, "head", 6), (RCNN, "backbone.fpn", 2), (RCNN, "rpn.head", 3)]
)
def test_parts_of_detectors_come_back_bit_for_bit(source: str, part: str, inputs: int) -> None:
    torch.manual_seed(0)
    module, images = named(source), [torch.rand(2, 3, 96, 96)]
    document = Document.model_validate_json(from_module(module, images, part=part).model_dump_json())
    assert left_closed(document) == []
    assert len(document.inputs) == inputs
    made = build(document)
    assert list(made.state_dict()) == list(module.get_submodule(part).state_dict())
    taken = part_of(module, Call(tuple(images)), part)
    assert differences(taken.module, made, list(taken.call.positional)) == []


def test_a_detector_of_one_stage_opens_whole_between_images_and_boxes() -> None:
    """Made where there is no internet: nothing of it is downloaded."""
    answer = CliRunner().invoke(cli, ["import", SSD, "--part", "backbone+head", "--shape", "3,96,96"])
    assert answer.exit_code == 0, answer.stderr
    made, module = build(Document.model_validate_json(answer.stdout)).eval(), named(SSD).eval()
    assert list(made.state_dict()) == list(module.state_dict())
    made.load_state_dict(module.state_dict(), strict=True)
    images = torch.randn(3, 3, 320, 320)
    with torch.no_grad():
        expected, got = module.head(list(module.backbone(images).values())), made(images)
    assert list(got) == list(expected)
    assert all(torch.equal(got[name], expected[name]) for name in expected)


def test_a_detector_looks_at_images_of_the_stated_size() -> None:
    answer = CliRunner().invoke(cli, ["import", RCNN, "--part", "backbone.body", "--shape", "3,64,96"])
    assert answer.exit_code == 0, answer.stderr
    assert Document.model_validate_json(answer.stdout).inputs["x"].shape == [3, 64, 96]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            [SSD],
            "The module stays closed: the network goes through the batch, sample by sample. "
            "Open a part of it instead: backbone+head, backbone, head.",
        ),
        (
            [RCNN, "--part", "rpn"],
            "The part rpn stays closed: rpn takes objects of class ImageList; a document knows tensors, and lists and "
            "dicts of them. Open a part of it instead: rpn.head.",
        ),
        ([RCNN, "--part", "rpn.heads"], "the network has no part 'rpn.heads'; it has backbone, backbone.body, "),
    ],
)
def test_a_refusal_names_what_can_be_opened(asked: list[str], said: str) -> None:
    answer = CliRunner().invoke(cli, ["import", *asked])
    assert answer.exit_code == 1
    assert said in answer.stderr


def test_a_part_of_a_text_is_seen_where_code_may_run(tmp_path: Path) -> None:
    found = open_text(LOOKS, "Net", {"width": 6}, {}, Rules(python=True), part="body")
    assert list(build(found.document).state_dict()) == ["0.weight", "0.bias"]
    with pytest.raises(GraphError, match="which is switched off"):
        open_text(LOOKS, "Net", {}, {}, Rules(), part="body")
    with pytest.raises(GraphError, match=r"no part 'tail'; it has body, body\.0, head"):
        open_text(LOOKS, "Net", {}, {}, Rules(python=True), part="tail")
    weights = tmp_path / "weights.pt"
    torch.save({"weight": torch.zeros(2, 2)}, weights)
    refused = CliRunner().invoke(cli, ["import", str(weights), "--part", "body"])
    assert refused.exit_code == 1
    assert "A part can be opened of a network by its name, or of a Python file." in refused.stderr
