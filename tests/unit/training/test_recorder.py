"""How often the loop tells what it measured."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from layerloom.training import recorder as recorders
from layerloom.training.recorder import FLUSH_SECONDS, WATCHED_SECONDS, Recorder


class Clock:
    """Stands for ``time`` in the recorder's module."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("watched", "step", "between"),
    [(False, 0.001, FLUSH_SECONDS), (True, 0.001, WATCHED_SECONDS), (False, 0.03, FLUSH_SECONDS), (True, 0.03, 0.03)],
)
def test_values_are_told_often_only_to_somebody(
    watched: bool, step: float, between: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, told = Clock(), list[Any]()
    monkeypatch.setattr(recorders, "time", clock)
    recorder = Recorder(
        told.append, steps=1_000, steps_per_epoch=10, epochs=100, samples_per_step=1, watched=lambda: watched
    )
    for _ in range(1_000):
        clock.now += step
        recorder.step(torch.tensor(0.5), 0.1, clock.now)
        if clock.now >= recorder.next_flush:
            recorder.flush()
    recorder.flush()
    assert [step for event in told for step in event.steps] == list(range(1, 1_001))
    assert 0.85 * between <= 1_000 * step / len(told) <= between + step


def test_the_speed_told_is_that_of_the_last_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether two looks lie close together with a pause between them, or the run has just gone on."""
    clock, told = Clock(), list[Any]()
    monkeypatch.setattr(recorders, "time", clock)
    recorder = Recorder(told.append, steps=9_000, steps_per_epoch=10, epochs=900, samples_per_step=32)
    recorder.progress(0, 1, force=True)
    for step in range(1, 5_001):
        clock.now += 0.001 if step <= 1_000 else 0.002
        recorder.progress(step, 1)
        if step % 500 == 0:
            recorder.progress(step, 1, force=True)
            clock.now += 0.05  # a checkpoint
        if step % 500 == 1:
            recorder.progress(step, 1, force=True)
    first, *rates = [event.samples_per_second for event in told]
    assert first is None
    assert all(32 / 0.002 * 0.9 <= rate <= 32 / 0.001 * 1.1 for rate in rates)
    assert rates[-1] == pytest.approx(32 / 0.002, rel=0.1)
