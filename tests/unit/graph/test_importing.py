"""Modules that people wrote come back as documents, and as modules that do the same."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn
from torch.nn.utils import parametrizations

import layerloom
from layerloom.graph import build, check, to_python
from layerloom.graph.importing import ClosedError, from_module
from layerloom.graph.importing.proof import Call
from layerloom.graph.importing.record import recorded
from layerloom.schema.document import Document
from sameness import differences
from unit.graph.test_structures import STRUCTURES, assert_equal, batch, by_hand, load, trained


def again(module: nn.Module, *inputs: Tensor) -> tuple[Document, nn.Module]:
    """The document of a module, and the module that is built from it, with the same state."""
    document = from_module(module, inputs)
    twin = build(document)
    twin.load_state_dict(module.state_dict(), strict=True)
    return document, twin


@pytest.mark.parametrize("name", STRUCTURES)
def test_written_structures_come_back(name: str) -> None:
    written = by_hand(name)
    inputs = batch(load(name))
    _, twin = again(written, *inputs.values())
    assert_equal(trained(twin, inputs), trained(written, inputs))


def test_the_public_function_is_this_one() -> None:
    assert layerloom.from_module is from_module


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("resnet18", {"BasicBlock", "ResNet"}),
        ("densenet121", {"DenseLayer", "DenseBlock", "DenseBlock2", "DenseBlock3", "DenseBlock4", "DenseNet"}),
        ("mobilenet_v3_small", None),
        ("squeezenet1_1", {"Fire", "SqueezeNet"}),
        ("shufflenet_v2_x0_5", None),
        ("vit_b_32", {"EncoderBlock", "Encoder", "VisionTransformer"}),
    ],
)
def test_networks_of_torchvision_come_back(name: str, classes: set[str] | None) -> None:
    torch.manual_seed(0)
    module = torchvision.models.get_model(name, weights=None)
    document, twin = again(module, torch.randn(2, 3, 224, 224))
    assert classes is None or set(document.blocks) == classes
    assert check(document).totals.parameters == sum(parameter.numel() for parameter in module.parameters())
    other = torch.randn(3, 3, 224, 224)
    with torch.no_grad():
        assert torch.equal(twin.eval()(other), module.eval()(other)), "at another batch size"


def test_blocks_of_a_class_become_one_with_arguments_and_a_switch() -> None:
    document = from_module(torchvision.models.resnet18(weights=None), [torch.randn(2, 3, 64, 64)])
    source = to_python(document)
    assert source.count("class BasicBlock") == 1
    assert source.count("\n") <= 60
    assert "        if has_downsample:\n            self.downsample = nn.Sequential(" in source
    assert "BasicBlock(64, 128, 2, has_downsample=True), BasicBlock(128, 128, 1)" in source


def test_sizes_are_multiples_and_runs_are_comprehensions() -> None:
    source = to_python(from_module(torchvision.models.resnet50(weights=None), [torch.randn(2, 3, 64, 64)]))
    assert "self.conv3 = nn.Conv2d(out_channels, 4 * out_channels, 1, bias=False)" in source
    assert "*[Bottleneck(1024, 256, 1) for _ in range(5)]" in source


class Tower(nn.Module):
    """Twelve equal blocks in a list, and four different ones."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([_Wrapped(nn.Sequential(nn.Linear(8, 8), nn.ReLU())) for _ in range(12)])
        self.stages = nn.ModuleList([nn.Linear(8 * n, 8 * (n + 1)) for n in range(1, 5)])
        self.twice = nn.ModuleList([nn.Linear(40, 40) for _ in range(3)])

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        for stage in self.stages:
            x = stage(x)
        return self.twice[0](x) + self.twice[1](self.twice[2](x))


def test_loops_are_kept() -> None:
    written = Tower()
    document, twin = again(written, torch.randn(2, 8))
    source = to_python(document)
    assert "for _ in range(12)" in source
    assert "for block in self.blocks:" in source
    assert "for stage in self.stages:" in source
    assert "self.twice[2](x)" in source
    x = {"x": torch.randn(5, 8)}
    assert_equal(trained(twin, x), trained(written, x))


