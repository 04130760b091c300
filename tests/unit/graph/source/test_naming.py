"""What is written of imported modules has the names and the shape that a person would give it."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from layerloom.graph import build, to_python
from layerloom.graph.importing import from_module
from layerloom.graph.importing.proof import Call, prove
from layerloom.graph.importing.python import read
from layerloom.schema.document import Document


def forward(source: str, name: str) -> str:
    """The body of one class's forward."""
    inside = source.split(f"class {name}(nn.Module):\n")[1].split("\nclass ")[0]
    return textwrap.dedent(inside.split("def forward", 1)[1].partition("\n")[2]).strip()


def again(module: nn.Module, *inputs: Any) -> str:
    """The source of a module, which is another module just like it, and reads back as the same text."""
    document = Document.model_validate_json(from_module(module, inputs).model_dump_json())
    prove(build(document), module, Call(inputs))
    source = to_python(document)
    assert to_python(read(source)[0].model_copy(update={"inputs": document.inputs})) == source
    return source


class Attention(nn.Module):
    def __init__(self, width: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.q, self.k, self.v = nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, width)
        self.proj = nn.Linear(width, width)

    def forward(self, hidden: Tensor) -> Tensor:
        n, length, width = hidden.shape
        a, b, c = (
            layer(hidden).view(n, length, self.num_heads, -1).transpose(1, 2) for layer in (self.q, self.k, self.v)
        )
        mixed = F.scaled_dot_product_attention(a, b, c)
        return self.proj(mixed.transpose(1, 2).reshape(n, length, width))


def test_what_a_value_is_for_names_it_and_a_size_is_called_by_its_axis() -> None:
    assert forward(again(Attention(8, 2), torch.randn(2, 5, 8)), "Attention").splitlines()[:4] == [
        "batch = hidden.size(0)",
        "query = self.q(hidden).view(batch, 5, 2, -1).transpose(1, 2)",
        "key = self.k(hidden).view(batch, 5, 2, -1).transpose(1, 2)",
        "value = self.v(hidden).view(batch, 5, 2, -1).transpose(1, 2)",
    ]


class Stack(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([Attention(8, 2), Attention(8, 4)])

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        return x


def test_an_argument_is_called_as_the_attribute_that_holds_it() -> None:
    assert "def __init__(self, num_heads: int):" in again(Stack(), torch.randn(2, 5, 8))


class Packed(nn.Module):
    def __init__(self, way: str) -> None:
        super().__init__()
        self.way = way
        self.qkv = nn.Linear(8, 24)

    def forward(self, x: Tensor) -> Tensor:
        n, length, width = x.shape
        if self.way == "chunk":
            q, k, v = self.qkv(x).chunk(3, dim=-1)
        elif self.way == "split":
            q, k, v = self.qkv(x).split(width, dim=-1)
        else:
            packed = self.qkv(x).reshape(n, length, 3, width).permute(2, 0, 1, 3)
            q, k, v = packed.unbind(0) if self.way == "unbind" else packed
        return (q @ k.transpose(-2, -1)).softmax(-1) @ v


@pytest.mark.parametrize(
    ("way", "line"),
    [
        ("chunk", "q, k, v = self.qkv(x).chunk(3, dim=-1)"),
        ("split", "q, k, v = self.qkv(x).split([8, 8, 8], dim=-1)"),
        ("unbind", "q, k, v = x.unbind()"),
    ],
)
def test_parts_are_unpacked_and_called_by_the_letters_of_the_whole(way: str, line: str) -> None:
    assert line in forward(again(Packed(way), torch.randn(2, 5, 8)), "Packed")


class Branches(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.branch1, self.branch5x5_1, self.branch5x5_2 = nn.Linear(6, 4), nn.Linear(6, 4), nn.Linear(4, 4)
        self.branch_pool = nn.Linear(6, 50)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch1(x), self.branch5x5_2(self.branch5x5_1(x)), self.branch_pool(x), x, x], 1)


def test_branches_have_names_of_their_own() -> None:
    lines = forward(again(Branches(), torch.randn(2, 6)), "Branches").splitlines()
    assert lines[:2] == ["branch1 = self.branch1(x)", "branch5x5 = self.branch5x5_2(self.branch5x5_1(x))"]


