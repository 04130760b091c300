"""What a text is told that cannot be opened, and numbers that JSON cannot say."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

import layerloom
from layerloom.graph.errors import GraphError
from layerloom.graph.importing.opening import Rules, open_text
from layerloom.schema.problems import ProblemCode
from layerloom.schema.values import NonFinite

NET = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.act = nn.Hardtanh(-1e999, 1e999)

    def forward(self, x):
        return self.act(x)
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("class (", "line 1: this is no Python"),
        ("a\0b", "this is no Python"),
        ("", "there is no class in it"),
        ("x = 1", "there is no class in it"),
        ("#" * 1_000_001, "at most 1,000,000 characters"),
    ],
)
@pytest.mark.parametrize("python", [False, True])
def test_what_is_no_network_is_told_so_and_no_switch_is_offered(text: str, said: str, python: bool) -> None:
    with pytest.raises(GraphError) as refused:
        open_text(text, "", {}, {}, Rules(python=python))
    problem = refused.value.problems[0]
    assert problem.code is ProblemCode.IMPORT_CLOSED
    assert said in problem.message
    assert "--allow-python" not in problem.message


def test_numbers_beyond_all_floats_are_infinite() -> None:
    document = open_text(NET, "", {}, {}, Rules()).document
    layer = document.blocks["Net"].members[0]
    assert layer.arguments == {"min_val": NonFinite(text="-inf"), "max_val": NonFinite(text="inf")}
    module = layerloom.build(document)
    x = torch.randn(2, 3)
    assert torch.equal(module(x), x)
    block = layerloom.block_from_expression("x * -1e999")
    assert block.forward.nodes[0].arguments["other"] == NonFinite(text="-inf")


def test_what_torch_puts_around_a_parametrized_layer_is_no_class_of_the_network() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = parametrizations.weight_norm(nn.Linear(4, 4))
            self.b = parametrizations.spectral_norm(nn.Linear(4, 4))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            output: torch.Tensor = self.b(self.a(x))
            return output

    document = layerloom.from_module(Net().eval(), [torch.randn(2, 4)])
    assert list(document.blocks) == ["Net"]
    assert layerloom.check(document).problems == []
