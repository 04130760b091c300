"""Two processes give the numbers of one, take the same decisions, and resume to the bit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from layerloom.training.ranks import ALONE
from unit.training import ranked
from unit.training.ranked import CASES
from unit.training.support import net, plan


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What each of the two saw, by case."""
    folder = tmp_path_factory.mktemp("ranks")
    done = subprocess.run(
        [sys.executable, ranked.__file__, str(folder)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [torch.load(folder / f"{rank}.pt", weights_only=False) for rank in (0, 1)]


def alone(name: str, folder: Path) -> dict[str, Any]:
    make, settings = CASES[name]
    return ranked.run(make, plan(**settings), folder, ALONE)


# A sum of 16 losses grows with them, and fp16 rounds what it scales.
BOUNDS = {"a sum": 1e-2, "fp16": 2e-3}
BOUNDS |= {name: 1e-6 for name in CASES if "weighed heads" in name or "ignored heads" in name}


@pytest.mark.parametrize("name", sorted(set(CASES) - {"dropout"}))
def test_two_give_the_numbers_of_one(name: str, ranks: list[dict[str, Any]], tmp_path: Path) -> None:
    """T12: at the same global batch, to 1e-5 in the loss, last partial batches and all."""
    one, two = alone(name, tmp_path), ranks[0][name]
    assert two["outcome"] == one["outcome"] == "succeeded"
    assert list(two["series"]) == list(one["series"])
    for series, expected in one["series"].items():
        got = two["series"][series]
        assert list(got) == list(expected)
        if series == "train/accuracy" and name == "ignored":
            continue  # what no loss is asked of is run, and shown, by a whole batch only
        assert list(got.values()) == pytest.approx(list(expected.values()), abs=BOUNDS.get(name, 1e-5))
    if "steps" in CASES[name][1]:
        assert len(two["series"]["train/loss"]) == 100
    if name.startswith("heads"):
        assert {"validation/kind/accuracy", "validation/again/loss", "train/again/loss"} <= set(two["series"])
    if name == "early":
        assert len(two["series"]["validation/loss"]) < 9


def test_both_hold_the_same_weights_and_one_tells(ranks: list[dict[str, Any]]) -> None:
    for name in CASES:
        first, second = ranks[0][name], ranks[1][name]
        assert all(torch.equal(value, second["state"][key]) for key, value in first["state"].items()), name
        assert {"checkpoint", "log", "metrics", "progress", "statistics"} <= set(first["kinds"])
        assert second["kinds"] == []


def test_random_numbers_are_each_ones_own(ranks: list[dict[str, Any]], tmp_path: Path) -> None:
    one, two = alone("dropout", tmp_path), ranks[0]["dropout"]
    assert one["series"]["train/loss"] != two["series"]["train/loss"]
    assert list(two["series"]["train/loss"].values())[-1] < two["series"]["train/loss"][1]


def test_a_wish_of_one_is_everybodys_and_what_resumes_is_equal_to_the_bit(ranks: list[dict[str, Any]]) -> None:
    """The second rank was asked to leave in mid-epoch."""
    for seen in ranks:
        assert (seen["left"]["outcome"], seen["again"]["outcome"]) == ("left", "succeeded")
    first = ranks[0]
    steps = len(first["left"]["series"]["train/loss"])
    assert steps % 8 != 0
    assert first["path"].endswith(f"-s{steps}")
    for name, points in first["whole"]["series"].items():
        assert {**first["left"]["series"].get(name, {}), **first["again"]["series"][name]} == points
    assert all(torch.equal(value, first["again"]["state"][key]) for key, value in first["whole"]["state"].items())


def test_one_goes_on_from_what_two_have_saved(ranks: list[dict[str, Any]], tmp_path: Path) -> None:
    settings = plan(epochs=5, averaging={"kind": "ema", "decay": 0.9})
    seen = ranked.run(net, settings, Path(ranks[0]["kept"]), ALONE, attempt=3, resume=ranks[0]["path"])
    assert seen["outcome"] == "succeeded"
    assert len(seen["series"]["train/loss"]) == 40 - len(ranks[0]["left"]["series"]["train/loss"])


def test_failures_are_agreed_upon_and_told(ranks: list[dict[str, Any]]) -> None:
    for seen in ranks:
        assert seen["diverges"]["error"]["code"] == "diverged"
        assert seen["diverges"]["error"] == ranks[0]["diverges"]["error"]
        assert "one device" in seen["lbfgs"]["error"]["message"]
        assert "too few for 2 devices" in seen["few"]["error"]["message"]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"batch_size": 6, "devices": 4}, "larger batch size, or fewer devices"),
        ({"batch_size": 8, "accumulation": 4, "devices": 2}, "in 4 parts"),
        ({"device": "cuda:1", "devices": 2}, "one alone"),
    ],
)
def test_a_plan_that_cannot_be_shared_is_refused(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        plan(**settings)