class Switching(nn.Module):
    """What follows ``self.training`` is a switch; what is shared is called twice; sizes follow the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.proj = nn.Linear(8, 8)
        self.register_buffer("mask", torch.ones(4, 4).tril(), persistent=False)
        self.scale = nn.Parameter(torch.tensor(2.0))

    def forward(self, x: Tensor) -> Tensor:
        n, length, width = x.shape
        x = F.dropout(self.proj(self.proj(x)), 0.3, self.training)
        x = x.reshape(n * length, width).view(n, -1, width)
        scores = (x @ x.mT).masked_fill(self.mask == 0, float("-inf")).softmax(-1)
        return 1 - (scores @ x) * self.scale / width**0.5


def test_switches_sharing_and_sizes() -> None:
    written = Switching()
    document, twin = again(written, torch.randn(2, 4, 8))
    assert "training=self.training" in to_python(document)
    inputs = {"x": torch.randn(5, 4, 8)}
    assert_equal(trained(twin, inputs), trained(written, inputs))


class Several(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(8, 6, 2, batch_first=True, bidirectional=True)
        self.heads = nn.ModuleDict({"a": nn.Linear(12, 2), "b": nn.Linear(12, 3)})

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor] | None = None) -> dict[str, Tensor]:
        out, (h, _) = self.lstm(x)
        first, second = out.chunk(2, dim=1)
        pooled = torch.cat([first.mean(1), second.amax(1)], dim=-1)[:, :12] + h[-1].new_zeros(12)
        return {name: head(pooled) for name, head in self.heads.items()}


def test_tuples_dicts_and_parts_of_results() -> None:
    _, twin = again(Several(), torch.randn(3, 6, 8))
    assert {name: value.shape for name, value in twin(torch.randn(5, 6, 8)).items()} == {"a": (5, 2), "b": (5, 3)}


def test_frozen_parameters_stay_frozen() -> None:
    written = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))
    network = nn.Module.__new__(_Wrapped)
    _Wrapped.__init__(network, written)
    written[0].weight.requires_grad_(False)
    _, twin = again(network, torch.randn(2, 4))
    assert [name for name, tensor in twin.named_parameters() if not tensor.requires_grad] == ["net.0.weight"]


class _Wrapped(nn.Module):
    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class Overwrites(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        x = x.clone()
        x[:, 0] = 0
        return x


class Remembers(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.kept = torch.randn(4)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.kept


class Differs(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.relu() if self.training else x.tanh()


class Unused(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.aside = _Wrapped(nn.Linear(2, 2))

    def forward(self, x: Tensor) -> Tensor:
        return x * 2


class Tabulates(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("table", torch.randn(40, 4), persistent=False)
        self.register_buffer("few", torch.tensor([0.1, 1 / 3, 2.0, float("inf")]), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return (x[:, None] + self.table).amax(1) * self.few


class Deep(nn.Module):
    """Ties a tensor deep inside one part to that of another, and holds one module in two places of a list."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(4, 4)
        self.part = _Wrapped(nn.Sequential(nn.Linear(4, 4)))
        self.part.net[0].weight = self.embed.weight
        again = nn.Linear(4, 4)
        self.steps = nn.ModuleList([again, nn.ReLU(), again])

    def forward(self, x: Tensor) -> Tensor:
        x = self.part(self.embed(x))
        for step in self.steps:
            x = step(x)
        return x


