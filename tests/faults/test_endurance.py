"""``make endure`` is the whole promise: 200 kills, see ``benchmarks/RESULTS.md``. Here are a few of them."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.endurance import TRAINER_KILLS, Endurance, Kind
from offspring import gathered, reap
from waiting import wait_for

KILLS = int(os.environ.get("LAYERLOOM_SERVER_KILLS", "0"))
"""At random; a few in a fixed order when 0."""
pytestmark = pytest.mark.timeout(240 + 60 * KILLS)
FEW: list[Kind] = ["trainer", "trainer", "template", "server", "starting server", "starting server"]
"""Trainers first: a server that was started again takes its time before it starts one."""


def at_random(endurance: Endurance, chance: random.Random) -> Iterator[list[Kind]]:
    """The kills of run after run, until there were enough."""
    while endurance.count < KILLS:
        kinds: list[Kind] = ["trainer"] * TRAINER_KILLS + ["server", "starting server"] * 2 + ["template"]
        if chance.random() < 0.3:
            kinds[kinds.index("trainer")] = "both"
        chance.shuffle(kinds)
        yield kinds


def test_a_client_that_comes_back_misses_nothing(tmp_path: Path) -> None:
    began = time.monotonic()
    with gathered() as known:
        endurance = Endurance(tmp_path / "home", random.Random(KILLS))
        endurance.endure(at_random(endurance, random.Random(KILLS)) if KILLS else [FEW])
        wait_for(lambda: not reap(known), "the end of every process that was started")
    told = ", ".join(f"{count} of a {name}" for name, count in endurance.kills.items())
    print(f"{endurance.count} kills ({told}) in {len(endurance.runs)} runs, {endurance.connections} connections,")
    print(f"{time.monotonic() - began:.0f} s")
    assert endurance.count >= max(KILLS, 10)
