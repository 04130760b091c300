"""Ten structures, written by hand and drawn: the same keys, the same numbers, the same gradients.

Each document lies in ``tests/contract/golden`` beside the source that it is written as. The hand-written classes below
were written without looking at that source; what they share with the documents is the meaning.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from layerloom.graph import build, to_python
from layerloom.schema.document import Document

GOLDEN = Path(__file__).parents[2] / "contract" / "golden"


class SharedMLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(12, 32), nn.Linear(32, 16), nn.Linear(16, 4)
        self.act = nn.ReLU()

    def forward(self, x):
        for layer in (self.fc1, self.fc2):
            x = self.act(layer(x))
        return self.fc3(x)


class ConvBlock(nn.Module):
    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(outputs)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.act(self.bn(self.conv(x)))


class StagedCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = ConvBlock(3, 8)
        self.stages = nn.ModuleList()
        inputs = 8
        for width in (8, 12, 16):
            stride = 1 if not self.stages else 2
            self.stages.append(nn.Sequential(ConvBlock(inputs, width, stride), ConvBlock(width, width)))
            inputs = width
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(16, 5))

    def forward(self, x):
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
        return self.head(x)


class ResidualBlock(nn.Module):
    def __init__(self, inputs, outputs, dropout):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.project = nn.Conv2d(inputs, outputs, 1)
        self.drop = nn.Dropout(dropout)

    def forward(self, x):
        branch = self.drop(F.relu(self.bn1(self.conv1(x))))
        branch = self.bn2(self.conv2(branch))
        return F.relu(branch + self.project(x))


class ResidualNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.Sequential(ResidualBlock(1, 8, 0.1), ResidualBlock(8, 12, 0.2))
        self.fc = nn.Linear(12, 10)

    def forward(self, x):
        return self.fc(self.blocks(x).mean(dim=(2, 3)))


class GatedUnit(nn.Module):
    def __init__(self, features, hidden):
        super().__init__()
        self.expand = nn.Linear(features, 2 * hidden)
        self.contract = nn.Linear(hidden, features)

    def forward(self, x):
        value, gate = self.expand(x).chunk(2, dim=-1)
        return x + self.contract(value * gate.sigmoid())


class GatedNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.unit1, self.unit2 = GatedUnit(10, 24), GatedUnit(10, 16)
        self.norm, self.fc = nn.LayerNorm(10), nn.Linear(10, 3)

    def forward(self, x):
        return self.fc(self.norm(self.unit2(self.unit1(x))))


class MultiHead(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(
            OrderedDict(fc=nn.Linear(9, 24), norm=nn.BatchNorm1d(24), act=nn.GELU()),
        )
        self.heads = nn.ModuleDict(
            {"color": nn.Linear(24, 6), "shape": nn.Linear(24, 4), "size": nn.Linear(24, 3)},
        )

    def forward(self, features):
        x = self.trunk(features)
        return {"color": self.heads["color"](x), "shape": self.heads["shape"](x), "size": self.heads["size"](x)}


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(40, 12, padding_idx=0)
        self.lstm = nn.LSTM(12, 10, num_layers=2, batch_first=True, dropout=0.3, bidirectional=True)
        self.fc = nn.Linear(40, 7)

    def forward(self, tokens):
        output, (hidden, cell) = self.lstm(self.embed(tokens))
        return self.fc(torch.cat([output.mean(dim=1), hidden[-1], cell[-2]], dim=1))


class Mixture(nn.Module):
    def __init__(self):
        super().__init__()
        self.weights = nn.ParameterList([nn.Parameter(torch.randn(8, 5)) for _ in range(3)])
        self.offsets = nn.ParameterDict(
            {"bias": nn.Parameter(torch.zeros(5)), "gain": nn.Parameter(torch.ones(5))},
        )
        self.temperature = nn.Parameter(torch.tensor(0.5))
        self.register_buffer("steps", torch.tensor([0.0, 1.0, 2.0, 3.0, 4.0]))
        self.register_buffer("mask", torch.ones(5, 5).tril(), persistent=False)
        self.norm = nn.LayerNorm(5)

    def forward(self, x):
        gated = (x @ self.weights[0]) * torch.tanh(x @ self.weights[1])
        mixed = gated + (x @ self.weights[2]) / self.temperature
        mixed = mixed * self.offsets["gain"] + self.offsets["bias"]
        return self.norm(mixed @ self.mask + self.steps)


class SelfAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.key = nn.Linear(16, 16), nn.Linear(16, 16)
        self.value, self.out = nn.Linear(16, 16), nn.Linear(16, 16)
        self.drop = nn.Dropout(0.1)

    def forward(self, x):
        def heads(projected):
            return projected.view(len(x), -1, 4, 4).transpose(1, 2)

        q, k, v = heads(self.query(x)), heads(self.key(x)), heads(self.value(x))
        weights = self.drop(F.softmax((q @ k.transpose(-2, -1)) * 0.5, dim=-1))
        return self.out((weights @ v).transpose(1, 2).flatten(2))


class TinyAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(20, 16)
        self.position = nn.Parameter(torch.zeros(1, 9, 16))
        self.attention = SelfAttention()
        self.norm = nn.LayerNorm(16)
        self.fc = nn.Linear(16, 6)
        nn.init.trunc_normal_(self.position, std=0.02)

    def forward(self, tokens):
        x = self.embed(tokens) + self.position
        x = x + self.attention(x)
        return self.fc(self.norm(x)[:, 0])


class TiedAutoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(25, 8)
        self.encoder = nn.Linear(8, 3)
        self.decoder = nn.Linear(3, 8)
        self.project = nn.Linear(8, 25, bias=False)
        self.project.weight = self.embed.weight
        self.again = self.decoder

    def forward(self, tokens):
        return self.project(self.decoder(torch.tanh(self.encoder(self.embed(tokens)))))


def weights_of_autoencoder(module):
    """Given to ``model.apply``; the document says the same in rules."""
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)


class TwoWays(nn.Module):
    def __init__(self):
        super().__init__()
        self.image = nn.Conv2d(1, 4, 3)
        self.numbers = nn.Linear(6, 20)
        self.drop = nn.Dropout(0.25)
        self.mix = nn.Bilinear(20, 20, 12)
        self.kind = nn.Linear(12, 3)
        self.amount = nn.Linear(12, 1)
        self.squeeze = nn.Linear(144, 20)

    def forward(self, picture, table):
        seen = self.squeeze(self.image(picture).relu().flatten(1))
        told = torch.tanh(self.numbers(table))
        mixed = self.mix(self.drop(seen), self.drop(told))
        return self.kind(mixed), self.amount(mixed).squeeze(-1)


STRUCTURES: dict[str, tuple[type[nn.Module], Callable[[nn.Module], None] | None]] = {
    "mlp": (SharedMLP, None),
    "staged_cnn": (StagedCNN, None),
    "residual": (ResidualNet, None),
    "gated": (GatedNet, None),
    "heads": (MultiHead, None),
    "lstm": (Tagger, None),
    "parameters": (Mixture, None),
    "attention": (TinyAttention, None),
    "autoencoder": (TiedAutoencoder, weights_of_autoencoder),
    "two_ways": (TwoWays, None),
}
SEED = 7


def load(name: str) -> Document:
    return Document.model_validate_json((GOLDEN / f"{name}.json").read_bytes())


def by_hand(name: str) -> nn.Module:
    torch.manual_seed(SEED)
    make, initialize = STRUCTURES[name]
    made = make()
    return made if initialize is None else made.apply(initialize)


def batch(document: Document, samples: int = 4) -> dict[str, torch.Tensor]:
    torch.manual_seed(100)
    return {
        name: torch.randint(given.high or 2, (samples, *given.shape))
        if given.dtype == "int64"
        else torch.randn(samples, *given.shape)
        for name, given in document.inputs.items()
    }


def leaves(output: Any) -> list[torch.Tensor]:
    if isinstance(output, torch.Tensor):
        return [output]
    return [leaf for item in (output.values() if isinstance(output, dict) else output) for leaf in leaves(item)]


def trained(module: nn.Module, inputs: dict[str, torch.Tensor]) -> dict[str, Any]:
    """Outputs in eval, and gradients in train, both after one seed."""
    with torch.no_grad():
        evaluated = module.eval()(**inputs)
    torch.manual_seed(SEED)
    outputs = leaves(module.train()(**inputs))
    sum(output.square().mean() for output in outputs).backward()
    gradients = {name: parameter.grad for name, parameter in module.named_parameters()}
    return {"eval": leaves(evaluated), "train": outputs, "gradients": gradients, "next": torch.rand(3)}


def assert_equal(drawn: dict[str, Any], written: dict[str, Any]) -> None:
    for mode in ("eval", "train"):
        assert len(drawn[mode]) == len(written[mode])
        assert all(torch.equal(a, b) for a, b in zip(drawn[mode], written[mode], strict=True)), mode
    assert list(drawn["gradients"]) == list(written["gradients"])
    for name, gradient in written["gradients"].items():
        assert gradient is not None, f"{name} has no gradient: the test would prove nothing"
        assert torch.equal(drawn["gradients"][name], gradient), name
    assert torch.equal(drawn["next"], written["next"]), "the random number generators are not in the same state"


@pytest.mark.parametrize("name", STRUCTURES)
def test_drawn_equals_written(name: str) -> None:
    document = load(name)
    drawn, written = build(document, seed=SEED), by_hand(name)

    assert list(drawn.state_dict()) == list(written.state_dict())
    for key, value in written.state_dict().items():
        assert torch.equal(drawn.state_dict()[key], value), f"{key} was initialized differently"
    drawn.load_state_dict(written.state_dict(), strict=True)
    written.load_state_dict(drawn.state_dict(), strict=True)
    inputs = batch(document)
    assert_equal(trained(drawn, inputs), trained(written, inputs))


ALONE = '''
import importlib.util, sys
from pathlib import Path

def leaves(output):
    if isinstance(output, torch.Tensor):
        return [output]
    return [leaf for item in (output.values() if isinstance(output, dict) else output) for leaf in leaves(item)]

def run(file, job):
    spec = importlib.util.spec_from_file_location(file.stem, file)
    exported = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = exported
    spec.loader.exec_module(exported)
    torch.manual_seed(job["seed"])
    model = getattr(exported, job["main"])()
    fresh = {key: value.clone() for key, value in model.state_dict().items()}
    model.load_state_dict(job["state"], strict=True)
    with torch.no_grad():
        evaluated = leaves(model.eval()(**job["inputs"]))
    torch.manual_seed(job["seed"])
    outputs = leaves(model.train()(**job["inputs"]))
    sum(output.square().mean() for output in outputs).backward()
    return {
        "fresh": fresh,
        "eval": evaluated,
        "train": [output.detach() for output in outputs],
        "gradients": {name: parameter.grad for name, parameter in model.named_parameters()},
        "next": torch.rand(3),
    }

class Nothing:
    """From here on nothing can be imported that torch did not bring along, but Python's own modules."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in {"torch", *sys.stdlib_module_names}:
            raise ImportError(f"{name} must not be needed")

