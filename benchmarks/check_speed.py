"""How long a check takes: cold, warm, and against a meta forward of the module that is built from the same document.

Both sides of a ratio run in turn within one process; every figure is a median. The 100-node network also goes through
JSON on both ends, as in a request.

    python benchmarks/check_speed.py
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import orjson
import torch

from layerloom.graph import build
from layerloom.graph.checking import check, checked
from layerloom.graph.checking.memory import forget
from layerloom.schema.document import Document

ROUNDS = 9

Json = dict[str, Any]


def layer(name: str, target: str, **arguments: Any) -> Json:
    return {"kind": "layer", "name": name, "target": f"torch.nn.{target}", "arguments": arguments}


def residual(nodes: int) -> Document:
    """A convolutional network with skips: convolution, normalization, activation, convolution, addition, …"""
    members = [layer("stem", "Conv2d", in_channels={"$auto": True}, out_channels=16, kernel_size=3, padding=1)]
    graph = [{"op": "call", "id": "stem", "target": "stem", "arguments": {"input": {"$ref": "x"}}}]
    index = 0
    while len(graph) < nodes:
        width = 16 + 8 * (index % 4)
        before = previous = graph[-1]["id"]
        for kind, item in (
            ("conv", layer(f"conv{index}", "Conv2d", in_channels=16, out_channels=width, kernel_size=3, padding=1)),
            ("norm", layer(f"norm{index}", "BatchNorm2d", num_features={"$auto": True})),
            ("act", layer(f"act{index}", "ReLU")),
            ("proj", layer(f"proj{index}", "Conv2d", in_channels=width, out_channels=16, kernel_size=1)),
        ):
            members.append(item)
            name = f"{kind}{index}"
            graph.append({"op": "call", "id": name, "target": name, "arguments": {"input": {"$ref": previous}}})
            previous = name
        total = {"input": {"$ref": before}, "other": {"$ref": previous}}
        graph.append({"op": "function", "id": f"add{index}", "target": "operator.add", "arguments": total})
        index += 1
    block = {
        "members": members,
        "forward": {"inputs": [{"name": "x"}], "nodes": graph, "output": {"$ref": graph[-1]["id"]}},
    }
    return Document.model_validate({"main": "Net", "blocks": {"Net": block}, "inputs": {"x": {"shape": [3, 32, 32]}}})


def milliseconds(action: Callable[[], Any]) -> float:
    start = time.perf_counter()
    action()
    return 1_000 * (time.perf_counter() - start)


def measure(nodes: int) -> None:
    document = residual(nodes)
    text = document.model_dump_json(by_alias=True).encode()
    module = build(document).to("meta").eval()
    example = torch.empty(2, 3, 32, 32, device="meta")

    def forward() -> None:
        with torch.no_grad():
            module(example)

    def request() -> None:
        orjson.loads(text)
        check(Document.model_validate_json(text)).model_dump_json(by_alias=True)

    def cold() -> None:
        forget()
        check(document)

    rows: dict[str, list[float]] = {"cold": [], "warm": [], "warm with JSON": [], "meta forward": []}
    for _ in range(ROUNDS):
        rows["cold"].append(milliseconds(cold))
        rows["warm"].append(milliseconds(lambda: checked(document)))
        rows["warm with JSON"].append(milliseconds(request))
        rows["meta forward"].append(milliseconds(forward))
    medians = {name: statistics.median(values) for name, values in rows.items()}
    ratio = statistics.median(c / w for c, w in zip(rows["cold"], rows["warm"], strict=True))
    against = statistics.median(w / f for w, f in zip(rows["warm"], rows["meta forward"], strict=True))
    figures = ", ".join(f"{name} {value:.1f} ms" for name, value in medians.items())
    print(f"{nodes} nodes: {figures}; cold/warm {ratio:.1f}, warm/meta forward {against:.2f}")


def main() -> None:
    torch.set_num_threads(1)
    check(residual(5))
    for nodes in (20, 100, 500, 2_000):
        measure(nodes)


if __name__ == "__main__":
    main()
