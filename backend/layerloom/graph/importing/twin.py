"""The module that is built from an imported document, for its proof: closed members are the original's own modules."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.utils._pytree import tree_leaves, tree_map_only

from layerloom.graph.build import build, load
from layerloom.graph.checking import check
from layerloom.graph.errors import GraphError
from layerloom.graph.importing.closing import Closing
from layerloom.graph.importing.containers import container_of
from layerloom.graph.importing.errors import ClosedError
from layerloom.graph.importing.proof import SEED, Call, equal, kept
from layerloom.graph.source import write
from layerloom.schema.document import (
    CONTAINERS,
    Block,
    BlockUse,
    Document,
    Graph,
    GraphInput,
    Opaque,
    Repeat,
)
from layerloom.schema.problems import ProblemCode


def built(document: Document, module: nn.Module, closing: Closing) -> nn.Module:
    """The module of a document, with copies of the closed modules of the original in their places.

    Raises:
        ClosedError: the document has other errors than closed members, or no source can be written for it.
    """
    problems = [problem for problem in check(document).problems if problem.severity == "error"]
    others = [problem for problem in problems if problem.code is not ProblemCode.OPAQUE_MEMBER]
    if others:
        raise ClosedError(f"the document that says it has errors: {others[0].message}")
    try:
        if not problems:
            return build(document)
        made = getattr(load(write(_standing_in(document))), document.main)()
    except GraphError as error:
        raise ClosedError(f"no source can be written for it: {error}") from error
    assert isinstance(made, nn.Module)
    memo: dict[int, Any] = {}
    closed = {id(module.get_submodule(path)) for path in closing.notes}
    for path, part in module.named_modules(remove_duplicate=False):
        if id(part) in closed and not closing.within(path):
            made.set_submodule(path, _copied(part, memo))
    return made


def _copied(part: nn.Module, memo: dict[int, Any]) -> nn.Module:
    """A module with a state of its own, or the same where it cannot be copied."""
    try:
        made = copy.deepcopy(part, memo)
    except Exception:
        return part
    assert isinstance(made, nn.Module)
    return made


def _standing_in(document: Document) -> Document:
    """The document with a class that does nothing for every closed member, taking what that is given."""
    blocks = dict(document.blocks)
    names: dict[str, str] = {}

    def replaced(member: Any) -> Any:
        match member:
            case Opaque():
                return BlockUse(name=member.name, block=stand_in(member), when=member.when)
            case Repeat():
                return member.model_copy(update={"item": replaced(member.item)})
            case _ if isinstance(member, CONTAINERS):
                return member.model_copy(update={"items": [replaced(item) for item in member.items]})
        return member

    def stand_in(member: Opaque) -> str:
        inputs = [GraphInput(name=given.name, optional=given.keyword) for given in member.inputs]
        key = repr(inputs)
        if key not in names:
            names[key] = next(name for name in _names() if name not in blocks)
            blocks[names[key]] = Block(forward=Graph(inputs=inputs))
        return names[key]

    for name, block in document.blocks.items():
        blocks[name] = block.model_copy(update={"members": [replaced(member) for member in block.members]})
    return document.model_copy(update={"blocks": blocks})


def _names() -> Iterator[str]:
    number = 1
    while True:
        yield f"Closed{number}"
        number += 1


# --- where a twin is another


def culprit(twin: nn.Module, module: nn.Module, call: Call, closing: Closing) -> str | None:
    """The first module, innermost first, in which a twin differs: in its state_dict's keys, or in what it gives."""
    names = [path for path in _opened(module, closing) if _has(twin, path)]
    for path in sorted(names, key=lambda name: name.count("."), reverse=True):
        if list(twin.get_submodule(path).state_dict()) != list(module.get_submodule(path).state_dict()):
            return path
    for inputs, training in call.batches():
        expected, got = (_Watch(one, names).run(inputs, training) for one in (module, twin))
        if expected.failed:
            continue
        for one in expected.ended:
            other = got.next_of(one.path)
            if other is not None and equal(one.given, other.given) and not equal(one.result, other.result):
                return one.path
    return None


def _opened(module: nn.Module, closing: Closing) -> Iterator[str]:
    """Names of the modules that were opened, layers among them; what is called in a container is called by name."""
    for path, part in module.named_modules():
        known = path in closing.notes or closing.within(path)
        if path and not known and (container_of(part) is None or isinstance(part, nn.Sequential)):
            yield path


def _has(twin: nn.Module, path: str) -> bool:
    try:
        twin.get_submodule(path)
    except AttributeError:
        return False
    return True


_NOTHING = object()
"""The result of a call that did not end."""


@dataclass(eq=False)
class _Called:
    """One call of a module."""

    path: str
    given: list[Any]
    result: Any = _NOTHING


@dataclass
class _Watch:
    """What the modules inside one are given and give."""

    module: nn.Module
    names: list[str]
    begun: list[_Called] = field(default_factory=list)
    ended: list[_Called] = field(default_factory=list)
    failed: bool = False

    def run(self, call: Call, training: bool) -> _Watch:
        hooks = []
        running: list[_Called] = []

        def hear(path: str, part: nn.Module) -> None:
            def before(_module: nn.Module, given: Any, named: Any) -> None:
                tensors = [item.clone() for item in tree_leaves((given, named)) if isinstance(item, torch.Tensor)]
                running.append(_Called(path, tensors))
                self.begun.append(running[-1])

            def after(_module: nn.Module, _given: Any, result: Any) -> None:
                ended = running.pop()
                ended.result = tree_map_only(torch.Tensor, torch.clone, result)
                self.ended.append(ended)

            hooks.append(part.register_forward_pre_hook(before, prepend=True, with_kwargs=True))
            hooks.append(part.register_forward_hook(after))

        for path in self.names:
            hear(path, self.module.get_submodule(path))
        try:
            with torch.no_grad(), torch.random.fork_rng(devices=[]), kept(self.module):
                torch.manual_seed(SEED)
                self.module.train(training)(*call.positional, **call.named)
        except Exception:
            self.failed = True
        finally:
            for hook in hooks:
                hook.remove()
        return self

    def next_of(self, path: str) -> _Called | None:
        """The next call of a module; None where it is called less often."""
        found = next((called for called in self.begun if called.path == path), None)
        if found is not None:
            self.begun.remove(found)
        return found
