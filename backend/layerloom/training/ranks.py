"""Several processes that train one module together: how they talk, and what each of them does of a batch.

Every process (a *rank*) holds the whole module and runs its share of each batch; the gradients are summed before each
optimizer step, so that all of them hold the same weights, take the same decisions and are at the same step. The first
rank alone tells of it and writes checkpoints.

What a rank decides from a clock or hears from outside is agreed upon (``decided``, ``SharedControl``): all of them must
come to each exchange in the same order, or none would ever get an answer.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

import torch
import torch.distributed as dist
from torch import Tensor, nn

from layerloom.schema.orders import Orders
from layerloom.schema.plan import Plan, Statistics
from layerloom.training.checkpoints import CheckpointStore, Contents
from layerloom.training.control import Control, Wanted
from layerloom.training.recorder import FLUSH_SECONDS, WATCHED_SECONDS, Emit, Recorder

Made = TypeVar("Made")
PACE = 0.1
"""Seconds between two agreements on what is wanted."""
MOST = 256
"""Steps between two exchanges, at most: after a change of pace the next one is not far."""
SPREAD = 0x9E3779B97F4A7C15
"""2^64 divided by the golden ratio: seeds of neighbouring ranks lie far apart."""


@dataclass(frozen=True)
class Ranks:
    """This process among those that train one module."""

    rank: int = 0
    world: int = 1

    @property
    def several(self) -> bool:
        """There are others."""
        return self.world > 1

    @property
    def first(self) -> bool:
        """This one tells and writes."""
        return self.rank == 0

    def sum(self, value: Tensor) -> Tensor:
        """The sum of every rank's ``value``, in place."""
        if self.several:
            dist.all_reduce(value)
        return value

    def of_first(self, value: Any) -> Any:
        """The first rank's value, a plain one, for all of them."""
        if not self.several:
            return value
        values = [value]
        dist.broadcast_object_list(values, src=0)
        return values[0]

    def highest(self, *values: int) -> list[int]:
        """The largest that any rank gives, of each."""
        if not self.several:
            return list(values)
        column = torch.tensor(values)
        dist.all_reduce(column, dist.ReduceOp.MAX)
        return column.tolist()

    def decided(self, wish: bool) -> bool:
        """What the first rank wishes."""
        return bool(self.highest(int(wish and self.first))[0]) if self.several else wish

    def gathered(self, value: Any) -> list[Any]:
        """Every rank's value, in their order, on each of them."""
        if not self.several:
            return [value]
        values: list[Any] = [None] * self.world
        dist.all_gather_object(values, value)
        return values

    def in_turn(self, act: Callable[[], Made]) -> Made:
        """What ``act`` gives, done by the first rank before the others, which find what it leaves on the disk.

        Where it fails, the others try as well, and run into the same rather than wait for what never comes.
        """
        if not self.first:
            self.highest(0)
            return act()
        try:
            return act()
        finally:
            self.highest(0)

    def share_buffers(self, module: nn.Module) -> None:
        """Give every rank the first one's buffers."""
        if self.several:
            for buffer in module.buffers():
                dist.broadcast(buffer, 0)

    def seed(self, seed: int) -> int:
        """Of this rank's random numbers; the first one's are those of a process alone."""
        return (seed + self.rank * SPREAD) % 2**63

    def leave(self) -> None:
        """Be alone from now on."""
        if dist.is_initialized():
            dist.destroy_process_group()


ALONE = Ranks()


def join(rank: int, world: int, meeting: Path, *, cuda: bool) -> Ranks:
    """Meet the other ranks of this machine at a file, which none of them has used before."""
    # On one machine nothing has to listen to another.
    loopback = "lo0" if os.uname().sysname == "Darwin" else "lo"
    os.environ.setdefault("GLOO_SOCKET_IFNAME", loopback)
    os.environ.setdefault("NCCL_SOCKET_IFNAME", loopback)
    store = dist.FileStore(str(meeting), world)  # type: ignore[attr-defined]
    dist.init_process_group("cpu:gloo,cuda:nccl" if cuda else "gloo", store=store, rank=rank, world_size=world)
    return Ranks(rank, world)


class SharedControl(Control):
    """What is wanted of all ranks: what one of them was told is agreed upon some times a second, at the same step."""

    def __init__(self, own: Control, ranks: Ranks) -> None:
        super().__init__()
        self._own = own
        self._ranks = ranks
        self._agreed: Wanted = "run"
        self._every = self._left = 1
        self._then = time.perf_counter()
        self._told: Orders = own.orders
        self.orders = ranks.of_first(own.orders)

    def going(self) -> bool:
        """Whether training is what is wanted. To be asked by all ranks equally often."""
        self._left -= 1
        if self._left <= 0 and self._agreed == "run":
            self._agree()
        return self._agreed == "run"

    @property
    def wanted(self) -> Wanted:
        """What was agreed upon."""
        return self._agreed

    def _agree(self) -> None:
        now = time.perf_counter()
        every = paced(self._every, now - self._then, PACE) if self._ranks.first else 0
        orders = self._own.orders
        news = int(self._ranks.first and orders is not self._told)
        wish, self._every, news = self._ranks.highest(_PRESSING.index(self._own.wanted), every, news)
        if news:  # the first rank alone hears of them
            self._told, self.orders = orders, self._ranks.of_first(orders)
        self._agreed = _PRESSING[wish]
        self.watched = self._own.watched
        self._left, self._then = self._every, now


_PRESSING: tuple[Wanted, ...] = get_args(Wanted)
"""From the least pressing wish to the most."""


class SharedRecorder(Recorder):
    """Of every rank: losses are parts of the batch's until they are flushed, which all ranks do after the same step."""

    ranks: Ranks
    _every = 1

    def share(self, ranks: Ranks) -> SharedRecorder:
        """Sum the losses of all ranks from now on."""
        self.ranks = ranks
        self.next_flush = float("inf")
        return self

    def step(self, loss: Tensor, rate: float, now: float) -> None:
        super().step(loss, rate, now)
        if len(self._losses) >= self._every:
            self.next_flush = 0.0

    def flush(self) -> None:
        try:
            super().flush()
        finally:
            self.next_flush = float("inf")

    def _column(self) -> Tensor:
        count, spent = len(self._losses), time.perf_counter() - self._times[0]
        aim = WATCHED_SECONDS if self._watched() else FLUSH_SECONDS
        every = paced(count, spent, aim) if self.ranks.first else 0
        own = torch.stack([*self._losses, self._losses[0].new_tensor(every)])
        summed = self.ranks.sum(own)
        self._every = int(summed[-1])
        return summed[:-1] / self.ranks.world


def paced(count: int, seconds: float, aim: float) -> int:
    """How many steps take ``aim`` seconds, where ``count`` took ``seconds``."""
    return max(1, min(MOST, 4 * count, int(count * aim / max(seconds, 1e-6))))


class Silent(CheckpointStore):
    """Of a rank that is not the first: it knows what is there, and leaves the writing to the first."""

    def write(self, contents: Contents) -> str:
        """Only name it."""
        return self.path(contents.step)

    def retire(self, keep: set[str]) -> None:
        """The first does."""


def quiet(plan: Plan) -> tuple[Plan, Emit]:
    """The plan of a rank that is not the first, which looks at no statistics, and its ``emit``."""
    return plan.model_copy(update={"statistics": Statistics(budget=0)}), lambda _event: None