class Spreads(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.part = _Taking()

    def forward(self, x: Tensor) -> Tensor:
        return nn.SiLU()(self.part(x, x + 1, other=x * 2))


class _Taking(nn.Module):
    def forward(self, *given: Tensor, **named: Tensor) -> Tensor:
        return given[0] + given[1] * named["other"]


@pytest.mark.parametrize("kind", [Overwrites, Remembers, Differs, Unused, Tabulates, Deep, Spreads])
def test_what_modules_do_beside_layers_in_a_row(kind: type[nn.Module]) -> None:
    network = kind()
    _, twin = again(network, torch.randn(2, 4))
    assert differences(network, twin, [torch.randn(3, 4)]) == []


# --- what stays closed


class Alternates(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.part = _Choosing()

    def forward(self, x: Tensor) -> Tensor:
        return self.part(self.part(x, True), False)


class _Choosing(nn.Module):
    def forward(self, x: Tensor, double: bool) -> Tensor:
        return x * 2 if double else x + 1


@pytest.mark.parametrize(
    ("module", "why"),
    [
        (Alternates(), "something else each time"),
    ],
)
def test_what_cannot_be_said_is_refused_with_the_reason(module: nn.Module, why: str) -> None:
    with pytest.raises(ClosedError, match=why):
        from_module(module, [torch.randn(2, 4)], closed="refuse")


def test_hooks_are_refused() -> None:
    module = _Wrapped(nn.Linear(4, 4))
    module.net.register_forward_hook(lambda *_: None)
    with pytest.raises(ClosedError, match="hooks"):
        from_module(module, [torch.randn(2, 4)], closed="refuse")


def test_the_module_is_left_as_it_was() -> None:
    module = torchvision.models.resnet18(weights=None).train()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    modes = [part.training for part in module.modules()]
    keys = {name: list(part.__dict__) for name, part in module.named_modules()}
    seed = torch.random.get_rng_state()
    from_module(module, [torch.randn(2, 3, 64, 64)])
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    assert modes == [part.training for part in module.modules()]
    assert keys == {name: list(part.__dict__) for name, part in module.named_modules()}
    assert nn.Module.__call__ is nn.Module._wrapped_call_impl
    assert seed is not None


def test_a_recording_computes_nothing() -> None:
    """A network of 40 GB is recorded in the memory of this machine."""
    with torch.device("meta"):
        huge = _Wrapped(nn.Sequential(nn.Linear(100_000, 100_000), nn.ReLU()))
    graphs: dict[str, Any] = recorded(huge, Call((torch.empty(2, 100_000, device="meta"),)), training=False).graphs
    assert set(graphs) == {"", "net"}


class Sequential(nn.Module):
    """Steps first, as recurrent layers have it unless told otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.GRU(4, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.rnn(x)[0]


def test_a_step_for_every_sample_is_not_computed() -> None:
    _, twin = again(Sequential(), torch.randn(2, 3, 4))
    assert twin(torch.randn(6, 2, 4)).shape == (6, 2, 5)


@pytest.mark.parametrize(
    "parametrized",
    [
        parametrizations.weight_norm(nn.Linear(4, 4)),
        parametrizations.weight_norm(nn.Conv1d(4, 4, 3, padding=1, groups=2), dim=2),
        parametrizations.spectral_norm(nn.Linear(4, 4), n_power_iterations=2),
        parametrizations.orthogonal(nn.Linear(4, 4), orthogonal_map="cayley"),
        parametrizations.weight_norm(parametrizations.weight_norm(nn.Bilinear(4, 4, 4), "bias"), "weight"),
    ],
    ids=["weight_norm", "conv", "spectral_norm", "orthogonal", "two tensors"],
)
def test_parametrized_layers_come_back(parametrized: nn.Module) -> None:
    network = _Wrapped(parametrized) if not isinstance(parametrized, nn.Bilinear) else _Squared(parametrized)
    inputs = torch.randn(2, 4, 4) if isinstance(parametrized, nn.Conv1d) else torch.randn(2, 4)
    document, twin = again(network, inputs)
    assert differences(network, twin, [inputs]) == []
    assert "nn.utils.parametrizations." in to_python(document)


class _Squared(nn.Module):
    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x, x)


class Windows(nn.Module):
    """Sizes that follow from the batch, handed on as plain numbers, and a list that is filled while it is used."""

    def __init__(self) -> None:
        super().__init__()
        self.place = _Placing()
        self.steps = _Filling()

    def forward(self, x: Tensor) -> Tensor:
        windows = x.reshape(-1, 2)
        x = self.steps([x, windows.view(windows.shape[0] // 2, 4)])
        return x + self.place(x.shape)


class _Placing(nn.Module):
    def forward(self, shape: torch.Size) -> Tensor:
        return torch.ones(shape) * 3


class _Filling(nn.Module):
    def forward(self, parts: list[Tensor]) -> Tensor:
        for index, part in enumerate(parts):
            parts[index] = part * 2
        parts.append(parts[0] + 1)
        return torch.stack(parts).sum(0)


def test_sizes_travel_as_numbers_and_lists_are_taken_as_they_were() -> None:
    network = Windows()
    _, twin = again(network, torch.randn(2, 4))
    assert differences(network, twin, [torch.randn(3, 4)]) == []
