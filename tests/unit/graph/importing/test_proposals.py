"""A bare state_dict proposes layers whose module takes it strictly."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import torchvision
from torch import nn

from layerloom.catalogue.states import patterns, proposals
from layerloom.graph import build
from layerloom.graph.errors import GraphError
from layerloom.graph.importing.proposals import propose
from layerloom.graph.importing.states import read_state
from layerloom.schema.document import Layer


def shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}


def listed(module: nn.Module) -> list[tuple[str, tuple[int, ...], str]]:
    return [(name, tuple(t.shape), str(t.dtype).removeprefix("torch.")) for name, t in module.state_dict().items()]


LAYERS = [
    nn.Conv1d(3, 8, 5),
    nn.Conv2d(3, 8, (3, 5)),
    nn.Conv3d(3, 8, 3, bias=False),
    nn.ConvTranspose2d(3, 8, 3),
    nn.Linear(3, 4),
    nn.LayerNorm(7),
    nn.LSTM(3, 5, num_layers=2, bidirectional=True),
    nn.GRU(3, 5),
    nn.RNN(3, 5, bias=False),
    nn.LSTMCell(3, 5),
    nn.MultiheadAttention(16, 8),
    nn.TransformerEncoderLayer(16, 8, dim_feedforward=32),
]


@pytest.mark.parametrize("module", LAYERS, ids=str)
def test_a_layer_is_told_by_its_tensors(module: nn.Module) -> None:
    first = proposals(shapes(module))[0]
    assert first.layer == f"torch.nn.{type(module).__name__}"
    made = getattr(nn, type(module).__name__)(**first.arguments)
    assert shapes(made) == shapes(module)


def test_every_pattern_proposes_a_layer_with_its_own_tensors() -> None:
    assert len(patterns()) > 30
    assert proposals({"weight": (3, 4, 5, 6, 7, 8)}) == []
    assert proposals({"never": (3,)}) == []


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.position = nn.Parameter(torch.zeros(2, 3))
        self.register_buffer("steps", torch.arange(3))
        self.embed = nn.Embedding(9, 4)
        self.features = nn.Sequential(nn.Conv2d(4, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 4, 1))
        self.cells = nn.ModuleList(nn.LSTMCell(4, 4) for _ in range(3))
        self.heads = nn.ModuleDict({"a-b": nn.Linear(4, 2), "c d": nn.Linear(4, 3, bias=False)})


@pytest.mark.parametrize(
    "original",
    [
        Net(),
        torchvision.models.resnet18(),
        torchvision.models.vit_b_16(),
        torchvision.models.mobilenet_v3_small(),
        nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 4, batch_first=True), 2),
    ],
    ids=lambda module: type(module).__name__,
)
def test_the_proposal_takes_the_state_strictly(original: nn.Module) -> None:
    document, _ = propose(listed(original))
    module = build(document)
    assert list(module.state_dict()) == list(original.state_dict())
    module.load_state_dict(original.state_dict(), strict=True)
    for name, tensor in module.state_dict().items():
        assert torch.equal(tensor, original.state_dict()[name])


def test_blocks_that_repeat_are_one_class_and_ambiguities_are_told() -> None:
    document, notes = propose(listed(torchvision.models.vit_b_16()))
    assert len(document.blocks) == 5
    assert any("num_heads of MultiheadAttention" in note for note in notes)
    assert any("may also be" in note for note in notes)


def test_rank_and_names_decide_between_layers_of_the_same_tensors() -> None:
    document, _ = propose(listed(Net()))
    members = {member.name: member for member in document.blocks["Network"].members}
    embed = members["embed"]
    assert isinstance(embed, Layer)
    assert embed.target == "torch.nn.Embedding"
    features = json.loads(members["features"].model_dump_json())
    assert [item["target"].rpartition(".")[2] for item in features["items"]] == ["Conv2d", "BatchNorm2d", "Conv2d"]
    heads = json.loads(members["heads"].model_dump_json())
    assert [item["target"] for item in heads["items"]] == ["torch.nn.Linear"] * 2


def test_a_chain_that_fits_is_connected() -> None:
    chain = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.LayerNorm(8), nn.Linear(8, 2))
    document, notes = propose(listed(chain))
    assert build(document)(torch.randn(3, 5)).shape == (3, 2)
    assert any("begin with 'layers.'" in note for note in notes)


@pytest.mark.parametrize("name", ["forward", "a.forward.weight", "x.", "..", "\u202e", "a" * 100, ".".join("a" * 40)])
def test_keys_that_no_module_has_are_refused(name: str) -> None:
    with pytest.raises(GraphError):
        propose([(name, (2, 2), "float32"), ("fc.weight", (2, 2), "float32")])


def test_a_key_below_a_tensor_is_refused() -> None:
    with pytest.raises(GraphError, match="below a tensor"):
        propose([("a", (2,), "float32"), ("a.b", (2,), "float32")])


# --- files


def test_files_are_read_as_names_and_shapes(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    state = {"fc.weight": torch.randn(4, 3), "fc.bias": torch.zeros(4, dtype=torch.float16)}
    torch.save({"state_dict": state, "epoch": 3}, tmp_path / "a.pt")
    save_file(state, tmp_path / "a.safetensors")
    wanted = [["fc.weight", [4, 3], "float32"], ["fc.bias", [4], "float16"]]
    found = read_state({"suffix": ".pt"}, tmp_path / "a.pt")
    assert found["tensors"] == wanted
    assert "left out" in found["notes"][0]
    assert sorted(read_state({"suffix": ".safetensors"}, tmp_path / "a.safetensors")["tensors"]) == sorted(wanted)


class Payload:
    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[object, ...]:
        return (exec, (f"open({str(self.canary)!r}, 'w').write('ran')",))


def test_code_in_a_file_never_runs(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    torch.save({"a": Payload(canary)}, tmp_path / "a.pt")
    (tmp_path / "b.pt").write_bytes(b"no zip")
    (tmp_path / "c.safetensors").write_bytes(b"\xff" * 100)
    for file in ("a.pt", "b.pt", "c.safetensors"):
        with pytest.raises(GraphError):
            read_state({"suffix": Path(file).suffix}, tmp_path / file)
    assert not canary.exists()


def test_a_tensor_of_any_size_costs_nothing(tmp_path: Path) -> None:
    huge = torch.zeros(1).as_strided((10**6, 10**6), (0, 0))
    torch.save({"fc.weight": huge}, tmp_path / "a.pt")
    assert read_state({"suffix": ".pt"}, tmp_path / "a.pt")["tensors"] == [["fc.weight", [10**6, 10**6], "float32"]]
    with pytest.raises(GraphError) as caught:
        propose([("fc.weight", (10**6, 10**6), "float32")])
    assert caught.value.problems[0].code == "too_large"
