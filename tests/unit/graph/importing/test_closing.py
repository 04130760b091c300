"""What cannot be opened comes back as the smallest opaque member, and everything around it open and proven."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from layerloom.graph import GraphError, build, check, to_python
from layerloom.graph.importing import ClosedError, from_module
from layerloom.graph.importing.proof import Call
from layerloom.graph.importing.record import recorded
from layerloom.graph.walk import members
from layerloom.schema.document import Alias, Document, Opaque
from layerloom.schema.problems import ProblemCode


class Depends(nn.Module):
    """Looks at the numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.lin = nn.Linear(4, 6)
        self.register_buffer("seen", torch.zeros(2))

    def forward(self, x: Tensor) -> Tensor:
        if x.sum() > 0:
            return self.lin(x)
        return self.lin(-x)


class Alternates(nn.Module):
    """Does another thing each time."""

    def __init__(self) -> None:
        super().__init__()
        self.on = False

    def forward(self, x: Tensor) -> Tensor:
        self.on = not self.on
        return x * 2 if self.on else x + 1


class Around(nn.Module):
    """Calls a layer on what it has changed itself, so that the layer is given other numbers each time."""

    def __init__(self) -> None:
        super().__init__()
        self.on = False
        self.lin = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        self.on = not self.on
        return self.lin(x * 2 if self.on else x + 1)


class Turns(nn.Module):
    """Is told what to do."""

    def forward(self, x: Tensor, double: bool) -> Tensor:
        return x * 2 if double else x + 1


class Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.turns = Turns()

    def forward(self, x: Tensor) -> Tensor:
        return self.turns(self.turns(x, True), double=False)


class Several(nn.Module):
    """Takes several values, some by name alone, and gives several."""

    def forward(self, first: Tensor, *more: Tensor, skip: Tensor, scale: float = 1.0) -> dict[str, Any]:
        if skip.sum() > 1e6:
            return {"sum": first, "all": (first, skip)}
        return {"sum": sum(more, first) * scale, "all": (first, skip)}


