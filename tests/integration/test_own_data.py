"""Networks that learn from each kind of upload, as a trainer does it, and what they leave for those who use them."""

from __future__ import annotations

import json
import math
import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from torch import Tensor, nn

import layerloom
from layerloom.data import uploads
from layerloom.data.importer import read_into
from layerloom.graph import build
from layerloom.schema.datasets import Reading, TextReading
from layerloom.schema.document import Document
from layerloom.schema.events import Metrics
from layerloom.schema.plan import Plan
from layerloom.schema.worker import Job
from layerloom.training import Control
from layerloom.training.ranks import ALONE
from layerloom.worker import job as trainer
from unit.data.support import reading, savez


class Mixed(nn.Module):
    def __init__(self, rows: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(rows, 4)
        self.fc = nn.Linear(8, 1)

    def forward(self, x: Tensor, ids: Tensor) -> Tensor:
        return self.fc(torch.cat([x, self.embed(ids).flatten(1)], dim=1))


class Classifier(nn.Module):
    def __init__(self, rows: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(rows, 8)
        self.fc = nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.embed(x).mean(1))


class Language(nn.Module):
    def __init__(self, rows: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(rows, 16)
        self.lstm = nn.LSTM(16, 16, batch_first=True)
        self.fc = nn.Linear(16, rows)

    def forward(self, x: Tensor) -> Tensor:
        output, _ = self.lstm(self.embed(x))
        return self.fc(output)


class Table(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc = nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(x)


def network(module: nn.Module, *samples: Tensor) -> Document:
    """The module as a document; samples with a batch axis, in the order of its inputs."""
    return layerloom.from_module(module, list(samples))


def keep(folder: Path, content: bytes, suffix: str, how: Reading | None = None) -> dict[str, Any]:
    """Have a file read as an upload, in this process; the shapes and ids that its inputs give."""
    (folder / "incoming").write_bytes(content)
    (folder / "uploads").mkdir()
    read_into(folder / "uploads" / "1", "mine", suffix, folder / "incoming", how)
    details = uploads.details("mine", folder)
    assert details is not None
    return {name: (facts.shape, facts.ids) for name, facts in details.inputs.items()}


def train(folder: Path, document: Document, **settings: Any) -> tuple[dict[str, list[float]], dict[str, torch.Tensor]]:
    """The values of each series, and the last weights, which fit the network."""
    seen: list[Any] = []
    plan = Plan.model_validate({"dataset": "mine", "epochs": 3, "device": "cpu", "threads": 1, **settings})
    (folder / "run").mkdir()
    job = Job(
        run="r",
        attempt=1,
        document=document,
        plan=plan,
        folder=str(folder / "run"),
        data_folder=str(folder),
        address_file="",
        token="",
    )
    assert trainer._train(job, seen.append, Control(), ALONE).state == "succeeded"
    series: dict[str, list[float]] = {}
    for event in seen:
        if isinstance(event, Metrics):
            for name, values in event.series.items():
                series.setdefault(name, []).extend(value for value in values if value is not None)
    (weights,) = (folder / "run").glob("checkpoints/*/state.pt") if plan.epochs == 1 else _last(folder / "run")
    state = torch.load(weights, weights_only=True)
    build(document).load_state_dict(state, strict=True)
    return series, state


def _last(run: Path) -> list[Path]:
    return sorted(run.glob("checkpoints/*/state.pt"), key=lambda path: int(path.parent.name.partition("-s")[2]))[-1:]


def test_a_table_and_what_its_inputs_were_scaled_by(tmp_path: Path) -> None:
    rows = "".join(f"{i % 17},{(i * 7) % 5 if i % 10 else ''},{(i % 17) * 2 + (i * 7) % 5}.5\n" for i in range(200))
    inputs = keep(tmp_path, f"a,b,y\n{rows}".encode(), ".csv", reading("mean"))
    assert inputs == {"x": ([2], None)}
    plan = {"optimizer": {"name": "torch.optim.SGD", "arguments": {"lr": 0.1}}}
    series, _ = train(tmp_path, network(Table(2), torch.zeros(2, 2)), **plan)
    assert series["validation/loss"][-1] < series["validation/loss"][0]
    kept = json.loads((tmp_path / "run" / "scaling.json").read_text())
    assert {name: len(kept[name]["x"]) for name in kept} == {"mean": 2, "deviation": 2, "filled": 2}
    # Of the training part, as scikit-learn divides it, and of nothing else.
    from sklearn.model_selection import train_test_split

    first = np.array([i % 17 for i in train_test_split(range(200), test_size=0.2, random_state=0)[0]])
    assert (kept["mean"]["x"][0], kept["deviation"]["x"][0]) == pytest.approx((first.mean(), first.std()), rel=1e-5)


def test_a_parquet_file_of_numbers_and_ids(tmp_path: Path) -> None:
    chance = random.Random(0)
    ids = [chance.randrange(5) for _ in range(200)]
    sizes = [[chance.random() for _ in range(200)] for _ in range(4)]
    columns = {f"size {i}": values for i, values in enumerate(sizes)}
    price = [float(number * 3) + size for number, size in zip(ids, sizes[0], strict=True)]
    (tmp_path / "table").mkdir()
    pq.write_table(pa.table({**columns, "shop_id": ids, "price": price}), tmp_path / "table" / "t.parquet")
    content = (tmp_path / "table" / "t.parquet").read_bytes()
    inputs = keep(tmp_path, content, ".parquet", reading(shop_id="id feature"))
    assert inputs == {"x": ([4], None), "ids": ([1], 5)}
    plan = {"optimizer": {"name": "torch.optim.AdamW", "arguments": {"lr": 0.05}}}
    series, _ = train(tmp_path, network(Mixed(5), torch.zeros(2, 4), torch.zeros(2, 1, dtype=torch.int64)), **plan)
    assert series["validation/loss"][-1] < series["validation/loss"][0]


def test_texts_of_two_classes(tmp_path: Path) -> None:
    chance = random.Random(0)
    words = {"good": ["fine", "great", "lovely"], "bad": ["dull", "poor", "sad"]}
    rows = [
        (label, " ".join(chance.choices([*words[label], "the", "film"], k=6)))
        for label in chance.choices(list(words), k=300)
    ]
    content = "review,label\n" + "".join(f"{text},{label}\n" for label, text in rows)
    inputs = keep(tmp_path, content.encode(), ".csv", reading(text=TextReading(length=6), review="text feature"))
    assert inputs == {"x": ([6], 10)}
    plan = {"epochs": 8, "optimizer": {"name": "torch.optim.AdamW", "arguments": {"lr": 0.03}}}
    document = network(Classifier(10), torch.zeros(2, 6, dtype=torch.int64))
    series, state = train(tmp_path, document, **plan)
    assert series["validation/accuracy"][-1] > 0.95
    # With the vocabulary the weights can be used on a text that nobody has seen.
    vocabulary = json.loads((tmp_path / "run" / "vocabulary.json").read_text())
    known = {token: number for number, token in enumerate(vocabulary["tokens"])}
    found = re.findall(vocabulary["pattern"], "Lovely, GREAT fun!".lower())[: vocabulary["length"]]
    ids = [known.get(token, vocabulary["unknown"]) for token in found]
    ids += [vocabulary["padding"]] * (vocabulary["length"] - len(ids))
    module = build(document)
    module.load_state_dict(state)
    assert uploads.find("mine", tmp_path).classes[int(module.eval()(torch.tensor([ids])).argmax())] == "good"  # type: ignore[union-attr]


def test_a_text_file_by_characters(tmp_path: Path) -> None:
    inputs = keep(tmp_path, b"abcd efgh. " * 400, ".txt", Reading(text=TextReading(unit="character", length=20)))
    assert inputs == {"x": ([20], 12)}
    plan = {"epochs": 8, "optimizer": {"name": "torch.optim.AdamW", "arguments": {"lr": 0.03}}}
    series, _ = train(tmp_path, network(Language(12), torch.zeros(2, 20, dtype=torch.int64)), **plan)
    assert series["validation/loss"][-1] < 0.5 * math.log(10)
    vocabulary = json.loads((tmp_path / "run" / "vocabulary.json").read_text())
    assert sorted(vocabulary["tokens"][2:]) == sorted("abcdefgh. ")


def test_arrays_whose_roles_were_changed(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(200, 3)).astype("f4")
    content = savez(left=values, right=values @ np.array([[1.0], [2], [3]]), y=np.arange(200) % 2)
    inputs = keep(tmp_path, content, ".npz", reading(right="number target", y="category ignored"))
    assert inputs == {"left": ([3], None)}
    plan = {"optimizer": {"name": "torch.optim.SGD", "arguments": {"lr": 0.1}}}
    series, _ = train(tmp_path, network(Table(3), torch.zeros(2, 3)), **plan)
    assert series["validation/loss"][-1] < series["validation/loss"][0]
