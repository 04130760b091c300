"""The fastest way of computing is measured, kept for the run, and changes nothing else; compiling is a choice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from layerloom.training.batches import Batches
from layerloom.training.criterion import build_criterion
from layerloom.training.tuner import Way, fastest_way, keep_way, known_way, laid_out, lay_out, preferred
from unit.training.support import Set, fit, net, plan, stopping

CPU = torch.device("cpu")


class Images(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.drop = nn.Dropout(0.2)
        self.head = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.head(self.drop(self.norm(self.conv(x)).relu().mean((2, 3))))
        return output


class Slow(nn.Module):
    """Takes long in every way but one."""

    def __init__(self, quick: torch.dtype) -> None:
        super().__init__()
        self.body = nn.Linear(6, 3)
        self.quick = quick

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.body(x)
        if output.dtype is not self.quick:
            for _ in range(40):
                torch.randn(200, 200) @ torch.randn(200, 200)
        return output


class OnlySingle(nn.Module):
    """Refuses every precision but single."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.body(x)
        if output.dtype is not torch.float32:
            raise RuntimeError("no kernel")
        return output


def images(count: int = 96) -> Set:
    random = torch.Generator().manual_seed(0)
    labels = torch.arange(count) % 3
    return Set({"x": torch.randn(count, 3, 8, 8, generator=random) + labels[:, None, None, None]}, labels)


def batches(data: Set, size: int = 16) -> Batches:
    return Batches(dict(data.inputs), data.targets, size, CPU)


def rows(count: int = 64) -> Batches:
    return batches(Set({"x": torch.randn(count, 6)}, torch.arange(count) % 3))


CRITERION = build_criterion(None, "classification", CPU)


def test_only_what_is_clearly_faster_takes_the_place_of_fp32() -> None:
    plain, bf16, last = Way(), Way(precision="bf16"), Way(channels_last=True)
    assert preferred({plain: 1.0, bf16: 0.96}) == plain
    assert preferred({plain: 1.0, bf16: 0.94, last: 0.93}) == last
    assert preferred({bf16: 3.0}) == bf16  # fp32 does not compute at all
    assert preferred({}) == plain


@pytest.mark.parametrize(("quick", "precision"), [(torch.bfloat16, "bf16"), (torch.float32, "fp32")])
def test_the_fastest_is_taken(quick: torch.dtype, precision: str) -> None:
    choice = fastest_way(Slow(quick), rows(), CRITERION)
    assert choice.way == Way(precision=precision)
    assert set(choice.seconds) == {"fp32", "bf16"}
    assert "fastest" in str(choice)


def test_a_way_that_does_not_compute_is_no_choice() -> None:
    choice = fastest_way(OnlySingle(), rows(), CRITERION)
    assert set(choice.seconds) == {"fp32"}
    assert choice.way == Way()


def test_trying_changes_nothing() -> None:
    torch.manual_seed(0)
    module = Images()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    state = torch.get_rng_state()
    choice = fastest_way(module, batches(images()), CRITERION)
    assert len(choice.seconds) == 4  # two precisions, two layouts
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert all(parameter.grad is None for parameter in module.parameters())


def test_a_layout_holds_the_same_numbers() -> None:
    data, way = batches(images()), Way(channels_last=True)
    torch.manual_seed(0)
    module = Images().eval()
    rearranged = laid_out(data, way)
    assert rearranged.inputs["x"].is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(rearranged.inputs["x"], data.inputs["x"])
    plain = module(data.inputs["x"])
    lay_out(module, way)
    assert module.conv.weight.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(module(rearranged.inputs["x"]), plain)


def test_the_choice_is_told_and_kept(tmp_path: Path) -> None:
    assert known_way(tmp_path) is None
    seen = fit(net(), plan(precision="auto"), tmp_path)
    kept = known_way(tmp_path)
    assert kept is not None
    assert any(event.message.startswith(f"Computing in {kept}") for event in seen.of("log"))
    again = fit(net(), plan(precision="auto"), tmp_path, attempt=2)
    assert not any("Computing in" in event.message for event in again.of("log"))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_kept_way_is_resumed_to_the_bit(precision: str, tmp_path: Path) -> None:
    def make() -> nn.Module:
        torch.manual_seed(0)
        return Images()

    data, settings = images(), plan(precision="auto")
    for folder in ("whole", "parts"):
        (tmp_path / folder).mkdir()
        keep_way(tmp_path / folder, Way(precision=precision, channels_last=True))
    given: dict[str, Any] = {"data": data, "validation": data}
    whole_module, again = make(), make()
    whole = fit(whole_module, settings, tmp_path / "whole", **given)
    module = make()
    first = fit(module, settings, tmp_path / "parts", control=stopping(module, 8, desired="pause"), **given)
    path = first.of("checkpoint")[-1].path
    second = fit(again, settings, tmp_path / "parts", attempt=2, resume=path, **given)
    assert {**first.series("train/loss"), **second.series("train/loss")} == whole.series("train/loss")
    assert all(torch.equal(a, b) for a, b in zip(whole_module.parameters(), again.parameters(), strict=True))
    saved = torch.load(tmp_path / "parts" / second.of("checkpoint")[-1].path / "state.pt", weights_only=True)
    assert all(value.is_contiguous() for value in saved.values())
    make().load_state_dict(saved, strict=True)


def test_a_compiled_run_learns_the_same(tmp_path: Path) -> None:
    eager = fit(net(), plan(epochs=2), tmp_path / "eager")
    compiled = fit(net(), plan(epochs=2, compile=True), tmp_path / "compiled")
    assert any("Compiled" in event.message for event in compiled.of("log"))
    pairs = zip(eager.series("train/loss").values(), compiled.series("train/loss").values(), strict=True)
    # Dropout draws other numbers in compiled code, so that only the course is comparable.
    assert all(one is not None and other is not None and abs(one - other) < 0.7 for one, other in pairs)
    saved = torch.load(tmp_path / "compiled" / compiled.of("checkpoint")[-1].path / "state.pt", weights_only=True)
    net().load_state_dict(saved, strict=True)


def test_what_cannot_be_compiled_trains_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "/nowhere/g++")
    monkeypatch.setattr(torch._inductor.config.cpp, "cxx", ("/nowhere/g++",))
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "cache"))
    torch._dynamo.reset()

    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Linear(6, 3)

        def forward(self, x: Tensor) -> Tensor:
            return functional.softplus(self.body(x).sin()) * 3.125

    seen = fit(Odd(), plan(epochs=1, compile=True), tmp_path / "run")
    assert seen.outcome is not None
    assert seen.outcome.state == "succeeded"
    assert any(event.level == "warning" and "could not be compiled" in event.message for event in seen.of("log"))
