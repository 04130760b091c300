"""``python ranked.py FOLDER``: train each case with two processes; what each of them saw goes to ``FOLDER/<rank>.pt``.

One program for all cases, because its imports take longer than they do.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from layerloom.schema.plan import Plan
from layerloom.training import Control, Samples, TrainingError, train
from layerloom.training import ranks as together
from layerloom.training.ranks import Ranks, join
from layerloom.worker.template import warm_up

sys.path.insert(0, str(Path(__file__).parents[2]))
from unit.training.support import classes, net, plan

SGD: dict[str, Any] = {"name": "torch.optim.SGD", "arguments": {"lr": 0.05, "momentum": 0.9}}
SCHEDULERS = "torch.optim.lr_scheduler"
CE = "torch.nn.CrossEntropyLoss"
HEADS: list[dict[str, Any]] = [
    {"output": "kind", "weight": 0.5},
    {"output": "again", "target": "x", "weight": 2.0, "loss": {"name": "torch.nn.L1Loss"}},
]


def uneven(**arguments: Any) -> list[dict[str, Any]]:
    """Heads of which the samples of one count differently."""
    return [{**HEADS[0], "loss": {"name": CE, "arguments": arguments}}, HEADS[1]]


class Plain(nn.Module):
    """Without batch normalization and dropout, which see shares otherwise than wholes."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)