class Dense(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        for index in range(1, 5):
            self.add_module(f"layer{index}", Growing(4 * index))

    def forward(self, features: Tensor) -> Tensor:
        found = [features]
        for layer in self.children():
            found.append(layer(found))
        return torch.cat(found, 1)


class Growing(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc = nn.Linear(width, 4)

    def forward(self, given: list[Tensor]) -> Tensor:
        return self.fc(torch.cat(given, 1))


class Repeated(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        states = []
        for _ in range(6):
            x = torch.tanh(self.cell(x))
            states.append(x * 2)
        return torch.stack(states)


def test_a_list_that_grows_is_appended_to() -> None:
    assert forward(again(Dense(), torch.randn(2, 4)), "Dense").splitlines() == [
        "outputs = [features]",
        *(f"outputs.append(self.layer{index}(outputs))" for index in range(1, 5)),
        "return torch.cat(outputs, dim=1)",
    ]
    lines = forward(again(Repeated(), torch.randn(2, 4)), "Repeated").splitlines()
    assert [lines.count(line) for line in ("outputs = []", "outputs.append(x * 2)")] == [1, 5]
    assert lines[-2:] == ["outputs.append(torch.tanh(self.cell(x)) * 2)", "return torch.stack(outputs)"]


class Keeping(nn.Module):
    """Gives back the list that it is given, as it is now."""

    def __init__(self) -> None:
        super().__init__()
        self.part = Passing()

    def forward(self, x: Tensor) -> list[Tensor]:
        found = [x, x.exp(), x.sin()]
        early, total = self.part(found)
        later = [*found, total.cos()]
        return [torch.stack(early).sum(), torch.stack(later).sum(), self.part([*later, x.tan()])[1]]


class Passing(nn.Module):
    def forward(self, given: list[Tensor]) -> tuple[list[Tensor], Tensor]:
        return given, torch.stack(given).sum(0)


def test_a_list_that_is_kept_by_another_does_not_grow() -> None:
    assert "append" not in again(Keeping(), torch.randn(2, 4))


class Projected(nn.Module):
    def __init__(self, project: bool) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.project = nn.Linear(4, 4) if project else None

    def forward(self, x: Tensor) -> Tensor:
        out = self.fc(x).relu()
        if self.project is not None:
            x = self.project(x)
        return out + x


class Noisy(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        return x * torch.empty(x.shape[0], 1).bernoulli_(0.5)


class Tower(nn.Module):
    def __init__(self, *parts: nn.Module) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)

    def forward(self, x: Tensor) -> Tensor:
        for part in self.parts:
            x = part(x)
        return x


def test_what_a_condition_changes_goes_on_under_its_name() -> None:
    source = again(Tower(Projected(True), Projected(False), Noisy()), torch.randn(2, 4))
    assert forward(source, "Projected").splitlines()[1:] == [
        "if self.has_project:",
        "    x = self.project(x)",
        "return fc + x",
    ]
    assert forward(source, "Noisy").splitlines() == [
        "if self.training:",
        "    x = x * torch.empty(x.size(0), 1, device=x.device).bernoulli_()",
        "return x",
    ]


class Kept(nn.Module):
    """A choice of which both sides are read later."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = x.tanh()
        y = self.fc(x) if self.training else x
        return y.exp() + x


def test_what_is_read_later_keeps_its_variable() -> None:
    assert "(fc if self.training else x).exp() + x" in forward(again(Kept(), torch.randn(2, 4)), "Kept")


class Written(nn.Module):
    """Changes under a condition what was written to before and is read later."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = x.clone()
        y = x
        x[:, 0] = 1.0
        z = self.fc(x) if self.training else y
        return z.exp() + x


def test_what_was_written_to_keeps_its_variable() -> None:
    again(Written(), torch.randn(2, 4))


class Unrelated(nn.Module):
    """Makes a mask of its own, which is not the one that comes in, and does not look at ``x``."""

    def forward(self, x: Tensor, mask: Tensor, ids: Tensor) -> Tensor:
        own = torch.ones(4, 4).tril() > 0
        scores = (ids.unsqueeze(-1) * ids.unsqueeze(-2)).masked_fill(own == 0, -1.0)
        return scores.softmax(-1) * mask


def test_nothing_takes_the_name_of_an_unrelated_input() -> None:
    module = Tower2(Unrelated())
    body = forward(again(module, torch.randn(2, 4), torch.ones(2, 4, 4), torch.randn(2, 4)), "Unrelated")
    names = {line.partition(" = ")[0] for line in body.splitlines() if " = " in line}
    assert not names & {"x", "mask"}


class Tower2(nn.Module):
    def __init__(self, part: nn.Module) -> None:
        super().__init__()
        self.part = part

    def forward(self, x: Tensor, mask: Tensor, ids: Tensor) -> Tensor:
        return x.sum() + self.part(x, mask, ids)


class Returning(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Embedding(4, 4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        position_bias = self.bias(torch.arange(4))
        return x @ position_bias, position_bias


class Calling(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = Returning(), Taking()

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        x, told = self.first(x)
        return {"logits": self.last(x, told)}


class Taking(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x: Tensor, position_bias: Tensor) -> Tensor:
        return self.fc(x) + position_bias.sum()


def test_parts_of_a_blocks_result_are_called_by_what_takes_them() -> None:
    assert forward(again(Calling(), torch.randn(2, 4)), "Calling").splitlines() == [
        "x, position_bias = self.first(x)",
        'return {"logits": self.last(x, position_bias)}',
    ]


def fan(width: int) -> Document:
    """Many layers that all read the same."""
    linear = {"kind": "layer", "target": "torch.nn.Linear", "arguments": {"in_features": 4, "out_features": 4}}
    nodes = [
        {"op": "call", "id": f"n{index}", "target": f"fc{index}", "arguments": {"input": {"$ref": "x"}}}
        for index in range(width)
    ]
    output = {"$tuple": [{"$ref": node["id"]} for node in nodes]}
    forward = {"inputs": [{"name": "x"}], "nodes": nodes, "output": output}
    members = [{**linear, "name": f"fc{index}"} for index in range(width)]
    return Document.model_validate({"main": "Net", "blocks": {"Net": {"members": members, "forward": forward}}})


def deep(length: int) -> Document:
    """One operation after the other."""
    nodes = [
        {
            "op": "function",
            "id": f"n{index}",
            "target": "torch.relu",
            "arguments": {"input": {"$ref": f"n{index - 1}" if index else "x"}},
        }
        for index in range(length)
    ]
    forward = {"inputs": [{"name": "x"}], "nodes": nodes, "output": {"$ref": f"n{length - 1}"}}
    return Document.model_validate({"main": "Net", "blocks": {"Net": {"forward": forward}}})


@pytest.mark.parametrize("make", [fan, deep])
def test_neither_wide_nor_deep_networks_exhaust_anything(make: Callable[[int], Document]) -> None:
    document = make(1_500)
    document = document.model_copy(update={"inputs": Document.model_validate(EXAMPLE).inputs})
    assert to_python(document).count("relu") + to_python(document).count("self.fc") >= 1_500


EXAMPLE: dict[str, Any] = {"main": "A", "blocks": {"A": {}}, "inputs": {"x": {"shape": [4]}}}
