"""A run begins with what another one has learned: weights bit for bit, and the optimizer's state of the same names."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from torch import nn

from layerloom.training.carrying import Carried, carry_optimizer, carry_weights, optimized
from layerloom.training.checkpoints import CheckpointStore, Contents
from unit.training.support import Net, fit, net, plan

FROZEN = [{"pattern": "body.*", "frozen": True}]


def learned(folder: Path) -> tuple[str, Contents]:
    path = fit(net(), plan(epochs=2), folder).of("checkpoint")[-1].path
    return path, CheckpointStore(folder, 1).load(path)


def test_weights_and_optimizer_go_along_by_name(tmp_path: Path) -> None:
    _, begun = learned(tmp_path)
    other = net(out=4, seed=7)  # another head
    own = other.head.weight.detach().clone()
    trunk = [key for key in begun.state if key.startswith("body.")]
    names = [name for name, _ in other.named_parameters() if name in trunk]
    carried = Carried("origin", trunk, names)
    carry_weights(other, begun, carried)
    assert all(torch.equal(other.state_dict()[key], begun.state[key]) for key in trunk)
    assert torch.equal(other.head.weight, own)

    # In another order than the origin's: the head comes first here.
    optimizer = torch.optim.AdamW([{"params": other.head.parameters()}, {"params": other.body.parameters()}], lr=0.5)
    said = carry_optimizer(other, optimizer, begun, carried)
    assert f"{len(trunk)} of {len(other.state_dict())} tensors" in said
    known = begun.training["optimized"]["parameters"]
    parameters = dict(other.named_parameters())
    for name in names:
        old = begun.training["optimizer"]["state"][known.index(name)]
        new = optimizer.state[parameters[name]]
        assert all(torch.equal(new[key], value) for key, value in old.items()), name
    assert other.head.weight not in optimizer.state
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 0.5], "the plan's, not the origin's"


def test_a_run_that_begins_so_trains_from_there(tmp_path: Path) -> None:
    path, begun = learned(tmp_path / "first")
    folder = tmp_path / "fork"
    shutil.copytree(tmp_path / "first" / path, folder / "origin")
    trunk = [key for key in begun.state if key.startswith("body.")]
    module = Net(out=4)
    seen = fit(module, plan(groups=FROZEN), folder, carried=Carried("origin", trunk, []))
    assert any("of another run, of its step 16" in event.message for event in seen.of("log"))
    assert min(seen.series("train/loss")) == 1
    frozen = [name for name, _ in module.named_parameters() if name.startswith("body.")]
    assert all(torch.equal(module.state_dict()[name], begun.state[name]) for name in frozen)


def test_a_state_that_all_parameters_share_is_known_as_such() -> None:
    module = nn.Linear(2, 2)
    assert not optimized(module, torch.optim.LBFGS(module.parameters()), plan())["separate"]
    facts = optimized(module, torch.optim.SGD(module.parameters()), plan())
    assert (facts["separate"], facts["parameters"]) == (True, ["weight", "bias"])
