"""What devices lack that no machine of ours has: held by stand-ins that refuse what the device would refuse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from layerloom.training import batches
from layerloom.training.batches import place
from layerloom.training.device import Precision, choose_device
from layerloom.training.position import generator_states, generators_kept, set_generator_states
from unit.training.support import classes, fit, net, plan


class WithoutDoubles(TorchFunctionMode):
    """Refuses 64-bit floats as MPS does, but of tensors that were made on the CPU or brought there by name."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        named = kwargs or {}
        result = func(*args, **named)
        if func is Tensor.cpu:
            result = result.clone()
        given = [item for item in (*args, *named.values()) if isinstance(item, Tensor)]
        made = [item for item in (result if isinstance(result, tuple) else [result]) if isinstance(item, Tensor)]
        host = func is Tensor.cpu or any(hasattr(item, "on_host") for item in given)
        doubles = [item for item in made if item.dtype == torch.float64]
        if doubles and not host and (given or named.get("device") is not None):
            raise TypeError(
                "Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support float64."
            )
        for item in made if host else doubles:
            item.on_host = True
        return result


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_training_needs_no_double_on_the_device(task: Any, tmp_path: Path) -> None:
    with WithoutDoubles():
        seen = fit(net(out=3 if task == "classification" else 1), plan(epochs=2), tmp_path, task=task)
    assert seen.outcome is not None
    assert seen.outcome.state == "succeeded"
    assert len(seen.series("validation/loss")) == 2


def test_the_stand_in_refuses_doubles() -> None:
    value = torch.ones(3)
    with WithoutDoubles():
        with pytest.raises(TypeError, match="float64"):
            value.double()
        assert value.cpu().double().dtype == torch.float64


@pytest.fixture
def mps(monkeypatch: pytest.MonkeyPatch) -> list[Tensor]:
    """A stand-in for the generator of MPS; its present state is the only item."""
    state = [torch.zeros(4, dtype=torch.uint8)]
    monkeypatch.setattr(torch.mps, "get_rng_state", lambda: state[0].clone())
    monkeypatch.setattr(torch.mps, "set_rng_state", lambda value: state.__setitem__(0, value))
    return state


def test_numbers_drawn_while_validating_are_drawn_again(mps: list[Tensor]) -> None:
    with generators_kept(torch.device("mps")):
        inside = torch.rand(3)
        mps[0] = torch.ones(4, dtype=torch.uint8)
    assert torch.equal(torch.rand(3), inside)
    assert not mps[0].any()


def test_a_resumed_run_goes_on_with_the_generator_of_its_device(mps: list[Tensor]) -> None:
    states = generator_states(torch.device("mps"))
    mps[0] = torch.ones(4, dtype=torch.uint8)
    set_generator_states(states, torch.device("mps"))
    assert not mps[0].any()
    # A checkpoint of another device has none for this one.
    set_generator_states(generator_states(torch.device("cpu")), torch.device("mps"))


def test_auto_takes_mps_where_there_is_no_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device("auto") == torch.device("mps")
    assert choose_device("mps") == torch.device("mps")


@pytest.mark.parametrize("name", ["fp32", "bf16", "fp16"])
@pytest.mark.parametrize("device", ["cpu", "mps"])
def test_precision_is_that_of_the_device(name: str, device: str) -> None:
    precision = Precision(name, torch.device(device))
    assert (precision.scaler is not None) == (name == "fp16")
    with precision.autocast():
        assert torch.is_autocast_enabled(device) == (name != "fp32")


def test_samples_that_do_not_fit_come_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    part = classes(50)
    resident = place(part, 8, torch.device("meta"))
    monkeypatch.setattr(batches, "_free", lambda _device: part.inputs["x"].nbytes)
    streamed = place(part, 8, torch.device("meta"))
    assert resident.targets.device.type == "meta"
    assert streamed.targets.device.type == "cpu"
    for made in (list(streamed.shuffled(0, 1)), list(streamed.ordered())):
        assert len(made) == 7
        assert all(target.device.type == inputs["x"].device.type == "meta" for inputs, target in made)
