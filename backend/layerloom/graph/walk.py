"""What a document's text alone tells: which members a block has, what a path leads to, in which order nodes run.

The check and the writer see a document through these functions, so that both mean the same by a path and an order.
Nothing that reads a name is evaluated here; ``layerloom.graph.places`` does that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from layerloom.catalogue import find
from layerloom.graph.errors import refuse
from layerloom.graph.expressions import ExpressionError, parse
from layerloom.schema.document import (
    CONTAINERS,
    Alias,
    Block,
    BlockArgument,
    BlockUse,
    Buffer,
    ChooseNode,
    Container,
    Document,
    FunctionNode,
    GetNode,
    Graph,
    GraphInput,
    Item,
    Layer,
    Member,
    Node,
    Opaque,
    Parameter,
    Repeat,
)
from layerloom.schema.problems import ProblemCode
from layerloom.schema.values import Expr, If, Ref, Value, refs, walk

_SCALARS = (int, float, bool, str, type(None))
SET_ITEM = "operator.setitem"
DICTS = ("module_dict", "parameter_dict")
"""Containers whose items have keys; in the others items have indices."""


@dataclass(frozen=True, slots=True)
class Step:
    """One segment of a path: ``self`` ``.stages`` ``[0]`` ``["color"]``."""

    name: str
    kind: str
    """``attribute``, ``index`` (of a Sequential, ModuleList, ParameterList) or ``key``."""
    member: Layer | BlockUse | Opaque | Container | Parameter | Buffer | None
    """What stands there, aliases followed; None for a tensor of a layer (``embed.weight``)."""


def order(graph: Graph) -> list[Node]:
    """The nodes as they run: in list order, a node that an earlier one refers to being pulled in front of that.

    References to unknown ids are passed over. Raises GraphError (``cycle``) naming the nodes of the cycle.
    """
    nodes = {node.id: node for node in graph.nodes}
    if _in_order(graph.nodes, nodes):
        return list(graph.nodes)
    state: dict[str, bool] = {}  # False while its references are being placed, True once it is placed
    placed: list[Node] = []
    for root in graph.nodes:
        stack = [root]
        while stack:
            node = stack[-1]
            if state.get(node.id):
                stack.pop()
                continue
            state[node.id] = False
            waiting = [ref for ref in references(node) if ref in nodes and not state.get(ref)]
            loop = next((ref for ref in waiting if ref in state), None)
            if loop is not None:
                path = [item.id for item in stack if state.get(item.id) is False]
                path = path[path.index(loop) :]
                message = f"these nodes wait for each other: {' → '.join([*path, loop])}"
                raise refuse(ProblemCode.CYCLE, message, node=loop)
            if waiting:
                stack.append(nodes[waiting[0]])
            else:
                state[node.id] = True
                placed.append(node)
                stack.pop()
    return placed


def _in_order(listed: list[Node], nodes: dict[str, Node]) -> bool:
    """Whether each node stands behind those that it needs, as documents mostly have it."""
    if len(nodes) != len(listed):
        return False
    waiting = set(nodes)
    for node in listed:
        if not waiting.isdisjoint(references(node)):
            return False
        waiting.discard(node.id)
    return True


def argument_values(node: Node) -> Iterator[tuple[str, Value]]:
    """What a node is given, by name; the key of a choice among them."""
    if not isinstance(node, GetNode):
        yield from node.arguments.items()
        if node.op == "choose":
            yield "key", node.key


def changes(node: Node) -> bool:
    """Whether a node changes a tensor in place, so that it has to run even where nobody reads its result."""
    if not isinstance(node, FunctionNode):
        return False
    entry = find(node.target)
    return entry is not None and (entry.category == "in place" or node.target == SET_ITEM)


def conditional(document: Document, name: str) -> bool:
    """Whether a forward does other things where ``name`` holds than where it does not: ``training``, mostly."""
    graphs = [block.forward for block in document.blocks.values()]
    return any(_chooses(graph) for graph in graphs) and any(_reads(graph, name) for graph in graphs)


def _chooses(graph: Graph) -> bool:
    """Whether a forward does or gives anything under a condition."""
    return any(node.when is not None for node in graph.nodes) or any(isinstance(part, If) for part in _parts(graph))


def _reads(graph: Graph, name: str) -> bool:
    """Whether an expression of a forward has a name in it; so has what cannot be read."""
    texts = {node.when for node in graph.nodes if node.when is not None}
    texts.update(
        part.test if isinstance(part, If) else part.expr for part in _parts(graph) if isinstance(part, If | Expr)
    )
    try:
        return any(name in parse(text).names for text in texts)
    except ExpressionError:
        return True


def _parts(graph: Graph) -> Iterator[Value]:
    """What a forward's nodes are given and what it returns, and everything inside it; connections alone left out."""
    yield from walk(graph.output)
    for node in graph.nodes:
        if isinstance(node, ChooseNode):
            yield from walk(node.key)
        for value in node.arguments.values() if not isinstance(node, GetNode) else ():
            if type(value) is not Ref and type(value) not in _SCALARS:
                yield from walk(value)


