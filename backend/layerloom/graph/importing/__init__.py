"""From a live module back to a document: classes as blocks, calls as graphs, layers with their arguments."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Literal

import torch
from torch import nn

from layerloom.graph.importing.classes import Opened, as_block, classes
from layerloom.graph.importing.closing import Closing
from layerloom.graph.importing.containers import container_of
from layerloom.graph.importing.errors import ClosedError
from layerloom.graph.importing.leaves import layer_of
from layerloom.graph.importing.loops import looped
from layerloom.graph.importing.members import Members
from layerloom.graph.importing.modes import both
from layerloom.graph.importing.parts import part_of
from layerloom.graph.importing.proof import Call, prove
from layerloom.graph.importing.record import recorded, restoring
from layerloom.graph.importing.sharing import Sharing
from layerloom.graph.importing.twin import built, culprit
from layerloom.graph.walk import block_order
from layerloom.schema.document import Document

__all__ = ["ClosedError", "from_module"]


def from_module(
    module: nn.Module,
    example_inputs: Sequence[Any] | Mapping[str, Any],
    closed: Literal["keep", "refuse"] = "keep",
    part: str = "",
) -> Document:
    """Any module as an editable document: its classes become blocks, its containers stay containers.

    ``example_inputs`` are the arguments of one call, in order or by name, each tensor with its batch axis first. The
    module is run on them once without computing anything, and keeps its state and mode. What comes back is proven: the
    module that is built from the document has the same state_dict keys in the same order, loads this module's
    strictly, and gives the same outputs in evaluation, at another batch size, too, and in training.

    The smallest modules inside that do what a document cannot say come back as opaque members, each with a note of the
    reason, and ``check`` tells of them; all around them is proven with the original's own modules in their places.
    With ``closed="refuse"`` one such is enough to raise.

    ``part="backbone"`` opens a part alone, with the arguments that the module gives it when it is run for real on
    ``example_inputs``, in evaluation; ``part="backbone+head"`` opens several as one that take each other's results, and
    gives what the last one gives. Lists and dicts of tensors become an input for each tensor. The keys are the part's
    own; those of several are the module's.

    Raises:
        ClosedError: the module itself does what a document cannot say, or would be rebuilt as another; the sentence
            says why.
    """
    call = Call(named=example_inputs) if isinstance(example_inputs, Mapping) else Call(tuple(example_inputs))
    if part:
        taken = part_of(module, call, part)
        module, call = taken.module, taken.call
    closing = Closing(keep=closed == "keep")
    searches = 0
    with restoring(module):
        while True:
            try:
                document = _read(module, call, closing)
            except ClosedError as error:
                _close(closing, error)
                continue
            twin = built(document, module, closing)
            try:
                prove(twin, module, call)
            except ClosedError as error:
                searches += 1
                path = culprit(twin, module, call, closing) if closing.keep and searches <= SEARCHES else None
                if path is None:
                    raise
                _close(closing, ClosedError(_OTHER.format(error), path))
            else:
                return document


SEARCHES = 8
"""Modules that are closed because they do, when they run, something else than they were seen to do."""
_OTHER = "what it was seen to do is not all that it does ({})"


def _close(closing: Closing, error: ClosedError) -> None:
    """Close the module that an error names. Raises it where it names none, or one that is closed."""
    if not error.path or error.path in closing.notes:
        raise error
    closing.close(error.path, error)
    closing.settle()


def _read(module: nn.Module, call: Call, closing: Closing) -> Document:
    """The document of what a module has and does. ``closing`` grows by what cannot be read."""
    while True:
        known = set(closing.notes)
        evaluating, training = (recorded(module, call, training=mode, closing=closing) for mode in (False, True))
        if set(closing.notes) != known:
            continue  # the first of the two modes did not know yet what the other one closed
        graphs = both(evaluating.graphs, training.graphs)
        constants = {
            path: {**evaluating.constants.get(path, {}), **training.constants.get(path, {})} for path in graphs
        }
        opened = _opened(module, graphs, constants, closing)
        if set(closing.notes) == known:
            break  # else there were layers that cannot be made anew: what is around them is read once more
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
    # What torch puts around a parametrized layer was recorded as a class, and the layer tells it in its own words.
    needed = block_order(document)
    return document.model_copy(
        update={"blocks": {name: block for name, block in document.blocks.items() if name in needed}}
    )


def _opened(module: nn.Module, graphs: Any, constants: Any, closing: Closing) -> dict[str, Opened]:
    """The modules that become blocks, by qualified name."""
    idle = frozenset(_idle(module, graphs, closing))
    paths = list(_blocks(module, idle, closing))
    sharing = Sharing(module, set(paths), closing)
    members = Members(sharing, idle, constants, closing)
    opened: dict[str, Opened] = {}
    for path in dict.fromkeys(sharing.first(module.get_submodule(path)) for path in paths):
        part = module.get_submodule(path)
        found = [member.model_dump(mode="json", by_alias=True) for member in members.of(part, path)]
        block = as_block(found, graphs[path]) if path in graphs else as_block(found, _UNCALLED) | {"doc": _NOT_CALLED}
        block["version"] = max(type(part)._version, 1)
        opened[path] = Opened(path, type(part).__name__, block, list(_uses(found)), part, len(opened))
    return opened


_NOT_CALLED = "Not called by the network, which only holds it."
_UNCALLED = {"inputs": [{"name": "x"}], "output": {"$ref": "x"}}


def _blocks(module: nn.Module, idle: Collection[str], closing: Closing) -> Iterator[str]:
    """Qualified names of the modules that become blocks, their second names among them."""
    closed = {id(module.get_submodule(path)) for path in closing.notes}
    for path, part in module.named_modules(remove_duplicate=False):
        kept = not any(path == name or path.startswith(f"{name}.") for name in idle)
        if id(part) in closed or closing.within(path):
            continue
        if kept and (not path or (layer_of(part) is None and container_of(part) is None)):
            yield path


def _uses(members: Any) -> Any:
    """Qualified names of the modules that members are uses of."""
    for member in members:
        if member["kind"] == "block":
            yield member["block"]
        yield from _uses(member.get("items", []))


def _idle(module: nn.Module, graphs: Any, closing: Closing) -> Iterator[str]:
    """Modules that are held and never called, and hold nothing that a state_dict would keep."""
    for path, part in module.named_modules():
        if path in closing.notes or closing.within(path):
            continue
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
