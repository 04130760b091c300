"""Feature maps and attention maps are what the layers give, and taking them changes nothing of the training."""

from __future__ import annotations

import base64
import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from layerloom.schema.events import Image
from layerloom.schema.plan import Statistics
from layerloom.training import TrainingError
from layerloom.training.device import Precision
from layerloom.training.images import NONFINITE, PIXELS, Probe, image_of
from unit.training.support import Set, fit, plan

CPU = torch.device("cpu")


def probe(module: nn.Module, x: Tensor, **settings: Any) -> Probe:
    return Probe(module, {"input": x}, Precision("fp32", CPU), Statistics(**settings))


def images(module: nn.Module, x: Tensor, **settings: Any) -> list[Image]:
    return [image_of(taken) for taken in probe(module, x, **settings).images()]


def values(image: Image) -> Tensor:
    """The numbers that an image stands for; NaN for what was not finite."""
    pixels = np.frombuffer(base64.b64decode(image.pixels), np.uint8).reshape(image.maps, image.rows, image.columns)
    numbers = image.low + (image.high - image.low) * torch.from_numpy(pixels.copy()).float() / (NONFINITE - 1)
    return numbers.where(torch.from_numpy(pixels != NONFINITE), torch.nan)


class Seeing(nn.Module):
    """Convolution, batch normalization, dropout and attention of every kind."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.drop = nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.Dropout(0.3)
        self.relu = nn.ReLU(inplace=True)
        self.encoder = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.head = nn.Linear(8, 3)
        self.register_buffer("calls", torch.zeros(()))
        self.calls: Tensor

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        x = self.drop(self.relu(self.norm(self.conv(x)))) + random.random() + torch.rand(())
        return self.head(self.encoder(x.flatten(2).transpose(1, 2)).mean(1)) + 0 * self.calls


class Asked(nn.Module):
    """Attention whose maps are known, in three ways of writing it."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way = way
        self.expected = torch.empty(0)

    def forward(self, x: Tensor) -> Tensor:
        q = x.unflatten(-1, (2, -1)).transpose(1, 2)
        mask = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).tril()
        scores = (q @ q.transpose(-2, -1) / math.sqrt(q.shape[-1])).masked_fill(~mask, -torch.inf)
        weights = torch.softmax(scores, -1)
        self.expected = weights
        if self.way == "causal":
            return functional.scaled_dot_product_attention(q, q, q, is_causal=True)
        if self.way == "masked":
            return functional.scaled_dot_product_attention(q, q, q, attn_mask=mask)
        return functional.dropout(weights, 0.1, self.training) @ q


def test_feature_maps_are_the_outputs() -> None:
    torch.manual_seed(0)
    module, x = nn.Sequential(nn.Conv2d(1, 20, 3, padding=1), nn.ReLU(inplace=True)), torch.randn(2, 1, 6, 5)
    found = images(module, x)
    assert [(image.layer, image.of, image.sample) for image in found] == [("0", "features", 0), ("0", "features", 1)]
    for image in found:
        expected = module[0](x)[image.sample, :16]
        assert (image.maps, image.total, image.rows, image.columns) == (16, 20, 6, 5)
        assert (values(image) - expected).abs().max() <= (image.high - image.low) / 254


@pytest.mark.parametrize("way", ["causal", "masked", "by hand"])
def test_attention_of_ones_own_is_seen(way: str) -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Identity(), Asked(way))
    found = [image for image in images(module, torch.randn(2, 5, 8)) if image.of == "attention"]
    assert [(image.layer, image.maps, image.rows, image.columns) for image in found] == [("1", 2, 5, 5)] * 2
    for image in found:
        assert (values(image) - module[1].expected[image.sample]).abs().max() <= image.high / 254


