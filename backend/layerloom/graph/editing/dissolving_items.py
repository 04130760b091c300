"""Dissolving an instance that is an item of a container: a container takes its place, and no state_dict key changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

from layerloom.graph.editing.apart import set_apart
from layerloom.graph.editing.inlining import drawn, inlined, inner_ids, with_arguments, without_unused
from layerloom.graph.editing.items import changed, real, use_at
from layerloom.graph.editing.moves import Edited, through
from layerloom.graph.editing.substitution import condition
from layerloom.graph.editing.unlooping import first_input, unlooped
from layerloom.graph.errors import refuse
from layerloom.graph.names import attributes
from layerloom.graph.walk import block_of, item_index, order, steps
from layerloom.schema.document import (
    Alias,
    Block,
    BlockUse,
    CallNode,
    Document,
    LoopNode,
    Member,
    ModuleDict,
    Node,
    Parameter,
    ParameterDict,
    Sequential,
)
from layerloom.schema.problems import ProblemCode
from layerloom.schema.values import Ref


def dissolve_item(document: Document, block: str, path: str) -> Edited:
    """See ``dissolve``."""
    path = real(block_of(document, block).members, path)
    apart = set_apart(document, block, path)
    use = use_at(apart, block, path)
    made = with_arguments(apart, use, block)
    around = _Around(apart, block, path)
    around.check_names()
    edited = around.chained(use, made) if _is_chain(apart, made) else None
    return Edited(without_unused(edited or around.inlined(use, made), use.block))


def _is_chain(document: Document, made: Block) -> bool:
    """Whether a Sequential of the members does what the forward does."""
    if len(made.forward.inputs) != 1:
        return False
    value: Any = Ref(ref=made.forward.inputs[0].name)
    nodes = order(made.forward)
    if len(nodes) != len(made.members):
        return False
    for node, member in zip(nodes, made.members, strict=True):
        if not isinstance(node, CallNode) or node.target != member.name or node.when or condition(member):
            return False
        if node.arguments != {first_input(document, member): value}:
            return False
        value = Ref(ref=node.id)
    return bool(made.forward.output == value)


class _Around:
    """A block with an instance of a class as an item of one of its containers."""

    def __init__(self, document: Document, block: str, path: str) -> None:
        self._document = document
        self._block = block
        self._path = path
        self._its = block_of(document, block)
        parts = path.split(".")
        self._containers = {".".join(parts[:count]) for count in range(1, len(parts))}

    def check_names(self) -> None:
        """Refuse where the instance, or a container that it is in, has a second name."""
        for name, its in self._document.blocks.items():
            for alias in (it for it in its.members if isinstance(it, Alias)):
                of = self._own(name, alias.of)
                if of == self._path or of in self._containers:
                    message = f"{alias.name} is a second name of {of}. Take that away first"
                    raise refuse(ProblemCode.ARGUMENT_INVALID, message, block=name, member=alias.name)
                if self._own(name, alias.name.rpartition(".")[0]) == self._path:
                    message = f"{alias.name} is replaced from outside. Take that away first"
                    raise refuse(ProblemCode.ARGUMENT_INVALID, message, block=name, member=alias.name)

    def _own(self, block: str, path: str) -> str | None:
        """A path of any block as one of this block."""
        if block == self._block:
            return path
        parts = through(self._document, block, path, self._block) if path else None
        return parts[1] if parts else None

    def chained(self, use: BlockUse, made: Block) -> Document | None:
        """The document with a Sequential in the place of the instance; None where that is called with more values."""
        renamed: dict[str, dict[str, Node]] = {}
        for name, node in self._reaching():
            fits, renames = self._one_value(name, node, made)
            if not fits:
                return None
            if renames:
                [value] = node.arguments.values()
                renamed.setdefault(name, {})[node.id] = node.model_copy(update={"arguments": {"input": value}})
        blocks = dict(self._document.blocks)
        for name, changes in renamed.items():
            graph = blocks[name].forward
            nodes = [changes.get(node.id, node) for node in graph.nodes]
            blocks[name] = blocks[name].model_copy(update={"forward": graph.model_copy(update={"nodes": nodes})})
        document = self._document.model_copy(update={"blocks": blocks})
        return self._with(document, self._held(Sequential, use, made))

    def _one_value(self, name: str, node: Any, made: Block) -> tuple[bool, bool]:
        """Whether a node gives the instance one value and no more, and whether that has to be called ``input`` then."""
        own, parent = self._own(name, node.target), self._path.rpartition(".")[0]
        if own == self._path:
            return {*node.arguments} == {made.forward.inputs[0].name}, True
        if own != parent or isinstance(node, CallNode):
            return True, False  # through a Sequential, which hands on one value
        if isinstance(node, LoopNode):
            return {*node.arguments} == {"input"}, False
        # The first item of a dict says how the values for all are called.
        container: Any = steps(self._document, name, node.target)[-1].member
        return len(node.arguments) == 1, item_index(container, self._path.rpartition(".")[2]) == 0

    def inlined(self, use: BlockUse, made: Block) -> Document:
        """The document with a dict in the place of the instance, and the nodes of the class in that of its calls."""
        for name, node in self._reaching():
            if name != self._block:
                message = f"block {name} calls {self._own(name, node.target)}, too, and {use.block} is no chain"
                raise refuse(ProblemCode.ARGUMENT_INVALID, message, block=name, node=node.id)
        graph = unlooped(self._document, self._block, self._containers)
        calls = [node for node in graph.nodes if isinstance(node, CallNode) and node.target == self._path]
        ids = inner_ids(graph, made, calls)
        for call in calls:
            graph = inlined(graph, call.id, made, lambda path: f"{self._path}.{path}", ids[call.id])
        its = self._its.model_copy(update={"forward": graph})
        document = self._document.model_copy(update={"blocks": {**self._document.blocks, self._block: its}})
        tensors = bool(made.members) and all(isinstance(it, Parameter) for it in made.members)
        document = self._with(document, self._held(ParameterDict if tensors else ModuleDict, use, made), made)
        return drawn(document, self._block, use.block, ids)

    def _reaching(self) -> Iterator[tuple[str, Any]]:
        """Nodes of any block that call the instance, or a container that it is in."""
        for name, its in self._document.blocks.items():
            for node in its.forward.nodes:
                if node.op not in ("function", "get"):
                    own = self._own(name, node.target)
                    if own == self._path or own in self._containers:
                        yield name, node

    def _held(self, kind: Any, use: BlockUse, made: Block) -> Any:
        """The members of the class as items of a container."""
        parameters = kind is ParameterDict
        items = [it for it in made.members if not (isinstance(it, Alias) and "." in it.name)]
        held = kind(name=use.name)
        for item in items:
            if isinstance(item, Alias):
                self._refuse(f"{use.block} has {item.name} as a second name of {item.of}")
            if item.kind == "buffer" or (isinstance(item, Parameter) and not parameters):
                self._refuse(f"{use.block} has the {item.kind} {item.name}, and a {kind.__name__} holds layers only")
            if condition(item):
                self._refuse(f"{item.name} of {use.block} is there under a condition only")
            if item.name in attributes(held.kind):
                self._refuse(f"a {kind.__name__} has a method {item.name}", f"Rename it in {use.block}")
        return held.model_copy(update={"items": items})

    def _refuse(self, reason: str, remedy: str = "") -> NoReturn:
        remedy = remedy or f"Call a member of its own in the place of {self._path}, and dissolve that"
        message = f"{reason}, so that no container can take the place of {self._path}. {remedy}"
        raise refuse(ProblemCode.ARGUMENT_INVALID, message, block=self._block, member=self._path)

    def _with(self, document: Document, held: Any, made: Block | None = None) -> Document:
        """The document with a container in the place of the instance, and the ties of the class behind it."""
        its = document.blocks[self._block]
        ties: list[Member] = [
            it.model_copy(update={"name": f"{self._path}.{it.name}", "of": f"{self._path}.{it.of}"})
            for it in (made.members if made else ())
            if isinstance(it, Alias) and "." in it.name
        ]
        members: list[Member] = []
        for member in changed(document, self._block, self._path, lambda _: held):
            members += [member, *ties] if member.name == self._path.partition(".")[0] else [member]
        blocks = {**document.blocks, self._block: its.model_copy(update={"members": members})}
        return document.model_copy(update={"blocks": blocks})