def references(node: Node) -> list[str]:
    """Ids that a node's arguments refer to, in reading order, each once."""
    if isinstance(node, GetNode):
        return []
    found: list[str] = []
    for value in node.arguments.values():
        if type(value) is Ref:  # by far the most; thousands are asked for in each check
            found.append(value.ref)
        elif type(value) not in _SCALARS:
            found.extend(ref.ref for ref in refs(value))
    if node.op == "choose":
        found.extend(ref.ref for ref in refs(node.key))
    return found if len(found) < 2 else list(dict.fromkeys(found))


def block_order(document: Document) -> list[str]:
    """Names of the blocks that the main block needs, each after those that it uses, the main block last.

    Raises GraphError: ``unknown_block``, ``recursion``.
    """
    placed: list[str] = []
    around: list[str] = []

    def place(name: str) -> None:
        if name in around:
            raise refuse(ProblemCode.RECURSION, f"block {name} contains itself", block=name)
        if name in placed:
            return
        around.append(name)
        for use in uses(block_of(document, name)):
            place(use.block)
        around.pop()
        placed.append(name)

    place(document.main)
    return placed


def uses(block: Block) -> Iterator[BlockUse]:
    """The uses of other blocks in a block, those inside containers and repeats too, in order."""
    return (member for member in members(block) if isinstance(member, BlockUse))


def members(block: Block) -> Iterator[Member | Repeat]:
    """Every member of a block and every item inside it, as written, outermost first."""
    pending: list[Any] = list(reversed(block.members))
    while pending:
        member = pending.pop()
        yield member
        if isinstance(member, Repeat):
            pending.append(member.item)
        elif isinstance(member, CONTAINERS):
            pending.extend(reversed(member.items))


def forward_inputs(block: Block) -> list[GraphInput]:
    """The parameters of a block's forward as they are written: Python wants the optional ones behind the others."""
    return sorted(block.forward.inputs, key=lambda given: given.optional)


def constructor_arguments(block: Block) -> list[BlockArgument]:
    """The parameters of a block's ``__init__``, in the same way."""
    return sorted(block.arguments, key=lambda argument: not argument.required)


def block_of(document: Document, name: str, **place: Any) -> Block:
    """A block by name; GraphError ``unknown_block`` otherwise."""
    if name not in document.blocks:
        code = ProblemCode.MAIN_MISSING if name == document.main else ProblemCode.UNKNOWN_BLOCK
        raise refuse(code, f"there is no block named {name[:64]!r}", **place)
    return document.blocks[name]


def steps(document: Document, block: str, path: str) -> list[Step]:
    """What each segment of a path stands for, without expanding anything; aliases and blocks are followed.

    Raises GraphError ``unknown_member`` where the path leads nowhere. An index behind a repeat whose length
    depends on arguments is accepted and stands for that repeat's item.
    """
    found: list[Step] = []
    inside: Block | Container | Layer = block_of(document, block)
    for name in path.split("."):
        step = _step(document, inside, name)
        if step is None:
            message = f"block {block} has no member {path[:200]}"
            raise refuse(ProblemCode.UNKNOWN_MEMBER, message, block=block, member=path)
        found.append(step)
        match step.member:
            case BlockUse(block=inner):
                inside = block_of(document, inner, block=block, member=path)
            case None | Parameter() | Buffer() | Opaque():
                inside = Layer(name=name, target="")
            case member:
                inside = member
    return found


