"""What a parity report says of losses that lie apart."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from layerloom.schema.parity import ParityWay
from layerloom.schema.plan import Plan
from layerloom.worker.parity import LOOSE, judged, planned

LOSSES = [2.0 - 0.01 * step for step in range(100)]
FP32 = ParityWay(name="fp32", losses=LOSSES)


def apart(name: str, *, early: float = 0.0, late: float = 0.0) -> ParityWay:
    """Losses that differ by some share of the mean loss, at first and in the end."""
    scale = sum(LOSSES) / len(LOSSES)
    moved = [loss + scale * (early if step < 50 else late) for step, loss in enumerate(LOSSES)]
    return ParityWay.model_validate({"name": name, "losses": moved})


def test_bf16_is_held_to_where_it_comes_down_to() -> None:
    wandering = judged(apart("bf16", early=0.3, late=0.01), FP32, random=False)
    assert (wandering.judged, wandering.holds) == ("final", True)
    assert wandering.largest == pytest.approx(0.3)
    assert wandering.final == pytest.approx(0.01)
    assert judged(apart("bf16", late=-0.1), FP32, random=False).holds is False


def test_devices_are_held_to_every_step_unless_they_draw_random_numbers() -> None:
    one_off = apart("devices", early=0.1)
    assert (judged(one_off, FP32, random=False).judged, judged(one_off, FP32, random=False).holds) == ("largest", False)
    assert judged(apart("devices", early=1e-6), FP32, random=False).holds is True
    loose = judged(apart("devices", early=0.9, late=0.1), FP32, random=True)
    assert (loose.judged, loose.bound, loose.holds) == ("final", LOOSE, True)


def test_what_ended_early_or_cannot_be_trained_so_does_not_agree() -> None:
    short = FP32.model_copy(update={"name": "bf16", "losses": [*LOSSES[:20], None]})
    assert judged(short, FP32, random=False).holds is False
    refused = ParityWay(name="devices", message="too few samples")
    assert judged(refused, FP32, random=False) == refused
    assert judged(FP32, FP32, random=False) == FP32


def test_a_way_is_the_run_s_plan_but_for_what_only_a_whole_run_has() -> None:
    plan = Plan(
        dataset="digits", epochs=9, batch_size=32, precision="auto", device="cuda:1", averaging={"kind": "ema"}, seed=7
    )
    ways = [ParityWay(name="fp32"), ParityWay(name="bf16"), ParityWay(name="devices", devices=2)]
    single, lowered, shared = (planned(plan, way, 50) for way in ways)
    assert (single.steps, single.epochs, single.averaging, single.seed) == (50, None, None, 7)
    assert [one.precision for one in (single, lowered, shared)] == ["fp32", "bf16", "fp32"]
    assert (single.device, shared.device, shared.devices, shared.sync_batch_norm) == ("cuda:1", "cuda", 2, True)
    with pytest.raises(ValidationError, match="fewer devices"):
        planned(plan, ParityWay(name="devices", devices=20), 50)
