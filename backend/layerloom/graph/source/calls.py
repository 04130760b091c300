"""One node of a forward graph as an expression, and what is known of the shape of its result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from layerloom.catalogue import find, resolve
from layerloom.graph import code
from layerloom.graph.code import Code
from layerloom.graph.source.members import access
from layerloom.graph.source.values import Values
from layerloom.graph.walk import forward_inputs, steps
from layerloom.schema.catalogue import Entry, ParameterSpec
from layerloom.schema.document import (
    CONTAINERS,
    BlockUse,
    CallNode,
    ChooseNode,
    Document,
    FunctionNode,
    GetNode,
    Layer,
    LoopNode,
    Node,
    Repeat,
    Sequential,
)
from layerloom.schema.values import Arguments, Ref, refs

INFIX = {
    "operator.add": "+",
    "operator.sub": "-",
    "operator.mul": "*",
    "operator.truediv": "/",
    "operator.floordiv": "//",
    "operator.mod": "%",
    "operator.matmul": "@",
    "operator.pow": "**",
    "operator.lshift": "<<",
    "operator.rshift": ">>",
    "operator.and_": "&",
    "operator.or_": "|",
    "operator.xor": "^",
    "operator.eq": "==",
    "operator.ne": "!=",
    "operator.lt": "<",
    "operator.le": "<=",
    "operator.gt": ">",
    "operator.ge": ">=",
}
PREFIX = {"operator.neg": "-", "operator.pos": "+", "operator.invert": "~"}


def write_call(document: Document, block: str, node: Node, values: Values) -> Code:
    """The expression that computes a node; a loop is a statement and not written here."""
    match node:
        case GetNode(target=target):
            return access(document, block, target)
        case FunctionNode(target=target, arguments=arguments):
            beside = placed_beside(document, block, node)
            return _function(target, arguments, values, beside)
        case CallNode(target=target, arguments=arguments):
            callee = steps(document, block, target)[-1].member
            return code.call(access(document, block, target), values.arguments(inputs(document, callee), arguments))
        case ChooseNode(key=key, target=target, arguments=arguments):
            head = code.index(access(document, block, target), [values.write(key)])
            return code.call(head, values.arguments(item_inputs(document, block, target), arguments))
    raise TypeError(f"a {node.op} is no expression")


def inputs(document: Document, member: Any) -> Sequence[ParameterSpec]:
    """The parameters of a member's forward, in order."""
    match member:
        case BlockUse(block=name):
            given = forward_inputs(document.blocks[name])
            return [ParameterSpec(name=item.name, kinds=["tensor"], required=not item.optional) for item in given]
        case Layer(target=target):
            entry = find(target)
            assert entry is not None
            ports = [ParameterSpec(name=port.name, kinds=["tensor"], required=port.required) for port in entry.inputs]
            return [*ports, *entry.options]
    return [ParameterSpec(name="input", kinds=["tensor"], required=True)]


def item_inputs(document: Document, block: str, target: str) -> Sequence[ParameterSpec]:
    """The same of a container's items, which a loop or a choice calls: those of the first item."""
    container = steps(document, block, target)[-1].member
    if not isinstance(container, CONTAINERS) or not container.items:
        return inputs(document, None)
    item: Any = container.items[0]
    while isinstance(item, Repeat):
        item = item.item
    return inputs(document, item)


def placed_beside(document: Document, block: str, node: Node) -> str | None:
    """The forward input on whose device an operation that makes a tensor from nothing has to make it.

    Left alone, torch would make it on the CPU, wherever the module is. None where the operation takes tensors, says
    where it wants its result, or where no input is sure to be a tensor.
    """
    if not isinstance(node, FunctionNode) or "device" in node.arguments:
        return None
    entry = find(node.target)
    if entry is None or not any(parameter.name == "device" for parameter in entry.parameters):
        return None
    takes = {parameter.name for parameter in entry.parameters if "tensor" in parameter.kinds}
    if any(True for name, value in node.arguments.items() if name in takes for _ in refs(value)):
        return None
    graph = document.blocks[block].forward
    sure = {name for other in graph.nodes for name in _taken_as_tensors(document, block, other)}
    return next((given.name for given in graph.inputs if not given.optional and given.name in sure), None)


def _taken_as_tensors(document: Document, block: str, node: Node) -> Iterator[str]:
    """What a node refers to where it takes nothing but tensors."""
    if isinstance(node, GetNode) or (isinstance(node, FunctionNode) and node.target.startswith("operator.")):
        return
    if isinstance(node, FunctionNode):
        entry = find(node.target)
        ports = {spec.name for spec in entry.parameters if spec.kinds == ["tensor"]} if entry else set()
    elif isinstance(steps(document, block, node.target)[-1].member, Layer | Sequential):
        ports = set(node.arguments)
    else:
        return
    for name in ports:
        value = node.arguments.get(name)
        if isinstance(value, Ref) and not value.path:
            yield value.ref


def _function(target: str, arguments: Arguments, values: Values, beside: str | None) -> Code:
    entry = find(target)
    if entry is None:
        raise ValueError(f"{target[:80]!r} is no operation of the catalogue")
    if target.startswith("operator."):
        return _operator(entry, arguments, values)
    parameters = _as_said(entry)
    if not target.startswith("torch.Tensor."):
        written = values.arguments(parameters, arguments)
        if beside is not None:
            device = code.attribute(values.reference(Ref(ref=beside)), "device")
            written.append(code.keyword("device", device))
        return code.call(values.imports.target(target), written)
    receiver, *specs = parameters
    rest = {key: value for key, value in arguments.items() if key != receiver.name}
    method = code.attribute(values.write(arguments.get(receiver.name)), target.removeprefix("torch.Tensor."))
    if not callable(resolve(target)):
        return method
    return code.call(method, values.arguments(specs, rest))


def _as_said(entry: Entry) -> list[ParameterSpec]:
    """The parameters, those marked as required that one gives by position: ``x.size(0)``, ``torch.where(mask, a, b)``.

    The second tensor goes where the first is, and the first axis of what changes a shape behind the tensor.
    """
    specs = list(entry.parameters)
    for index, spec in enumerate(specs):
        tensor = index > 0 and spec.name in ("input", "other") and specs[index - 1].required
        axis = (
            index == 1 and entry.category == "shape" and specs[0].name == "input" and spec.kinds[0] in ("int", "size")
        )
        if (tensor or axis) and not spec.keyword:
            specs[index] = spec.model_copy(update={"required": True})
    return specs


def _operator(entry: Entry, arguments: Arguments, values: Values) -> Code:
    operands = [arguments.get(spec.name) for spec in entry.parameters]
    if entry.name in INFIX:
        left, right = operands
        return code.infix(values.write(left), INFIX[entry.name], values.write(right))
    if entry.name in PREFIX:
        return code.prefix(PREFIX[entry.name], values.write(operands[0]))
    if entry.name == "operator.getitem":
        return code.index(values.write(operands[0]), values.index(operands[1]))
    if entry.name == "operator.abs":
        return code.call(code.name("abs"), [values.write(operands[0])])
    raise ValueError(f"{entry.name} has no spelling in source")


def evaluated_often(node: Node) -> bool:
    """Whether the arguments stand inside a loop, so that they have to be computed in front of it."""
    return isinstance(node, LoopNode) or (isinstance(node, ChooseNode) and node.key is None)
