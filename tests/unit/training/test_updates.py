"""The fast form of a step gives the bits that torch's public one gives, and leaves the same state behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from layerloom.schema.plan import Clip
from layerloom.training.updates import Closure, FusedAdam, Plain, build_updates

STEPS = 12


class Tied(nn.Module):
    """Two names of one weight, a layer that only some batches reach, and one that none does."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(8, 8)
        self.norm = nn.BatchNorm1d(8)
        self.second = nn.Linear(8, 8)
        self.second.weight = self.first.weight
        self.sometimes = nn.Linear(8, 8)
        self.never = nn.Linear(8, 8)
        self.calls = 0

    def forward(self, x: Tensor) -> Tensor:
        x = self.second(self.norm(self.first(x)).relu())
        self.calls += 1
        return self.sometimes(x) if self.calls % 3 == 0 else x


def plain_net() -> nn.Module:
    return nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 8))


def one_group(kind: type[torch.optim.Optimizer], **arguments: Any) -> Callable[[nn.Module], torch.optim.Optimizer]:
    return lambda module: kind(module.parameters(), fused=True, **arguments)  # type: ignore[call-arg]


def two_groups(module: nn.Module) -> torch.optim.Optimizer:
    """The parameters in another order than the module's, and with other numbers."""
    named = dict(module.named_parameters())
    biases = [value for name, value in named.items() if name.endswith("bias")]
    others = [value for name, value in named.items() if not name.endswith("bias")]
    groups = [{"params": biases, "weight_decay": 0.0}, {"params": others, "lr": 0.02, "weight_decay": 0.1}]
    return torch.optim.AdamW(groups, lr=0.01, fused=True)


OPTIMIZERS = {
    "Adam": one_group(torch.optim.Adam, lr=0.01),
    "Adam with decay": one_group(torch.optim.Adam, lr=0.01, weight_decay=0.1, betas=(0.8, 0.95), eps=1e-6),
    "AdamW": one_group(torch.optim.AdamW, lr=0.01, weight_decay=0.1),
    "AMSGrad": one_group(torch.optim.Adam, lr=0.01, amsgrad=True, maximize=True),
    "groups": two_groups,
}
CLIPS = {"unclipped": Clip(), "by norm": Clip(norm=0.1), "by value": Clip(value=0.01)}


def trained(
    make: Callable[[], nn.Module],
    optimizer_of: Callable[[nn.Module], torch.optim.Optimizer],
    step_of: Callable[[nn.Module, torch.optim.Optimizer], Any],
    *,
    reload_at: int = -1,
) -> tuple[list[Tensor], dict[str, Tensor], dict[str, Any], list[list[Tensor | None]]]:
    torch.manual_seed(0)
    module = make()
    inputs, targets = torch.randn(STEPS, 16, 8), torch.randn(STEPS, 16, 8)
    optimizer = optimizer_of(module)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    updates = step_of(module, optimizer)
    losses, seen = [], []
    for index in range(STEPS):
        if index == reload_at:
            optimizer.load_state_dict(optimizer.state_dict())

        def forward(index: int = index) -> Tensor:
            return functional.mse_loss(module(inputs[index]), targets[index])

        def look(gradients: Any) -> None:
            seen.append([None if gradient is None else gradient.clone() for gradient in gradients])

        losses.append(updates.step(forward, look if index % 2 else None))
        schedule.step()
    return losses, module.state_dict(), optimizer.state_dict(), seen


def same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other)


@pytest.mark.parametrize("make", [plain_net, Tied])
@pytest.mark.parametrize("clip", CLIPS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_equal_bits(optimizer: str, clip: str, make: Callable[[], nn.Module]) -> None:
    """A scheduler moves the rate, a checkpoint is loaded in the middle, gradients are looked at now and then."""

    def plain(module: nn.Module, made: torch.optim.Optimizer) -> Plain:
        return Plain([*module.parameters()], made, CLIPS[clip], None)

    def fast(module: nn.Module, made: torch.optim.Optimizer) -> Any:
        updates = build_updates(module, made, CLIPS[clip])
        assert isinstance(updates, FusedAdam)
        return updates

    public = trained(make, OPTIMIZERS[optimizer], plain, reload_at=5)
    ours = trained(make, OPTIMIZERS[optimizer], fast, reload_at=5)
    assert same(public, ours)
    assert len({float(loss) for loss in ours[0]}) > STEPS // 2


def test_the_fast_form_is_taken_where_it_may_be() -> None:
    module = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8))
    makers: dict[str, Callable[[], torch.optim.Optimizer]] = {
        "not fused": lambda: torch.optim.AdamW(module.parameters(), foreach=True),
        "another": lambda: torch.optim.NAdam(module.parameters()),
        "a rate that is a tensor": lambda: torch.optim.AdamW(module.parameters(), lr=torch.tensor(0.01), fused=True),
        "not all of the module": lambda: torch.optim.AdamW(module[0].parameters(), fused=True),
    }
    for name, make in makers.items():
        assert isinstance(build_updates(module, make(), Clip()), Plain), name
    hooked = torch.optim.AdamW(module.parameters(), fused=True)
    hooked.register_step_post_hook(lambda *_: None)
    assert isinstance(build_updates(module, hooked, Clip()), Plain)
    scaler = torch.amp.GradScaler("cpu")
    assert isinstance(build_updates(module, torch.optim.AdamW(module.parameters(), fused=True), Clip(), scaler), Plain)
    assert isinstance(build_updates(module, torch.optim.LBFGS(module.parameters()), Clip()), Closure)
    weight: Any = module[0].weight
    weight.register_post_accumulate_grad_hook(lambda parameter: None)
    assert isinstance(build_updates(module, torch.optim.AdamW(module.parameters(), fused=True), Clip()), Plain)


def test_lbfgs_looks_once_a_step() -> None:
    torch.manual_seed(0)
    module = nn.Linear(4, 1)
    inputs, targets = torch.randn(32, 4), torch.randn(32, 1)
    updates = build_updates(module, torch.optim.LBFGS(module.parameters(), lr=0.5), Clip())
    looks: list[Any] = []

    def forward() -> Tensor:
        return functional.mse_loss(module(inputs), targets)

    losses = [float(updates.step(forward, looks.append)) for _ in range(4)]
    assert len(looks) == 4
    assert losses[-1] < losses[0]
