"""From a live module back to a document: classes as blocks, calls as graphs, layers with their arguments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import nn

from layerloom.graph.build import build
from layerloom.graph.checking import check
from layerloom.graph.errors import GraphError
from layerloom.graph.importing.classes import Opened, as_block, classes
from layerloom.graph.importing.errors import ClosedError
from layerloom.graph.importing.leaves import layer_of
from layerloom.graph.importing.loops import looped
from layerloom.graph.importing.members import Members, container_of
from layerloom.graph.importing.modes import both
from layerloom.graph.importing.record import recorded
from layerloom.schema.document import Document

__all__ = ["ClosedError", "from_module"]


def from_module(module: nn.Module, example_inputs: Sequence[torch.Tensor]) -> Document:
    """Any module as an editable document: its classes become blocks, its containers stay containers.

    ``example_inputs`` are the tensors of one call, the batch axis first. The module is run on them once without
    computing anything, and keeps its state and mode. What comes back is proven: the module that is built from the
    document has the same state_dict keys in the same order, loads this module's strictly, and gives the same outputs.

    Raises:
        ClosedError: the module does what a document cannot say, or would be rebuilt as another; the sentence says why.
    """
    graphs = both(*(recorded(module, example_inputs, training=mode) for mode in (False, True)))
    members = Members(idle=frozenset(_idle(module, graphs)))
    opened: dict[str, Opened] = {}
    for path, part in module.named_modules():
        if path not in graphs or (path and container_of(part) is not None):
            continue
        graph = graphs[path]
        found = [member.model_dump(mode="json", by_alias=True) for member in members.of(part, path)]
        opened[path] = Opened(path, type(part).__name__, as_block(found, graph), list(_uses(found)))
    _require_all(opened)
    blocks, main = classes(opened)
    document = Document.model_validate(
        {
            "name": type(module).__name__,
            "main": main,
            "blocks": {name: looped(block) for name, block in blocks.items()},
            "inputs": _examples(graphs[""], example_inputs),
            "frozen": _frozen(module),
        }
    )
    _prove(document, module, example_inputs)
    return document


def _uses(members: Any) -> Any:
    """Qualified names of the modules that members are uses of."""
    for member in members:
        if member["kind"] == "block":
            yield member["block"]
        yield from _uses(member.get("items", []))


def _idle(module: nn.Module, graphs: Any) -> Iterator[str]:
    """Modules that are held and never called, and hold nothing that a state_dict would keep."""
    for path, part in module.named_modules():
        closed = path not in graphs and layer_of(part) is None and container_of(part) is None
        if closed and not any(True for _ in (*part.parameters(), *part.buffers())):
            yield path


def _require_all(opened: dict[str, Opened]) -> None:
    for item in opened.values():
        for inner in item.uses:
            if inner not in opened:
                raise ClosedError(f"{inner} is held and never called, so that nobody can say what it does")


def _examples(graph: Any, tensors: Sequence[torch.Tensor]) -> dict[str, Any]:
    return {
        given["name"]: {"shape": list(tensor.shape[1:]), "dtype": str(tensor.dtype).removeprefix("torch.")}
        for given, tensor in zip(graph["inputs"], tensors, strict=False)
    }


def _frozen(module: nn.Module) -> list[str]:
    return [name for name, parameter in module.named_parameters() if not parameter.requires_grad]


def _prove(document: Document, module: nn.Module, inputs: Sequence[torch.Tensor]) -> None:
    """Build it and hold it against the original: keys and their order, shapes, dtypes, outputs."""
    problems = [problem for problem in check(document).problems if problem.severity == "error"]
    if problems:
        raise ClosedError(f"the document that says it has errors: {problems[0].message}")
    try:
        twin = build(document)
    except GraphError as error:
        raise ClosedError(f"no source can be written for it: {error}") from error
    own, others = module.state_dict(), twin.state_dict()
    if list(own) != list(others):
        odd = sorted(set(own) ^ set(others))[:5] or ["their order"]
        raise ClosedError(f"the rebuilt module has other state_dict keys: {', '.join(odd)}")
    try:
        twin.load_state_dict(own, strict=True)
    except RuntimeError as error:
        raise ClosedError(f"the rebuilt module does not take its state: {str(error)[:300]}") from error
    larger = [torch.cat([tensor, tensor[:1]]) if tensor.dim() else tensor for tensor in inputs]
    for batch in (inputs, larger):
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            expected = _evaluated(module, batch)
            torch.manual_seed(0)
            got = _evaluated(twin, batch)
        if not _equal(expected, got):
            raise ClosedError(f"the rebuilt module gives other outputs for {len(batch[0])} samples")


def _evaluated(module: nn.Module, inputs: Sequence[torch.Tensor]) -> Any:
    modes = {part: part.training for part in module.modules()}
    module.eval()
    try:
        return module(*inputs)
    finally:
        for part, mode in modes.items():
            part.training = mode


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor):
        return isinstance(other, torch.Tensor) and torch.equal(one, other)
    if isinstance(one, dict):
        return isinstance(other, dict) and list(one) == list(other) and all(_equal(one[k], other[k]) for k in one)
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(_equal(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other)