@pytest.mark.parametrize("module", [nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), None])
def test_attention_of_torch_is_seen_without_being_asked_for(module: nn.Module | None) -> None:
    torch.manual_seed(0)
    attention = nn.MultiheadAttention(8, 2, batch_first=True)

    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.self_attn = attention

        def forward(self, x: Tensor) -> Tensor:
            y, weights = self.self_attn(x, x, x, need_weights=False)
            assert weights is None
            return y

    whole = module or Own()
    layer, x = whole.self_attn, torch.randn(2, 5, 8)
    name = "x" if module is None else "src"
    found = [
        image_of(one)
        for one in Probe(whole, {name: x}, Precision("fp32", CPU), Statistics()).images()
        if one.of == "attention"
    ]
    assert [image.layer for image in found] == ["self_attn"] * 2
    whole.eval()
    _, weights = layer(x, x, x, average_attn_weights=False)
    for image in found:
        assert (values(image) - weights[image.sample]).abs().max() <= image.high / 254


def test_a_softmax_that_is_no_attention_is_not_shown() -> None:
    module = nn.Sequential(nn.Linear(4, 4), nn.Softmax(-1))
    assert [image.of for image in images(module, torch.randn(2, 5, 4))] == ["features", "features"]


def test_layers_and_samples_are_chosen_by_the_plan() -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(32, 3))
    found = images(module, torch.randn(3, 1, 6, 6), layers=["1", "[3]"], samples=3)
    assert {image.layer for image in found} == {"1", "3"}
    assert [image.sample for image in found] == [0, 1, 2] * 2
    assert [(image.rows, image.columns) for image in found if image.layer == "3"] == [(1, 3)] * 3
    with pytest.raises(TrainingError, match=r"'conv\*'.*has 0, 1, 2, …"):
        probe(module, torch.randn(3, 1, 6, 6), layers=["conv*"])


def test_large_images_are_made_to_fit_and_what_is_not_finite_is_marked() -> None:
    module = nn.Sequential(nn.Conv2d(1, 64, 3), nn.Conv2d(64, 64, 3), nn.Conv2d(64, 64, 3))
    with torch.no_grad():
        module[0].weight[1] = torch.nan
    found = images(module, torch.randn(2, 1, 90, 90))
    assert sum(image.maps * image.rows * image.columns for image in found) <= PIXELS
    assert found[0].size == [88, 88]
    first = values(found[0])
    assert first[1].isnan().all()
    assert first[0].isfinite().all()
    assert math.isfinite(found[-1].low)


def test_a_network_that_makes_no_images_has_none() -> None:
    assert probe(nn.Sequential(nn.Linear(4, 3)), torch.randn(2, 4)).layers == 0


def test_statistics_of_every_kind_change_no_bit_of_the_training(tmp_path: Path) -> None:
    draw = torch.Generator().manual_seed(1)
    data = Set({"x": torch.randn(48, 1, 6, 6, generator=draw)}, torch.arange(48) % 3)
    found = []
    for name, settings in {"off": {"budget": 0}, "on": {"budget": 1.0}}.items():
        torch.manual_seed(0)
        module = Seeing()
        seen = fit(module, plan(epochs=3, statistics=settings), tmp_path / name, data=data, validation=data)
        found.append((seen, module.state_dict()))
    (off, without), (on, state) = found
    assert {"statistics", "histograms", "activations", "images", "sampling"} <= {event.kind for event in on.events}
    assert not {"statistics", "histograms", "activations", "images", "sampling"} & {e.kind for e in off.events}
    assert {item.of for item in on.of("images")[0].items} == {"features", "attention"}
    assert on.series("train/loss") == off.series("train/loss")
    assert on.series("validation/loss") == off.series("validation/loss")
    assert all(torch.equal(value, without[name]) for name, value in state.items())


def test_a_network_that_refuses_trains_all_the_same(tmp_path: Path) -> None:
    class Once(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.out = nn.Conv2d(1, 4, 3), nn.Linear(4, 3)
            self.few = 0

        def forward(self, x: Tensor) -> Tensor:
            self.few += len(x) == 5
            if self.few > 1 and len(x) == 5:
                raise ValueError("five samples, again")
            return self.out(self.conv(x).mean((2, 3)))

    data = Set({"x": torch.randn(48, 1, 6, 6)}, torch.arange(48) % 3)
    settings = {"samples": 5, "budget": 1.0}
    seen = fit(Once(), plan(epochs=2, statistics=settings), tmp_path, data=data, validation=data)
    assert seen.outcome is not None
    assert [event.message for event in seen.of("log") if "five samples" in event.message] == [
        "Images of layers cannot be taken of this network: ValueError: five samples, again"
    ]
