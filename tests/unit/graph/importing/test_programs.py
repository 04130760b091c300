"""``torch.export`` programs come back as layers and classes, and give what the program gives."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
import torch
import torchvision
from torch import nn

from layerloom.graph import build, to_python
from layerloom.graph.errors import GraphError
from layerloom.graph.importing import ClosedError, from_module
from layerloom.graph.importing.opening import Rules, open_file
from layerloom.graph.importing.programs import opened_program


class Unit(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(size, size, 3, padding=1, stride=2)
        self.norm = nn.BatchNorm2d(size)
        self.act = nn.LeakyReLU(0.3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.act(self.norm(self.conv(x)))


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = Unit(3), Unit(3)
        self.pool = nn.MaxPool2d(2, stride=1)
        self.scale = nn.Parameter(torch.full((3, 1, 1), 0.5))
        self.fc = nn.Linear(3, 2)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        x = self.pool(self.second(self.first(x)) * self.scale + 1)
        pooled = x.mean((2, 3))
        return self.fc(pooled), {"pooled": pooled, "flat": x.reshape(x.shape[0], -1)}


def saved(module: nn.Module, example: torch.Tensor, folder: Path) -> Path:
    (name, *_) = inspect.signature(module.forward).parameters
    batch = torch.export.Dim("batch")
    program = torch.export.export(module.eval(), (example,), dynamic_shapes={name: {0: batch}})
    torch.export.save(program, folder / "net.pt2")
    return folder / "net.pt2"


@pytest.mark.filterwarnings("ignore")  # of torch.export, on its way
@pytest.mark.parametrize(
    ("module", "shape"),
    [
        (Net(), (2, 3, 16, 16)),
        (torchvision.models.resnet18(), (2, 3, 64, 64)),
        (torchvision.models.mobilenet_v3_small(), (2, 3, 64, 64)),
    ],
    ids=["net", "resnet18", "mobilenet_v3_small"],
)
def test_a_program_is_a_network_again(module: nn.Module, shape: tuple[int, ...], tmp_path: Path) -> None:
    example = torch.randn(shape)
    opened, inputs = opened_program(saved(module, example, tmp_path))
    document = from_module(opened, list(inputs))
    twin = build(document).eval()
    assert list(twin.state_dict()) == list(module.state_dict())
    twin.load_state_dict(module.state_dict(), strict=True)
    other = torch.randn(3, *shape[1:])
    with torch.no_grad():
        torch.testing.assert_close(twin(other), module.eval()(other))
    kinds = {type(part).__name__ for part in module.modules() if not list(part.children())}
    assert kinds <= {type(part).__name__ for part in twin.modules()}


@pytest.mark.filterwarnings("ignore")
def test_classes_and_arguments_come_back(tmp_path: Path) -> None:
    opened, inputs = opened_program(saved(Net(), torch.randn(2, 3, 16, 16), tmp_path))
    source = to_python(from_module(opened, list(inputs)))
    assert re.findall(r"^class (\w+)", source, re.MULTILINE) == ["Unit", "Net"]
    assert "self.conv = nn.Conv2d(3, 3, 3, stride=2, padding=1)" in source
    assert "self.act = nn.LeakyReLU(0.3)" in source
    assert "self.pool = nn.MaxPool2d(2, stride=1)" in source


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "net.pt2").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(ClosedError, match="no program"):
        opened_program(tmp_path / "net.pt2")


def test_a_program_is_not_even_looked_at_while_python_is_off(tmp_path: Path) -> None:
    (tmp_path / "net.pt2").write_bytes(b"anything")
    with pytest.raises(GraphError) as caught:
        open_file(tmp_path / "net.pt2", ".pt2", "", {}, Rules())
    assert caught.value.problems[0].code == "python_disabled"
