"""From a live module back to a document: classes as blocks, calls as graphs, layers with their arguments."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from layerloom.graph.build import build
from layerloom.graph.checking import check
from layerloom.graph.errors import GraphError
from layerloom.graph.importing.classes import Opened, as_block, classes
from layerloom.graph.importing.containers import container_of
from layerloom.graph.importing.errors import ClosedError
from layerloom.graph.importing.leaves import layer_of
from layerloom.graph.importing.loops import looped
from layerloom.graph.importing.members import Members
from layerloom.graph.importing.modes import both
from layerloom.graph.importing.proof import Call, prove
from layerloom.graph.importing.record import recorded
from layerloom.graph.importing.sharing import Sharing
from layerloom.schema.document import Document

__all__ = ["ClosedError", "from_module"]


def from_module(module: nn.Module, example_inputs: Sequence[Any] | Mapping[str, Any]) -> Document:
    """Any module as an editable document: its classes become blocks, its containers stay containers.

    ``example_inputs`` are the arguments of one call, in order or by name, each tensor with its batch axis first. The
    module is run on them once without computing anything, and keeps its state and mode. What comes back is proven: the
    module that is built from the document has the same state_dict keys in the same order, loads this module's
    strictly, and gives the same outputs in evaluation, at another batch size, too, and in training.

    Raises:
        ClosedError: the module does what a document cannot say, or would be rebuilt as another; the sentence says why.
    """
    call = Call(named=example_inputs) if isinstance(example_inputs, Mapping) else Call(tuple(example_inputs))
    evaluating, training = (recorded(module, call, training=mode) for mode in (False, True))
    graphs = both(evaluating.graphs, training.graphs)
    constants = {path: {**evaluating.constants.get(path, {}), **training.constants.get(path, {})} for path in graphs}
    idle = frozenset(_idle(module, graphs))
    sharing = Sharing(module, set(_blocks(module, idle)))
    members = Members(sharing, idle, constants)
    opened: dict[str, Opened] = {}
    for path in dict.fromkeys(sharing.first(module.get_submodule(path)) for path in _blocks(module, idle)):
        part = module.get_submodule(path)
        found = [member.model_dump(mode="json", by_alias=True) for member in members.of(part, path)]
        block = as_block(found, graphs[path]) if path in graphs else as_block(found, _UNCALLED) | {"doc": _NOT_CALLED}
        block["version"] = max(type(part)._version, 1)
        opened[path] = Opened(path, type(part).__name__, block, list(_uses(found)), part, len(opened))
    blocks, main = classes(opened)
    document = Document.model_validate(
        {
            "name": type(module).__name__,
            "main": main,
            "blocks": {name: looped(block) for name, block in blocks.items()},
            "inputs": _examples(graphs[""], module, call),
            "frozen": _frozen(module),
        }
    )
    prove(_built(document), module, call)
    return document


_NOT_CALLED = "Not called by the network, which only holds it."
_UNCALLED = {"inputs": [{"name": "x"}], "output": {"$ref": "x"}}


def _blocks(module: nn.Module, idle: Collection[str]) -> Iterator[str]:
    """Qualified names of the modules that become blocks, their second names among them."""
    for path, part in module.named_modules(remove_duplicate=False):
        kept = not any(path == name or path.startswith(f"{name}.") for name in idle)
        if kept and (not path or (layer_of(part) is None and container_of(part) is None)):
            yield path


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


def _examples(graph: Any, module: nn.Module, call: Call) -> dict[str, Any]:
    given = inspect.signature(module.forward).bind(*call.positional, **call.named).arguments
    tensors = {item["name"]: given.get(item["name"]) for item in graph["inputs"]}
    return {
        name: {"shape": list(tensor.shape[1:]), "dtype": str(tensor.dtype).removeprefix("torch.")}
        for name, tensor in tensors.items()
        if isinstance(tensor, torch.Tensor)
    }


def _frozen(module: nn.Module) -> list[str]:
    return [name for name, parameter in module.named_parameters() if not parameter.requires_grad]


def _built(document: Document) -> nn.Module:
    problems = [problem for problem in check(document).problems if problem.severity == "error"]
    if problems:
        raise ClosedError(f"the document that says it has errors: {problems[0].message}")
    try:
        return build(document)
    except GraphError as error:
        raise ClosedError(f"no source can be written for it: {error}") from error
