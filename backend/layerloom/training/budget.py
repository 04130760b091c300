"""How often each kind of statistics is sampled, so that all together keep to a share of the wall time.

Each kind has a shortest period and a cost, measured whenever it runs. The budget is divided in two rounds, each from
the cheapest kind to the dearest: first as much as lets a kind be sampled every ten seconds, then as much as it can use.
So the dearest kind is the first to become rare, and the first to be shed. After a sample a kind waits until its part of
the budget has paid for it, so that the sum cannot be overdrawn, whatever the costs turn out to be. A grant, spent once,
lets short runs show something in every epoch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

OFTEN = 10.0
"""Seconds between two samples of a kind that each kind is given before any is given more."""
SELDOM = 60.0
"""A kind that cannot be sampled once in so many seconds is shed."""
RETRY = 0.05
"""Share of the budget that is kept to measure again what was shed: it may have been a busy moment's cost."""
GRANT_SECONDS = 0.05


@dataclass
class Kind:
    """One kind of sampling and what is known of it. Times in seconds."""

    name: str
    period: float
    """Shortest time between two samples."""
    grant: float
    """What is left of its part of the grant."""
    growth: float = 0.0
    """The period grows to this share of the time that has passed, for samples that would fill the log."""
    due: float = 0.0
    """When its part of the budget covers the next sample."""
    cost: float | None = None
    samples: int = 0
    share: float = 0.0
    """Of the wall time; what of the budget is its own."""
    slowed: bool = False
    shed: bool = False
    last: float = math.nan
    """When the last sample was taken."""
    interval: float = math.nan
    """Time between two samples of late."""

    def rate(self, now: float) -> float:
        """Samples per second of late; 0 before the first."""
        passed = now - self.last
        gaps = [gap for gap in (self.interval, passed) if gap > 0]
        return 1 / max(gaps) if self.samples and gaps else 0.0


class Scheduler:
    """Decides which kinds are sampled when."""

    def __init__(self, kinds: Sequence[Kind], budget: float, now: float) -> None:
        self.kinds = {kind.name: kind for kind in kinds}
        self._budget = budget
        self._began = self._reported = now
        self._spent = 0.0
        self._step_seconds = 0.0

    def due(self, now: float, *, shown: bool = False) -> list[str]:
        """The kinds to sample now. What has to be ``shown`` early is, as long as the grant lasts."""
        return [name for name, kind in self.kinds.items() if now >= kind.due or (shown and self._granted(kind))]

    def pay(self, name: str, cost: float, now: float) -> None:
        """A sample of a kind was taken."""
        kind = self.kinds[name]
        first, granted = kind.cost is None, now < kind.due or kind.cost is None
        # The first sample meets cold caches, and tells little of the next ones.
        kind.cost = cost if kind.cost is None or kind.samples == 1 else 0.8 * kind.cost + 0.2 * cost
        kind.samples += 1
        passed = now - kind.last
        kind.interval = passed if math.isnan(kind.interval) else 0.7 * kind.interval + 0.3 * passed
        kind.last = now
        self._spent += cost
        self._divide(now)
        period = self._period(kind, now)
        if not granted:
            # From when it was due: a step's end, for which it waited, is not lost, but no more than one period is kept.
            kind.due = max(kind.due, now - period) + max(period, _wait(cost, kind))
            return
        kind.grant -= cost
        missing, kind.grant = max(0.0, -kind.grant), max(0.0, kind.grant)
        if first:
            kind.due = now + max(period, _wait(missing, kind))
        else:
            kind.due += _wait(missing, kind)

    def owe(self, name: str, cost: float, now: float) -> None:
        """A sample that was paid for costs more: it was read back, written and sent."""
        kind = self.kinds[name]
        self._spent += cost
        kind.cost = (kind.cost or 0.0) + (cost if kind.samples <= 2 else 0.2 * cost)
        self._divide(now)
        paid = min(cost, kind.grant)
        kind.grant -= paid
        kind.due += _wait(cost - paid, kind)

    def pace(self, step_seconds: float) -> None:
        """How long a step takes: nothing is sampled but at the end of one."""
        self._step_seconds = step_seconds

    def drop(self, name: str) -> None:
        """A kind that cannot be sampled."""
        self.kinds.pop(name, None)

    @property
    def next_look(self) -> float:
        """When the next kind is due."""
        return min((kind.due for kind in self.kinds.values()), default=math.inf)

    def since_report(self, now: float) -> float:
        """Seconds since the last report."""
        return now - self._reported

    def report(self, now: float) -> tuple[float, dict[str, float]]:
        """Share of the wall time that was spent since the last report, and samples per second of each kind of late."""
        share = self._spent / max(1e-9, now - self._reported)
        self._reported, self._spent = now, 0.0
        return share, {kind.name: kind.rate(now) for kind in self.kinds.values()}

    def _granted(self, kind: Kind) -> bool:
        return kind.grant > 0 and kind.grant >= (kind.cost or 0.0)

    def _period(self, kind: Kind, now: float) -> float:
        period = max(kind.period, kind.growth * (now - self._began))
        return math.ceil(period / self._step_seconds) * self._step_seconds if self._step_seconds > 0 else period

    def _divide(self, now: float) -> None:
        """Give each kind whose cost is known its part of the budget."""
        known = sorted((kind for kind in self.kinds.values() if kind.cost), key=lambda kind: kind.cost or 0.0)
        left = self._budget * (1 - RETRY)
        wanted = {kind.name: (kind.cost or 0.0) / self._period(kind, now) for kind in known}
        for kind in known:
            cost = kind.cost or 0.0
            kind.share = min(wanted[kind.name], cost / OFTEN, left)
            kind.shed = kind.share < min(wanted[kind.name], cost / SELDOM)
            if kind.shed:
                kind.share = 0.0
            left -= kind.share
        for kind in known:
            if not kind.shed:
                more = min(wanted[kind.name] - kind.share, left)
                kind.share += more
                left -= more
            kind.slowed = not kind.shed and kind.share < 0.95 * wanted[kind.name]
        shed = [kind for kind in known if kind.shed]
        for kind in shed:
            kind.share = self._budget * RETRY / len(shed)


def _wait(cost: float, kind: Kind) -> float:
    """Seconds in which a kind's part of the budget grows by ``cost``."""
    return cost / kind.share if kind.share > 0 else 0.0 if cost == 0 else math.inf