class Normed(Plain):
    """With batch normalization alone."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16, momentum=0.3), nn.Tanh(), nn.Linear(16, 3))


class TwoHeads(Plain):
    """A class, and the input again."""

    def __init__(self) -> None:
        super().__init__()
        self.again = nn.Linear(3, 6)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        kind = super().forward(x)
        return {"kind": kind, "again": self.again(kind)}


class Unused(Plain):
    """A layer that nobody calls."""

    def __init__(self) -> None:
        super().__init__()
        self.never = nn.Linear(3, 3)


class Exploding(Plain):
    """Its loss is infinite from the third step on."""

    def forward(self, x: Tensor) -> Tensor:
        self.calls = getattr(self, "calls", 0) + self.training
        return super().forward(x) * (float("inf") if self.calls > 3 else 1.0)


def seeded(make: Callable[[], nn.Module]) -> nn.Module:
    torch.manual_seed(0)
    return make()


# Of 117 samples the last batch has five, which are cut into shares of three and two.
CASES: dict[str, tuple[Callable[[], nn.Module], dict[str, Any]]] = {
    "adamw": (Plain, {"steps": 100}),
    "sgd, clipped": (Plain, {"optimizer": SGD, "clip": {"norm": 0.5}}),
    "accumulation": (Plain, {"accumulation": 3}),
    "weights": (Plain, {"loss": {"name": CE, "arguments": {"weight": [0.1, 1.0, 9.0]}}}),
    "ignored": (Plain, {"loss": {"name": CE, "arguments": {"ignore_index": 1}}, "batch_size": 5}),
    "a sum": (Plain, {"loss": {"name": CE, "arguments": {"reduction": "sum"}}, "optimizer": SGD}),
    "ema": (Plain, {"averaging": {"kind": "ema", "decay": 0.9}}),
    "swa": (Normed, {"averaging": {"kind": "swa", "start": 0.3}, "sync_batch_norm": True, "optimizer": SGD}),
    "synchronized": (Normed, {"sync_batch_norm": True, "optimizer": SGD}),
    "synchronized parts": (Normed, {"sync_batch_norm": True, "optimizer": SGD, "accumulation": 2, "batch_size": 12}),
    "unused": (Unused, {}),
    "heads": (TwoHeads, {"heads": HEADS, "steps": 100}),
    "heads in parts": (TwoHeads, {"heads": HEADS, "accumulation": 2, "optimizer": SGD}),
    "heads by themselves": (TwoHeads, {}),
    "weighed heads": (TwoHeads, {"heads": uneven(weight=[0.1, 1.0, 9.0]), "optimizer": SGD, "epochs": 1}),
    # In some parts all targets of a head are ignored.
    "ignored heads": (TwoHeads, {"heads": uneven(ignore_index=1), "batch_size": 5, "optimizer": SGD, "epochs": 1}),
    "ignored heads in parts": (
        TwoHeads,
        {"heads": uneven(ignore_index=1), "accumulation": 2, "batch_size": 9, "optimizer": SGD, "epochs": 1},
    ),
    "one of several outputs": (TwoHeads, {"heads": HEADS[1:]}),
    "fp16": (Plain, {"precision": "fp16", "optimizer": SGD}),
    "early": (Plain, {"epochs": 9, "early_stopping": {"patience": 2, "min_change": 0.05}}),
    "plateau": (
        Plain,
        {
            "epochs": 5,
            "scheduler": {"name": "torch.optim.lr_scheduler.ReduceLROnPlateau", "arguments": {"patience": 0}},
        },
    ),
    "dropout": (net, {}),
}
FAILING: dict[str, tuple[Callable[[], nn.Module], dict[str, Any]]] = {
    "lbfgs": (Plain, {"optimizer": {"name": "torch.optim.LBFGS"}}),
    "few": (Plain, {"batch_size": 3}),
    "diverges": (Exploding, {}),
}


def run(
    make: Callable[[], nn.Module],
    settings: Plan,
    folder: Path,
    ranks: Ranks,
    *,
    attempt: int = 1,
    resume: str | None = None,
    control: Callable[[nn.Module], Control] = lambda _module: Control(),
    data: Samples | None = None,
) -> dict[str, Any]:
    """One training by one rank: what it emitted, its weights, how it ended."""
    module, events = seeded(make), []
    told: dict[str, Any] = {"error": None, "outcome": None}
    try:
        told["outcome"] = train(
            module,
            settings,
            data or classes(117),
            classes(49, seed=1),
            task="classification",
            classes=3,
            emit=events.append,
            control=control(module),
            folder=folder,
            attempt=attempt,
            resume=resume,
            ranks=ranks,
        ).state
    except TrainingError as error:
        told["error"] = error.problem.model_dump(mode="json")
    series: dict[str, dict[int, float | None]] = {}
    for event in events:
        if event.kind == "metrics":
            for name, values in event.series.items():
                series.setdefault(name, {}).update(zip(event.steps, values, strict=True))
    kinds = sorted({event.kind for event in events})
    saved = [event.path for event in events if event.kind == "checkpoint"]
    state = {name: value.clone() for name, value in module.state_dict().items()}
    return {**told, "series": series, "kinds": kinds, "saved": saved, "state": state}


def at_step(step: int, **wish: Any) -> Callable[[nn.Module], Control]:
    """A control that wants something else from the ``step``-th training step on."""

    def made(module: nn.Module) -> Control:
        control, count = Control(), 0

        def look(layer: nn.Module, _inputs: Any, _named: Any) -> None:
            nonlocal count
            count += layer.training
            if count == step:
                vars(control).update(wish)

        module.register_forward_pre_hook(look, with_kwargs=True)
        return control

    return made


def resumed(folder: Path, ranks: Ranks) -> dict[str, Any]:
    """A run that one of two ranks is asked to leave in mid-epoch, and what goes on from it: on two, and on one."""
    settings = plan(epochs=5, averaging={"kind": "ema", "decay": 0.9})
    wish = at_step(13, leaving=True) if ranks.rank == 1 else at_step(0)
    together.PACE = 0.0  # they agree after every step, so that it is not the end of an epoch on a busy machine
    left = run(net, settings, folder, ranks, control=wish)
    path = ranks.gathered(left["saved"])[0][-1]
    if ranks.first:
        shutil.copytree(folder, folder.with_name("kept"))
    again = run(net, settings, folder, ranks, attempt=2, resume=path)
    return {"left": left, "again": again, "path": path, "kept": str(folder.with_name("kept"))}


def main(folder: Path) -> None:
    """Both ranks, forked before anything is computed and after everything is imported."""
    warm_up()
    child = os.fork()
    rank = 1 if child == 0 else 0
    ranks = join(rank, 2, folder / "meeting", cuda=False)
    torch.set_num_threads(1)
    found: dict[str, Any] = {}
    for name, (make, settings) in CASES.items():
        found[name] = run(make, plan(**settings), folder / name.replace(" ", "-"), ranks)
    found["whole"] = run(net, plan(epochs=5, averaging={"kind": "ema", "decay": 0.9}), folder / "whole", ranks)
    found.update(resumed(folder / "resumed", ranks))
    # The last is who diverges, and is alone afterwards.
    for name, (make, settings) in FAILING.items():
        found[name] = run(make, plan(**settings), folder / name, ranks)
    torch.save(found, folder / f"{rank}.pt")
    if rank == 0:
        assert os.waitpid(child, 0)[1] == 0


if __name__ == "__main__":
    main(Path(sys.argv[1]))