def _step(document: Document, inside: Block | Container | Layer, name: str) -> Step | None:
    if isinstance(inside, Layer):
        entry = find(inside.target)
        return Step(name, "attribute", None) if entry is not None and name in entry.tensors else None
    if isinstance(inside, Block):
        member = _named(_Same(inside)).get(name)
        if isinstance(member, Alias):
            return Step(name, "attribute", _aliased(document, inside, member))
        return None if member is None else Step(name, "attribute", member)
    item = item_named(inside, name)
    if item is None:
        return None
    named = inside.kind == "sequential" and not positional(inside)
    return Step(name, "key" if inside.kind in DICTS else "attribute" if named else "index", item)


class _Same:
    """A block as itself, whatever it is equal to."""

    def __init__(self, block: Block) -> None:
        self.block = block

    def __hash__(self) -> int:
        return id(self.block)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.block is other.block


@lru_cache(maxsize=64)
def _named(same: _Same) -> dict[str, Member]:
    """A block's members by name; of two with one name the first. Thousands may be asked for one after the other."""
    return {member.name: member for member in reversed(same.block.members)}


def _aliased(document: Document, block: Block, alias: Alias) -> Any:
    """The member that an alias stands for; None for a tensor of a layer. Only earlier members can be meant."""
    earlier = block.members[: block.members.index(alias)]
    inside: Any = Block(members=earlier)
    for name in alias.of.split("."):
        step = _step(document, inside, name)
        if step is None:
            raise refuse(ProblemCode.UNKNOWN_MEMBER, f"there is no earlier member {alias.of[:200]}", member=alias.name)
        inside = step.member
        if isinstance(inside, BlockUse):
            inside = document.blocks.get(inside.block, Block())
    return step.member if step else None


def item_named(container: Container, name: str) -> Any:
    """The item of a container at an index or key, as written; the item of a repeat where one may give it."""
    index = item_index(container, name)
    return None if index is None else innermost(container.items[index])


def item_index(container: Container, name: str) -> int | None:
    """Which item of a container, as written, an index or key leads to."""
    if not positional(container):
        repeated = None
        for at, item in enumerate(container.items):
            if not isinstance(item, Repeat):
                if item.name == name:
                    return at
            elif repeated is None:
                repeated = at
        return repeated
    if not name.isdecimal():
        return None
    index = int(name)
    for at, item in enumerate(container.items):
        count = copies(item)
        if count is None or index < count:
            return at
        index -= count
    return None


def copies(item: Item) -> int | None:
    """How often an item is there, where its text alone tells: ``range(3)`` does, ``range(depth)`` does not."""
    count = 1
    while isinstance(item, Repeat):
        length = _length(item.over.expr)
        if length is None:
            return None
        count *= length
        item = item.item
    return count


@lru_cache(maxsize=1024)
def _length(text: str) -> int | None:
    try:
        expression = parse(text)
        return None if expression.names else len(expression.evaluate({}))
    except (ExpressionError, TypeError):
        return None


def innermost(item: Item) -> Any:
    """What a repeat makes copies of."""
    while isinstance(item, Repeat):
        item = item.item
    return item


def positional(container: Container) -> bool:
    """Whether items are named by their place, ``0 … n-1``: those of a list, of a repeat, or named just so."""
    if container.kind in DICTS:
        return False
    if container.kind != "sequential" or any(isinstance(item, Repeat) for item in container.items):
        return True
    names = [item.name for item in container.items if not isinstance(item, Repeat)]
    return names == [str(index) for index in range(len(names))]


def join(around: str, path: str) -> str:
    """A path below another one, as state_dict keys have it; either may be empty."""
    return f"{around}.{path}" if around and path else around or path


def pointer_of(block: str) -> str:
    """JSON pointer of a block in its document."""
    return "/blocks/" + block.replace("~", "~0").replace("/", "~1")
