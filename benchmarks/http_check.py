"""How long a check takes, HTTP included: 100 nodes on a warm server, against the check alone in this process.

Both sides run in turns in one program, so that what else the machine does falls on both. Prints medians and ratio.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from layerloom.graph import check
from layerloom.schema.document import Document
from serving import serving

NODES = 100
ROUNDS = 30
GOAL_MS = 50


def network(width: int, last: int | None = None) -> dict[str, Any]:
    """A chain of convolutions, normalizations and activations of this width; ``last`` is the last convolution's."""
    members, nodes, before = [], [], "x"
    makers = (
        ("torch.nn.Conv2d", {"in_channels": {"$auto": True}, "out_channels": width, "kernel_size": 3, "padding": 1}),
        ("torch.nn.BatchNorm2d", {"num_features": {"$auto": True}}),
        ("torch.nn.ReLU", {}),
        ("torch.nn.Dropout", {"p": 0.1}),
    )
    for index in range(NODES):
        target, arguments = makers[index % len(makers)]
        if last is not None and index == NODES - len(makers):
            arguments = {**arguments, "out_channels": last}
        members.append({"kind": "layer", "name": f"layer{index}", "target": target, "arguments": arguments})
        call = {"op": "call", "id": f"n{index}", "target": f"layer{index}", "arguments": {"input": {"$ref": before}}}
        nodes.append(call)
        before = f"n{index}"
    forward = {"inputs": [{"name": "x"}], "nodes": nodes, "output": {"$ref": before}}
    return {
        "main": "Chain",
        "inputs": {"x": {"shape": [3, 32, 32]}},
        "blocks": {"Chain": {"members": members, "forward": forward}},
    }


def main() -> None:
    """Measure and print."""
    over_http: dict[str, list[float]] = {"the same again": [], "one layer changed": [], "every layer changed": []}
    alone: list[float] = []
    with tempfile.TemporaryDirectory() as home, serving(Path(home)) as server, server.client() as client:
        client.timeout = 300
        client.get("/api/catalogue").raise_for_status()  # answered when torch is loaded
        for width in range(-3, ROUNDS):
            drawn = (network(64), network(64, 32 + width), network(16 + width))
            for kind, changed in zip(over_http, drawn, strict=True):
                body = json.dumps(changed).encode()
                start = time.perf_counter()
                answer = client.post("/api/graphs/check", content=body, headers={"Content-Type": "application/json"})
                took = time.perf_counter() - start
                assert answer.json()["ok"], answer.text
                if width >= 0:
                    over_http[kind].append(took)
            document = Document.model_validate(network(16 + width))
            start = time.perf_counter()
            check(document)
            if width >= 0:
                alone.append(time.perf_counter() - start)
    bare_ms = statistics.median(alone) * 1e3
    print(f"check of {NODES} nodes, {ROUNDS} rounds, goal over HTTP: median of at most {GOAL_MS} ms")
    print(f"  without HTTP, every layer changed  {bare_ms:7.1f} ms")
    for kind, times in over_http.items():
        median, worst = statistics.median(times) * 1e3, sorted(times)[int(len(times) * 0.95)] * 1e3
        print(
            f"  over HTTP, {kind:<22}  {median:7.1f} ms   (95% within {worst:.1f} ms, {median / bare_ms:.2f} of bare)"
        )


if __name__ == "__main__":
    main()