import torch

torch.set_num_threads(1)
folder = Path(sys.argv[1])
jobs = torch.load(folder / "jobs.pt", weights_only=True)
sys.meta_path.insert(0, Nothing())
assert "layerloom" not in sys.modules
torch.save({name: run(folder / f"exported_{name}.py", job) for name, job in jobs.items()}, folder / "results.pt")
'''


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the exported files compute in a process that has torch and nothing else."""
    folder = tmp_path_factory.mktemp("exported")
    jobs = {}
    for name in STRUCTURES:
        document = load(name)
        (folder / f"exported_{name}.py").write_text(to_python(document), encoding="utf-8")
        state = {key: value.clone() for key, value in by_hand(name).state_dict().items()}
        jobs[name] = {"seed": SEED, "main": document.main, "state": state, "inputs": batch(document)}
    torch.save(jobs, folder / "jobs.pt")
    done = subprocess.run([sys.executable, "-P", "-c", ALONE, str(folder)], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return torch.load(folder / "results.pt", weights_only=True)


@pytest.mark.parametrize("name", STRUCTURES)
def test_exported_file_stands_alone(name: str, exported: dict[str, Any]) -> None:
    written = by_hand(name)
    fresh = exported[name]["fresh"]
    assert list(fresh) == list(written.state_dict())
    assert all(torch.equal(fresh[key], value) for key, value in written.state_dict().items())
    assert_equal(exported[name], trained(written, batch(load(name))))


@pytest.mark.parametrize("name", STRUCTURES)
def test_exported_file_imports_only_torch(name: str) -> None:
    tree = ast.parse(to_python(load(name)))
    imported = {
        module
        for node in ast.walk(tree)
        for module in ([item.name for item in node.names] if isinstance(node, ast.Import) else [])
        + ([node.module] if isinstance(node, ast.ImportFrom) else [])
    }
    assert imported <= {"torch", "torch.nn.functional", "collections", "fnmatch"}


def test_documents_round_trip_through_json() -> None:
    for name in STRUCTURES:
        document = load(name)
        again = Document.model_validate(json.loads(document.model_dump_json(by_alias=True)))
        assert again == document


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
