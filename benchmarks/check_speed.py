"""How long a check takes, against running the module that is built from the same document.

All sides run in turns within one process, one thread; every ratio is the median of the rounds' ratios of processor
time, which tells more than wall time on a machine that is busy otherwise. *Cold* is a
check that remembers nothing; *whole* one that remembers calls, but not this document; *edit* the check of a document
that was just checked with one layer's argument changed. The 100-node network also goes through JSON on both ends.

    python benchmarks/check_speed.py [--check]

``--check`` exits with 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import orjson
import torch
import torchvision
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from layerloom.graph import build
from layerloom.graph.checking import check
from layerloom.graph.checking.memory import documents, forget
from layerloom.graph.importing import from_module
from layerloom.schema.document import Document

ROUNDS = 7

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
            ("proj", layer(f"proj{index}", "Conv2d", in_channels={"$auto": True}, out_channels=16, kernel_size=1)),
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


def with_another_width(document: Document) -> Document:
    """The document with one convolution in its middle made wider; the layers behind it follow."""
    block = document.blocks[document.main]
    members = list(block.members)
    index = next(i for i, member in enumerate(members) if i >= len(members) // 2 and member.name.startswith("conv"))
    arguments = {**members[index].arguments, "out_channels": 20}
    members[index] = members[index].model_copy(update={"arguments": arguments})
    blocks = {**document.blocks, document.main: block.model_copy(update={"members": members})}
    return document.model_copy(update={"blocks": blocks})


def milliseconds(action: Callable[[], Any], before: Callable[[], Any] = lambda: None) -> float:
    """Of processor time, with nobody's garbage left over; what is done before is not counted."""
    before()
    gc.collect(0)
    start = time.process_time()
    action()
    return 1_000 * (time.process_time() - start)


def request(text: bytes) -> None:
    orjson.loads(text)
    check(Document.model_validate_json(text)).model_dump_json(by_alias=True)


def on_meta(module: nn.Module, *shape: int) -> Callable[[], None]:
    module = module.to("meta").eval()
    example = torch.empty(shape, device="meta")

    def forward() -> None:
        with torch.no_grad():
            module(example)

    return forward


def on_fake_tensors(module: nn.Module, *shape: int) -> Callable[[], None]:
    module = module.eval()

    def forward() -> None:
        with FakeTensorMode(allow_non_fake_inputs=True), torch.no_grad():
            module(torch.empty(shape))

    return forward


BEFORE = {"cold": forget, "whole": documents.forget}
"""What is forgotten before a check of that name."""


def rounds(actions: dict[str, Callable[[], Any]]) -> dict[str, list[float]]:
    """Milliseconds of each action in each round, in turns; each runs once before it is timed, because what ran last has
    the processor's caches."""
    taken: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(ROUNDS):
        for name, action in actions.items():
            action()
            before = next((forget for word, forget in BEFORE.items() if word in name), lambda: None)
            taken[name].append(milliseconds(action, before))
    return taken


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    resnet = from_module(torchvision.models.resnet152(), [torch.randn(2, 3, 224, 224)])
    large, small = residual(2_000), residual(100)
    states, text = itertools.cycle([with_another_width(large), large]), small.model_dump_json(by_alias=True).encode()
    taken = rounds(
        {
            "resnet152 cold": lambda: check(resnet),
            "resnet152 whole": lambda: check(resnet),
            "meta forward of resnet152": on_meta(build(resnet), 2, 3, 224, 224),
            "FakeTensorMode pass of resnet152": on_fake_tensors(build(resnet), 2, 3, 224, 224),
            "2,000 nodes cold": lambda: check(large),
            "2,000 nodes whole": lambda: check(large),
            "2,000 nodes edit": lambda: check(next(states)),
            "100 nodes cold": lambda: check(small),
            "100 nodes whole": lambda: check(small),
            "100 nodes whole with JSON": lambda: request(text),
        }
    )
    for name, values in taken.items():
        print(f"{name}: {statistics.median(values):.1f} ms")
    missed = []
    for ours, theirs, goal in (
        ("resnet152 cold", "meta forward of resnet152", 1 / 4),
        ("resnet152 cold", "FakeTensorMode pass of resnet152", 1 / 20),
        ("2,000 nodes cold", "resnet152 cold", 1.5),
        ("2,000 nodes edit", "2,000 nodes whole", 1 / 20),
    ):
        ratio = statistics.median(a / b for a, b in zip(taken[ours], taken[theirs], strict=True))
        missed += [ours] if ratio > goal else []
        print(f"{ours} / {theirs}: {ratio:.3f} (goal {goal:g}){'  MISSED' if ratio > goal else ''}")
    return 1 if arguments.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
