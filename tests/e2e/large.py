"""Networks that are larger than one looks at node by node."""

from __future__ import annotations

from typing import Any

import torch
from torch import fx

from layerloom.graph.importing import from_module

Json = dict[str, Any]

COLUMNS = 50
"""Nodes in a row of the drawing."""
PITCH = (288, 136)
"""From one node to the next, in canvas pixels."""


def chain(nodes: int) -> Json:
    """Operations one after the other with a skip every tenth, drawn in rows like the lines of a page."""
    calls: list[Json] = []
    positions = {"input:x": {"x": 0, "y": -PITCH[1]}}
    for index in range(nodes):
        before = {"$ref": calls[-1]["id"] if calls else "x"}
        skip = index % 10 == 9
        arguments = {"input": before, "other": {"$ref": f"n{index - 8}"}} if skip else {"input": before}
        target = "torch.add" if skip else "torch.relu"
        call = {"op": "function", "id": f"n{index}", "name": f"step{index}", "target": target, "arguments": arguments}
        calls.append(call)
        positions[f"n{index}"] = {"x": index % COLUMNS * PITCH[0], "y": index // COLUMNS * PITCH[1]}
    positions["output"] = {"x": 0, "y": (nodes // COLUMNS + 1) * PITCH[1]}
    graph = {"inputs": [{"name": "x"}], "nodes": calls, "output": {"$ref": calls[-1]["id"]}}
    return {
        "format": 1,
        "main": "Network",
        "blocks": {"Network": {"forward": graph}},
        "inputs": {"x": {"shape": [8], "batch": True, "dtype": "float32"}},
        "ui": {"blocks": {"Network": {"positions": positions}}},
    }


def expanded(module: torch.nn.Module, example: torch.Tensor) -> Json:
    """A module with all that it runs in one graph, every block of it opened."""
    document: Json = from_module(fx.symbolic_trace(module), [example]).model_dump(mode="json", by_alias=True)
    return document
