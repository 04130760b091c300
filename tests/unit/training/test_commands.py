"""What is wanted of a run while it trains: a checkpoint now, another learning rate, another length."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from layerloom.schema.orders import Adjustment, Orders
from layerloom.training import Control
from layerloom.training.checkpoints import CheckpointStore
from unit.training.support import Seen, fit, net, plan, stopping

PER_EPOCH = 8
COSINE = {"name": "torch.optim.lr_scheduler.CosineAnnealingLR"}
RATE = {"name": "torch.optim.SGD", "arguments": {"lr": 0.1, "momentum": 0.9}}


def orders(checkpoint: int = 0, number: int = 1, **changes: Any) -> Orders:
    return Orders(checkpoint=checkpoint, adjustment=Adjustment(number=number, **changes) if changes else Adjustment())


def ordering(module: nn.Module, step: int, wish: Orders) -> Control:
    """A control whose orders come while ``module`` does a training step."""
    return stopping(module, step, orders=wish)


def final(folder: Path, seen: Seen) -> dict[str, torch.Tensor]:
    return dict(CheckpointStore(folder, 1).load(seen.of("checkpoint")[-1].path).state)


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def test_a_checkpoint_is_written_at_once_kept_for_good_and_wished_once(tmp_path: Path) -> None:
    module = net()
    control = ordering(module, 5, orders(checkpoint=1))
    seen = fit(module, plan(epochs=4, checkpoints={"every_epochs": 1_000}), tmp_path, control=control)
    told = [event for event in seen.of("checkpoint") if event.answers]
    assert [(event.step, event.answers) for event in told] == [(5, 1)]
    assert CheckpointStore(tmp_path, 1).load(told[0].path).training["position"]["batch"] == 5


def test_a_rate_that_changes_takes_effect_at_a_step_that_the_log_tells(tmp_path: Path) -> None:
    module = net()
    control = ordering(module, 5, orders(learning_rate=0.01))
    seen = fit(module, plan(epochs=2, optimizer=RATE), tmp_path, control=control)
    (event,) = seen.of("adjusted")
    assert (event.step, event.epoch, event.adjustment.learning_rate) == (5, 0, 0.01)
    assert set(seen.series("train/lr").items()) == {(step, 0.1 if step <= 5 else 0.01) for step in range(1, 17)}


GROUPS = [{"pattern": "head.*", "factor": 0.5}, {"pattern": "*.bias", "lr": 0.3}]


@pytest.mark.parametrize(
    ("scheduler", "settings"),
    [
        ({"name": "torch.optim.lr_scheduler.ExponentialLR", "arguments": {"gamma": 0.9}}, {}),
        (COSINE, {"warmup": 6}),
        ({"name": "torch.optim.lr_scheduler.OneCycleLR", "arguments": {"max_lr": 0.1}}, {}),
    ],
    ids=["recursive", "warmed", "cyclic"],
)
def test_a_schedule_keeps_its_shape(tmp_path: Path, scheduler: dict[str, Any], settings: dict[str, Any]) -> None:
    """What a changed rate gives is what the schedule gives, times the change; of every scheduler alike."""
    facts = {"epochs": 2, "optimizer": RATE, "scheduler": scheduler, "scheduler_interval": "step", **settings}
    plain = fit(net(), plan(**facts), tmp_path / "plain").series("train/lr")
    module = net()
    seen = fit(module, plan(**facts), tmp_path, control=ordering(module, 5, orders(learning_rate=0.03)))
    for step, rate in seen.series("train/lr").items():
        assert rate == pytest.approx((plain[step] or 0) * (1 if step <= 5 else 0.3))


def test_groups_follow_or_go_their_own_way(tmp_path: Path) -> None:
    def rates(**changes: Any) -> list[float]:
        module, folder = net(), tmp_path / str(changes)
        control = ordering(module, 5, orders(**changes))
        seen = fit(module, plan(epochs=1, optimizer=RATE, groups=GROUPS), folder, control=control)
        held = CheckpointStore(folder, 1).load(seen.of("checkpoint")[-1].path).training["optimizer"]
        return [group["lr"] for group in held["param_groups"]]

    assert rates(learning_rate=0.01) == [0.01, 0.005, 0.3]
    assert rates(groups={"head.*": 0.02, "*.bias": 0.4}) == [0.1, 0.02, 0.4]


def test_crashed_and_resumed_it_is_the_run_that_never_crashed(tmp_path: Path) -> None:
    """From a checkpoint before the change and from one after it, with a schedule that the change made longer."""
    facts = {"epochs": 2, "optimizer": RATE, "scheduler": COSINE, "scheduler_interval": "step"}
    wish = orders(learning_rate=0.05, epochs=4)

    module = net()
    control = ordering(module, 11, wish)
    whole = fit(module, plan(**facts), tmp_path / "whole", control=control)
    assert max(whole.series("train/loss")) == 4 * PER_EPOCH

    for name, step in (("before", 6), ("after", 14)):
        folder = tmp_path / name
        module = net()
        control = stopping(module, step, ordering(module, 11, wish), desired="pause")
        first = fit(module, plan(**facts), folder, control=control)
        path, history = first.of("checkpoint")[-1].path, first.of("adjusted")
        assert len(history) == (step > 11)
        # The log has the change, whatever became of the attempt after it.
        told, wishing = whole.of("adjusted"), Control(orders=wish)
        again = fit(net(), plan(**facts), folder, attempt=2, resume=path, adjusted=told, control=wishing)
        assert not again.of("adjusted")
        assert first.series("train/lr") | again.series("train/lr") == whole.series("train/lr")
        assert first.series("train/loss") | again.series("train/loss") == whole.series("train/loss")
        assert same(final(folder, again), final(tmp_path / "whole", whole))


def test_a_finished_run_that_goes_on_is_the_longer_run(tmp_path: Path) -> None:
    whole = fit(net(), plan(epochs=4), tmp_path / "whole")
    short = fit(net(), plan(epochs=2), tmp_path)
    path = short.of("checkpoint")[-1].path
    longer = fit(net(), plan(epochs=2), tmp_path, attempt=2, resume=path, control=Control(orders=orders(epochs=4)))
    assert longer.of("adjusted")[0].step == 2 * PER_EPOCH
    assert longer.of("progress")[-1].epochs == 4
    assert short.series("train/loss") | longer.series("train/loss") == whole.series("train/loss")
    assert same(final(tmp_path, longer), final(tmp_path / "whole", whole))


@pytest.mark.parametrize("interval", ["step", "epoch"])
@pytest.mark.parametrize("warmup", [0, 5])
def test_a_schedule_as_long_as_the_run_goes_on_as_that_of_the_longer_run(
    tmp_path: Path, interval: str, warmup: int
) -> None:
    facts = {"optimizer": RATE, "scheduler": COSINE, "scheduler_interval": interval, "warmup": warmup}
    whole = fit(net(), plan(epochs=4, **facts), tmp_path / "whole").series("train/lr")
    path = fit(net(), plan(epochs=2, **facts), tmp_path).of("checkpoint")[-1].path
    wish = Control(orders=orders(epochs=4))
    longer = fit(net(), plan(epochs=2, **facts), tmp_path, attempt=2, resume=path, control=wish).series("train/lr")
    assert longer == {step: whole[step] for step in range(2 * PER_EPOCH + 1, 4 * PER_EPOCH + 1)}


def test_a_limit_of_steps_may_be_raised_and_early_stopping_forgotten(tmp_path: Path) -> None:
    path = fit(net(), plan(steps=11), tmp_path).of("checkpoint")[-1].path
    wish = Control(orders=orders(steps=30))
    seen = fit(net(), plan(steps=11), tmp_path, attempt=2, resume=path, control=wish)
    assert max(seen.series("train/loss")) == 30

    facts = {"epochs": 9, "early_stopping": {"patience": 1, "min_change": 1e9}}
    first = fit(net(), plan(**facts), tmp_path / "early")
    assert max(first.series("train/loss")) == 2 * PER_EPOCH
    path, wish = first.of("checkpoint")[-1].path, Control(orders=orders(epochs=10))
    seen = fit(net(), plan(**facts), tmp_path / "early", attempt=2, resume=path, control=wish)
    assert max(seen.series("train/loss")) == 3 * PER_EPOCH


def test_a_mean_over_epochs_that_was_finished_is_gone_on_with(tmp_path: Path) -> None:
    facts = {"averaging": {"kind": "swa", "start": 0.0}}
    whole = fit(net(), plan(epochs=4, **facts), tmp_path / "whole")
    path = fit(net(), plan(epochs=2, **facts), tmp_path).of("checkpoint")[-1].path
    wish = Control(orders=orders(epochs=4))
    longer = fit(net(), plan(epochs=2, **facts), tmp_path, attempt=2, resume=path, control=wish)
    assert longer.of("checkpoint")[-1].weights == "swa"
    assert same(final(tmp_path, longer), final(tmp_path / "whole", whole))