class Gives(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.several = Several()
        self.lin = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        found = self.several(x, self.lin(x), x + 1, skip=x * 2, scale=0.5)
        return found["sum"] + found["all"][1].reshape(x.shape[0], -1)


class Lopsided(nn.Module):
    """Its result follows its batch in no simple way, which closes what is around it."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, x[: int(x.sum() * 0) + 1]])


class AroundLopsided(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.odd = Lopsided()

    def forward(self, x: Tensor) -> Tensor:
        return self.odd(x)[:-1]


def hooked() -> nn.Module:
    """A layer whose output is changed by somebody else."""
    layer = nn.Linear(4, 4)
    layer.register_forward_hook(lambda _module, _given, result: result * 2)
    return layer


def unlike() -> nn.Module:
    """A layer that is none that its arguments make."""
    layer = nn.Conv1d(4, 4, 1)
    layer.out_channels = 9
    return nn.Sequential(nn.Unflatten(1, (4, 1)), layer, nn.Flatten())


class Block(nn.Module):
    def __init__(self, inner: nn.Module, width: int) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.inner = inner
        self.last = nn.Sequential(nn.BatchNorm1d(width), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.inner(torch.tanh(self.first(x))))


class Network(nn.Module):
    def __init__(self, inner: nn.Module, width: int = 4) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.2))
        self.block = Block(inner, width)
        self.plain = Block(nn.Linear(width, 4), 4) if width == 4 else nn.Linear(width, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.plain(self.block(self.stem(x))) + x


def closed(document: Document) -> dict[str, Opaque]:
    """The opaque members of a document, by block and name."""
    return {
        f"{name}.{member.name}": member
        for name, block in document.blocks.items()
        for member in members(block)
        if isinstance(member, Opaque)
    }


@pytest.mark.parametrize(
    ("inner", "width", "place", "why"),
    [
        (Depends, 6, "Block.inner", "depends on the numbers"),
        (hooked, 4, "Block.inner", "it has hooks"),
        (Alternates, 4, "Block.inner", "not all that it does"),
        (Around, 4, "Block.inner", "not all that it does"),
        (Twice, 4, "Twice.turns", "something else each time"),
        (unlike, 4, "Block.1", "holds other tensors"),
        (Gives, 4, "Gives.several", "depends on the numbers"),
        (AroundLopsided, 4, "Block.inner", "is not known before it runs"),
    ],
)
def test_just_the_part_that_cannot_be_opened_is_closed(
    inner: Callable[[], nn.Module], width: int, place: str, why: str
) -> None:
    torch.manual_seed(0)
    module = Network(inner(), width)
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    attributes = [dict(part.__dict__) for part in module.modules()]
    document = Document.model_validate_json(from_module(module, [torch.randn(2, 4)]).model_dump_json())

    [(name, member)] = closed(document).items()
    assert name == place
    assert re.search(why, member.note), member.note
    assert {"Network", "Block"} <= set(document.blocks)
    original = next(part for path, part in module.named_modules() if path.endswith(member.name) and path != "stem.1")
    assert member.type == f"{type(original).__module__}.{type(original).__qualname__}"
    assert {key: tuple(tensor.shape) for key, tensor in member.tensors.items()} == {
        key: tuple(tensor.shape) for key, tensor in original.state_dict().items()
    }

    assert all(torch.equal(before[key], value) for key, value in module.state_dict().items())
    assert [dict(part.__dict__) for part in module.modules()] == attributes


def test_what_is_known_of_a_closed_module() -> None:
    document = from_module(Network(Depends(), 6), [torch.randn(2, 4)])
    [member] = closed(document).values()
    assert [(given.name, given.keyword) for given in member.inputs] == [("x", False)]
    assert {key: tensor.buffer for key, tensor in member.tensors.items()} == {
        "seen": True,
        "lin.weight": False,
        "lin.bias": False,
    }
    [other] = closed(from_module(Network(Gives()), [torch.randn(2, 4)])).values()
    assert [(given.name, given.keyword) for given in other.inputs] == [
        ("first", False),
        ("more_1", False),
        ("more_2", False),
        ("skip", True),
        ("scale", True),
    ]


def test_a_document_with_a_closed_module_is_told_and_not_built() -> None:
    document = from_module(Network(hooked()), [torch.randn(2, 4)])
    [problem] = check(document).problems
    assert problem.code is ProblemCode.OPAQUE_MEMBER
    assert problem.severity == "error"
    assert (problem.block, problem.member) == ("Block", "inner")
    assert "hooks" in problem.message
    assert "Put a block of your own in its place" in problem.message
    counted = sum(parameter.numel() for parameter in Network(hooked()).parameters())
    assert check(document).totals.parameters == counted
    for refused in (build, to_python):
        with pytest.raises(GraphError) as raised:
            refused(document)
        assert [it.code for it in raised.value.problems] == [ProblemCode.OPAQUE_MEMBER]


@pytest.mark.parametrize(
    ("inner", "width", "why"),
    [
        (Depends, 6, "does not run"),
        (hooked, 4, "hooks"),
        (Alternates, 4, "other outputs"),
        (unlike, 4, "other tensors"),
    ],
)
def test_closed_modules_are_refused_where_none_is_wanted(inner: Callable[[], nn.Module], width: int, why: str) -> None:
    with pytest.raises(ClosedError, match=why):
        from_module(Network(inner(), width), [torch.randn(2, 4)], closed="refuse")


class Whole(Alternates):
    """Does another thing each time around a part that has to be closed."""

    def __init__(self) -> None:
        super().__init__()
        self.part = hooked()

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(self.part(x))


@pytest.mark.parametrize("module", [Depends(), Alternates(), hooked(), Whole()])
def test_the_whole_cannot_be_closed(module: nn.Module) -> None:
    with pytest.raises(ClosedError):
        from_module(module, [torch.randn(2, 4)])


class Rows(nn.Module):
    """Closed modules in a list, and one of them under a second name."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = nn.ModuleList([hooked() for _ in range(3)])
        self.again = self.rows[1]
        self.tied = nn.Linear(4, 4)
        self.tied.weight = self.rows[0].weight

    def forward(self, x: Tensor) -> Tensor:
        for row in self.rows:
            x = row(x)
        return self.tied(self.again(x))


def test_closed_modules_stand_in_lists_and_under_two_names() -> None:
    document = from_module(Rows(), [torch.randn(2, 4)])
    rows, again, _ = document.blocks["Rows"].members
    assert {member.kind for member in members(document.blocks["Rows"])} >= {"opaque", "module_list", "layer"}
    assert rows.name == "rows"
    assert isinstance(again, Alias)
    assert again.of == "rows.1"
    assert {problem.code for problem in check(document).problems} == {ProblemCode.OPAQUE_MEMBER}


class Wrong(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.part = nn.Sequential(nn.Linear(5, 5), Depends())

    def forward(self, x: Tensor) -> Tensor:
        return self.part(x)


def test_inputs_that_a_network_does_not_take_close_nothing() -> None:
    with pytest.raises(ClosedError, match="does not run on these inputs: mat1 and mat2"):
        from_module(Wrong(), [torch.randn(2, 4)])


class Images(nn.Module):
    """Takes images of different sizes, without a batch axis."""

    def forward(self, images: list[Tensor]) -> Tensor:
        return torch.stack([image.reshape(image.shape[0], -1).mean(1) for image in images])


def test_tensors_in_a_list_have_no_batch_axis() -> None:
    call = Call(([torch.rand(3, 4, 5), torch.rand(3, 6, 7)],))
    [graph] = recorded(Images(), call, training=False).graphs.values()
    shapes = [node.arguments["shape"] for node in graph.nodes if node.op == "function" and "reshape" in node.target]
    assert shapes == [[3, -1], [3, -1]]
    assert call.larger() == call
