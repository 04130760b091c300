"""What a fork is told to begin with, by a network's keys and a plan's groups."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import save_file

from layerloom.api.forking import origin_of
from layerloom.graph import build
from layerloom.graph.carrying import keys_of
from layerloom.schema.document import Document
from layerloom.schema.fork import NewFork
from layerloom.schema.plan import Plan
from layerloom.storage import Store
from stores import PLAN, claimed, numbered, publish_checkpoint, running

LINEAR = {"kind": "layer", "target": "torch.nn.Linear", "arguments": {"in_features": 8, "out_features": 8}}
TIED = Document.model_validate(
    {
        "format": 1,
        "name": "Tied",
        "main": "Tied",
        "inputs": {"x": {"shape": [8]}},
        "blocks": {
            "Tied": {
                "members": [
                    {**LINEAR, "name": "first"},
                    {**LINEAR, "name": "last"},
                    {"kind": "alias", "name": "last.weight", "of": "first.weight"},
                ],
                "forward": {
                    "inputs": [{"name": "x"}],
                    "nodes": [
                        {"op": "call", "id": "n1", "target": "first", "arguments": {"input": {"$ref": "x"}}},
                        {"op": "call", "id": "n2", "target": "last", "arguments": {"input": {"$ref": "n1"}}},
                    ],
                    "output": {"$ref": "n2"},
                },
            }
        },
    }
)
PARAMETERS = ["first.weight", "first.bias", "last.bias"]


@pytest.mark.parametrize(
    ("groups", "left"),
    [
        ([], []),
        ([{"pattern": "first.*", "frozen": True}], ["first.weight", "first.bias"]),
        # It has two names, and is trained under the other.
        ([{"pattern": "last.*", "frozen": True}], ["first.weight", "last.bias"]),
        ([{"pattern": "first.*"}, {"pattern": "last.*", "frozen": True}], ["last.bias"]),
    ],
)
def test_what_is_frozen_by_any_of_its_names_has_no_optimizer_state(
    store: Store, groups: list[dict[str, object]], left: list[str]
) -> None:
    module = build(TIED, seed=0)
    assert [name for name, _ in module.named_parameters()] == PARAMETERS
    claim = claimed(store)
    event = publish_checkpoint(store, claim.run, 1, 5)
    store.log.append(claim.run, claim.attempt, numbered(running(), event))
    folder = store.folder(claim.run) / event.path
    save_file(
        {name: torch.zeros(value.shape) for name, value in module.state_dict().items()}, folder / "state.safetensors"
    )
    told = {"name": PLAN.optimizer.name, "parameters": PARAMETERS, "separate": True}
    (folder / "manifest.json").write_text(json.dumps({"optimizer": told}))
    plan = Plan.model_validate({**PLAN.model_dump(), "groups": groups})
    fork = NewFork(document=TIED, plan=plan)
    origin, _ = origin_of(store.runs.get(claim.run), fork, store, lambda document: keys_of(document).keys)
    assert origin.report.fresh == ""
    assert origin.report.optimizer == [name for name in PARAMETERS if name not in left]
